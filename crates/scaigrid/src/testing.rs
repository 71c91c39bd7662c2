//! Testing without a network: a scripted gateway, virtual time, and the contract of transports as scenarios.
//!
//! Behind the feature `testing`, which belongs into the `[dev-dependencies]` of your program:
//!
//! ```toml
//! [dev-dependencies]
//! scaigrid = { version = "0.1", features = ["testing"] }
//! ```
//!
//! # A script instead of a gateway
//! A [`ScriptedTransport`] sits where HTTP would be. Everything above is the client as it runs in production: it retries,
//! keeps its limits, decodes, and counts. Time is virtual: a wait of a minute takes none.
//!
//! ```
//! # #[cfg(feature = "async")] {
//! use scaigrid::testing::{Answer, ScriptedTransport};
//! use scaigrid::{ChatRequest, Client, Error, ErrorCode};
//! use std::time::Duration;
//!
//! // Code of yours.
//! async fn title(client: &Client, text: &str) -> Result<String, Error> {
//!     let request = ChatRequest::new("scailabs/poolnoodle-omni").system("Reply with ONLY a title.").user(text);
//!     Ok(client.chat(&request).await?.text().into_owned())
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let gateway = ScriptedTransport::new()
//!     .answer(Answer::error(ErrorCode::RateLimited).retry_after(Duration::from_secs(30)))
//!     .answer(Answer::chat("Carbonara"));
//! let client = gateway.client_builder().build().unwrap();
//!
//! assert_eq!(title(&client, "How do I make carbonara?").await.unwrap(), "Carbonara");
//! assert_eq!(gateway.clock().waits(), [Duration::from_secs(30)]);
//! assert_eq!(gateway.requests().len(), 2);
//! assert_eq!(gateway.requests()[1].json().unwrap()["model"], "scailabs/poolnoodle-omni");
//! # });
//! # }
//! ```
//!
//! The blocking client is tested with the same types:
//!
//! ```
//! # #[cfg(feature = "blocking")] {
//! use scaigrid::testing::{Answer, ScriptedTransport};
//! use scaigrid::{ChatRequest, ErrorKind};
//! use std::time::Duration;
//!
//! // The second text comes later than the client waits for it.
//! let gateway = ScriptedTransport::new()
//!     .answer(Answer::chat_stream(["Once upon ", "a time"]).paced(Duration::from_secs(50)));
//! let client = gateway.blocking_client_builder().stream_idle_timeout(Duration::from_secs(45)).build().unwrap();
//!
//! let mut stream = client.chat_stream(&ChatRequest::new("scailabs/poolnoodle-omni").user("A story.")).unwrap();
//! assert_eq!(stream.next().unwrap().unwrap().text(), "Once upon ");
//! let error = stream.next().unwrap().unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::IdleTimeout);
//! assert_eq!(error.partial().unwrap().text(), "Once upon ");
//! assert_eq!(gateway.clock().passed(), Duration::from_secs(50 + 45));
//! # }
//! ```
//!
//! | to script | say |
//! |---|---|
//! | a success | [`Answer::chat`], [`Answer::chat_stream`], [`Answer::data`] for any other call, [`Answer::new`] for bytes |
//! | an error of the gateway | [`Answer::error`], with [`retry_after`](Answer::retry_after) |
//! | no connection, or a lost one | [`Answer::failure`] |
//! | a slow answer, a slow stream | [`after`](Answer::after), [`paced`](Answer::paced), [`pause`](Answer::pause) |
//! | a cut in the middle of a body | [`cut_after`](Answer::cut_after), [`ends_with`](Answer::ends_with) |
//! | odd pieces | [`in_pieces_of`](Answer::in_pieces_of) |
//! | the same again | [`times`](Answer::times), [`ScriptedTransport::otherwise`] |
//!
//! A script that is used up makes the call fail with [`ScriptExhausted`] among its causes. It does not panic, because your
//! code may run on a thread where nobody would hear of it; [`answers_left`](ScriptedTransport::answers_left) tells the
//! opposite.
//!
//! To state single calls with expectations, there are mocks of both transports behind the feature `mock`. To have a
//! whole gateway with accounts, limits, and faults on a socket, there is the crate `scaigrid-emulator`.
//!
//! # Seams
//! [`VirtualClock`] is a clock for both clients, also with another transport. A retry policy is pure: call
//! [`decide`](crate::RetryPolicy::decide) on a [`FailedAttempt`](crate::FailedAttempt), or let a client with a script run
//! through it. A transport of your own is held to its contract by [`conformance`].

mod answer;
mod clock;
pub mod conformance;
mod exhausted;
#[cfg(feature = "async")]
mod in_async;
#[cfg(feature = "blocking")]
mod in_blocking;
mod playback;
mod scripted;

pub use answer::Answer;
pub use clock::VirtualClock;
pub use exhausted::ScriptExhausted;
pub use scripted::{ScriptedTransport, SentRequest};

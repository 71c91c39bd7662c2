//! Server-sent events: bytes in, events out, by the rules of the WHATWG HTML standard (section 9.2).
//!
//! [`Decoder`] does no I/O and knows nothing of HTTP. It takes bytes as they come, in pieces of any size:
//!
//! ```
//! use scaigrid_transport::sse::Decoder;
//!
//! let mut decoder = Decoder::new();
//! let mut texts = Vec::new();
//! for mut piece in [&b"data: hel"[..], b"lo\r", b"\n\r\nevent: error\ndata: x\n\n"] {
//!     while let Some(event) = decoder.next(&mut piece)? {
//!         texts.push(format!("{}={}", event.name, event.data));
//!     }
//! }
//! assert_eq!(texts, ["message=hello", "error=x"]);
//! # Ok::<(), scaigrid_transport::sse::EventTooLarge>(())
//! ```

mod decoder;

pub use decoder::{DEFAULT_MAX_EVENT_BYTES, Decoder, Event, EventTooLarge};

//! Testing without a network.

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

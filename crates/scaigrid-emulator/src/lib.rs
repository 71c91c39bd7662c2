#![doc = include_str!("../README.md")]

mod admission;
mod catalog;
mod chat;
mod clock;
mod emulator;
mod fault;
mod faults;
mod gateway;
mod ids;
mod intake;
mod ledger;
mod models;
mod presence;
mod query;
mod rate_limit;
mod record;
mod reply;
mod routes;
mod stream_fault;
mod summary;
mod sync;
mod text;
mod wire;

pub use emulator::{DEFAULT_API_KEY, DEFAULT_RATE_LIMIT_PER_MINUTE, Emulator, EmulatorBuilder, StartError};
pub use fault::Fault;
pub use faults::{Faults, IncomingRequest};
pub use record::RecordedRequest;
pub use stream_fault::{LineEnd, StreamFault};
pub use text::count_tokens;

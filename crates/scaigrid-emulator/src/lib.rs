#![doc = include_str!("../README.md")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "it makes sound, vectors, and ids of numbers of its own; what comes from requests is checked for its range"
)]

mod accounting;
mod accounts;
mod admission;
mod audio;
mod audit;
mod base64_text;
mod batch;
mod builder;
mod call;
mod catalog;
mod chat;
mod clock;
mod embed;
mod emulator;
mod events;
mod export;
mod fault;
mod faults;
mod fields;
mod gateway;
mod generate;
mod health;
mod ids;
mod images;
mod inference;
mod inspect;
mod intake;
mod listing;
mod media;
mod metrics;
mod models;
mod path;
mod presence;
mod query;
mod rate_limit;
mod record;
mod reply;
mod reshape;
mod rooms;
mod routes;
mod scaimatrix;
mod sessions;
mod settings;
mod start;
mod state;
mod stream_fault;
mod sync;
mod text;
mod times;
mod variant;
mod webhooks;
mod wire;

pub use accounting::Totals;
pub use builder::EmulatorBuilder;
pub use emulator::{DEFAULT_API_KEY, DEFAULT_RATE_LIMIT_PER_MINUTE, Emulator};
pub use fault::Fault;
pub use faults::{Faults, IncomingRequest};
pub use inspect::LedgerTotals;
pub use record::RecordedRequest;
pub use start::StartError;
pub use state::StateError;
pub use stream_fault::{LineEnd, StreamFault};
pub use text::count_tokens;
pub use variant::{UnknownVariant, WireVariant};

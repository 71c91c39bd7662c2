#![doc = include_str!("../README.md")]
// Badges that say which feature an item needs; docs.rs builds with a nightly toolchain.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(test),
    warn(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)
)]
// Without a client there is nobody to drive calls; what the layers below export is still of use.
#![cfg_attr(
    not(any(feature = "async", feature = "blocking")),
    allow(dead_code, unused_imports, unused_macros, reason = "used by the clients only")
)]

mod answer;
mod base_url;
mod batch;
#[cfg(feature = "blocking")]
pub mod blocking;
mod builder;
mod call;
#[cfg(feature = "async")]
mod client;
mod clock;
/// A table of all documented calls: the method for each, how sure its shape is, and what tests it.
#[doc = include_str!("coverage.md")]
pub mod coverage {}
mod credential;
mod doors;
mod download;
#[cfg(any(feature = "async", feature = "blocking"))]
mod elsewhere;
mod env;
mod error;
mod fetch;
pub mod guide;
mod hint;
mod history;
mod lines;
mod observation;
mod observe;
mod one_line;
mod paging;
mod payload;
mod polling;
mod random;
mod reply;
/// What the client defends against, how that is tested, and what it leaves to you.
#[doc = include_str!("security.md")]
pub mod security {}
mod settings;
mod stream;
mod support;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;
mod trace;
mod usage;

#[cfg(feature = "async")]
pub use batch::BatchResults;
pub use builder::GenericClientBuilder;
#[cfg(feature = "async")]
pub use client::{Async, Client, ClientBuilder};
#[cfg(feature = "async")]
pub use clock::Clock;
pub use clock::SystemClock;
#[cfg(feature = "async")]
pub use credential::TokenProvider;
pub use credential::{BearerToken, InvalidToken};
#[cfg(feature = "async")]
pub use download::Download;
pub(crate) use env::SystemEnv;
pub use error::{Error, ErrorKind};
pub use history::{AttemptReport, RetryReport};
#[cfg(feature = "async")]
pub use paging::{Items, Pages};
pub use polling::Polling;
pub use reply::{RateLimit, Reply};
pub use stream::StreamEvent;
#[cfg(feature = "async")]
pub use stream::{ChatStream, TextStream};
pub use usage::{
    Agreement, BudgetGuard, BudgetUse, CostEstimate, PriceTable, ReconciledRow, UsageSnapshot, UsageTotals,
    reconcile,
};

pub use bytes;
pub use http;
pub use scaigrid_retry::{
    self as retry, Decision, FailedAttempt, Failure, InvalidPolicy, RetryBudget, RetryPolicy, RetryRule,
    StandardPolicy, StopReason, TransportFailure, WaitSource,
};
pub use scaigrid_transport as transport;
pub use scaigrid_types as types;
pub use scaigrid_types::*;

/// Any error, for the sources of [`Error`] and for token providers.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

#![doc = include_str!("../README.md")]
//!
//! # The standard rules
//! | failure | repeated for |
//! |---|---|
//! | the request was not sent (DNS, connect) | every call |
//! | `RATE_LIMITED` | every call: it was refused before any handler ran |
//! | `BACKEND_RATE_LIMITED`, `BACKEND_TIMEOUT`, `MODEL_UNAVAILABLE` | idempotent and inference calls |
//! | `BACKEND_ERROR` | idempotent and inference calls, at most twice |
//! | 502, 503, 504 with an unknown code or none | idempotent and inference calls |
//! | 429 with an unknown code or none | idempotent and inference calls, only with a hint |
//! | connection lost or timed out after sending | idempotent calls; inference calls on request |
//! | everything else | nothing |
//!
//! The code decides, then the status; a 429 alone says nothing, because `BUDGET_EXCEEDED` is one. A hint of the
//! server is waited out in full, with up to 10 % on top; without one the wait doubles from 0.5 s to 8 s, of which
//! the upper quarter is random.
// Badges that say which feature an item needs; docs.rs builds with a nightly toolchain.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(test),
    warn(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)
)]

mod attempt;
mod budget;
mod builder;
mod policy;
mod rule;
mod standard;

pub use attempt::{Decision, FailedAttempt, Failure, StopReason, TransportFailure, WaitSource};
pub use budget::RetryBudget;
pub use builder::{InvalidPolicy, StandardPolicyBuilder};
#[cfg(feature = "mock")]
pub use policy::MockRetryPolicy;
pub use policy::RetryPolicy;
pub use rule::RetryRule;
pub use standard::StandardPolicy;

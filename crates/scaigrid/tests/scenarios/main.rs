//! Scripted scenarios: the same script gives the same attempts, waits, and result in both colours.
#![cfg(any(feature = "async", feature = "blocking"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod explained;
mod files;
mod harness;
mod harness_more;
mod lists;
mod random;
mod replies;
mod retries;
mod streams;
mod usage;
mod waits;

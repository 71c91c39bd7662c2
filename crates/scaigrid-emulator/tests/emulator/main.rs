//! The emulator over real sockets.

// Helpers of tests state what they expect in the shortest way, as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod accounting;
mod audit_log;
mod budgets;
mod chat;
mod connections;
mod faults;
mod health;
mod http;
mod keys;
mod lifecycle;
mod lists;
#[cfg(unix)]
mod program;
mod state;
mod stream_faults;
mod streams;
mod variants;
mod wire;

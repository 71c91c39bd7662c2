//! The emulator over real sockets.

// Helpers of tests state what they expect in the shortest way, as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod accounting;
mod audio;
mod audit_log;
mod batches;
mod budgets;
mod calls;
mod chat;
mod connections;
mod embed;
mod events;
mod faults;
mod generate;
mod health;
mod http;
mod images;
mod keys;
mod lifecycle;
mod lists;
mod permissions;
#[cfg(unix)]
mod program;
mod receiver;
mod restart;
mod rooms;
mod scaimatrix;
mod sessions;
mod state;
mod stream_faults;
mod streams;
mod variants;
mod webhooks;
mod wire;

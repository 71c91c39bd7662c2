//! The emulator over real sockets.

// Helpers of tests state what they expect in the shortest way, as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod audio;
mod batches;
mod calls;
mod chat;
mod connections;
mod embed;
mod faults;
mod generate;
mod http;
mod images;
mod lifecycle;
mod lists;
#[cfg(unix)]
mod program;
mod receiver;
mod rooms;
mod scaimatrix;
mod sessions;
mod stream_faults;
mod streams;
mod webhooks;
mod wire;

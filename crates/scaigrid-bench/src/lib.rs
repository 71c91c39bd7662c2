//! What the SDK costs, beside raw HTTP clients and other SDKs. Run it with `cargo xtask bench`.
//!
//! A run is one program that serves on loopback from one core, and starts itself once for each side and load, pinned to
//! another core. Each side checks its work: chunks, bytes of text, and tokens. Ratios are those of one round.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    reason = "a command-line program that measures time, and stops at the first surprise"
)]

pub mod allocations;
pub mod cli;
pub mod compare;
pub mod counts;
pub mod decode;
pub mod growth;
pub mod harness;
pub mod idle;
pub mod load;
pub mod measure;
pub mod rig;
pub mod scenarios;
pub mod server;
pub mod shape;
pub mod side;
pub mod sides;
pub mod sizes;
pub mod stats;
pub mod table;

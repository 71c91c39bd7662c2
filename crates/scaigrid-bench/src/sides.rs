//! The sides of this crate: our clients, and raw ones. Other SDKs are programs of their own, in `peers`.

mod models;
pub mod ours;
pub mod raw;

pub use models::{OwnedChunk, Request};

use crate::harness::{Job, Outcome, run_async, run_blocking};
use crate::measure::Counter;

/// What every ratio is to.
pub const BASE: &str = "raw-reqwest";

/// All sides of this crate, in the order of the tables.
pub const NAMES: [&str; 6] =
    ["ours-async", "ours-hyper", "ours-blocking", "raw-hyper", "raw-reqwest", "raw-ureq"];

/// Those that know lists.
pub const LISTING: [&str; 3] = ["ours-async", "ours-hyper", "ours-blocking"];

/// Runs a side of this crate. `None`: there is none of that name.
pub fn run(name: &str, job: &Job, counter: Option<Counter>) -> Option<Outcome> {
    Some(match name {
        "ours-async" => run_async::<ours::Async>(job, counter),
        "ours-hyper" => run_async::<ours::Hyper>(job, counter),
        "ours-blocking" => run_blocking::<ours::Blocking>(job, counter),
        "raw-hyper" => run_async::<raw::Hyper>(job, counter),
        "raw-reqwest" => run_async::<raw::Reqwest>(job, counter),
        "raw-ureq" => run_blocking::<raw::Ureq>(job, counter),
        _ => return None,
    })
}

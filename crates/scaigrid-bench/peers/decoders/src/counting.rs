//! Other decoders of event streams, beside ours: allocations.

mod others;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let counter = || scaigrid_bench::measure::counted(ALLOCATOR.stats());
    scaigrid_bench::cli::decoders(&others::ALL, Some(counter))
}

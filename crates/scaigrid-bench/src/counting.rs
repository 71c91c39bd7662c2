//! The same, with an allocator that counts.

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    scaigrid_bench::cli::main(Some(|| scaigrid_bench::measure::counted(ALLOCATOR.stats())))
}

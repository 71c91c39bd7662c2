//! The same, with an allocator that counts.

mod side;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let counter = || scaigrid_bench::measure::counted(ALLOCATOR.stats());
    scaigrid_bench::cli::peer::<side::AsyncOpenai>("async-openai", Some(counter))
}

//! The side `async-openai` of the benchmark.

mod side;

use std::process::ExitCode;

fn main() -> ExitCode {
    scaigrid_bench::cli::peer::<side::AsyncOpenai>("async-openai", None)
}

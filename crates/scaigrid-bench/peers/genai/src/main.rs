//! The side `genai` of the benchmark.

mod side;

use std::process::ExitCode;

fn main() -> ExitCode {
    scaigrid_bench::cli::peer::<side::Genai>("genai", None)
}

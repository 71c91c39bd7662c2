//! The benchmark. `scaigrid-bench --help` says how to use it.

use std::process::ExitCode;

fn main() -> ExitCode {
    scaigrid_bench::cli::main(None)
}

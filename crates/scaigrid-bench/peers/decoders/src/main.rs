//! Other decoders of event streams, beside ours: times.

mod others;

use std::process::ExitCode;

fn main() -> ExitCode {
    scaigrid_bench::cli::decoders(&others::ALL, None)
}

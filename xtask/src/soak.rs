//! The long test: many calls against a gateway in chaos.

use std::error::Error;
use std::process::Command;

/// Runs it for `seconds`, with the chaos of `seed`.
pub(crate) fn run(seconds: u64, seed: u64) -> Result<(), Box<dyn Error>> {
    let arguments = ["test", "--release", "-p", "scaigrid", "--features", "blocking", "--test", "soak"];
    let status = Command::new("cargo")
        .args(arguments)
        .args(["--", "--ignored", "--nocapture"])
        .env("SCAIGRID_SOAK_SECONDS", seconds.to_string())
        .env("SCAIGRID_SOAK_SEED", seed.to_string())
        .status()?;
    if status.success() { Ok(()) } else { Err(format!("the soak failed: {status}").into()) }
}

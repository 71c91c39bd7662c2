//! The retries program, run as a newcomer would.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

#[test]
fn every_attempt_is_told_and_summed_up() {
    let output = Command::new(env!("CARGO_BIN_EXE_retries"))
        .args(["--fail-twice", "Tell me about carbonara."])
        .env_remove("SCAIGRID_API_KEY")
        .env_remove("SCAIGRID_BASE_URL")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    assert!(!output.stdout.is_empty());
    for line in [
        "chat: attempt 1: BACKEND_ERROR (HTTP 502), request id req_",
        "chat: attempt 2: BACKEND_ERROR (HTTP 502), request id req_",
        "chat: attempt 3: succeeded, request id req_",
        "3 attempts in ",
    ] {
        assert!(stderr.lines().any(|told| told.starts_with(line)), "{line} not in:\n{stderr}");
    }
}

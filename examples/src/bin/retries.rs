//! How a call was repeated, while it goes on and afterwards. With `--fail-twice`, the embedded emulator fails first.
//!
//! cargo run --bin retries -- --fail-twice
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the reply goes to stdout, all else to stderr")]

use scaigrid::blocking::{Client, ClientBuilder};
use scaigrid::{ChatRequest, RetryBudget, RetryRule, StandardPolicy};
use scaigrid_examples::{Arguments, emulator_without_key, exit_code};
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

/// A client that is more patient than the default, and tells of each retry.
fn patient(builder: ClientBuilder) -> Result<Client, Box<dyn Error>> {
    let policy = StandardPolicy::builder()
        .max_attempts(5)
        .backoff(Duration::from_millis(250), Duration::from_secs(30))
        .rule("MODEL_UNAVAILABLE", RetryRule::never())
        .build()?;
    let client = builder
        .retry_policy(policy)
        .retry_budget(RetryBudget::new(50).with_successes_per_retry(20))
        .deadline(Duration::from_secs(120))
        .on_attempt(|attempt| eprintln!("{}: {attempt}", attempt.endpoint))
        .build()?;
    Ok(client)
}

fn main() -> ExitCode {
    exit_code(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::read()?;
    let emulator = emulator_without_key(arguments.fail_twice)?;
    let client = patient(match &emulator {
        Some(emulator) => Client::builder().base_url(emulator.base_url()).api_key(emulator.api_key()),
        None => Client::builder().env(),
    })?;
    for question in &arguments.snippets {
        let request = ChatRequest::new("scailabs/poolnoodle-omni").user(question.as_str());
        match client.chat(&request) {
            Ok(reply) => {
                println!("{}", reply.text());
                eprintln!("{}", reply.retry_report());
            }
            Err(error) => {
                eprintln!("{}", error.retry_report());
                return Err(error.into());
            }
        }
    }
    Ok(())
}

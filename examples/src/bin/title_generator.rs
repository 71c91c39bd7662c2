//! Titles for conversations, with the async client.
//!
//! cargo run --bin title_generator -- "Hey, what's a good recipe for carbonara?"
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the title goes to stdout, all else to stderr")]

use scaigrid::{ChatCompletion, ChatRequest, Client, Error, ErrorCode, ErrorKind, Reply};
use scaigrid::{UsagePeriod, UsageSummaryQuery};
use scaigrid_examples::{Arguments, emulator_without_key, exit_code};
use std::process::ExitCode;

/// Asks for a title of at most six words. Failures that may pass are retried inside.
async fn title(client: &Client, snippet: &str) -> Result<Reply<ChatCompletion>, Error> {
    let request = ChatRequest::new("scailabs/poolnoodle-omni")
        .system("You generate conversation titles. Reply with ONLY the title, max 6 words.")
        .user(snippet)
        .max_tokens(20)
        .temperature(0.3);
    client.chat(&request).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::read()?;
    let emulator = emulator_without_key(arguments.fail_twice)?;
    let client = match &emulator {
        Some(emulator) => {
            Client::builder().base_url(emulator.base_url()).api_key(emulator.api_key()).build()?
        }
        None => Client::from_env()?,
    };

    let mut usage = scaigrid::Usage::default();
    for snippet in &arguments.snippets {
        let reply = title(&client, snippet).await.inspect_err(|error| eprintln!("{}", advice(error)))?;
        println!("{}", reply.text());
        usage += reply.usage;
        for failed in reply.history() {
            eprintln!("retried: {failed}");
        }
        eprintln!("request id: {}", reply.request_id().unwrap_or("none"));
    }
    eprintln!("tokens: {} in, {} out", usage.prompt(), usage.completion());

    // Authoritative for the whole tenant; it lags a little behind, and the key may lack the permission.
    match client.usage_summary(&UsageSummaryQuery::new(UsagePeriod::Day)).await {
        Ok(today) => {
            let today = today.totals();
            let cost = today.total_cost.map_or("unknown".to_owned(), |cost| cost.to_string());
            eprintln!("accounted today: {} calls, cost {cost}", today.request_count.unwrap_or_default());
        }
        Err(error) => eprintln!("no accounting: {error}"),
    }
    Ok(())
}

/// What a person can do about it. Branch on the code: a 429 may be a used-up budget.
fn advice(error: &Error) -> &'static str {
    match (error.code(), error.kind()) {
        (Some(ErrorCode::BudgetExceeded), _) => "The budget is used up: an administrator must raise it.",
        (Some(ErrorCode::AuthTokenInvalid), _) => "The API key was refused: check SCAIGRID_API_KEY.",
        (Some(ErrorCode::ModelNotFound), _) => "There is no such model: list them with client.models(..).",
        (None, ErrorKind::Connect) => {
            "The gateway cannot be reached: check SCAIGRID_BASE_URL and the network."
        }
        _ => "If it goes on, give the request id to support.",
    }
}

//! A reply as it comes, with the async client. Ctrl-C stops it and shows what arrived.
//!
//! cargo run --bin stream_chat -- "Tell me about carbonara. Guanciale is cured pork cheek."
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the reply goes to stdout, all else to stderr")]

use scaigrid::{ChatRequest, Client};
use scaigrid_examples::{Arguments, emulator_without_key, exit_code, print_now};
use std::process::ExitCode;

/// Prints a reply as it comes. When Ctrl-C comes, the stream is dropped, and its connection is closed.
async fn print_reply(client: &Client, question: &str) -> Result<(), Box<dyn std::error::Error>> {
    let request = ChatRequest::new("scailabs/poolnoodle-omni").user(question);
    // One future for all, polled first: a signal between two chunks must not be missed.
    let mut ctrl_c = std::pin::pin!(tokio::signal::ctrl_c());
    let mut stream = tokio::select! {
        biased;
        _ = &mut ctrl_c => return Err("stopped before the first chunk".into()),
        stream = client.chat_stream(&request) => stream?,
    };
    let interrupted = loop {
        tokio::select! {
            biased;
            _ = &mut ctrl_c => break true,
            chunk = stream.next() => match chunk {
                Some(chunk) => print_now(chunk?.text())?,
                None => break false,
            },
        }
    };
    println!();
    if interrupted {
        eprintln!("stopped; arrived so far: {:?}", stream.snapshot().text());
    }
    eprintln!("request id: {}", stream.request_id().unwrap_or("none"));
    match stream.usage() {
        Some(usage) => eprintln!("tokens: {} in, {} out", usage.prompt(), usage.completion()),
        None => eprintln!("tokens: not known, the stream ended before it said"),
    }
    Ok(())
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
    for question in &arguments.snippets {
        print_reply(&client, question).await?;
    }
    Ok(())
}

//! A reply as it comes, with the blocking client: an iterator. Ctrl-C stops it and shows what arrived.
//!
//! cargo run --bin stream_chat_blocking -- "Tell me about carbonara. Guanciale is cured pork cheek."
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the reply goes to stdout, all else to stderr")]

use scaigrid::blocking::{CancelHandle, Client};
use scaigrid::{ChatRequest, ErrorKind};
use scaigrid_examples::{Arguments, emulator_without_key, exit_code, print_now};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

/// What Ctrl-C ends.
type Current = Arc<Mutex<Option<CancelHandle>>>;

/// Prints a reply as it comes. Another thread may end the stream through its handle.
fn print_reply(client: &Client, question: &str, current: &Current) -> Result<(), Box<dyn std::error::Error>> {
    let request = ChatRequest::new("scailabs/poolnoodle-omni").user(question);
    let mut stream = client.chat_stream(&request)?;
    *current.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream.cancel_handle());
    for chunk in &mut stream {
        match chunk {
            Ok(chunk) => print_now(chunk.text())?,
            Err(error) if error.kind() == ErrorKind::Cancelled => {
                let arrived = error.partial().map(|partial| partial.text().into_owned());
                eprintln!("\nstopped; arrived so far: {:?}", arrived.unwrap_or_default());
            }
            Err(error) => return Err(error.into()),
        }
    }
    // The next stream has a handle of its own.
    *current.lock().unwrap_or_else(PoisonError::into_inner) = None;
    println!();
    eprintln!("request id: {}", stream.request_id().unwrap_or("none"));
    match stream.usage() {
        Some(usage) => eprintln!("tokens: {} in, {} out", usage.prompt(), usage.completion()),
        None => eprintln!("tokens: not known, the stream ended before it said"),
    }
    Ok(())
}

fn main() -> ExitCode {
    exit_code(run())
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::read()?;
    let emulator = emulator_without_key(arguments.fail_twice)?;
    let client = match &emulator {
        Some(emulator) => {
            Client::builder().base_url(emulator.base_url()).api_key(emulator.api_key()).build()?
        }
        None => Client::from_env()?,
    };
    let current = Current::default();
    let on_ctrl_c = Arc::clone(&current);
    ctrlc::set_handler(move || match &*on_ctrl_c.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(stream) => stream.cancel(),
        None => std::process::exit(130),
    })?;
    for question in &arguments.snippets {
        print_reply(&client, question, &current)?;
    }
    Ok(())
}

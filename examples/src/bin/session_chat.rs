//! A conversation whose history the gateway keeps, with the async client: one message a line, and `/quit`.
//!
//! cargo run --bin session_chat
#![allow(clippy::print_stderr, reason = "the replies go to stdout, all else to stderr")]

use scaigrid::{Client, CreateSession, SendSessionMessage};
use scaigrid_examples::{Options, emulator_without_key, exit_code, print_now, with_gateway};
use std::error::Error;
use std::io::IsTerminal;
use std::process::ExitCode;
use tokio::io::{AsyncBufReadExt, BufReader};

/// Says something in a session, and prints the reply as it comes. Only the new message is sent: the gateway knows the rest.
async fn say(client: &Client, session_id: &str, message: &str) -> Result<(), Box<dyn Error>> {
    let mut stream = client.stream_session_message(&SendSessionMessage::new(session_id, message)).await?;
    while let Some(chunk) = stream.next().await {
        print_now(chunk?.text())?;
    }
    print_now("\n")?;
    Ok(())
}

/// Reads messages until `/quit`, and then asks how many the gateway remembers.
async fn converse(client: &Client, session_id: &str) -> Result<(), Box<dyn Error>> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut unanswered = 0;
    loop {
        if std::io::stdin().is_terminal() {
            eprint!("> ");
        }
        let line = lines.next_line().await?.unwrap_or_else(|| "/quit".to_owned());
        match line.trim() {
            "" => {}
            "/quit" => break,
            message => match say(client, session_id, message).await {
                // The conversation can go on.
                Err(error) if error.is::<scaigrid::Error>() => {
                    eprintln!("\nno answer: {error}");
                    unanswered += 1;
                }
                said => said?,
            },
        }
    }
    let session = client.session(session_id).await?;
    let count =
        session.messages.as_ref().map_or("an unknown number of".to_owned(), |all| all.len().to_string());
    eprintln!("session {session_id}: the gateway remembers {count} messages");
    match unanswered {
        0 => Ok(()),
        _ => Err(format!("{unanswered} messages have no answer").into()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let options = Options::read("session_chat [--session ID] [--system TEXT] [--model SLUG]")?;
    let emulator = emulator_without_key(false)?;
    let client = with_gateway(Client::builder(), &emulator).build()?;
    let session_id = match options.value("session") {
        Some(earlier) => earlier.to_owned(),
        None => {
            let model = options.value("model").unwrap_or("scailabs/poolnoodle-omni");
            let session = CreateSession::new(model)
                .title("A chat in a terminal")
                .system_prompt(options.value("system").unwrap_or("You are brief and friendly."));
            client.create_session(&session).await?.into_inner().id
        }
    };
    converse(&client, &session_id).await
}

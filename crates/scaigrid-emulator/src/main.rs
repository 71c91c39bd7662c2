//! The `scaigrid-emulator` program. See the library's documentation for what it serves.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program talks through its standard streams"
)]

use lexopt::prelude::*;
use scaigrid_emulator::{
    DEFAULT_API_KEY, DEFAULT_RATE_LIMIT_PER_MINUTE, Emulator, EmulatorBuilder, Fault, StartError, WireVariant,
};
use std::error::Error;
use std::future::Future;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const DEFAULT_PORT: u16 = 8787;

const HELP: &str = "\
A ScaiGrid gateway on this machine, for tests and offline work. It is not an AI: answers come from fixed rules.

Usage: scaigrid-emulator [OPTIONS]

Options:
  --listen ADDR           loopback address and port; port 0 takes a free one [default: 127.0.0.1:8787]
  --api-key KEY           accept this key; may be repeated [default: a well-known key, shown at the start]
  --rate-limit N          requests per key in any 60 seconds [default: 60000]
  --stream-pace MS        wait so many milliseconds before each chunk of a stream after the first [default: 0]
  --batch-pace MS         wait so many milliseconds before each line of a batch [default: 0]
  --ingestion-pace MS     each stage of a document in ScaiMatrix takes so many milliseconds [default: 0]
  --webhook-time-scale N  retry webhooks N times faster than documented, which is after 30 s to 2 h [default: 1000]
  --state FILE            load the state from this file if it exists, and save it there [default: nothing is kept]
  --variant NAME          send another form of the wire, see below; may be repeated
  --fail N                fail the first N chats with BACKEND_ERROR, to see a client retry [default: 0]
  -h, --help              show this text
  -V, --version           show the version

The first line on standard output is the base URL. Ctrl-C ends the program.
Exit codes: 0 ended by a signal, 1 could not start or not save the state, 2 wrong arguments.
";

enum Command {
    Serve { builder: Box<EmulatorBuilder>, default_key: bool },
    Help,
    Version,
}

fn main() -> ExitCode {
    let outcome = match parse() {
        Ok(Command::Help) => io::stdout().write_all(help().as_bytes()).map_err(Into::into),
        Ok(Command::Version) => {
            writeln!(io::stdout(), "scaigrid-emulator {}", env!("CARGO_PKG_VERSION")).map_err(Into::into)
        }
        Ok(Command::Serve { builder, default_key }) => serve(*builder, default_key),
        Err(error) => {
            eprintln!("scaigrid-emulator: {error}\nTry `scaigrid-emulator --help`.");
            return ExitCode::from(2);
        }
    };
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    eprintln!("scaigrid-emulator: {}", with_sources(error.as_ref()));
    match error.downcast_ref() {
        Some(StartError::NotLoopback { .. } | StartError::InvalidKey) => ExitCode::from(2),
        _ => ExitCode::FAILURE,
    }
}

fn parse() -> Result<Command, lexopt::Error> {
    let mut builder = Emulator::builder()
        .listen(SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)))
        .rate_limit_per_minute(DEFAULT_RATE_LIMIT_PER_MINUTE)
        // Nobody asks this program for them, and it may run for days.
        .without_recording();
    let mut default_key = true;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("listen") => builder = builder.listen(arguments.value()?.parse()?),
            Long("api-key") => {
                builder = builder.api_key(arguments.value()?.string()?);
                default_key = false;
            }
            Long("rate-limit") => builder = builder.rate_limit_per_minute(arguments.value()?.parse()?),
            Long("stream-pace") => {
                builder = builder.stream_pace(Duration::from_millis(arguments.value()?.parse()?));
            }
            Long("batch-pace") => {
                builder = builder.batch_pace(Duration::from_millis(arguments.value()?.parse()?));
            }
            Long("ingestion-pace") => {
                builder = builder.ingestion_pace(Duration::from_millis(arguments.value()?.parse()?));
            }
            Long("webhook-time-scale") => builder = builder.webhook_time_scale(arguments.value()?.parse()?),
            Long("state") => builder = builder.state_file(PathBuf::from(arguments.value()?)),
            Long("variant") => builder = builder.variant(arguments.value()?.parse()?),
            Long("fail") => {
                // Two bytes, because each failure is kept in a queue.
                for _ in 0..arguments.value()?.parse::<u16>()? {
                    builder = builder.fault(Fault::error("BACKEND_ERROR").for_path("/v1/inference/chat"));
                }
            }
            Short('h') | Long("help") => return Ok(Command::Help),
            Short('V') | Long("version") => return Ok(Command::Version),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Command::Serve { builder: Box::new(builder), default_key })
}

fn serve(builder: EmulatorBuilder, default_key: bool) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    // Before the URL is printed: whoever reads it may send a signal at once.
    let signal = {
        let _context = runtime.enter();
        end_signal()?
    };
    let emulator = builder.start()?;
    let url = emulator.base_url();
    let mut stdout = io::stdout().lock();
    // A reader that has gone is no reason to stop serving.
    let _ = writeln!(stdout, "{url}").and_then(|()| stdout.flush());
    drop(stdout);

    let key = if default_key { DEFAULT_API_KEY } else { "<a key given with --api-key>" };
    eprintln!(
        "A deterministic stand-in for ScaiGrid, not an AI.\n\
         Chat models: scailabs/poolnoodle-omni, scailabs/poolnoodle-mini\n\
         \x20 export SCAIGRID_BASE_URL={url}\n\
         \x20 export SCAIGRID_API_KEY={key}\n\
         Ctrl-C ends it."
    );
    runtime.block_on(signal);
    emulator.save_state().map_err(|error| format!("the state was not saved: {}", with_sources(&error)))?;
    emulator.stop();
    Ok(())
}

/// The help, with all variants.
fn help() -> String {
    let line = |variant: &WireVariant| format!("  {:<26} {}\n", variant.name(), variant.description());
    let variants: String = WireVariant::ALL.iter().map(line).collect();
    format!("{HELP}\nVariants:\n{variants}")
}

/// Ready when the program is asked to end. The handlers are in place when this returns.
#[cfg(unix)]
fn end_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(std::future::poll_fn(move |cx| {
        match interrupt.poll_recv(cx).is_ready() || terminate.poll_recv(cx).is_ready() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    }))
}

#[cfg(not(unix))]
fn end_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // An error means that there is no handler; the system's own then ends the program.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// The error and its causes in one line.
fn with_sources(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

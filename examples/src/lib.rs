//! What the examples share: their arguments, and a gateway where there is no API key.
#![allow(clippy::print_stderr, reason = "command-line programs talk to people on stderr")]

use scaigrid_emulator::{Emulator, Fault};
use std::error::Error;
use std::io::{IsTerminal, Read, Write};
use std::process::ExitCode;

/// The question that is titled when none is given.
const DEFAULT_SNIPPET: &str = "Hey, what's a good recipe for carbonara?";

/// The arguments of the title generators.
#[derive(Debug)]
pub struct Arguments {
    /// Conversation snippets, each to be titled.
    pub snippets: Vec<String>,
    /// Whether the embedded emulator fails twice first, to show the retries.
    pub fail_twice: bool,
}

impl Arguments {
    /// Reads `[--fail-twice] [SNIPPET]...`. Without a snippet, standard input is one, and without that the default.
    ///
    /// # Errors
    /// An unknown option, or standard input that is not text.
    pub fn read() -> Result<Self, Box<dyn Error>> {
        let (options, mut snippets): (Vec<_>, Vec<_>) =
            std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
        if let Some(unknown) = options.iter().find(|option| *option != "--fail-twice") {
            return Err(format!("unknown option {unknown}; usage: [--fail-twice] [SNIPPET]...").into());
        }
        if snippets.is_empty() && !std::io::stdin().is_terminal() {
            eprintln!("reading a snippet from standard input");
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            snippets.extend(Some(text.trim().to_owned()).filter(|text| !text.is_empty()));
        }
        if snippets.is_empty() {
            snippets.push(DEFAULT_SNIPPET.to_owned());
        }
        Ok(Self { snippets, fail_twice: !options.is_empty() })
    }
}

/// An embedded emulator when `SCAIGRID_API_KEY` is not set, and a line on stderr that says so. `None` when it is set:
/// then the program talks to that gateway, and nothing else changes.
///
/// # Errors
/// When the emulator does not start, or should fail although a real gateway is used.
pub fn emulator_without_key(fail_twice: bool) -> Result<Option<Emulator>, Box<dyn Error>> {
    if std::env::var_os("SCAIGRID_API_KEY").is_some() {
        return match fail_twice {
            true => Err("--fail-twice needs the embedded emulator: unset SCAIGRID_API_KEY".into()),
            false => Ok(None),
        };
    }
    let emulator = Emulator::start()?;
    eprintln!(
        "SCAIGRID_API_KEY is not set: using an emulator inside this process at {}. It follows rules and is no AI.",
        emulator.base_url()
    );
    if fail_twice {
        emulator.faults().repeat(Fault::error("BACKEND_ERROR"), 2);
    }
    Ok(Some(emulator))
}

/// The error on stderr, and a failure, if there is one.
pub fn exit_code(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

/// Prints a piece of a reply at once, without waiting for the end of the line.
///
/// # Errors
/// When standard output is closed.
pub fn print_now(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

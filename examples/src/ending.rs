//! How the examples print and end.
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "command-line programs talk to people")]

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

/// Why a program ends before it has begun.
#[derive(Debug)]
pub enum Stop {
    /// It was asked for its usage line.
    Help(&'static str),
    /// The command line is wrong.
    Wrong(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Help(usage) => write!(f, "usage: {usage}"),
            Self::Wrong(what) => f.write_str(what),
        }
    }
}

impl Error for Stop {}

/// The error on stderr, and what the shell is told: 0 when all went well, 1 for a failure, 2 for a wrong command line.
pub fn exit_code(result: Result<(), Box<dyn Error>>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    match error.downcast_ref() {
        Some(Stop::Help(usage)) => {
            println!("usage: {usage}");
            return ExitCode::SUCCESS;
        }
        Some(Stop::Wrong(what)) => {
            eprintln!("error: {what}");
            return ExitCode::from(2);
        }
        None => {}
    }
    // Nobody reads on, as in `program | head -1`.
    if error.downcast_ref().is_some_and(|error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe) {
        return ExitCode::FAILURE;
    }
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}

/// Prints a piece of a reply at once, without waiting for the end of the line.
///
/// # Errors
/// When standard output is closed.
pub fn print_now(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

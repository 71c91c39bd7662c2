//! The chores of this workspace: `cargo xtask CHORE`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

mod ci;

use std::process::ExitCode;

const HELP: &str = "\
The chores of this workspace.

Usage: cargo xtask CHORE

  ci    everything that continuous integration checks, in the same order
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = lexopt::Parser::from_env();
    match arguments.next()? {
        Some(lexopt::Arg::Value(chore)) if chore == "ci" => {
            if let Some(argument) = arguments.next()? {
                return Err(argument.unexpected().into());
            }
            ci::run()
        }
        Some(lexopt::Arg::Long("help") | lexopt::Arg::Short('h')) | None => {
            print!("{HELP}");
            Ok(())
        }
        Some(argument) => Err(format!("{}\n\n{HELP}", argument.unexpected()).into()),
    }
}

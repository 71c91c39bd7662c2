//! The chores of this workspace: `cargo xtask CHORE`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

mod bench;
mod ci;
mod consumers;
mod soak;

use lexopt::ValueExt;
use std::process::ExitCode;

const HELP: &str = "\
The chores of this workspace.

Usage: cargo xtask CHORE

  bench [OPTIONS]                  what the SDK costs, beside others: see `bench --help`
  ci                               everything that continuous integration checks, in the same order
  consumers                        builds and tests the programs of examples/consumers, which are not of this workspace
  soak [--seconds N] [--seed N]    many calls against a gateway in chaos; 900 seconds and seed 1 by default
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
        Some(lexopt::Arg::Value(chore)) if chore == "bench" => bench::run(arguments.raw_args()?.collect()),
        Some(lexopt::Arg::Value(chore)) if chore == "consumers" => {
            if let Some(argument) = arguments.next()? {
                return Err(argument.unexpected().into());
            }
            consumers::run()
        }
        Some(lexopt::Arg::Value(chore)) if chore == "soak" => {
            let (mut seconds, mut seed) = (900, 1);
            while let Some(argument) = arguments.next()? {
                match argument {
                    lexopt::Arg::Long("seconds") => seconds = arguments.value()?.parse()?,
                    lexopt::Arg::Long("seed") => seed = arguments.value()?.parse()?,
                    other => return Err(other.unexpected().into()),
                }
            }
            soak::run(seconds, seed)
        }
        Some(lexopt::Arg::Long("help") | lexopt::Arg::Short('h')) | None => {
            print!("{HELP}");
            Ok(())
        }
        Some(argument) => Err(format!("{}\n\n{HELP}", argument.unexpected()).into()),
    }
}

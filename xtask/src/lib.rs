//! The chores of this workspace: `cargo xtask CHORE`. `CONTRIBUTING.md` says when to use which.
//!
//! A library, so that the repository's tests can ask for the same tables that the chores use.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

mod api;
mod bench;
pub mod ci;
mod consumers;
mod deps;
mod docs;
pub mod features;
mod fuzz;
mod lint;
pub mod metadata;
mod min_versions;
mod msrv;
pub mod release;
mod run;
mod semver;
mod soak;
mod test;
mod tidy;

pub use run::{Action, Step};

use lexopt::ValueExt;
use std::process::ExitCode;

/// What a chore gives: nothing, or a reason for a person to read.
pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// One chore: a row of the help and a function.
pub struct Chore {
    /// The word after `cargo xtask`.
    pub name: &'static str,
    /// One line for the list of chores.
    pub summary: &'static str,
    /// Usage and details, for `cargo xtask CHORE --help`.
    pub help: &'static str,
    /// Reads the rest of the command line and does it.
    run: fn(lexopt::Parser) -> Result,
}

/// All chores, in the order of the help. Each has a section in `CONTRIBUTING.md`; a test compares the two.
pub const CHORES: &[Chore] = &[
    ci::CHORE,
    test::CHORE,
    lint::CHORE,
    docs::CHORE,
    features::CHORE,
    deps::CHORE,
    msrv::CHORE,
    min_versions::CHORE,
    semver::CHORE,
    api::CHORE,
    fuzz::CHORE,
    soak::CHORE,
    consumers::CHORE,
    bench::CHORE,
    tidy::CHORE,
    release::CHORE,
];

/// Reads the command line and runs one chore.
pub fn main() -> ExitCode {
    match dispatch(lexopt::Parser::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(mut arguments: lexopt::Parser) -> Result {
    let name = match arguments.next()? {
        Some(lexopt::Arg::Value(name)) => name.string()?,
        Some(lexopt::Arg::Long("help") | lexopt::Arg::Short('h')) | None => {
            print!("{}", overview());
            return Ok(());
        }
        Some(argument) => return Err(format!("{}\n\n{}", argument.unexpected(), overview()).into()),
    };
    if name == "help" {
        match arguments.next()? {
            Some(argument) => print_help(find(&chore_name(argument)?)?),
            None => print!("{}", overview()),
        }
        return Ok(());
    }
    let chore = find(&name)?;
    // Asked for help, a chore does nothing else, wherever the flag stands.
    if std::env::args_os().skip(2).any(|argument| argument == "--help" || argument == "-h") {
        print_help(chore);
        return Ok(());
    }
    (chore.run)(arguments)
}

fn chore_name(argument: lexopt::Arg<'_>) -> Result<String> {
    match argument {
        lexopt::Arg::Value(name) => Ok(name.string()?),
        other => Err(other.unexpected().into()),
    }
}

fn find(name: &str) -> Result<&'static Chore> {
    let chore = CHORES.iter().find(|chore| chore.name == name);
    chore.ok_or_else(|| format!("there is no chore `{name}`\n\n{}", overview()).into())
}

fn print_help(chore: &Chore) {
    println!("{}\n\n{}", chore.summary, chore.help.trim());
}

/// The list of chores.
pub fn overview() -> String {
    let rows: String =
        CHORES.iter().map(|chore| format!("  {:<14}{}\n", chore.name, chore.summary)).collect();
    format!(
        "The chores of this workspace.\n\nUsage: cargo xtask CHORE [OPTIONS]\n       cargo xtask CHORE --help\n\n{rows}"
    )
}

/// For chores without options.
fn no_more(mut arguments: lexopt::Parser) -> Result {
    match arguments.next()? {
        Some(argument) => Err(argument.unexpected().into()),
        None => Ok(()),
    }
}

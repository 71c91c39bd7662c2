//! Running commands, and lists of them.

use crate::Result;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

/// One entry of a list that is run from top to bottom.
pub struct Step {
    /// What it checks, in a few words.
    pub title: String,
    /// What is done.
    pub action: Action,
}

/// What a [`Step`] does.
pub enum Action {
    /// A command of the toolchain.
    Cargo {
        /// The arguments after `cargo`.
        arguments: Vec<String>,
        /// A variable that is set for it.
        variable: Option<(&'static str, &'static str)>,
    },
    /// A chore of this program.
    Own(fn() -> Result),
}

impl Step {
    pub(crate) fn cargo(title: impl Into<String>, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { title: title.into(), action: Action::Cargo { arguments, variable: None } }
    }

    pub(crate) fn own(title: impl Into<String>, run: fn() -> Result) -> Self {
        Self { title: title.into(), action: Action::Own(run) }
    }

    fn run(&self) -> Result {
        match &self.action {
            Action::Cargo { arguments, variable } => {
                println!("\n== {}: cargo {}", self.title, arguments.join(" "));
                run(cargo().args(arguments).envs(*variable))
            }
            Action::Own(function) => {
                println!("\n== {}", self.title);
                function()
            }
        }
        .map_err(|error| format!("{}: {error}", self.title).into())
    }
}

/// Runs each step and stops at the first that fails.
pub(crate) fn all(steps: &[Step]) -> Result {
    let mut before = None;
    for step in steps {
        // Told at the next step, so that the output ends with cargo's own words.
        if let Some((title, seconds)) = before {
            println!("\n== {title}: {seconds} s");
        }
        #[allow(clippy::disallowed_methods, reason = "tells how long a step took")]
        let started = Instant::now();
        step.run()?;
        before = Some((&step.title, started.elapsed().as_secs()));
    }
    Ok(())
}

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The toolchain's own cargo, not the one of an outer `cargo run`, in the workspace's folder.
pub(crate) fn cargo() -> Command {
    cargo_in(&root())
}

/// The same in another folder.
pub(crate) fn cargo_in(folder: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(folder);
    // Set by the outer `cargo run` for this program, and misleading for another workspace.
    for variable in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
        command.env_remove(variable);
    }
    command
}

/// Git in `folder`.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.current_dir(folder).args(arguments);
    command
}

/// Runs a command whose output goes to the terminal.
pub(crate) fn run(command: &mut Command) -> Result {
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", shown(command)).into()) }
}

/// Runs a command and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = attempt(command)?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{}` failed: {}\n{}", shown(command), output.status, complaint.trim()).into())
}

/// Runs a command that may fail.
pub(crate) fn attempt(command: &mut Command) -> Result<Output> {
    command.stdin(Stdio::null()).output().map_err(|error| cannot_start(command, &error).into())
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!("`{}` cannot be started: {error}", shown(command))
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Whether `cargo NAME` is there.
pub(crate) fn is_installed(name: &str) -> bool {
    attempt(cargo().args([name, "--version"])).is_ok_and(|output| output.status.success())
}

/// An error that says how to install `cargo-NAME`, when it is not there.
pub(crate) fn require(name: &str) -> Result {
    if is_installed(name) {
        return Ok(());
    }
    Err(format!("cargo-{name} is not installed: `cargo install --locked cargo-{name}`").into())
}

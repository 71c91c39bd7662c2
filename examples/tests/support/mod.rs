//! Runs programs as a newcomer would.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use scaigrid_emulator::Emulator;
use std::io::{BufRead, Write};
use std::process::{Child, Command, Stdio};

/// What became of a program.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// The program, unless it failed.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// The program, unless it ended with another code or did not say `part`.
    #[track_caller]
    pub fn failed(self, code: i32, part: &str) -> Self {
        assert!(self.code == Some(code) && self.stderr.contains(part), "{part}: {self:?}");
        self
    }
}

/// A program without a key, or with that of an emulator.
pub fn command(program: &str, emulator: Option<&Emulator>) -> Command {
    let mut command = Command::new(program);
    command.env_remove("SCAIGRID_API_KEY").env_remove("SCAIGRID_BASE_URL");
    if let Some(emulator) = emulator {
        command.env("SCAIGRID_API_KEY", emulator.api_key()).env("SCAIGRID_BASE_URL", emulator.base_url());
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn start(command: &mut Command, input: &str) -> Child {
    let mut child = command.spawn().unwrap();
    // A program that has ended reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child
}

pub fn end(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

pub fn run(program: &str, emulator: Option<&Emulator>, arguments: &[&str], input: &str) -> Ran {
    end(start(command(program, emulator).args(arguments), input))
}

/// Reads up to a line that begins with `begin`, and gives what follows in it.
#[track_caller]
pub fn read_until(reader: &mut impl BufRead, begin: &str) -> String {
    let mut lines = String::new();
    while reader.read_line(&mut lines).unwrap() > 0 {
        if let Some(rest) = lines.lines().last().and_then(|line| line.strip_prefix(begin)) {
            return rest.to_owned();
        }
    }
    panic!("{begin} not in: {lines}");
}

/// Ctrl-C.
#[cfg(unix)]
pub fn interrupt(child: &Child) {
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
}

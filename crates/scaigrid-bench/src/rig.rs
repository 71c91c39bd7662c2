//! The server, and a process for each side and load.

use crate::harness::{Job, Outcome};
use crate::{measure, server, sides};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A side, and the programs that can run it.
#[derive(Clone, Debug)]
pub struct Side {
    /// For tables and `--only`.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Another SDK.
    pub is_peer: bool,
}

impl Side {
    /// The same side, counting allocations.
    pub fn counting(&self) -> Self {
        Self { program: counting(&self.program), ..self.clone() }
    }
}

/// The program that does the same and counts allocations. It lies beside the other.
pub fn counting(program: &Path) -> PathBuf {
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    program.with_file_name(format!("{name}-counting{}", std::env::consts::EXE_SUFFIX))
}

/// All that a run needs.
pub struct Rig {
    /// The server's base URL.
    pub base: String,
    /// Where sides run; `None`: on all cores.
    pub core: Option<usize>,
    /// Those that take part.
    pub sides: Vec<Side>,
    /// Divides the number of calls.
    pub divisor: usize,
}

impl Rig {
    /// Starts the server. `peers`: names and programs of other SDKs. `only`: the sides that take part; all when empty.
    /// `spread`: sides take all cores.
    ///
    /// # Errors
    /// When `only` names an unknown side.
    pub fn start(
        peers: &[(String, PathBuf)],
        only: &[String],
        spread: bool,
        divisor: usize,
    ) -> Result<Self, String> {
        let own = std::env::current_exe().map_err(|error| format!("this program has no path: {error}"))?;
        let side = |name: &str, program: &Path, is_peer| Side {
            name: name.to_owned(),
            program: program.to_owned(),
            is_peer,
        };
        let mut all: Vec<Side> = sides::NAMES.iter().map(|name| side(name, &own, false)).collect();
        all.extend(peers.iter().map(|(name, program)| side(name, program, true)));
        if let Some(unknown) = only.iter().find(|name| !all.iter().any(|side| side.name == **name)) {
            let names: Vec<&str> = all.iter().map(|side| side.name.as_str()).collect();
            return Err(format!("no side is called {unknown:?}; there are {}", names.join(", ")));
        }
        all.retain(|side| only.is_empty() || only.contains(&side.name));
        measure::raise_open_files();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // The server keeps the last core for itself.
        let pinned = cores > 1 && !spread;
        let base = server::start(pinned.then_some(1));
        Ok(Self { base, core: pinned.then_some(0), sides: all, divisor: divisor.max(1) })
    }

    /// Runs a side in a process of its own. Beside the outcome, how many seconds the server took of its core.
    ///
    /// # Errors
    /// What the process wrote when it failed.
    pub fn run(&self, side: &Side, job: &Job) -> Result<(Outcome, f64), String> {
        let begin = measure::Mark::new(None);
        let json = serde_json::to_string(job).unwrap();
        let output = Command::new(&side.program)
            .args(["work", &side.name, &json])
            .output()
            .map_err(|error| format!("{}: {error}", side.program.display()))?;
        let used = begin.used(None);
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{}: {}: {}", side.name, output.status, errors.trim()));
        }
        let outcome = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("{} printed no outcome: {error}", side.name))?;
        Ok((outcome, used.user + used.system))
    }
}

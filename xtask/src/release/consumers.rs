//! Programs outside of the workspace that depend on what was published, in five ways.

use super::prepare::Plan;
use super::registry::Registry;
use super::rehearse::Summary;
use crate::Result;
use crate::run::{cargo_in, output, run as run_command};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

struct Way {
    name: &'static str,
    /// Lines of a manifest, in which `=` stands for the published version in the rehearsal's registry.
    dependencies: &'static str,
    source: &'static str,
    /// What must not be in its tree.
    without: &'static [&'static str],
}

const WAYS: [Way; 5] = [
    Way {
        name: "types_only",
        dependencies: "scaigrid-types = { = }\nserde_json = \"1\"",
        source: include_str!("../../rehearsal/types_only.rs"),
        without: &["http", "tokio", "reqwest", "ureq"],
    },
    Way {
        name: "with_async",
        dependencies: "scaigrid = { = }\ntokio = { version = \"1\", features = [\"macros\", \"rt\"] }",
        source: include_str!("../../rehearsal/with_async.rs"),
        without: &["ureq", "scaigrid-emulator"],
    },
    Way {
        name: "with_blocking",
        dependencies: "scaigrid = { =, default-features = false, features = [\"blocking\", \"gzip\", \"rustls\"] }",
        source: include_str!("../../rehearsal/with_blocking.rs"),
        without: &["tokio", "hyper", "reqwest", "futures-core"],
    },
    Way {
        name: "with_both",
        dependencies: "scaigrid = { =, features = [\"blocking\"] }\ntokio = { version = \"1\", features = [\"rt\"] }",
        source: include_str!("../../rehearsal/with_both.rs"),
        without: &["scaigrid-emulator"],
    },
    Way {
        name: "own_transport",
        dependencies: "scaigrid = { =, default-features = false, features = [\"blocking\"] }",
        source: include_str!("../../rehearsal/own_transport.rs"),
        without: &["tokio", "rustls"],
    },
];

const KEY: &str = "sgk_rehearsal";

/// Installs the published emulator, then builds and runs each program against it.
pub(super) fn run(scratch: &Path, plan: &Plan, registry: &Registry, summary: &mut Summary) -> Result {
    let cargo = |folder: &Path| {
        let mut command = cargo_in(folder);
        command.env("CARGO_TARGET_DIR", &plan.target);
        command
    };

    println!("\n== the published emulator");
    let version = format!("={}", plan.next);
    let mut install = cargo(&std::env::temp_dir());
    // `cargo install` does not look for a configuration where it is run, and must not be told of one twice.
    install.arg("--config").arg(registry.place.join(".cargo/config.toml"));
    install.args([
        "install",
        "--debug",
        "--locked",
        "--no-track",
        "--registry",
        &registry.name,
        "--version",
        &version,
    ]);
    run_command(install.args(["scaigrid-emulator", "--root"]).arg(scratch.join("installed")))?;
    let emulator = Emulator::start(&scratch.join("installed/bin/scaigrid-emulator"))?;
    summary.done("the published emulator", format!("installed, listens at {}", emulator.base_url));

    let folder = scratch.join("consumers");
    let names = WAYS.map(|way| format!("{:?}", way.name)).join(", ");
    fs::create_dir(&folder)?;
    fs::write(folder.join("Cargo.toml"), format!("[workspace]\nresolver = \"3\"\nmembers = [{names}]\n"))?;
    for way in &WAYS {
        let place = format!("version = \"{version}\", registry = \"{}\"", registry.name);
        let dependencies = way.dependencies.replacen("{ =", &format!("{{ {place}"), 1);
        let package = folder.join(way.name);
        fs::create_dir_all(package.join("src"))?;
        let manifest = format!(
            "[package]\nname = {:?}\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n",
            way.name
        );
        fs::write(package.join("Cargo.toml"), manifest)?;
        fs::write(package.join("src/main.rs"), way.source)?;
    }
    for way in &WAYS {
        println!("\n== {}", way.name);
        let tree =
            output(cargo(&folder).args(["tree", "-p", way.name, "--prefix", "none", "--format", "{p}"]))?;
        let packages = tree.lines().filter_map(|line| line.split(' ').next());
        if let Some(package) = packages.into_iter().find(|package| way.without.contains(package)) {
            return Err(format!("{} has {package} in its tree", way.name).into());
        }
        let mut program = cargo(&folder);
        program.args(["run", "--quiet", "-p", way.name]);
        program.env("SCAIGRID_BASE_URL", &emulator.base_url).env("SCAIGRID_API_KEY", KEY);
        let said = output(&mut program)?;
        print!("{said}");
        summary.done(way.name, said.trim());
    }
    Ok(())
}

/// The published program, running.
struct Emulator {
    process: Child,
    base_url: String,
}

impl Emulator {
    fn start(program: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command
            .args(["--listen", "127.0.0.1:0", "--api-key", KEY])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let mut base_url = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut base_url)?;
        }
        let emulator = Self { process, base_url: base_url.trim().to_owned() };
        if emulator.base_url.is_empty() {
            return Err("the emulator did not start".into());
        }
        Ok(emulator)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

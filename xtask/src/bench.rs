//! Builds the benchmark, and other SDKs for it, and runs it.

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where other SDKs and decoders are, from the root.
const PEERS: &str = "crates/scaigrid-bench/peers";

/// Those that are sides of the comparison.
const SIDES: [&str; 2] = ["async-openai", "genai"];

/// What this chore takes itself. The rest is for the benchmark.
pub(crate) const HELP: &str = "\
Usage: cargo xtask bench [--peers] [OPTIONS OF THE BENCHMARK]

  --peers           builds other SDKs, and decoders for --decode, and lets them take part; without a network only when
                    cargo has them already
";

/// Runs it with these arguments.
pub(crate) fn run(arguments: Vec<OsString>) -> Result<(), Box<dyn Error>> {
    let (own, mut arguments): (Vec<_>, Vec<_>) =
        arguments.into_iter().partition(|argument| argument == "--peers");
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{HELP}");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    // All its programs: the one that counts allocations is started by the other.
    cargo(&root, &target, &["build", "--release", "-p", "scaigrid-bench"])?;
    if !own.is_empty() {
        peers(&root, &target.join("peers"), &mut arguments)?;
    }
    let program = target.join("release/scaigrid-bench");
    check(&program, Command::new(&program).args(&arguments))
}

/// Builds other SDKs, each by itself, and decoders, and names them to the benchmark.
fn peers(root: &Path, target: &Path, arguments: &mut Vec<OsString>) -> Result<(), Box<dyn Error>> {
    let folder = root.join(PEERS);
    for side in SIDES {
        let package = format!("bench-{side}");
        cargo(&folder, target, &["build", "--release", "-p", &package])?;
        let mut peer = OsString::from(format!("{side}="));
        peer.push(target.join("release").join(package));
        arguments.extend(["--peer".into(), peer]);
    }
    if arguments.iter().any(|argument| argument == "--decode") {
        cargo(&folder, target, &["build", "--release", "-p", "bench-decoders"])?;
        arguments.extend(["--decoders".into(), target.join("release/bench-decoders").into()]);
    }
    Ok(())
}

fn cargo(folder: &Path, target: &Path, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut cargo = Command::new("cargo");
    check("cargo", cargo.args(arguments).current_dir(folder).env("CARGO_TARGET_DIR", target))
}

fn check(name: impl AsRef<OsStr>, command: &mut Command) -> Result<(), Box<dyn Error>> {
    let name = name.as_ref().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| format!("{name}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name}: {status}").into()) }
}

//! Builds the benchmark, and other SDKs for it, and runs it.

use crate::run::{cargo_in, root, run as run_command};
use crate::{Chore, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const CHORE: Chore = Chore {
    name: "bench",
    summary: "what the SDK costs, beside raw HTTP clients and, with --peers, other SDKs",
    help: "\
Usage: cargo xtask bench [--peers] [OPTIONS OF THE BENCHMARK]

  --peers           builds other SDKs, and decoders for --decode, and lets them take part; without a network only when
                    cargo has them already

`cargo run --release -p scaigrid-bench -- --help` tells the options of the benchmark. It needs a quiet machine with two
cores.",
    run: |mut arguments| run(arguments.raw_args()?.collect()),
};

/// Where other SDKs and decoders are, from the root.
const PEERS: &str = "crates/scaigrid-bench/peers";

/// Those that are sides of the comparison.
const SIDES: [&str; 2] = ["async-openai", "genai"];

/// Runs it with these arguments.
fn run(arguments: Vec<OsString>) -> Result {
    let (own, mut arguments): (Vec<_>, Vec<_>) =
        arguments.into_iter().partition(|argument| argument == "--peers");
    let root = root();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    // All its programs: the one that counts allocations is started by the other.
    cargo(&root, &target, &["build", "--release", "-p", "scaigrid-bench"])?;
    if !own.is_empty() {
        peers(&root, &target.join("peers"), &mut arguments)?;
    }
    run_command(Command::new(target.join("release/scaigrid-bench")).args(&arguments))
}

/// Builds other SDKs, each by itself, and decoders, and names them to the benchmark.
fn peers(root: &Path, target: &Path, arguments: &mut Vec<OsString>) -> Result {
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

fn cargo(folder: &Path, target: &Path, arguments: &[&str]) -> Result {
    run_command(cargo_in(folder).args(arguments).env("CARGO_TARGET_DIR", target))
}

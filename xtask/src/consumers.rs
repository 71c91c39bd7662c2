//! Programs outside the workspace that use its crates, built and tested.

use std::path::Path;
use std::process::Command;

/// Where they are, from the root.
const FOLDER: &str = "examples/consumers";

/// Checks the formatting of the consumers, and runs their tests, in a target directory of their own.
pub(crate) fn run() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let folder = root.join(FOLDER);
    // The same versions as in the workspace: nothing else is downloaded, and nothing else is tested.
    std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let target = root.join("target/consumers");
    for arguments in [&["fmt", "--", "--check"][..], &["test", "--workspace"]] {
        println!("\n== consumers: cargo {}", arguments.join(" "));
        let mut cargo = Command::new("cargo");
        let status = cargo.args(arguments).current_dir(&folder).env("CARGO_TARGET_DIR", &target).status()?;
        if !status.success() {
            return Err(format!("cargo {} of the consumers failed: {status}", arguments.join(" ")).into());
        }
    }
    Ok(())
}

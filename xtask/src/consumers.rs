//! Programs outside the workspace that use its crates, built and tested.

use crate::run::{cargo_in, root, run as run_command};
use crate::{Chore, Result, no_more};

pub(crate) const CHORE: Chore = Chore {
    name: "consumers",
    summary: "builds and tests the programs of examples/consumers, which are not of this workspace",
    help: "\
Usage: cargo xtask consumers

Each of them swaps a layer as a user would: a transport, a retry policy, the types alone, a client in a unit test.",
    run: |arguments| {
        no_more(arguments)?;
        run()
    },
};

/// Where they are, from the root.
const FOLDER: &str = "examples/consumers";

/// Checks their formatting, and runs their tests, in the workspace's target directory: most of what they need is there.
pub(crate) fn run() -> Result {
    let folder = root().join(FOLDER);
    // The same versions as in the workspace: nothing else is downloaded, and nothing else is tested.
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let target = root().join("target");
    for arguments in [&["fmt", "--", "--check"][..], &["test", "--workspace"]] {
        run_command(cargo_in(&folder).args(arguments).env("CARGO_TARGET_DIR", &target))?;
    }
    Ok(())
}

//! The lowest versions that the manifests allow.

use crate::metadata::Workspace;
use crate::run::{cargo_in, git, output, root, run};
use crate::{Chore, Result, no_more};
use std::path::Path;

pub(crate) const CHORE: Chore = Chore {
    name: "min-versions",
    summary: "the workspace builds with the lowest versions that its requirements allow",
    help: "\
Usage: cargo xtask min-versions

Takes the last commit into a temporary folder, sets each direct dependency to its lowest version, and checks all
targets of the published crates with all features. The resolver's option is unstable, so the stable toolchain is told
to take it. Builds in target/min-versions.",
    run: |arguments| {
        no_more(arguments)?;
        let scratch = tempfile::tempdir()?;
        min_versions(scratch.path())
    },
};

fn min_versions(scratch: &Path) -> Result {
    let root = root();
    let target = Workspace::read(&root)?.target_directory.join("min-versions");
    let copy = scratch.join("copy");
    output(git(&root, &["clone", "--quiet", "."]).arg(&copy))?;
    run(cargo_in(&copy).args(["update", "-Z", "direct-minimal-versions"]).env("RUSTC_BOOTSTRAP", "1"))?;
    let workspace = Workspace::read(&copy)?;
    let mut check = cargo_in(&copy);
    check.args(["check", "--all-targets", "--all-features", "--locked"]).env("CARGO_TARGET_DIR", &target);
    for package in workspace.published()? {
        check.args(["-p", &package.name]);
    }
    run(&mut check)
}

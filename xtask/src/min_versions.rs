//! The lowest versions that the manifests allow.

use crate::metadata::Workspace;
use crate::run::{cargo_in, git, output, root, run};
use crate::{Chore, Result, no_more};
use std::path::Path;
use toml_edit::{Array, DocumentMut, Item, value};

pub(crate) const CHORE: Chore = Chore {
    name: "min-versions",
    summary: "the workspace builds with the lowest versions that its requirements allow",
    help: "\
Usage: cargo xtask min-versions

Takes the published crates of the last commit into a temporary folder, sets each direct dependency to its lowest
version, and checks all targets with all features. The resolver's option is unstable, so the stable toolchain is told
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
    // Versions are chosen for a workspace as a whole: the others would raise those of the published crates.
    let published = Workspace::read(&copy)?;
    let folders = published.published()?.into_iter().filter_map(|package| package.manifest_path.parent());
    let members: Array = folders.filter_map(Path::to_str).collect();
    let manifest = copy.join("Cargo.toml");
    let mut document: DocumentMut = std::fs::read_to_string(&manifest)?.parse()?;
    let workspace = document.get_mut("workspace").and_then(Item::as_table_like_mut);
    workspace.ok_or("no workspace")?.insert("members", value(members));
    std::fs::write(&manifest, document.to_string())?;
    run(cargo_in(&copy).args(["update", "-Z", "direct-minimal-versions"]).env("RUSTC_BOOTSTRAP", "1"))?;
    let workspace = Workspace::read(&copy)?;
    let mut check = cargo_in(&copy);
    check.args(["check", "--all-targets", "--all-features", "--locked"]).env("CARGO_TARGET_DIR", &target);
    for package in workspace.published()? {
        check.args(["-p", &package.name]);
    }
    run(&mut check)
}

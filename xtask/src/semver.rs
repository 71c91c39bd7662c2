//! Whether the public interface keeps the promise of its version.

use crate::metadata::Workspace;
use crate::run::{attempt, cargo_in, git, output, require, root, run};
use crate::{Chore, Result, no_more};
use std::path::Path;

pub(crate) const CHORE: Chore = Chore {
    name: "semver",
    summary: "the public interface against the last release's tag, with cargo-semver-checks",
    help: "\
Usage: cargo xtask semver

Compares each published crate with its state at the last tag `vX.Y.Z`. The version in Cargo.toml says which changes are
allowed; until a release raises it, any change that needs a new version is reported. Without a tag there is nothing to
compare with, and it says so.",
    run: |arguments| {
        no_more(arguments)?;
        check(&root())
    },
};

/// The last tag of a release that `HEAD` descends from, if any. A tag on `HEAD` itself counts only when `with_head`.
pub(crate) fn last_tag(folder: &Path, with_head: bool) -> Option<String> {
    let from = if with_head { "HEAD" } else { "HEAD^" };
    let described =
        git(folder, &["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", from]).output().ok()?;
    let tag = String::from_utf8(described.stdout).ok()?;
    described.status.success().then(|| tag.trim().to_owned())
}

/// Compares the workspace in `folder` with its last release.
pub(crate) fn check(folder: &Path) -> Result {
    let here = output(&mut git(folder, &["tag", "--points-at", "HEAD", "--list", "v[0-9]*"]))?;
    let Some(tag) = last_tag(folder, here.trim().is_empty()) else {
        println!("no release yet: nothing to compare with");
        return Ok(());
    };
    require("semver-checks")?;
    let workspace = Workspace::read(folder)?;
    let mut names = Vec::new();
    for package in workspace.published()?.into_iter().filter(|package| package.is_library()) {
        // A crate that is new has no earlier interface.
        let manifest = format!("{tag}:crates/{}/Cargo.toml", package.name);
        if attempt(&mut git(folder, &["cat-file", "-e", &manifest]))?.status.success() {
            names.extend(["-p", &package.name]);
        }
    }
    run(cargo_in(folder).args(["semver-checks", "--all-features", "--baseline-rev", &tag]).args(names))
}

//! To the registry, in order, and each crate once.

use super::registry::Registry;
use crate::Result;
use crate::metadata::Workspace;
use crate::run::{attempt, cargo_in, run};
use std::path::Path;

/// Publishes each crate of the workspace in `folder` that the registry does not have in this version, and returns how many
/// that were. `after` is told of each.
///
/// What was published before a failure is in the registry's index and is passed by the next time, so running this again is
/// how a release is resumed.
pub(super) fn all(folder: &Path, registry: &Registry, after: &mut dyn FnMut(&str)) -> Result<usize> {
    let workspace = Workspace::read(folder)?;
    let mut count = 0;
    for package in workspace.published()? {
        let name = format!("{}@{}", package.name, package.version);
        if is_there(&name, registry)? {
            println!("{name} is there already");
            continue;
        }
        println!("\n== {name}");
        // Built from its package before the tag was made. Waits until the index has it.
        let arguments =
            ["publish", "--no-verify", "--locked", "-p", &package.name, "--registry", &registry.name];
        run(cargo_in(folder).args(arguments))?;
        if !is_there(&name, registry)? {
            return Err(format!("{name} was sent, but the index does not have it yet").into());
        }
        count += 1;
        after(&package.name);
    }
    Ok(count)
}

/// Whether the registry's index has `NAME@VERSION`. That it cannot be asked is an error, not a no.
fn is_there(name: &str, registry: &Registry) -> Result<bool> {
    // Outside of the workspace, where `cargo info` would answer from its members.
    let elsewhere = tempfile::tempdir_in(&registry.place)?;
    let arguments = ["info", "--quiet", "--registry", &registry.name, name];
    let answer = attempt(cargo_in(elsewhere.path()).args(arguments))?;
    let complaint = String::from_utf8_lossy(&answer.stderr);
    if answer.status.success() {
        return Ok(true);
    }
    if complaint.contains(&format!("could not find `{name}`")) {
        return Ok(false);
    }
    Err(format!("the index cannot be asked for {name}:\n{}", complaint.trim()).into())
}

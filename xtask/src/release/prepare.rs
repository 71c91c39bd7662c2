//! The release as a commit with a tag, in a scratch clone.

use super::registry::Registry;
use super::version::{Level, next};
use super::{changelog, ensure_clean, manifest};
use crate::Result;
use crate::metadata::Workspace;
use crate::run::{attempt, cargo_in, git, output, run as run_command};
use semver::Version;
use std::fs;
use std::path::{Path, PathBuf};

/// What is going to be released.
pub(super) struct Plan {
    pub(super) current: Version,
    pub(super) next: Version,
    /// The crates, in the order in which they are published.
    pub(super) names: Vec<String>,
    /// Where cargo builds, so that what is built elsewhere need not build all dependencies anew.
    pub(super) target: PathBuf,
}

impl Plan {
    /// Reads the workspace, and refuses what could not be released.
    pub(super) fn new(root: &Path, level: &Level) -> Result<Self> {
        ensure_clean(root)?;
        let workspace = Workspace::read(root)?;
        let published = workspace.published()?;
        let current = &published.first().ok_or("nothing to publish")?.version;
        if let Some(other) = published.iter().find(|package| package.version != *current) {
            return Err(format!("{} is {}, not {current} as the others", other.name, other.version).into());
        }
        let plan = Self {
            current: current.clone(),
            next: next(current, level)?,
            names: published.iter().map(|package| package.name.clone()).collect(),
            target: workspace.target_directory.clone(),
        };
        let tag = plan.tag();
        if attempt(&mut git(root, &["rev-parse", "--quiet", "--verify", &format!("refs/tags/{tag}")]))?
            .status
            .success()
        {
            return Err(
                format!("{tag} is there already; `--resume` publishes what is missing of a release").into()
            );
        }
        let text = fs::read_to_string(root.join("CHANGELOG.md"))?;
        changelog::released(&text, &plan.next, &changelog::today())?;
        Ok(plan)
    }

    pub(super) fn tag(&self) -> String {
        format!("v{}", self.next)
    }
}

/// Makes the release in a clone below `scratch`, and returns the clone. With a registry of a rehearsal, the crates name
/// that for each other, which is the only difference from a real release.
pub(super) fn run(root: &Path, scratch: &Path, plan: &Plan, rehearsal: Option<&Registry>) -> Result<PathBuf> {
    let clone = scratch.join("release");
    output(git(root, &["clone", "--quiet", "."]).arg(&clone))?;
    for key in ["user.name", "user.email"] {
        // The clone knows nothing of what is set for this repository alone.
        let value = attempt(&mut git(root, &["config", key]))?;
        if value.status.success() {
            output(&mut git(&clone, &["config", key, String::from_utf8(value.stdout)?.trim()]))?;
        }
    }

    println!("\n== versions and changelog");
    edit(&clone, "CHANGELOG.md", |text| changelog::released(text, &plan.next, &changelog::today()))?;
    edit(&clone, "Cargo.toml", |text| manifest::with_version(text, &plan.next))?;
    if let Some(registry) = rehearsal {
        edit(&clone, "Cargo.toml", |text| manifest::with_registry(text, &registry.name))?;
    }
    let documents = plan.names.iter().map(|name| format!("crates/{name}/README.md"));
    for document in documents.chain(["README.md".to_owned()]) {
        edit(&clone, &document, |text| Ok(manifest::in_document(text, &plan.next)))?;
    }
    run_command(cargo_in(&clone).args(["update", "--workspace", "--quiet"]))?;
    output(&mut git(
        &clone,
        &["commit", "--quiet", "--all", "--message", &format!("Release {}", plan.next)],
    ))?;

    println!("\n== packages, each built from what is in it");
    let mut package = cargo_in(&clone);
    package.args(["package", "--locked"]).env("CARGO_TARGET_DIR", &plan.target);
    if let Some(registry) = rehearsal {
        package.args(["--registry", &registry.name]);
    }
    for name in &plan.names {
        package.args(["-p", name]);
    }
    run_command(&mut package)?;
    output(&mut git(
        &clone,
        &["tag", "--annotate", &plan.tag(), "--message", &format!("Release {}", plan.next)],
    ))?;
    Ok(clone)
}

fn edit(clone: &Path, file: &str, change: impl Fn(&str) -> Result<String>) -> Result {
    let path = clone.join(file);
    let text = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
    let changed = change(&text).map_err(|error| format!("{file}: {error}"))?;
    Ok(fs::write(path, changed)?)
}

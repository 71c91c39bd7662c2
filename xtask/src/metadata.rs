//! What `cargo metadata` says of the workspace.

use crate::Result;
use crate::run::{cargo_in, output};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A workspace, without its dependencies.
#[derive(Deserialize)]
pub struct Workspace {
    /// The members.
    pub packages: Vec<Package>,
    /// Where cargo builds.
    pub target_directory: PathBuf,
}

/// A package, as far as the chores need it.
#[derive(Deserialize)]
#[allow(missing_docs, reason = "the words of a manifest")]
pub struct Package {
    pub id: String,
    pub name: String,
    pub version: semver::Version,
    pub description: Option<String>,
    pub license: Option<String>,
    pub homepage: Option<String>,
    pub readme: Option<PathBuf>,
    pub keywords: Vec<String>,
    pub categories: Vec<String>,
    pub metadata: serde_json::Value,
    pub manifest_path: PathBuf,
    /// `None` for everywhere, and empty for nowhere.
    pub publish: Option<Vec<String>>,
    pub rust_version: Option<String>,
    pub features: BTreeMap<String, Vec<String>>,
    pub dependencies: Vec<Dependency>,
    pub targets: Vec<Target>,
}

/// A dependency of any kind.
#[derive(Deserialize)]
#[allow(missing_docs, reason = "the words of a manifest")]
pub struct Dependency {
    pub name: String,
    pub kind: Option<String>,
    pub path: Option<PathBuf>,
}

/// What is built of a package.
#[derive(Deserialize)]
#[allow(missing_docs, reason = "the words of a manifest")]
pub struct Target {
    pub name: String,
    pub kind: Vec<String>,
}

impl Workspace {
    /// Reads the workspace of `root`.
    ///
    /// # Errors
    /// When a manifest is wrong.
    pub fn read(root: &Path) -> Result<Self> {
        let arguments = ["metadata", "--no-deps", "--format-version", "1"];
        Ok(serde_json::from_str(&output(cargo_in(root).args(arguments))?)?)
    }

    /// The packages that are published, each behind those that it depends on. Dependencies of tests count, because a
    /// registry wants to know them, too.
    ///
    /// # Errors
    /// When they depend on each other in a circle, or on one that is not published.
    pub fn published(&self) -> Result<Vec<&Package>> {
        let mut waiting: Vec<_> = self.packages.iter().filter(|package| package.is_published()).collect();
        waiting.sort_by_key(|package| &package.name);
        let mut ordered: Vec<&Package> = Vec::new();
        while !waiting.is_empty() {
            // A crate's tests may depend on the crate itself, with other features.
            let is_there = |package: &Package, dependency: &Dependency| {
                dependency.path.is_none()
                    || dependency.name == package.name
                    || ordered.iter().any(|package| package.name == dependency.name)
            };
            let is_next = |package: &&Package| package.dependencies.iter().all(|one| is_there(package, one));
            let Some(next) = waiting.iter().position(is_next) else {
                let names: Vec<_> = waiting.iter().map(|package| package.name.as_str()).collect();
                return Err(format!("no order to publish in: {}", names.join(", ")).into());
            };
            ordered.push(waiting.remove(next));
        }
        Ok(ordered)
    }
}

impl Package {
    /// Whether it goes to a registry.
    #[must_use]
    pub fn is_published(&self) -> bool {
        self.publish.as_ref().is_none_or(|registries| !registries.is_empty())
    }

    /// Whether there is something to document or to link.
    #[must_use]
    pub fn is_library(&self) -> bool {
        self.targets.iter().any(|target| target.kind.iter().any(|kind| kind == "lib"))
    }
}

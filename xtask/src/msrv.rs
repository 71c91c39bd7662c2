//! The minimum supported Rust version, as far as one toolchain can tell.

use crate::metadata::Workspace;
use crate::run::{Step, all, cargo, output, root};
use crate::{Chore, Result, no_more};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const CHORE: Chore = Chore {
    name: "msrv",
    summary: "rust-version is everywhere, dependencies keep to it, and no newer part of std is used",
    help: "\
Usage: cargo xtask msrv

Every package names the workspace's rust-version; no dependency of a published crate, of any feature, asks for a newer
one; and clippy's `incompatible_msrv` finds no newer part of std in libraries and programs. What it cannot see is a
newer form of the language: build with that toolchain where you have it.",
    run: |arguments| {
        no_more(arguments)?;
        let arguments = ["clippy", "--workspace", "--", "-D", "clippy::incompatible_msrv"];
        all(&[Step::own("rust-version", run), Step::cargo("std", &arguments)])
    },
};

#[derive(Deserialize)]
struct Everything {
    packages: Vec<Found>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Found {
    id: String,
    name: String,
    version: String,
    rust_version: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

/// The manifests' part. The lints of a usual build have the other one.
pub(crate) fn run() -> Result {
    let workspace = Workspace::read(&root())?;
    let versions: BTreeSet<_> = workspace.packages.iter().map(|package| &package.rust_version).collect();
    let [Some(ours)] = Vec::from_iter(versions)[..] else {
        return Err("each package has `rust-version.workspace = true`".into());
    };

    let text = output(cargo().args(["metadata", "--all-features", "--format-version", "1", "--locked"]))?;
    let everything: Everything = serde_json::from_str(&text)?;
    let edges: BTreeMap<_, _> =
        everything.resolve.nodes.iter().map(|node| (node.id.as_str(), &node.deps)).collect();
    let mut open: Vec<&str> = workspace.published()?.iter().map(|package| package.id.as_str()).collect();
    let mut used = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !used.insert(id) {
            continue;
        }
        let edges = edges.get(id).into_iter().flat_map(|deps| deps.iter());
        let built =
            edges.filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev")));
        open.extend(built.map(|edge| edge.pkg.as_str()));
    }
    let mut newer = Vec::new();
    for package in everything.packages.iter().filter(|package| used.contains(package.id.as_str())) {
        if let Some(theirs) = &package.rust_version
            && parts(theirs) > parts(ours)
        {
            newer.push(format!("{} {} asks for Rust {theirs}", package.name, package.version));
        }
    }
    if newer.is_empty() {
        println!("Rust {ours}: {} packages, on every platform and with every feature, take it", used.len());
        return Ok(());
    }
    Err(format!("more than Rust {ours} is needed:\n{}", newer.join("\n")).into())
}

/// `1.85` and `1.85.0` are the same.
fn parts(version: &str) -> Vec<u64> {
    let mut parts: Vec<_> = version.split('.').map(|part| part.parse().unwrap_or(0)).collect();
    parts.resize(3, 0);
    parts
}

//! What a crate includes is in its package.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, all),
            false if path.extension().is_some_and(|end| end == "rs") => all.push(path),
            false => {}
        }
    }
}

/// The files that a source names in `#[path]` and `include_..!`, relative to its own folder.
fn included(source: &str) -> impl Iterator<Item = &str> {
    let begins = ["#[path = \"", "include_str!(\"", "include_bytes!(\"", "include!(\""];
    begins.into_iter().flat_map(|begin| source.split(begin).skip(1)).filter_map(|rest| rest.split('"').next())
}

#[test]
fn no_crate_includes_files_of_another() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").canonicalize().unwrap();
    let mut count = 0;
    for package in fs::read_dir(crates).unwrap() {
        let package = package.unwrap().path();
        let mut all = Vec::new();
        ["src", "tests", "benches", "examples"]
            .iter()
            .for_each(|folder| sources(&package.join(folder), &mut all));
        for path in all {
            for file in included(&fs::read_to_string(&path).unwrap()) {
                let included = path.parent().unwrap().join(file).canonicalize().unwrap();
                assert!(included.starts_with(&package), "{}: {file}", path.display());
                count += 1;
            }
        }
    }
    assert!(count >= 10, "{count}");
}

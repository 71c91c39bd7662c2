//! The environment variables that the crates read are in the README's table, and in the builder's.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;

/// The text of all sources below a folder.
fn sources(folder: &Path, all: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, all),
            false if path.extension().is_some_and(|extension| extension == "rs") => {
                *all += &std::fs::read_to_string(&path).unwrap();
            }
            false => {}
        }
    }
}

/// What begins with `SCAIGRID_` behind `before`.
fn names(text: &str, before: &str) -> BTreeSet<String> {
    let begin = format!("{before}SCAIGRID_");
    let rests = text.match_indices(&begin).map(|(at, _)| text.get(at + before.len()..).unwrap());
    rests.map(|rest| rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect()).collect()
}

#[test]
fn every_variable_is_documented_and_no_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let mut all = String::new();
    for krate in ["scaigrid", "scaigrid-transport", "scaigrid-retry", "scaigrid-types"] {
        sources(&root.join("crates").join(krate).join("src"), &mut all);
    }
    let known = names(&all, "\"");
    assert!(known.contains("SCAIGRID_API_KEY"), "{known:?}");
    assert_eq!(names(&read("README.md"), "\n| `"), known);
    assert_eq!(names(&read("crates/scaigrid/src/builder.rs"), "\n/// | `"), known);
}

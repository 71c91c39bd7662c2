//! The page `scaigrid::security` against the tests of all crates: what it says is tested is tested.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::path::Path;

const PAGE: &str = include_str!("../../crates/scaigrid/src/security.md");

/// All sources below a folder.
fn sources(folder: &Path, all: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|end| end == "rs") {
            all.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_threat_has_tests_that_exist() {
    let mut all = String::new();
    for krate in ["scaigrid", "scaigrid-transport", "scaigrid-types"] {
        let krate = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(krate);
        for folder in ["src", "tests"] {
            sources(&krate.join(folder), &mut all);
        }
    }
    let words: String = all.split_whitespace().collect::<Vec<_>>().join(" ");
    let rows = PAGE.lines().filter(|line| line.starts_with('|')).skip(2);
    let mut count = 0;
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").collect();
        let [threat, defence, tests] = cells[..] else { panic!("three cells: {row}") };
        assert!(!threat.trim().is_empty() && !defence.trim().is_empty(), "{row}");
        let names: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test: {row}");
        for name in names {
            let forms = ["fn {}(", "fn {}<", "run!({},", "run!( {},"].map(|form| form.replace("{}", name));
            assert!(forms.iter().any(|form| words.contains(form)), "no such test: `{name}` in {row}");
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}

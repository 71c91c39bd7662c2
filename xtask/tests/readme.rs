//! The README says what the code does.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use scaigrid_types::{ErrorCode, RetryClass};
use std::fs;
use std::path::{Path, PathBuf};
use xtask::Action;
use xtask::release::manifest::requirement_in;
use xtask::release::version::requirement;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn examples() -> String {
    let programs = fs::read_dir(root().join("examples/src/bin")).unwrap();
    programs.map(|program| fs::read_to_string(program.unwrap().path()).unwrap()).collect()
}

#[test]
fn its_code_is_the_code_of_the_examples() {
    let examples = examples();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let blocks: Vec<_> =
        readme.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 2, "one for each client");
    for block in blocks {
        assert!(examples.contains(block), "not in the examples:\n{block}");
    }
}

#[test]
fn its_test_command_is_what_ci_runs() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains("\ncargo test --workspace\n"));
    let first = xtask::ci::steps().into_iter().next().unwrap();
    let Action::Cargo { arguments, variable: None } = first.action else {
        panic!("the first step is the tests")
    };
    assert_eq!(arguments, ["test", "--workspace"]);
}

/// The dependency that it shows is on the version that is here.
#[test]
fn its_requirements_are_the_current_version() {
    let version = semver::Version::parse(env!("CARGO_PKG_VERSION")).unwrap();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let shown: Vec<_> = readme.lines().filter_map(requirement_in).collect();
    assert!(!shown.is_empty());
    assert!(shown.iter().all(|shown| *shown == requirement(&version)), "{shown:?}");
}

/// Each known code has a row with its status, in the order of the code.
#[test]
fn its_error_table_is_the_code() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let rows: Vec<_> = readme.lines().filter(|line| line.starts_with("| `") && line.contains("_")).collect();
    let rows = rows.iter().filter_map(|row| row.split(" | ").take(3).collect::<Vec<_>>().try_into().ok());
    let rows: Vec<[&str; 3]> = rows
        .filter(|[_, status, _]: &[&str; 3]| status.chars().all(|c| c.is_numeric() || c == '-'))
        .collect();
    let expected: Vec<_> = ErrorCode::ALL
        .iter()
        .map(|code| {
            let retried = match code.retry_class() {
                RetryClass::Hint => "after the hint",
                RetryClass::Backoff => "with backoff",
                RetryClass::Limited => "at most twice",
                RetryClass::Reauth => "once, with a token provider",
                RetryClass::ByStatus => "by status",
                _ => "no",
            };
            let status = code.http_status().map_or("-".to_owned(), |status| status.to_string());
            (format!("| `{code}`"), status, retried)
        })
        .collect();
    let rows: Vec<_> = rows
        .into_iter()
        .map(|[code, status, retried]| (code.to_owned(), status.to_owned(), retried))
        .collect();
    assert_eq!(rows, expected);
}

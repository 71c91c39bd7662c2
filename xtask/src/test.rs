//! The tests.

use crate::run::{Step, all};
use crate::{Chore, no_more};

pub(crate) const CHORE: Chore = Chore {
    name: "test",
    summary: "all tests, and those that need other features",
    help: "\
Usage: cargo xtask test

`cargo test --workspace`, then the tests of builds that it does not make: TLS with bundled roots, and the blocking
client alone. Needs no network and no key.",
    run: |arguments| {
        no_more(arguments)?;
        let mut steps = workspace();
        steps.extend(other_builds());
        all(&steps)
    },
};

/// The README's test command.
pub(crate) fn workspace() -> Vec<Step> {
    vec![Step::cargo("tests", &["test", "--workspace"])]
}

/// Builds that differ from the workspace's, in which features are united.
pub(crate) fn other_builds() -> Vec<Step> {
    let bundled =
        ["test", "-p", "scaigrid-transport", "--features", "reqwest,ureq,webpki-roots", "--test", "tls"];
    let blocking = ["test", "-p", "scaigrid", "--no-default-features", "--features", "blocking", "--tests"];
    vec![
        Step::cargo("tests of TLS with bundled roots", &bundled),
        Step::cargo("tests of a blocking-only build", &blocking),
    ]
}

//! What continuous integration checks.

use crate::run::{Step, all};
use crate::{Chore, Result, deps, docs, features, lint, msrv, no_more, test};

pub(crate) const CHORE: Chore = Chore {
    name: "ci",
    summary: "everything that continuous integration checks, in the same order",
    help: "\
Usage: cargo xtask ci

Runs the chores test, lint, docs, msrv, deps, and features, with nothing but the toolchain and a C compiler.
Stops at the first failure. `.ci/run` is this chore.",
    run: |arguments| {
        no_more(arguments)?;
        run()
    },
};

/// All steps. The README's test command comes first, as it stands there; the last is a test run, so that the output ends
/// with a test summary.
pub fn steps() -> Vec<Step> {
    let mut steps = test::workspace();
    steps.extend(lint::steps());
    steps.extend(docs::steps());
    steps.push(Step::own("minimum supported Rust version", msrv::run));
    steps.push(Step::own("licences and advisories", deps::deny_if_installed));
    steps.extend(features::steps());
    steps.extend(test::other_builds());
    steps
}

/// Runs every step and stops at the first that fails.
pub(crate) fn run() -> Result {
    all(&steps())
}

//! Formatting and lints.

use crate::run::{Step, all};
use crate::{Chore, no_more};

pub(crate) const CHORE: Chore = Chore {
    name: "lint",
    summary: "formatting, and clippy with warnings as errors",
    help: "\
Usage: cargo xtask lint

Which lints are on, and why, stands in the root's Cargo.toml and clippy.toml. `cargo xtask features` lints the
feature sets that this build does not make.",
    run: |arguments| {
        no_more(arguments)?;
        all(&steps())
    },
};

pub(crate) fn steps() -> Vec<Step> {
    vec![
        Step::cargo("formatting", &["fmt", "--all", "--", "--check"]),
        Step::cargo("lints", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    ]
}

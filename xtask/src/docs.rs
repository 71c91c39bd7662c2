//! The documentation.

use crate::run::{Action, Step, all};
use crate::{Chore, no_more};

pub(crate) const CHORE: Chore = Chore {
    name: "docs",
    summary: "rustdoc with warnings as errors",
    help: "\
Usage: cargo xtask docs

Builds the documentation of the whole workspace. Broken links and links to private items are errors. The code in it
is compiled and run by `cargo xtask test`.",
    run: |arguments| {
        no_more(arguments)?;
        all(&steps())
    },
};

pub(crate) fn steps() -> Vec<Step> {
    let arguments = ["doc", "--workspace", "--no-deps"].map(str::to_owned).to_vec();
    let variable = Some(("RUSTDOCFLAGS", "-D warnings"));
    vec![Step { title: "documentation".into(), action: Action::Cargo { arguments, variable } }]
}

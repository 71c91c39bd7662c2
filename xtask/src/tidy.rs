//! The tests of the repository itself.

use crate::run::{Step, all};
use crate::{Chore, no_more};

pub(crate) const CHORE: Chore = Chore {
    name: "tidy",
    summary: "the tests of the repository itself: documents that must agree with code, manifests, leftovers",
    help: "\
Usage: cargo xtask tidy

The tests of the package `xtask`, which `cargo test --workspace` runs, too: the README's code is the examples' and its
error table the code's; each published crate has its metadata and licences; the changelog has its form; no file is too
long; nothing unfinished and no path of a machine is left; layers and package counts hold.",
    run: |arguments| {
        no_more(arguments)?;
        all(&[Step::cargo("the repository", &["test", "-p", "xtask"])])
    },
};

//! Dependencies: layers, numbers of packages, licences, and advisories.

use crate::run::{Step, all, cargo, is_installed, run};
use crate::{Chore, Result, no_more};
use std::process::Command;

pub(crate) const CHORE: Chore = Chore {
    name: "deps",
    summary: "layers and package counts of each feature set; licences and advisories with cargo-deny",
    help: "\
Usage: cargo xtask deps

Runs xtask/tests/layers.rs, which holds the table of feature sets and their ceilings, and cargo-deny with deny.toml of
crate xtask. Without cargo-deny it says so and leaves that part out. The advisories need the network once.",
    run: |arguments| {
        no_more(arguments)?;
        let layers = Step::cargo("layers and ceilings", &["test", "-p", "xtask", "--test", "layers"]);
        all(&[layers, Step::own("licences and advisories", deny_if_installed)])
    },
};

/// Bans, licences, and sources; then the advisories, whose database may be out of reach.
pub(crate) fn deny_if_installed() -> Result {
    if !is_installed("deny") {
        println!("left out: cargo-deny is not installed: `cargo install --locked cargo-deny`");
        return Ok(());
    }
    run(deny().args(["check", "bans", "licenses", "sources"]))?;
    if run(deny().args(["fetch", "db"])).is_err() {
        println!(
            "left out: the database of advisories cannot be fetched; without the network, nothing is known of them"
        );
        return Ok(());
    }
    run(deny().args(["check", "advisories"]))
}

fn deny() -> Command {
    let mut command = cargo();
    command.args(["deny", "--config", "xtask/deny.toml"]);
    command
}

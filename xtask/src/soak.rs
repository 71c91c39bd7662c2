//! The long test: many calls against a gateway in chaos.

use crate::run::{cargo, run};
use crate::{Chore, Result};
use lexopt::ValueExt;

pub(crate) const CHORE: Chore = Chore {
    name: "soak",
    summary: "many calls against a gateway in chaos, for minutes or hours",
    help: "\
Usage: cargo xtask soak [--seconds N] [--seed N]

  --seconds N   how long; 900 by default
  --seed N      which chaos; 1 by default",
    run: |mut arguments| {
        let (mut seconds, mut seed) = (900, 1);
        while let Some(argument) = arguments.next()? {
            match argument {
                lexopt::Arg::Long("seconds") => seconds = arguments.value()?.parse()?,
                lexopt::Arg::Long("seed") => seed = arguments.value()?.parse()?,
                other => return Err(other.unexpected().into()),
            }
        }
        soak(seconds, seed)
    },
};

fn soak(seconds: u64, seed: u64) -> Result {
    let arguments = ["test", "--release", "-p", "scaigrid", "--features", "blocking", "--test", "soak"];
    run(cargo()
        .args(arguments)
        .args(["--", "--ignored", "--nocapture"])
        .env("SCAIGRID_SOAK_SECONDS", seconds.to_string())
        .env("SCAIGRID_SOAK_SEED", seed.to_string()))
}

//! Coverage-guided fuzzing.

use crate::run::{cargo_in, require, root, run};
use crate::{Chore, Result};
use lexopt::ValueExt;

/// The only target so far.
const TARGET: &str = "sse_decoder";

pub(crate) const CHORE: Chore = Chore {
    name: "fuzz",
    summary: "random bytes against the event-stream decoder, with cargo-fuzz",
    help: "\
Usage: cargo xtask fuzz [--seconds N]

  --seconds N   how long; 600 by default

Runs the target `sse_decoder` of crates/scaigrid-transport/fuzz from its seeds. Needs cargo-fuzz. The sanitizer's flags
are unstable, so the stable toolchain is told to take them.",
    run: |mut arguments| {
        let mut seconds = 600;
        while let Some(argument) = arguments.next()? {
            match argument {
                lexopt::Arg::Long("seconds") => seconds = arguments.value()?.parse()?,
                other => return Err(other.unexpected().into()),
            }
        }
        fuzz(seconds)
    },
};

fn fuzz(seconds: u64) -> Result {
    require("fuzz")?;
    let transport = root().join("crates/scaigrid-transport");
    let corpus = format!("fuzz/corpus/{TARGET}");
    // libFuzzer writes what it finds into the first folder, and wants it to be there.
    std::fs::create_dir_all(transport.join(&corpus))?;
    run(cargo_in(&transport)
        .args(["fuzz", "run", TARGET, &corpus, &format!("fuzz/seeds/{TARGET}"), "--"])
        .arg(format!("-max_total_time={seconds}"))
        .env("RUSTC_BOOTSTRAP", "1"))
}

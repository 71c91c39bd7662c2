//! Allocations for a chunk and for a call, from programs with an allocator that counts.

use crate::harness::{Job, Kind, Outcome};
use crate::load::{Load, Pace};
use crate::rig::Rig;
use crate::table::{self, number};
use serde_json::{Value, json};

/// Runs it, prints a table, and returns the figures.
pub fn run(rig: &Rig, seed: u64) -> Value {
    let plain = |pace, chunks| Load::stream(pace, chunks);
    let loads = [
        ("a chunk, flood", Kind::Stream, plain(Pace::Flood, 20_000), 2),
        ("a chunk, a write an event", Kind::Stream, plain(Pace::Each, 5_000), 2),
        ("a chunk, varied", Kind::Stream, Load { shape: seed, ..plain(Pace::Flood, 20_000) }, 2),
        ("a call", Kind::Chat, Load::chat(), 1_000),
        ("a call, varied", Kind::Chat, Load { shape: seed, ..Load::chat() }, 1_000),
    ];
    let mut figures = Vec::new();
    let mut rows = Vec::new();
    for side in &rig.sides {
        let side = side.counting();
        let mut row = vec![side.name.clone()];
        for (name, kind, load, total) in loads {
            let job = Job { warm: 2, ..Job::new(&rig.base, rig.core, kind, load, total) };
            match rig.run(&side, &job) {
                Ok((outcome, _)) => {
                    let (count, bytes) = each(kind, &outcome);
                    row.push(format!("{} ({} B)", number(count), number(bytes)));
                    figures
                        .push(json!({"side": side.name, "of": name, "allocations": count, "bytes": bytes}));
                }
                Err(error) => {
                    eprintln!("{name}: left out: {error}");
                    row.push("-".to_owned());
                }
            }
        }
        rows.push(row);
    }
    let head: Vec<&str> = std::iter::once("side").chain(loads.iter().map(|load| load.0)).collect();
    table::print("allocations (bytes)", &head, &rows);
    figures.into()
}

fn each(kind: Kind, outcome: &Outcome) -> (f64, f64) {
    let units = if kind == Kind::Chat { outcome.requests } else { outcome.chunks } as f64;
    (outcome.allocations as f64 / units, outcome.allocated_bytes as f64 / units)
}

//! Many open streams that are mostly silent: memory for each, and the processor's time for a chunk.

use crate::harness::{Job, Kind, Outcome};
use crate::load::{Load, Pace};
use crate::rig::{Rig, Side};
use crate::table::{self, number};
use serde_json::{Value, json};

/// Streams that are open at the same time.
const STREAMS: usize = 1_000;

/// Milliseconds between two chunks of a stream.
const PACE: u64 = 100;

/// Chunks of the short streams, and of the long ones. What both cost beside their chunks is the same.
const CHUNKS: (usize, usize) = (20, 70);

/// Runs it, prints a table, and returns the figures.
pub fn run(rig: &Rig) -> Value {
    let run = |side: &Side, chunks| -> Result<Outcome, String> {
        let load = Load::stream(Pace::Every(PACE), chunks);
        let job = Job::new(&rig.base, rig.core, Kind::Stream, load, STREAMS);
        let job = Job { parallel: STREAMS, warm: 0, ..job };
        rig.run(side, &job).map(|(outcome, _)| outcome)
    };
    let cpu = |outcome: &Outcome| (outcome.user + outcome.system) * 1e6;
    let mut rows = Vec::new();
    let mut figures = Vec::new();
    for side in &rig.sides {
        match run(side, CHUNKS.0).and_then(|short| Ok((short, run(side, CHUNKS.1)?))) {
            Ok((short, long)) => {
                let memory = long.peak_kib.saturating_sub(long.begin_kib) as f64 / STREAMS as f64;
                let chunk = (cpu(&long) - cpu(&short)) / (STREAMS * (CHUNKS.1 - CHUNKS.0)) as f64;
                rows.push(vec![side.name.clone(), number(memory), number(chunk), number(long.wall)]);
                figures.push(json!({"side": side.name, "kib_a_stream": memory, "cpu_us_a_chunk": chunk}));
            }
            Err(error) => eprintln!("idle: left out: {error}"),
        }
    }
    let title = format!("{STREAMS} streams, one chunk each {PACE} ms");
    table::print(&title, &["side", "KiB/stream", "CPU us/chunk", "s for the long ones"], &rows);
    figures.into()
}

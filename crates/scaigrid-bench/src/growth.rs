//! Whether cost stays in proportion: to the chunks of a stream, the bytes of bodies, the items of a list.

use crate::harness::{Job, Kind};
use crate::load::{Load, Pace};
use crate::rig::{Rig, Side};
use crate::sides::LISTING;
use crate::table::{self, number};
use serde_json::{Value, json};

/// One size of something that grows.
struct Step {
    label: String,
    job: Job,
    /// Units of one call: chunks, KiB, or items.
    units: f64,
}

/// Runs it, prints a table for each thing that grows, and returns the figures. With a program that counts, allocated bytes
/// are among them.
pub fn run(rig: &Rig) -> Value {
    let job =
        |kind, load, total: usize| Job::new(&rig.base, rig.core, kind, load, (total / rig.divisor).max(1));
    let streams = [(100, 2_000), (1_000, 200), (20_000, 20), (1_000_000, 1)].map(|(chunks, total)| Step {
        label: format!("{chunks} chunks"),
        job: job(Kind::Stream, Load::stream(Pace::Flood, chunks), total),
        units: chunks as f64,
    });
    let sizes = [(1, 4_000), (64, 1_000), (1_024, 100), (16 * 1_024, 8)];
    let asks = sizes.map(|(kib, total)| {
        let job = job(Kind::Chat, Load::chat(), total);
        Step { label: format!("{kib} KiB"), job: Job { ask_bytes: kib * 1024, ..job }, units: kib as f64 }
    });
    let replies = sizes.map(|(kib, total)| Step {
        label: format!("{kib} KiB"),
        job: job(Kind::Chat, Load { reply_bytes: kib * 1024, ..Load::chat() }, total),
        units: kib as f64,
    });
    let lists = [(100, 500), (1_000, 50), (10_000, 5), (100_000, 1)].map(|(items, total)| Step {
        label: format!("{items} items"),
        job: Job { items, ..job(Kind::List, Load::chat(), total) },
        units: items as f64,
    });
    let listing: Vec<&Side> = rig.sides.iter().filter(|side| LISTING.contains(&&*side.name)).collect();
    let all: Vec<&Side> = rig.sides.iter().collect();
    json!({
        "chunks": grow(rig, "a chunk of streams that grow", &all, &streams),
        "request_kib": grow(rig, "a KiB of requests that grow", &all, &asks),
        "reply_kib": grow(rig, "a KiB of answers that grow", &all, &replies),
        "items": grow(rig, "an item of lists that grow", &listing, &lists),
    })
}

fn grow(rig: &Rig, title: &str, sides: &[&Side], steps: &[Step]) -> Value {
    let mut rows = Vec::new();
    let mut figures = Vec::new();
    for side in sides {
        let mut times = vec![side.name.clone()];
        let mut bytes = vec![format!("{}, bytes", side.name)];
        for step in steps {
            let measured = rig
                .run(side, &step.job)
                .and_then(|measured| Ok((measured.0, rig.run(&side.counting(), &step.job)?.0)));
            let (outcome, counted) = match measured {
                Ok(measured) => measured,
                Err(error) => {
                    eprintln!("{title}: left out: {error}");
                    times.push("-".to_owned());
                    bytes.push("-".to_owned());
                    continue;
                }
            };
            let units = outcome.requests as f64 * step.units;
            let cpu = (outcome.user + outcome.system) / units * 1e6;
            let allocated = counted.allocated_bytes as f64 / units;
            times.push(format!("{} us", number(cpu)));
            bytes.push(number(allocated));
            figures.push(
                json!({"side": side.name, "size": step.label, "cpu_us": cpu, "allocated_bytes": allocated}),
            );
        }
        rows.extend([times, bytes]);
    }
    let head: Vec<&str> = std::iter::once("side").chain(steps.iter().map(|step| &*step.label)).collect();
    table::print(&format!("processor time and allocated bytes for {title}"), &head, &rows);
    figures.into()
}

//! The comparison: every side under every load, in interleaved rounds.

use crate::harness::{Job, Kind, Outcome};
use crate::rig::Rig;
use crate::scenarios::Scenario;
use crate::sides::BASE;
use crate::stats::{median, median_ratio, range};
use crate::table::{self, number};
use serde_json::{Value, json};

/// What one round gave.
struct Measured {
    outcome: Outcome,
    server: f64,
}

impl Measured {
    fn units(&self, kind: Kind) -> f64 {
        (if kind == Kind::Chat { self.outcome.requests } else { self.outcome.chunks }) as f64
    }

    fn rate(&self, kind: Kind) -> f64 {
        self.units(kind) / self.outcome.wall
    }

    /// Microseconds of the processor for one.
    fn cpu(&self, kind: Kind) -> f64 {
        (self.outcome.user + self.outcome.system) / self.units(kind) * 1e6
    }
}

/// The rounds of one side under one load.
struct Line {
    side: String,
    rounds: Vec<Measured>,
}

fn job(rig: &Rig, scenario: &Scenario) -> Job {
    let total = (scenario.total / rig.divisor).max(scenario.parallel);
    let warm = match (scenario.kind, scenario.load.pace) {
        (Kind::Chat, _) => (total / 10).max(scenario.parallel),
        // Nothing of a paced stream is faster the second time.
        (_, crate::load::Pace::Every(_)) => 0,
        _ => scenario.parallel,
    };
    Job {
        parallel: scenario.parallel,
        warm,
        enveloped: scenario.enveloped,
        ..Job::new(&rig.base, rig.core, scenario.kind, scenario.load, total)
    }
}

/// Runs it, prints a table for each scenario, and returns all figures.
pub fn run(rig: &Rig, scenarios: &[Scenario], rounds: usize) -> Value {
    let mut lines: Vec<Vec<Line>> = scenarios
        .iter()
        .map(|scenario| {
            let sides = rig.sides.iter().filter(|side| scenario.peers || !side.is_peer);
            sides.map(|side| Line { side: side.name.clone(), rounds: Vec::new() }).collect()
        })
        .collect();
    for round in 1..=rounds {
        for (scenario, lines) in scenarios.iter().zip(&mut lines) {
            let job = job(rig, scenario);
            // A side that has failed would shift the rounds against each other.
            lines.retain_mut(|line| {
                let side = rig.sides.iter().find(|side| side.name == line.side).expect("a side of this run");
                match rig.run(side, &job) {
                    Ok((outcome, server)) => line.rounds.push(Measured { outcome, server }),
                    Err(error) => eprintln!("{}: left out: {error}", scenario.name),
                }
                line.rounds.len() == round
            });
        }
        eprintln!("round {round} of {rounds}");
    }
    let mut figures = Vec::new();
    for (scenario, lines) in scenarios.iter().zip(&lines) {
        print(scenario, lines);
        figures.push(json!({
            "scenario": scenario.name,
            "load": scenario.load.to_string(),
            "parallel": scenario.parallel,
            "sides": lines.iter().map(|line| figure(scenario, line, lines)).collect::<Vec<_>>(),
        }));
    }
    figures.into()
}

/// Ratios of rate and processor time to the base, round by round.
fn ratios(kind: Kind, line: &Line, lines: &[Line]) -> Option<(f64, f64)> {
    let base = lines.iter().find(|line| line.side == BASE)?;
    let all = |line: &Line, of: fn(&Measured, Kind) -> f64| -> Vec<f64> {
        line.rounds.iter().map(|round| of(round, kind)).collect()
    };
    Some((
        median_ratio(&all(line, Measured::rate), &all(base, Measured::rate)),
        median_ratio(&all(line, Measured::cpu), &all(base, Measured::cpu)),
    ))
}

fn print(scenario: &Scenario, lines: &[Line]) {
    let kind = scenario.kind;
    let rate = if kind == Kind::Chat { "calls/s" } else { "chunks/s" };
    let cpu = if kind == Kind::Chat { "CPU us/call" } else { "CPU us/chunk" };
    let head = ["side", rate, "least..most", "x raw", cpu, "x raw", "peak MiB", "server busy"];
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            let rates: Vec<f64> = line.rounds.iter().map(|round| round.rate(kind)).collect();
            let (least, most) = range(&rates);
            let ratios = ratios(kind, line, lines).unwrap_or((f64::NAN, f64::NAN));
            let server = median(line.rounds.iter().map(|round| round.server / round.outcome.wall * 100.0));
            vec![
                line.side.clone(),
                number(median(rates.iter().copied())),
                format!("{}..{}", number(least), number(most)),
                number(ratios.0),
                number(median(line.rounds.iter().map(|round| round.cpu(kind)))),
                number(ratios.1),
                number(median(line.rounds.iter().map(|round| round.outcome.peak_kib as f64 / 1024.0))),
                format!("{server:.0} %"),
            ]
        })
        .collect();
    table::print(scenario.name, &head, &rows);
}

fn figure(scenario: &Scenario, line: &Line, lines: &[Line]) -> Value {
    let ratios = ratios(scenario.kind, line, lines);
    json!({
        "side": line.side,
        "rate": median(line.rounds.iter().map(|round| round.rate(scenario.kind))),
        "rate_ratio": ratios.map(|ratios| ratios.0),
        "cpu_us": median(line.rounds.iter().map(|round| round.cpu(scenario.kind))),
        "cpu_ratio": ratios.map(|ratios| ratios.1),
        "rounds": line.rounds.iter().map(|round| json!({
            "outcome": round.outcome, "server_seconds": round.server,
        })).collect::<Vec<_>>(),
    })
}

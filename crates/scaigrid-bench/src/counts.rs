//! How many instructions small things take, by callgrind, beside a table that is checked in.
//!
//! Unlike times, these hardly depend on what else the machine does. They do depend on the compiler and on what the
//! processor offers to memchr and others.

use crate::decode::chunks;
use crate::shape;
use crate::table;
use scaigrid::transport::sse;
use scaigrid::{
    ChatRequest, ChatStreamData, ChunkDecoder, Endpoint as _, ErrorEnvelope, FailedAttempt, Failure,
    ReplaySafety, ResponseBody, RetryPolicy as _, StandardPolicy,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is counted.
pub const TASKS: [&str; 5] =
    ["chunk, plain", "chunk, varied", "completion", "error envelope", "retry decision"];

/// Times that a task runs: once so often, once twice as often.
const TIMES: usize = 2_048;

/// More than the table says by this share is a slip.
const TOLERANCE: f64 = 0.10;

/// The seed of the varied shape. Not that of the command line: the table must stay comparable.
const SEED: u64 = 7;

const ERROR: &str = r#"{"status":"error","error":{"code":"RATE_LIMITED","message":"Too many requests. Try again later.","details":{"retry_after":2}},"meta":{"request_id":"req_abc123"}}"#;

/// Runs a task so many times. This is what callgrind looks at.
///
/// # Panics
/// When there is no such task.
pub fn repeat(task: &str, times: usize) {
    match task {
        "chunk, plain" => repeat_chunk(0, times),
        "chunk, varied" => repeat_chunk(SEED, times),
        "completion" => {
            let body = shape::completion(0, 0, true).0;
            let request = ChatRequest::new("m");
            for _ in 0..times {
                let body = ResponseBody::new(black_box(body.as_bytes()), Some("application/json"));
                black_box(&request.decode(body).unwrap());
            }
        }
        "error envelope" => {
            for _ in 0..times {
                black_box(&ErrorEnvelope::from_slice(black_box(ERROR.as_bytes())).unwrap());
            }
        }
        "retry decision" => {
            let policy = StandardPolicy::new();
            let code = ErrorEnvelope::from_slice(ERROR.as_bytes()).unwrap().error.code;
            for _ in 0..times {
                let failure = Failure::Response { status: 429, code: black_box(code.as_ref()) };
                let failed = FailedAttempt::new(1, failure, ReplaySafety::Inference).with_jitter(0.5);
                black_box(&policy.decide(black_box(&failed)));
            }
        }
        _ => panic!("there is no task {task:?}"),
    }
}

/// From the bytes of an event to the public type.
fn repeat_chunk(shape: u64, times: usize) {
    let mut stream = shape::Stream::new(shape);
    let events: Vec<String> = chunks(shape).iter().map(|data| stream.event(data)).collect();
    let (mut decoder, mut chunks) = (sse::Decoder::new(), ChunkDecoder::new());
    for event in events.iter().cycle().take(times) {
        let mut input = black_box(event.as_bytes());
        while let Some(event) = decoder.next(&mut input).unwrap() {
            let ChatStreamData::Chunk(chunk) = chunks.decode(event.data).unwrap() else { panic!("no chunk") };
            black_box(&chunk);
        }
    }
}

fn checked_in() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("counts.tsv")
}

fn read(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('\t'))
        .filter_map(|(task, count)| Some((task, count.parse().ok()?)))
        .collect()
}

/// Counts, prints a table, and compares it with the one that is checked in, or writes that anew.
///
/// # Errors
/// When valgrind is missing or fails, or when a task takes more than the table allows.
pub fn run(folder: &Path, update: bool) -> Result<Value, String> {
    let counts = TASKS.iter().map(|task| Ok((*task, count(folder, task)?)));
    let counts: Vec<(&str, f64)> = counts.collect::<Result<_, String>>()?;
    let path = checked_in();
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let before = read(&before);
    let change = |task: &str, count: f64| before.get(task).map(|before| count / before - 1.0);
    let rows: Vec<Vec<String>> = counts
        .iter()
        .map(|(task, count)| {
            let known = before.get(task).map_or("-".to_owned(), |before| format!("{before:.0}"));
            let change =
                change(task, *count).map_or("-".to_owned(), |share| format!("{:+.1} %", share * 100.0));
            vec![(*task).to_owned(), format!("{count:.0}"), known, change]
        })
        .collect();
    table::print("instructions", &["task", "now", "checked in", "change"], &rows);
    if update {
        let lines = counts.iter().map(|(task, count)| format!("{task}\t{count:.0}\n"));
        let head =
            "# Instructions for one, by callgrind: `cargo xtask bench --counts --update` writes this file.\n";
        let text: String = std::iter::once(head.to_owned()).chain(lines).collect();
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    } else {
        let slipped =
            |(task, count): &&(&str, f64)| change(task, *count).is_none_or(|share| share > TOLERANCE);
        let slipped: Vec<&str> = counts.iter().filter(slipped).map(|(task, _)| *task).collect();
        if !slipped.is_empty() {
            return Err(format!(
                "more instructions than {} allows, or not in it: {}. If that is meant, run with --update",
                path.display(),
                slipped.join("; ")
            ));
        }
        if counts.iter().any(|(task, count)| change(task, *count).is_some_and(|share| share < -TOLERANCE)) {
            println!("Less than the table says: write it anew with --update.");
        }
    }
    Ok(json!(
        counts.iter().map(|(task, count)| json!({"task": task, "instructions": count})).collect::<Vec<_>>()
    ))
}

/// Instructions of one run of a task: the difference of two counts, so that what comes before does not count.
fn count(folder: &Path, task: &str) -> Result<f64, String> {
    let (once, twice) = (total(folder, task, TIMES)?, total(folder, task, 2 * TIMES)?);
    Ok((twice - once) / TIMES as f64)
}

fn total(folder: &Path, task: &str, times: usize) -> Result<f64, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let file = folder.join("callgrind.out");
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(own)
        .args(["repeat", task, &times.to_string()])
        .output()
        .map_err(|error| format!("valgrind cannot be run ({error}): install it to count instructions"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("valgrind: {}: {}", output.status, errors.trim()));
    }
    let profile = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    instructions(&profile).ok_or_else(|| format!("{} has no totals", file.display()))
}

fn instructions(profile: &str) -> Option<f64> {
    profile.lines().find_map(|line| line.strip_prefix("totals:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_and_is_in_the_table() {
        let text = std::fs::read_to_string(checked_in()).unwrap();
        let known = read(&text);
        for task in TASKS {
            repeat(task, 3);
            assert!(known.contains_key(task), "{task}");
        }
        assert_eq!(known.len(), TASKS.len());
    }

    #[test]
    fn totals_are_found_in_a_profile() {
        assert_eq!(
            instructions("version: 1\nevents: Ir\n\nfn=(1)\n1 2\n\ntotals: 123456\n"),
            Some(123_456.0)
        );
        assert_eq!(instructions("version: 1\n"), None);
    }
}

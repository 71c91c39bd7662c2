//! Decoding alone: event streams, and the JSON of a chunk.

use crate::measure::Counter;
use crate::shape;
use crate::stats::median;
use crate::table::{self, number};
use bytes::Bytes;
use scaigrid::transport::sse;
use scaigrid::{ChatStreamData, ChunkDecoder};
use serde::Deserialize;
use serde_json::{Value, json};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A decoder of event streams.
#[derive(Clone, Copy)]
pub struct EventDecoder {
    /// For the table.
    pub name: &'static str,
    /// Decodes a whole stream that comes in pieces: how many events it had, and how many bytes their data.
    pub decode: fn(&[Bytes]) -> (u64, u64),
}

/// Ours.
pub const OURS: EventDecoder = EventDecoder { name: "ours", decode: ours };

fn ours(pieces: &[Bytes]) -> (u64, u64) {
    let mut decoder = sse::Decoder::new();
    let (mut events, mut bytes) = (0, 0);
    for piece in pieces {
        let mut input = &piece[..];
        while let Some(event) = decoder.next(&mut input).unwrap() {
            events += 1;
            bytes += event.data.len() as u64;
        }
    }
    (events, bytes)
}

/// Events of a measured stream.
const EVENTS: usize = 4_096;

/// At least so long is each measured.
const TIME: Duration = Duration::from_millis(100);

/// What has been measured of one decoder on one input.
struct Line {
    name: &'static str,
    run: Box<dyn Fn()>,
    /// Nanoseconds for an event, or allocations when they are counted.
    rounds: Vec<f64>,
}

/// Measures, prints tables, and returns the figures: nanoseconds for an event, or with `counter`, allocations.
pub fn run(others: &[EventDecoder], counter: Option<Counter>, rounds: usize, seed: u64) -> Value {
    let decoders = [&[OURS], others].concat();
    let unit = if counter.is_some() { "allocations" } else { "ns" };
    let mut figures = Vec::new();
    for (shape_name, shape) in [("plain", 0), ("varied", seed)] {
        let events = events(shape);
        let wire = events.concat();
        let data: Vec<String> = chunks(shape);
        let whole = events.iter().map(|event| Bytes::copy_from_slice(event.as_bytes())).collect();
        let cut = |size: usize| wire.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
        for (cut_name, pieces) in
            [("an event a piece", whole), ("64 bytes", cut(64)), ("8 KiB", cut(8 * 1024))]
        {
            let pieces: Vec<Bytes> = pieces;
            let expected = ours(&pieces);
            assert_eq!(expected.1, data.iter().map(|data| data.len() as u64).sum::<u64>());
            let lines = decoders.iter().map(|decoder| {
                let (pieces, decode) = (pieces.clone(), decoder.decode);
                assert_eq!(decode(&pieces), expected, "{} finds the same", decoder.name);
                let run = Box::new(move || _ = black_box(decode(black_box(&pieces))));
                Line { name: decoder.name, run, rounds: Vec::new() }
            });
            let title = format!("{unit} an event, {shape_name}, {cut_name}");
            figures.push(measure(&title, lines.collect(), counter, rounds));
        }
        let title = format!("{unit} a chunk, from its JSON to its type, {shape_name}");
        figures.push(measure(&title, chunk_lines(&data), counter, rounds));
    }
    figures.into()
}

/// The JSON of chunks.
pub(crate) fn chunks(shape: u64) -> Vec<String> {
    let mut stream = shape::Stream::new(shape);
    (0..EVENTS).map(|number| stream.chunk(number)).collect()
}

/// The same as events.
fn events(shape: u64) -> Vec<String> {
    let mut stream = shape::Stream::new(shape);
    let chunks: Vec<String> = (0..EVENTS).map(|number| stream.chunk(number)).collect();
    chunks.iter().map(|data| stream.event(data)).collect()
}

/// The fields of the public type, owned, as serde derives them.
#[derive(Deserialize)]
#[allow(dead_code, reason = "decoded, and that is what is measured")]
struct Chunk {
    id: Option<String>,
    object: Option<String>,
    created: Option<u64>,
    model: Option<String>,
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "decoded, and that is what is measured")]
struct Choice {
    index: u32,
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "decoded, and that is what is measured")]
struct Delta {
    role: Option<String>,
    content: Option<String>,
    reasoning_content: Option<String>,
    #[serde(default)]
    tool_calls: Vec<Value>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "decoded, and that is what is measured")]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
}

fn chunk_lines(data: &[String]) -> Vec<Line> {
    let line = |name, decode: fn(&[String])| {
        let data = data.to_vec();
        Line { name, run: Box::new(move || decode(black_box(&data))), rounds: Vec::new() }
    };
    vec![
        line("ours", |data| {
            let mut decoder = ChunkDecoder::new();
            for json in data {
                let ChatStreamData::Chunk(chunk) = decoder.decode(json).unwrap() else { panic!("no chunk") };
                black_box(&chunk);
            }
        }),
        line("serde_json, owned, from bytes", |data| {
            for json in data {
                black_box(&serde_json::from_slice::<Chunk>(json.as_bytes()).unwrap());
            }
        }),
        line("serde_json, owned, from text", |data| {
            for json in data {
                black_box(&serde_json::from_str::<Chunk>(json).unwrap());
            }
        }),
    ]
}

fn measure(title: &str, mut lines: Vec<Line>, counter: Option<Counter>, rounds: usize) -> Value {
    for _ in 0..rounds {
        for line in &mut lines {
            line.rounds.push(match counter {
                Some(counter) => {
                    let before = counter().0;
                    (line.run)();
                    (counter().0 - before) as f64 / EVENTS as f64
                }
                None => time(&line.run),
            });
        }
    }
    let medians: Vec<f64> = lines.iter().map(|line| median(line.rounds.iter().copied())).collect();
    let rows: Vec<Vec<String>> = lines
        .iter()
        .zip(&medians)
        .map(|(line, value)| vec![line.name.to_owned(), number(*value), number(medians[0] / value)])
        .collect();
    table::print(title, &["decoder", "each", "ours to it"], &rows);
    let figure = |(line, value): (&Line, &f64)| json!({"decoder": line.name, "each": value});
    json!({"of": title, "lines": lines.iter().zip(&medians).map(figure).collect::<Vec<_>>()})
}

/// Nanoseconds for an event.
fn time(run: &dyn Fn()) -> f64 {
    let (begin, mut times) = (Instant::now(), 0);
    while begin.elapsed() < TIME {
        run();
        times += 1;
    }
    begin.elapsed().as_nanos() as f64 / (times * EVENTS) as f64
}

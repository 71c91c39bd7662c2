//! What spans cost, as ratios in one run: `cargo test --release -p scaigrid --features blocking --test trace_overhead -- --ignored --nocapture`
//!
//! Each way of listening is measured in processes of its own, in turn: tracing remembers for the whole process who has
//! ever listened. Calls are answered from memory, so that nothing but the client is measured.
#![cfg(feature = "blocking")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "measures real time")]

use scaigrid::ChatRequest;
use scaigrid::blocking::Client;
use scaigrid::transport::blocking::{Body, RequestBody, Transport};
use scaigrid::transport::{Timeouts, TransportError};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};

/// What a child measures: see [`measured`].
const WAY: &str = "TRACE_OVERHEAD_WAY";
/// How many calls a batch has; 0 for what is not calls, such as with a counter of instructions.
const CALLS: &str = "TRACE_OVERHEAD_CALLS";

/// Answers from memory.
struct Memory;

impl Transport for Memory {
    fn send(
        &self,
        _: http::Request<RequestBody>,
        _: Timeouts,
    ) -> Result<http::Response<Body>, TransportError> {
        let reply = r#"{"status":"ok","data":{"id":"c1","model":"m","choices":[{"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}},"meta":{"request_id":"req_1"}}"#;
        let piece: Result<bytes::Bytes, TransportError> = Ok(bytes::Bytes::from_static(reply.as_bytes()));
        Ok(http::Response::new(Body::new(vec![piece].into_iter())))
    }
}

/// Reads every value of every span and event.
struct All;

static SPANS: AtomicUsize = AtomicUsize::new(0);

struct Reader;

impl tracing::field::Visit for Reader {
    fn record_debug(&mut self, _: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        std::hint::black_box(value);
    }
}

impl<S: tracing::Subscriber> Layer<S> for All {
    fn on_new_span(
        &self,
        span: &tracing::span::Attributes<'_>,
        _: &tracing::span::Id,
        _: tracing_subscriber::layer::Context<'_, S>,
    ) {
        SPANS.fetch_add(1, Ordering::Relaxed);
        span.record(&mut Reader);
    }

    fn on_record(
        &self,
        _: &tracing::span::Id,
        values: &tracing::span::Record<'_>,
        _: tracing_subscriber::layer::Context<'_, S>,
    ) {
        values.record(&mut Reader);
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        event.record(&mut Reader);
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Nanoseconds of one call: the median of batches, after one that is not counted.
fn per_call(client: &Client, calls: u32) -> f64 {
    let request = ChatRequest::new("scailabs/poolnoodle-omni").user("word ".repeat(400)).max_tokens(20);
    let batch = || {
        let started = Instant::now();
        for _ in 0..calls {
            std::hint::black_box(client.chat(&request).unwrap());
        }
        started.elapsed().as_secs_f64() * 1e9 / f64::from(calls.max(1))
    };
    batch();
    median((0..5).map(|_| batch()).collect())
}

/// One way of listening, in a process that knows no other.
#[test]
#[ignore = "measures; started by `overhead`"]
fn measured() {
    let Ok(way) = std::env::var(WAY) else { return };
    let set = |subscriber: tracing::Dispatch| tracing::dispatcher::set_global_default(subscriber).unwrap();
    let registry = tracing_subscriber::registry();
    match way.as_str() {
        "nobody" | "loopback" => {}
        "off" => set(registry.with(All.with_filter(LevelFilter::OFF)).into()),
        "all" => set(registry.with(All).into()),
        other => panic!("{other}"),
    }
    let calls: u32 = std::env::var(CALLS).map_or(2_000, |calls| calls.parse().unwrap());
    let builder = Client::builder().api_key("sgk_some_test_key");
    let nanoseconds = match way.as_str() {
        "loopback" => {
            let emulator =
                scaigrid_emulator::Emulator::builder().rate_limit_per_minute(u32::MAX).start().unwrap();
            let client = builder.base_url(emulator.base_url()).api_key(emulator.api_key()).build().unwrap();
            per_call(&client, calls / 10)
        }
        _ => per_call(&builder.base_url("http://127.0.0.1:9").transport(Memory).build().unwrap(), calls),
    };
    let spans = SPANS.load(Ordering::Relaxed);
    assert_eq!(spans, if way == "all" { 6 * calls as usize } else { 0 }, "{way}");
    println!("measured: {nanoseconds}");
}

#[test]
#[ignore = "measures"]
fn overhead() {
    let ways = ["nobody", "off", "all", "loopback"];
    let mut times = ways.map(|_| Vec::new());
    for _ in 0..9 {
        for (way, times) in ways.iter().zip(&mut times) {
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args(["--ignored", "--exact", "measured", "--nocapture"]).env(WAY, way);
            let output = child.output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let figure = text.lines().find_map(|line| line.split("measured: ").nth(1));
            times.push(figure.unwrap_or_else(|| panic!("{way}: {text}")).parse().unwrap());
        }
    }
    let spread = times.clone().map(|times| {
        let least = times.iter().copied().fold(f64::MAX, f64::min);
        (least, times.into_iter().fold(0.0, f64::max))
    });
    let [nobody, off, all, loopback] = times.map(median);
    println!("a call of 2 KB, median of 9 rounds, from memory but for the last:");
    for ((way, time), (least, most)) in ways.iter().zip([nobody, off, all, loopback]).zip(spread) {
        println!(
            "{way:>9}: {time:8.0} ns ({least:.0} to {most:.0}), {:5.2} x nobody; beyond nobody: {:+7.0} ns, {:+5.2} % of a loopback call",
            time / nobody,
            time - nobody,
            (time - nobody) / loopback * 100.0
        );
    }
}

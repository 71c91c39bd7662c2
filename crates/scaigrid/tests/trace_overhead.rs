//! What spans cost, as a ratio in one run: `cargo test --release -p scaigrid --features blocking --test trace_overhead -- --ignored --nocapture`
#![cfg(feature = "blocking")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "measures real time")]

use scaigrid::ChatRequest;
use scaigrid::blocking::Client;
use scaigrid::transport::blocking::{Body, RequestBody, Transport};
use scaigrid::transport::{Timeouts, TransportError};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};

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

fn calls(client: &Client, request: &ChatRequest) -> Duration {
    let started = Instant::now();
    for _ in 0..2_000 {
        std::hint::black_box(client.chat(request).unwrap());
    }
    started.elapsed()
}

#[test]
#[ignore = "measures"]
fn overhead() {
    let client = Client::builder()
        .api_key("sgk_some_test_key")
        .base_url("http://127.0.0.1:9")
        .transport(Memory)
        .build()
        .unwrap();
    let request = ChatRequest::new("m").user("word ".repeat(400)).max_tokens(20);
    let mut off = Vec::new();
    let mut on = Vec::new();
    for _ in 0..15 {
        off.push(calls(&client, &request));
        let all = tracing_subscriber::registry().with(All);
        on.push(tracing::subscriber::with_default(all, || calls(&client, &request)));
    }
    assert_eq!(SPANS.load(Ordering::Relaxed), 15 * 2_000);
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() / 2_000.0 * 1e6
    };
    let (off, on) = (median(&mut off), median(&mut on));
    println!(
        "a call of 2 KB from memory: {off:.2} us without a subscriber, {on:.2} us with one that takes all: {:.2} x",
        on / off
    );
}

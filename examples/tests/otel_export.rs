//! The program that exports spans, with a collector of its own: `cargo test -p scaigrid-examples --features otel`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use scaigrid_emulator::{Emulator, Fault};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use support::{Ran, command, end, start};

const OTEL_EXPORT: &str = env!("CARGO_BIN_EXE_otel_export");

/// Takes what is posted, and gives path, content type, and body of each request.
fn collector() -> (String, Receiver<(String, String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut head, mut line) = (Vec::new(), String::new());
            while stream.read_line(&mut line).unwrap() > 2 {
                head.push(std::mem::take(&mut line));
            }
            let header = |name: &str| {
                let lines = head.iter().filter_map(|line| line.split_once(':'));
                let mut values = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
                values.next().map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
            };
            let mut body = vec![0; header("content-length").parse().unwrap()];
            stream.read_exact(&mut body).unwrap();
            let path = head.first().unwrap().split(' ').take(2).collect::<Vec<_>>().join(" ");
            let _ = tell.send((path, header("content-type"), body));
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, told)
}

fn run(emulator: Option<&Emulator>, collector: Option<&str>) -> Ran {
    let mut command = command(OTEL_EXPORT, emulator);
    command.env_remove("OTEL_EXPORTER_OTLP_ENDPOINT");
    command.envs(collector.map(|address| ("OTEL_EXPORTER_OTLP_ENDPOINT", address)));
    end(start(&mut command, ""))
}

fn has(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|part| part == text.as_bytes())
}

#[test]
fn a_collector_gets_spans_and_metrics() {
    let emulator = Emulator::start().unwrap();
    let (address, told) = collector();
    let ran = run(Some(&emulator), Some(&address)).ok();
    assert!(!ran.stderr.contains("span: ") && ran.stdout.lines().count() >= 2, "{ran:?}");
    let got: Vec<_> = told.try_iter().collect();
    let of = |path: &str| -> Vec<u8> {
        let bodies = got.iter().filter(|(to, kind, _)| to == path && kind == "application/x-protobuf");
        bodies.flat_map(|(_, _, body)| body.clone()).collect()
    };
    let (spans, metrics) = (of("POST /v1/traces"), of("POST /v1/metrics"));
    for text in
        ["chat scailabs/poolnoodle-omni", "gen_ai.usage.input_tokens", "scaigrid.request_id", "otel_export"]
    {
        assert!(has(&spans, text), "{text} is not in the spans");
    }
    for text in ["gen_ai.client.token.usage", "gen_ai.client.operation.duration"] {
        assert!(has(&metrics, text), "{text} is not in the metrics");
    }
    for body in [&spans, &metrics] {
        assert!(!has(body, emulator.api_key()) && !has(body, "carbonara"));
    }
    let parent = |request: &scaigrid_emulator::RecordedRequest| {
        request.headers.iter().any(|(name, _)| name == "traceparent")
    };
    assert!(emulator.requests().iter().all(parent), "the gateway may join the trace");
}

#[test]
fn without_a_collector_spans_are_printed() {
    let ran = run(None, None).ok();
    assert!(ran.stderr.contains("OTEL_EXPORTER_OTLP_ENDPOINT is not set: printing spans instead"), "{ran:?}");
    let spans: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("span: ")).collect();
    let [plain, stream, ask] = &spans[..] else { panic!("{ran:?}") };
    assert!(plain.starts_with("span: chat scailabs/poolnoodle-omni: ") && ask.starts_with("span: ask: "));
    assert!(
        plain.contains(" gen_ai.usage.output_tokens=") && !plain.contains("time_to_first_chunk"),
        "{plain}"
    );
    assert!(stream.contains(" gen_ai.response.time_to_first_chunk="), "{stream}");
}

#[test]
fn failures_are_exported_too_and_a_lost_collector_is_told() {
    let emulator = Emulator::start().unwrap();
    emulator.faults().push(Fault::error("BUDGET_EXCEEDED"));
    let (address, told) = collector();
    run(Some(&emulator), Some(&address)).failed(1, "BUDGET_EXCEEDED");
    assert!(
        told.try_iter().any(|(path, _, body)| path == "POST /v1/traces" && has(&body, "BUDGET_EXCEEDED"))
    );
    // A port that nobody listens at.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    run(Some(&emulator), Some(&format!("http://{closed}"))).failed(1, "error: ");
}

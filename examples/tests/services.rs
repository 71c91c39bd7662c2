//! The programs around inference: sessions, accounting, webhooks, run as a newcomer would.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use scaigrid::{ChatRequest, CreateWebhook, ListWebhooks, SIGNATURE_HEADER, WebhookVerifier, blocking};
use scaigrid_emulator::{Emulator, Fault, StreamFault};
use serde_json::json;
use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use support::run;

const SESSION_CHAT: &str = env!("CARGO_BIN_EXE_session_chat");

#[test]
fn the_gateway_remembers_a_conversation() {
    let ran = run(
        SESSION_CHAT,
        None,
        &[],
        "Guanciale is cured pork cheek.\n\nPecorino is a cheese.\n/quit\nnot read\n",
    );
    let ran = ran.ok();
    assert_eq!(ran.stdout.lines().count(), 2);
    assert!(ran.stdout.contains("uanciale") && ran.stdout.contains("ecorino"), "{ran:?}");
    assert!(ran.stderr.contains(": the gateway remembers 4 messages"), "{ran:?}");
}

#[test]
fn a_conversation_goes_on_later_and_after_failures() {
    let emulator = Emulator::start().unwrap();
    let ran = run(SESSION_CHAT, Some(&emulator), &["--system", "Speak of food."], "One.").ok();
    let told = ran.stderr.lines().last().unwrap();
    let session = told.strip_prefix("session ").unwrap().split(':').next().unwrap();
    assert!(told.ends_with("remembers 2 messages"));
    let created = emulator.requests()[0].json().unwrap();
    assert_eq!(created["system_prompt"], "Speak of food.");

    emulator.faults().push(Fault::error("MODEL_ACCESS_DENIED"));
    emulator.faults().push(Fault::stream(StreamFault::cut(400)));
    let ran = run(SESSION_CHAT, Some(&emulator), &["--session", session], "Refused.\nCut.\nThree.\n");
    let ran = ran.failed(1, "error: 2 messages have no answer");
    assert!(ran.stderr.contains("no answer: sessions.stream_message: MODEL_ACCESS_DENIED"), "{ran:?}");
    assert!(ran.stdout.contains("Three"), "{ran:?}");
    assert_eq!(emulator.requests().iter().filter(|request| request.path == "/v1/sessions").count(), 1);

    run(SESSION_CHAT, Some(&emulator), &["--session", "sess_x"], "").failed(1, "NOT_FOUND");
    run(SESSION_CHAT, Some(&emulator), &["--model", "nobody/nothing"], "").failed(1, "MODEL_NOT_FOUND");
}

const WEBHOOK_RECEIVER: &str = env!("CARGO_BIN_EXE_webhook_receiver");
const SECRET: &str = "whsec_of_this_test";

fn client(emulator: &Emulator) -> blocking::Client {
    blocking::Client::builder().base_url(emulator.base_url()).api_key(emulator.api_key()).build().unwrap()
}

/// The status that a receiver answers with.
fn post(address: &str, body: &str, headers: &[(&str, &str)]) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let head = format!("POST /webhooks HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}");
    write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn without_a_key_the_receiver_gets_an_event_of_its_own() {
    let ran = run(WEBHOOK_RECEIVER, None, &["--once"], "").ok();
    assert!(ran.stdout.starts_with("request.completed evt_"), "{ran:?}");
    assert!(ran.stdout.contains(": scailabs/poolnoodle-omni, 9 tokens, "), "{ran:?}");
    assert_eq!(ran.stdout.lines().count(), 1);
    assert!(ran.stderr.contains("listening at http://127.0.0.1:"));
}

#[cfg(unix)]
#[test]
fn signed_events_are_printed_once_and_all_else_is_refused() {
    let emulator = Emulator::start().unwrap();
    let mut command = support::command(WEBHOOK_RECEIVER, Some(&emulator));
    let mut child = support::start(command.env("SCAIGRID_WEBHOOK_SECRET", SECRET), "");
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let url = support::read_until(&mut stderr, "listening at ");
    let address = url.strip_prefix("http://").unwrap().strip_suffix("/webhooks").unwrap();
    let client = client(&emulator);
    assert_eq!(client.webhooks(&ListWebhooks::new()).unwrap().items.len(), 0, "it was not asked to register");

    // What the gateway delivers.
    let events = ["request.completed".into(), "budget.soft_limit_reached".into()];
    client.create_webhook(&CreateWebhook::new(url.as_str(), events).secret(SECRET)).unwrap();
    client.chat(&ChatRequest::new("scailabs/poolnoodle-mini").user("Hello there.")).unwrap();
    let told = support::read_until(&mut stdout, "request.completed evt_");
    assert!(told.contains("scailabs/poolnoodle-mini, 9 tokens"), "{told}");
    emulator.emit_event("budget.soft_limit_reached", json!({"budget_id": "budget_1"}));
    let told = support::read_until(&mut stdout, "budget.soft_limit_reached evt_");
    assert!(told.ends_with(r#": {"budget_id":"budget_1"}"#), "{told}");

    emulator.emit_event("request.completed", json!({"tokens": "many"}));
    assert!(support::read_until(&mut stderr, "request.completed evt_").contains("payload"));

    // What others send, and what is delivered again.
    let verifier = WebhookVerifier::new(SECRET);
    let event = r#"{"event_type":"x.y","event_id":"evt_1","payload":7}"#;
    let (signature, of_garbage) = (verifier.sign(event.as_bytes()), verifier.sign(b"garbage"));
    let signed = (SIGNATURE_HEADER, signature.as_str());
    assert_eq!(post(address, event, &[]), 401);
    assert_eq!(post(address, "{}", &[signed]), 401);
    assert_eq!(post(address, event, &[signed, ("x-scaigrid-timestamp", "1700000000")]), 401);
    assert_eq!(post(address, "garbage", &[(SIGNATURE_HEADER, &of_garbage)]), 400);
    assert_eq!([post(address, event, &[signed]), post(address, event, &[signed])], [204, 204]);
    assert_eq!(support::read_until(&mut stdout, "x.y "), "evt_1: 7");
    support::read_until(&mut stderr, "repeated: evt_1");

    support::interrupt(&child);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!((child.wait().unwrap().code(), rest.as_str()), (Some(0), ""));
}

#[test]
fn a_receiver_registers_itself_when_it_is_told_its_address() {
    let emulator = Emulator::start().unwrap();
    run(WEBHOOK_RECEIVER, Some(&emulator), &[], "").failed(1, "set SCAIGRID_WEBHOOK_SECRET");
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let url = format!("http://{address}/webhooks");
    let mut command = support::command(WEBHOOK_RECEIVER, Some(&emulator));
    command.env("SCAIGRID_WEBHOOK_SECRET", SECRET).args(["--once", "--listen", &address, "--register", &url]);
    let mut child = support::start(&mut command, "");
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    support::read_until(&mut stderr, "registered at the gateway: wh_");
    let client = client(&emulator);
    // Fails, and is told all the same.
    client.chat(&ChatRequest::new("nobody/nothing").user("Hello there.")).unwrap_err();
    let ran = support::end(child).ok();
    assert!(
        ran.stdout.starts_with("request.failed evt_") && ran.stdout.contains("MODEL_NOT_FOUND"),
        "{ran:?}"
    );
    assert_eq!(client.webhooks(&ListWebhooks::new()).unwrap().items.len(), 0, "it is gone with the program");
}

const USAGE_REPORT: &str = env!("CARGO_BIN_EXE_usage_report");

/// The words of the line that begins with `name`, of the only one or of the last.
fn line<'a>(report: &'a str, name: &str) -> Vec<&'a str> {
    let line = report.lines().rfind(|line| line.starts_with(name));
    line.unwrap_or_else(|| panic!("{name} not in:\n{report}")).split_whitespace().collect()
}

#[test]
fn usage_is_reported_by_model_and_by_day() {
    let ran = run(USAGE_REPORT, None, &[], "").ok();
    let (models, days) = ran.stdout.split_once("\n\n").unwrap();
    assert_eq!(models.lines().count(), 4, "{ran:?}");
    assert_eq!(line(models, "scailabs/poolnoodle-mini")[1], "2");
    let omni = line(models, "scailabs/poolnoodle-omni");
    assert_eq!((omni[1], omni[5]), ("1", "█".repeat(24).as_str()), "{ran:?}");
    // Both add up to the same.
    assert_eq!(line(models, "all"), line(days, "all"));
    assert!(!ran.stderr.contains("differ"), "{ran:?}");
}

/// Two pages over three days, with costs that no binary fraction can hold.
#[test]
fn days_are_added_up_exactly_over_all_pages() {
    let emulator = Emulator::start().unwrap();
    let record = |number: u32, day: u32, cost: &str| {
        json!({"id": format!("usage_{number}"), "model": "m", "tokens_in": 10, "tokens_out": 1, "cost": cost,
            "created_at": format!("2026-04-2{day}T14:30:01Z")})
    };
    let summary = json!({"data": [
        {"group_key": "m", "request_count": 4, "input_tokens": 40, "output_tokens": 4, "total_cost": "0.6000"}]});
    let pages = [
        json!({"data": {"items": [record(1, 1, "0.1"), record(2, 1, "0.2")]},
            "pagination": {"has_more": true, "next_cursor": "c2"}}),
        json!({"data": {"items": [record(3, 2, "0.0000"), record(4, 3, "0.3")]},
            "pagination": {"has_more": false, "next_cursor": null}}),
    ];
    for body in [&summary].into_iter().chain(&pages) {
        emulator.faults().push(Fault::response(200, "application/json", body.to_string()));
    }
    let ran = run(USAGE_REPORT, Some(&emulator), &["--period", "week"], "").ok();
    let days = ran.stdout.split_once("\n\n").unwrap().1;
    let bar = "█".repeat(24);
    assert_eq!(line(days, "2026-04-21"), ["2026-04-21", "2", "20", "2", "0.3000", &bar]);
    assert_eq!(line(days, "2026-04-22"), ["2026-04-22", "1", "10", "1", "0.0000"]);
    assert_eq!(line(days, "2026-04-23"), ["2026-04-23", "1", "10", "1", "0.3000", &bar]);
    assert_eq!(line(days, "all"), ["all", "4", "40", "4", "0.6000"]);
    assert!(!ran.stderr.contains("differ"), "{ran:?}");
    let queries: Vec<_> = emulator.requests().into_iter().filter_map(|request| request.query).collect();
    assert_eq!(
        queries,
        ["period=week&group_by=model", "period=week&limit=1000", "period=week&limit=1000&cursor=c2"]
    );

    for page in [&summary, &pages[1]] {
        emulator.faults().push(Fault::response(200, "application/json", page.to_string()));
    }
    assert!(run(USAGE_REPORT, Some(&emulator), &[], "").ok().stderr.contains("the two differ"));
    run(USAGE_REPORT, Some(&emulator), &["--period", "decade"], "").failed(1, "VALIDATION_ERROR");
}

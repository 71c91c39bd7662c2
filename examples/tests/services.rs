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

//! The programs around inference: sessions, accounting, webhooks, run as a newcomer would.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use scaigrid_emulator::{Emulator, Fault, StreamFault};
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

//! What is told of calls that run a model.

use crate::http::{CHAT, OMNI, call, chat, get};
use crate::webhooks::{answering, register};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use scaigrid_emulator::Emulator;
use serde_json::{Value, json};

#[test]
fn every_way_to_run_a_model_is_told_of_once() {
    let receiver = answering(200);
    let emulator = Emulator::start().unwrap();
    let events = ["request.completed", "request.failed"];
    register(&emulator, &receiver.url(), &events, json!({}));
    let told = |model: &str| {
        let event = receiver.next().json();
        assert_eq!(
            (&event["event_type"], &event["source"]),
            (&json!(events[0]), &json!("inference_service"))
        );
        assert_eq!(event["payload"]["model"], model);
    };
    let calls = [
        (CHAT, chat("hi")),
        ("/v1/inference/embed", json!({"model": "openai/text-embedding-3-small", "input": "hi"})),
        ("/v1/inference/images/generate", json!({"model": "openai/dall-e-3", "prompt": "hi"})),
        ("/v1/inference/audio/synthesize", json!({"model": "openai/tts-1", "input": "hi", "voice": "v"})),
        ("/v1/inference/generate", json!({"model": OMNI, "prompt": "hi"})),
    ];
    for (path, body) in &calls {
        assert_eq!(call(&emulator, "POST", path, body).status, 200, "{path}");
        told(body["model"].as_str().unwrap());
    }
    let parts = [("model", None, &b"openai/whisper-1"[..]), ("file", Some(("a", "a/b")), b"x")];
    crate::calls::form(&emulator, "/v1/inference/audio/transcribe", &parts);
    told("openai/whisper-1");
    let session =
        call(&emulator, "POST", "/v1/sessions", &json!({"model": OMNI})).json()["data"]["id"].clone();
    let messages = format!("/v1/sessions/{}/messages", session.as_str().unwrap());
    for stream in [true, false] {
        call(&emulator, "POST", &messages, &json!({"content": "hi", "stream": stream}));
        told(OMNI);
    }

    let lines = [chat("hi"), json!({"model": OMNI})];
    let line =
        |body: &Value| json!({"custom_id": body.to_string(), "method": "POST", "url": CHAT, "body": body});
    let file: String = lines.iter().map(|body| format!("{}\n", line(body))).collect();
    let body = json!({"input_file_base64": STANDARD.encode(file)});
    call(&emulator, "POST", "/v1/inference/batch", &body);
    let mut types = [receiver.next(), receiver.next()].map(|event| event.json()["event_type"].clone());
    types.sort_by_key(Value::to_string);
    assert_eq!(types, events);
    // Neither of these runs a model.
    call(&emulator, "POST", "/v1/inference/batch", &json!({}));
    get(&emulator, "/v1/inference/batch/unknown");
    call(&emulator, "POST", &messages, &json!({}));
    assert_eq!(receiver.next().json()["payload"]["path"], messages.as_str());
    assert!(!receiver.has_more());

    // As many records, each with a request of its own.
    let usage = get(&emulator, "/v1/accounting/usage").json()["data"]["items"].clone();
    let ids: std::collections::HashSet<String> =
        usage.as_array().unwrap().iter().map(|record| record["request_id"].to_string()).collect();
    assert_eq!((ids.len(), emulator.ledger().all.requests), (9, 9));
}

//! Other forms of the wire.

use crate::http::{
    CHAT, OMNI, SUMMARY, chat, connect, get, post, read_frame, read_frames, read_head, send, stream_bytes,
};
use crate::streams::wait_until;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use scaigrid_emulator::{Emulator, Fault, WireVariant};
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;

fn with(variant: WireVariant) -> Emulator {
    Emulator::builder().variant(variant).start().unwrap()
}

#[test]
fn lists_of_all_routes_change_their_shape() {
    for (variant, shape) in [
        (WireVariant::ListItemsPagination, "/data/items/0"),
        (WireVariant::ListItems, "/data/items/0"),
        (WireVariant::ListBareArray, "/data/0"),
        (WireVariant::ListMetaCursor, "/data/0"),
        (WireVariant::ListTopLevelCursor, "/data/0"),
        (WireVariant::ListJobs, "/data/jobs/0"),
        (WireVariant::ListEvents, "/data/events/0"),
        (WireVariant::ListObject, "/data/0"),
    ] {
        let emulator = with(variant);
        post(&emulator, &chat("hello"));
        for path in ["/v1/models", "/v1/api-keys", "/v1/accounting/usage", SUMMARY] {
            let answer = get(&emulator, path);
            assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
            assert!(
                answer.json().pointer(shape).is_some_and(Value::is_object),
                "{variant} {path} {}",
                answer.json()
            );
        }
    }
}

#[test]
fn pages_can_be_followed_in_every_shape_that_has_a_cursor() {
    for (variant, cursor) in [
        (WireVariant::ListItemsPagination, "/pagination/next_cursor"),
        (WireVariant::ListMetaCursor, "/meta/next_cursor"),
        (WireVariant::ListTopLevelCursor, "/next_cursor"),
        (WireVariant::ListJobs, "/data/next_page_token"),
        (WireVariant::ListEvents, "/data/next_cursor"),
    ] {
        let emulator = with(variant);
        let first = get(&emulator, "/v1/models?limit=2").json();
        let next = first.pointer(cursor).and_then(Value::as_str).unwrap();
        let last = get(&emulator, &format!("/v1/models?limit=200&cursor={next}")).json();
        assert!(last.pointer(cursor).is_none_or(Value::is_null), "{variant} {last}");
        if variant == WireVariant::ListJobs {
            let all = get(&emulator, "/v1/models").json();
            assert_eq!(last["data"]["total_count"], all["data"]["jobs"].as_array().unwrap().len());
        }
    }
}

#[test]
fn envelopes_and_errors_change_at_run_time() {
    let emulator = Emulator::builder().rate_limit_per_minute(1000).start().unwrap();
    let changed = |variant, call: &dyn Fn() -> crate::http::Answer| {
        emulator.set_variant(variant, true);
        let answer = call();
        emulator.set_variant(variant, false);
        answer
    };
    let me = || get(&emulator, "/v1/me");
    let wrong = || post(&emulator, &json!({}));
    assert_eq!(changed(WireVariant::WithoutStatus, &me).json().get("status"), None);
    assert_eq!(changed(WireVariant::StatusSuccess, &me).json()["status"], "success");
    assert_eq!(changed(WireVariant::WithoutMeta, &me).json().get("meta"), None);
    assert_eq!(changed(WireVariant::WithoutMeta, &wrong).json().get("meta"), None);
    let nameless = changed(WireVariant::WithoutRequestIdHeader, &me);
    assert_eq!(nameless.header("x-scaigrid-request-id"), None);
    assert!(nameless.json()["meta"]["request_id"].is_string());

    let early = changed(WireVariant::Validation400, &wrong);
    assert_eq!((early.status, early.code().as_str()), (400, "VALIDATION_ERROR"));
    assert!(changed(WireVariant::DetailsObject, &wrong).json()["error"]["details"]["model"].is_string());
    let page = changed(WireVariant::ErrorsNotJson, &wrong);
    assert_eq!((page.status, page.header("content-type")), (422, Some("text/html")));
    assert!(page.body.starts_with(b"<html>") && page.header("x-scaigrid-request-id").is_some());
    let unknown = changed(WireVariant::ErrorsUnknownCode, &wrong);
    assert_eq!((unknown.status, unknown.code().as_str()), (422, "EMULATOR_VALIDATION_ERROR"));
    let summary = || get(&emulator, SUMMARY);
    assert_eq!(changed(WireVariant::SummaryAsObject, &summary).json()["data"]["request_count"], 0);
    let grouped = || get(&emulator, &format!("{SUMMARY}?group_by=model"));
    assert_eq!(changed(WireVariant::SummaryAsObject, &grouped).json()["data"], json!([]));
    // Faults say themselves what they look like.
    let fault = || {
        emulator.faults().push(Fault::error("BACKEND_ERROR"));
        me()
    };
    assert_eq!(changed(WireVariant::ErrorsUnknownCode, &fault).code(), "BACKEND_ERROR");
    assert!(emulator.variants().is_empty());
    assert_eq!(wrong().invalid_fields().len(), 2);
}

#[test]
fn hints_change() {
    for (variant, body, has_header) in [
        (WireVariant::RetryAfterFractional, Some(0.5), true),
        (WireVariant::RetryAfterZero, Some(0.0), true),
        (WireVariant::RetryAfterAbsent, None, false),
    ] {
        let emulator = Emulator::builder().rate_limit_per_minute(0).variant(variant).start().unwrap();
        let answer = get(&emulator, "/v1/me");
        let hint = answer.json()["error"].get("retry_after").and_then(Value::as_f64);
        let hint = if variant == WireVariant::RetryAfterFractional { hint.map(f64::fract) } else { hint };
        assert_eq!((answer.code().as_str(), hint), ("RATE_LIMITED", body), "{variant}");
        assert_eq!(answer.header("retry-after").is_some(), has_header, "{variant}");
    }
}

#[test]
fn models_have_other_forms() {
    let emulator = with(WireVariant::ModelsBareArray);
    emulator.set_variant(WireVariant::ModelsWithoutHealth, true);
    let models = get(&emulator, "/v1/models").json()["data"].clone();
    assert!(models[0]["slug"].is_string() && models[0].get("health_status").is_none());
    assert!(get(&emulator, "/v1/api-keys").json()["data"]["items"].is_array());
}

#[test]
fn streams_can_lack_their_end() {
    let emulator = with(WireVariant::StreamWithoutDone);
    let mut stream = connect(&emulator);
    stream.write_all(&stream_bytes(&chat("hello"))).unwrap();
    assert_eq!(read_head(&mut stream).status, 200);
    let (frames, end) = read_frames(&mut stream);
    assert!(end.is_ok() && frames.len() > 2 && !frames.concat().ends_with(b"[DONE]\n\n"));

    let emulator = with(WireVariant::StreamStalls);
    let mut stream = connect(&emulator);
    stream.write_all(&stream_bytes(&chat("hello"))).unwrap();
    assert_eq!(read_head(&mut stream).status, 200);
    assert!(read_frame(&mut stream).unwrap().is_some());
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(read_frame(&mut stream).is_err());
}

#[test]
fn raw_answers_keep_their_form() {
    let emulator = Emulator::start().unwrap();
    for variant in WireVariant::ALL {
        emulator.set_variant(*variant, true);
    }
    assert_eq!(send(&emulator, "GET", "/health", None, b"").unwrap().body, br#"{"status":"ok"}"#);
}

#[test]
fn paths_come_and_go_with_their_variant() {
    let emulator = Emulator::start().unwrap();
    let texts = json!({"model": "openai/text-embedding-3-small", "input": "hello"});
    for (variant, path, usual, body) in [
        (WireVariant::ChatCompletionsPath, "/v1/chat/completions", CHAT, chat("hello")),
        (WireVariant::EmbeddingsPath, "/v1/inference/embeddings", "/v1/inference/embed", texts),
    ] {
        let call = |method: &str, path: &str| crate::http::call(&emulator, method, path, &body);
        for method in ["POST", "GET"] {
            let unknown = call(method, path);
            assert_eq!((unknown.status, unknown.code().as_str()), (404, "NOT_FOUND"), "{method} {path}");
        }
        let before = emulator.ledger().all.requests;
        emulator.set_variant(variant, true);
        let (other, usual) = (call("POST", path), call("POST", usual));
        assert_eq!((other.status, usual.status), (200, 200), "{path}");
        assert_eq!(other.json()["data"]["usage"], usual.json()["data"]["usage"]);
        assert_eq!(emulator.ledger().all.requests, before + 2);
        assert_eq!(call("GET", path).status, 405);
        assert_eq!(send(&emulator, "POST", path, None, b"{}").unwrap().status, 401);
        emulator.set_variant(variant, false);
        assert_eq!(call("POST", path).status, 404);
    }
}

#[test]
fn batches_have_other_names_and_take_other_paths() {
    let emulator = with(WireVariant::IdsElsewhere);
    emulator.set_variant(WireVariant::ChatCompletionsPath, true);
    let line = json!({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": chat("hi")});
    let body = json!({"input_file_base64": STANDARD.encode(line.to_string())});
    let job = crate::http::call(&emulator, "POST", "/v1/inference/batch", &body).json()["data"].clone();
    assert!(job.get("id").is_none() && job.get("output_file_url").is_none());
    let log = get(&emulator, "/v1/audit-log?action=batch.create").json()["data"]["items"].clone();
    assert_eq!(log[0]["resource_id"], job["batch_id"]);
    let path = format!("/v1/inference/batch/{}", job["batch_id"].as_str().unwrap());
    wait_until(|| get(&emulator, &path).json()["data"]["status"] == "completed");
    let job = get(&emulator, &path).json()["data"].clone();
    assert_eq!(job["request_counts"]["completed"], 1);
    assert_eq!(crate::calls::download(&emulator, &job["results_url"]).status, 200);
    assert_eq!(get(&emulator, "/v1/inference/batch").json()["data"]["items"][0]["batch_id"], job["batch_id"]);
}

#[test]
fn transcripts_can_be_plain_text() {
    let emulator = with(WireVariant::TranscriptPlainText);
    let model = ("model", None, &b"openai/whisper-1"[..]);
    let file = ("file", Some(("a.mp3", "audio/mpeg")), &b"x"[..]);
    let path = "/v1/inference/audio/transcribe";
    let plain = crate::calls::form(&emulator, path, &[model, file]);
    assert_eq!((plain.status, plain.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    assert!(
        plain.body.starts_with(b"This is the transcript") && plain.header("x-scaigrid-request-id").is_some()
    );
    let asked = crate::calls::form(&emulator, path, &[model, file, ("response_format", None, b"text")]);
    assert_eq!(asked.json()["data"]["text"], String::from_utf8(plain.body).unwrap());
}

#[test]
fn streams_of_sessions_change_and_speech_does_not() {
    let emulator = Emulator::start().unwrap();
    let session = crate::http::call(&emulator, "POST", "/v1/sessions", &json!({"model": OMNI}));
    let path = format!("/v1/sessions/{}/messages", session.json()["data"]["id"].as_str().unwrap());
    let question = json!({"content": "hello", "stream": true});
    let whole = || {
        let (head, frames, _) = crate::calls::call_in_pieces(&emulator, &path, &question);
        assert_eq!(head.status, 200);
        String::from_utf8(frames.concat()).unwrap()
    };
    assert!(whole().contains("[DONE]"));
    emulator.set_variant(WireVariant::StreamWithoutDone, true);
    assert!(!whole().contains("[DONE]"));

    emulator.set_variant(WireVariant::StreamStalls, true);
    let mut stream = connect(&emulator);
    let authorization = format!("Authorization: Bearer {}", emulator.api_key());
    let bytes = crate::http::request("POST", &path, &[&authorization], question.to_string().as_bytes());
    stream.write_all(&bytes).unwrap();
    assert_eq!(read_head(&mut stream).status, 200);
    assert!(read_frame(&mut stream).unwrap().is_some());
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(read_frame(&mut stream).is_err());

    let speech = json!({"model": "openai/tts-1", "input": "one two three", "voice": "v"});
    let path = "/v1/inference/audio/synthesize";
    let (_, frames, is_whole) = crate::calls::call_in_pieces(&emulator, path, &speech);
    assert!(is_whole && frames.len() == 3);
}

//! Health and metrics.

use crate::http::{Answer, chat, get, post, send};
use scaigrid_emulator::{Emulator, Fault};
use serde_json::json;

fn open(emulator: &Emulator, path: &str) -> Answer {
    send(emulator, "GET", path, None, b"").unwrap()
}

#[test]
fn readiness_can_be_switched() {
    let emulator = Emulator::builder().not_ready().start().unwrap();
    let answer = open(&emulator, "/health/ready");
    assert_eq!(answer.status, 503);
    let checks = json!({"database": "error", "redis": "ok", "modules": "ok"});
    assert_eq!(answer.json(), json!({"status": "not_ready", "checks": checks}));
    assert_eq!(get(&emulator, "/health/detailed").json()["status"], "degraded");
    emulator.set_ready(true);
    let answer = open(&emulator, "/health/ready");
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (200, br#"{"checks":{"database":"ok","modules":"ok","redis":"ok"},"status":"ready"}"#.as_slice())
    );
    assert!(answer.header("x-scaigrid-request-id").is_some());
}

#[test]
fn details_need_a_key() {
    let emulator = Emulator::start().unwrap();
    assert_eq!(open(&emulator, "/health/detailed").code(), "AUTH_TOKEN_MISSING");
    let details = get(&emulator, "/health/detailed").json();
    assert_eq!((&details["status"], &details["requests_received"]), (&json!("ok"), &json!(2)));
    assert_eq!(details["backends"]["be_emulator_omni"], "healthy");
}

#[test]
fn metrics_count_requests_and_tokens() {
    let emulator = Emulator::start().unwrap();
    let usage = post(&emulator, &chat("hello")).json()["data"]["usage"].clone();
    get(&emulator, "/v1/models/a%2Fb");
    get(&emulator, "/nothing");
    emulator.faults().push(Fault::raw(b"HTTP/1.1 500 x\r\n\r\n".as_slice()));
    get(&emulator, "/v1/models");
    let answer = open(&emulator, "/metrics");
    assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let text = String::from_utf8(answer.body).unwrap();
    for line in [
        "scaigrid_requests_total{route=\"/v1/inference/chat\",method=\"POST\",status=\"200\"} 1".to_owned(),
        "scaigrid_requests_total{route=\"/v1/models/{slug}\",method=\"GET\",status=\"404\"} 1".to_owned(),
        "scaigrid_requests_total{route=\"unknown\",method=\"GET\",status=\"404\"} 1".to_owned(),
        "scaigrid_requests_total{route=\"/v1/models\",method=\"GET\",status=\"none\"} 1".to_owned(),
        format!(
            "scaigrid_tokens_total{{model=\"scailabs/poolnoodle-omni\",direction=\"in\"}} {}",
            usage["prompt_tokens"]
        ),
        "scaigrid_circuit_breaker_state{backend_id=\"be_emulator_mini\"} 0".to_owned(),
    ] {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
}

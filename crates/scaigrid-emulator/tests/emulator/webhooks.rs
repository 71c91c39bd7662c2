//! Webhooks: management, and deliveries that really happen.

use crate::http::{CHAT, OMNI, call, chat, get, post, stream_bytes};
use crate::receiver::Reaction::{Answer, Close, Silence};
use crate::receiver::Receiver;
use crate::streams::{stream, wait_until};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use scaigrid_emulator::{Emulator, Fault, StreamFault};
use serde_json::{Value, json};
use sha2::Sha256;
use std::io::Write;
use std::time::Duration;

const WEBHOOKS: &str = "/v1/webhooks";
const SECRET: &str = "whsec_random_32_chars_or_more_0000";

/// Registers a webhook and returns its path.
fn register(emulator: &Emulator, url: &str, events: &[&str], more: Value) -> String {
    let mut body = json!({"url": url, "events": events, "secret": SECRET});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = call(emulator, "POST", WEBHOOKS, &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    format!("{WEBHOOKS}/{}", answer.json()["data"]["id"].as_str().unwrap())
}

fn deliveries(emulator: &Emulator, webhook: &str, query: &str) -> Vec<Value> {
    let answer = get(emulator, &format!("{webhook}/deliveries{query}")).json();
    answer["data"]["items"].as_array().unwrap().clone()
}

/// Waits until a webhook has so many deliveries with this status.
fn wait_for(emulator: &Emulator, webhook: &str, status: &str, number: usize) -> Vec<Value> {
    let query = format!("?status={status}&limit=1000");
    wait_until(|| deliveries(emulator, webhook, &query).len() == number);
    deliveries(emulator, webhook, &query)
}

/// As a receiver computes it.
fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

fn answering(status: u16) -> Receiver {
    Receiver::start(move |_| Answer(status))
}

/// Retries without a wait.
fn impatient() -> Emulator {
    Emulator::builder().webhook_schedule(&[]).start().unwrap()
}

#[test]
fn a_served_chat_is_delivered_and_signed() {
    let receiver = answering(204);
    let emulator = Emulator::start().unwrap();
    let webhook = register(&emulator, &receiver.url(), &["request.completed"], json!({}));
    let served = post(&emulator, &chat("one two."));
    let delivery = receiver.next();
    assert_eq!(delivery.head[0], "POST /hook?a=b HTTP/1.1");
    assert_eq!(delivery.header("content-type"), Some("application/json"));
    assert_eq!(delivery.header("X-ScaiGrid-Signature"), Some(signature(&delivery.body).as_str()));
    let created = served.json()["data"]["created"].as_u64().unwrap();
    let sent: u64 = delivery.header("X-ScaiGrid-Timestamp").unwrap().parse().unwrap();
    assert!((created..created + 10).contains(&sent));

    let event = delivery.json();
    assert_eq!(
        (&event["event_type"], &event["source"]),
        (&json!("request.completed"), &json!("inference_service"))
    );
    assert_eq!(event["tenant_id"], "tenant_emulator");
    assert_eq!(event["payload"]["model"], "scailabs/poolnoodle-omni");
    assert_eq!(event["payload"]["tokens"], served.json()["data"]["usage"]["total_tokens"]);
    assert!(event["payload"]["latency_ms"].is_u64() && event["payload"]["backend_id"].is_string());

    let [done] = wait_for(&emulator, &webhook, "success", 1).try_into().unwrap();
    assert_eq!((&done["status_code"], &done["attempts"]), (&json!(204), &json!(1)));
    assert_eq!((&done["event_id"], &done["error_message"]), (&event["event_id"], &Value::Null));

    // Streams and sessions are served as well.
    stream(&emulator, &chat("one two."));
    assert_eq!(receiver.next().json()["payload"]["tokens"], event["payload"]["tokens"]);
    let session = call(&emulator, "POST", "/v1/sessions", &json!({"model": "scailabs/poolnoodle-omni"}));
    let messages = format!("/v1/sessions/{}/messages", session.json()["data"]["id"].as_str().unwrap());
    call(&emulator, "POST", &messages, &json!({"content": "hi"}));
    assert_eq!(receiver.next().json()["event_type"], "request.completed");
}

#[test]
fn failed_requests_are_reported() {
    let receiver = answering(200);
    let emulator = Emulator::start().unwrap();
    register(&emulator, &receiver.url(), &["request.failed", "test.end"], json!({}));
    post(&emulator, &json!({}));
    emulator.faults().push(Fault::error("BACKEND_ERROR"));
    post(&emulator, &chat("hi"));
    emulator.faults().push(Fault::response(503, "text/html", "busy"));
    post(&emulator, &chat("hi"));
    // These are none of the tenant's failed inference requests.
    get(&emulator, "/v1/unknown");
    crate::http::post_as(&emulator, "no-key", &chat("hi"));
    post(&emulator, &chat("hi"));
    emulator.emit_event("test.end", json!({}));
    let mut seen = Vec::new();
    for _ in 0..4 {
        let event = receiver.next().json();
        seen.push((event["payload"]["status_code"].clone(), event["payload"]["error_code"].clone()));
    }
    // Each has a task of its own, so they come in any order.
    seen.sort_by_key(|(status, _)| status.as_u64());
    let expected = [
        (Value::Null, Value::Null),
        (json!(422), json!("VALIDATION_ERROR")),
        (json!(502), json!("BACKEND_ERROR")),
        (json!(503), Value::Null),
    ];
    assert_eq!(seen, expected);
    assert!(!receiver.has_more());
    assert_eq!(emulator.dropped_events(), 0);
}

#[test]
fn failures_are_retried_until_one_succeeds() {
    let script = [Answer(500), Close, Answer(301), Answer(200)];
    let receiver = Receiver::start(move |number| script[number]);
    let emulator = Emulator::builder().webhook_schedule(&[Duration::from_millis(1)]).start().unwrap();
    let webhook = register(&emulator, &receiver.url(), &["a.b"], json!({}));
    emulator.emit_event("a.b", json!({"n": 1}));
    emulator.emit_event("nobody.cares", json!({}));
    let bodies: Vec<Vec<u8>> = (0..4).map(|_| receiver.next().body).collect();
    // The same event with the same id, so that the receiver can drop repeats.
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    let [done] = wait_for(&emulator, &webhook, "success", 1).try_into().unwrap();
    assert_eq!((&done["attempts"], &done["status_code"]), (&json!(4), &json!(200)));
    assert_eq!(deliveries(&emulator, &webhook, "").len(), 1);
}

#[test]
fn it_gives_up_after_max_retries() {
    for (more, attempts) in [(json!({}), 6), (json!({"max_retries": 0}), 1), (json!({"max_retries": 7}), 8)] {
        let receiver = answering(500);
        let emulator = impatient();
        let webhook = register(&emulator, &receiver.url(), &["a"], more);
        emulator.emit_event("a", json!({}));
        let [failed] = wait_for(&emulator, &webhook, "failed", 1).try_into().unwrap();
        assert_eq!((&failed["attempts"], &failed["status_code"]), (&json!(attempts), &json!(500)));
        assert_eq!(failed["error_message"], "the receiver answered 500");
    }
}

#[test]
fn slow_receivers_and_closed_ports_are_failures() {
    let receiver = Receiver::start(|_| Silence);
    let builder = Emulator::builder().webhook_answer_limit(Duration::from_millis(200));
    let emulator = builder.start().unwrap();
    let slow = register(&emulator, &receiver.url(), &["a"], json!({"max_retries": 0}));
    emulator.emit_event("a", json!({}));
    receiver.wait_until_left();
    let [failed] = wait_for(&emulator, &slow, "failed", 1).try_into().unwrap();
    assert_eq!(failed["error_message"], "no answer within 200 ms");
    assert_eq!(failed["status_code"], Value::Null);

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, message) in
        [(format!("http://{free}/"), "cannot connect"), (format!("https://{free}/"), "no TLS")]
    {
        let webhook = register(&emulator, &url, &["b"], json!({"max_retries": 0}));
        emulator.emit_event("b", json!({}));
        let [failed] = wait_for(&emulator, &webhook, "failed", 1).try_into().unwrap();
        assert!(failed["error_message"].as_str().unwrap().contains(message), "{failed}");
        call(&emulator, "DELETE", &webhook, &Value::Null);
    }
}

#[test]
fn fifty_failures_in_a_row_disable_a_webhook_and_say_so() {
    let broken = answering(500);
    let watcher = answering(200);
    let emulator = impatient();
    let webhook = register(&emulator, &broken.url(), &["a"], json!({"max_retries": 100}));
    register(&emulator, &watcher.url(), &["webhook.auto_disabled", "marker"], json!({}));
    emulator.emit_event("a", json!({}));
    let told = watcher.next().json();
    assert_eq!(told["payload"]["webhook_id"], webhook.rsplit('/').next().unwrap());
    let [failed] = wait_for(&emulator, &webhook, "failed", 1).try_into().unwrap();
    assert_eq!(
        (&failed["attempts"], &failed["error_message"]),
        (&json!(50), &json!("the webhook is inactive"))
    );
    assert_eq!(get(&emulator, &webhook).json()["data"]["status"], "inactive");

    // It gets nothing more until somebody makes it active again.
    emulator.emit_event("a", json!({}));
    emulator.emit_event("marker", json!({}));
    assert_eq!(watcher.next().json()["event_type"], "marker", "events are looked at in order");
    let active = json!({"status": "active", "max_retries": 0});
    assert_eq!(call(&emulator, "PUT", &webhook, &active).json()["data"]["status"], "active");
    emulator.emit_event("a", json!({}));
    wait_for(&emulator, &webhook, "failed", 2);
    assert_eq!(get(&emulator, &webhook).json()["data"]["status"], "active");
}

#[test]
fn deleting_drops_deliveries_in_flight() {
    let receiver = Receiver::start(|_| Silence);
    let emulator = impatient();
    let webhook = register(&emulator, &receiver.url(), &["a"], json!({}));
    emulator.emit_event("a", json!({}));
    receiver.next();
    assert_eq!(wait_for(&emulator, &webhook, "pending", 1)[0]["attempts"], 0);
    assert_eq!(call(&emulator, "DELETE", &webhook, &Value::Null).status, 204);
    receiver.wait_until_left();
    assert!(!receiver.has_more());
    assert_eq!(get(&emulator, &webhook).code(), "NOT_FOUND");
}

#[test]
fn deliveries_in_flight_are_limited() {
    let emulator = Emulator::start().unwrap();
    // It accepts nothing, so nothing gets an answer.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let webhook = register(&emulator, &url, &["a"], json!({}));
    for _ in 0..1001 {
        emulator.emit_event("a", json!({}));
    }
    let [dropped] = wait_for(&emulator, &webhook, "failed", 1).try_into().unwrap();
    assert!(dropped["error_message"].as_str().unwrap().contains("too many deliveries"));
    assert_eq!(dropped["attempts"], 0);
    // The newest 1000 are kept.
    wait_for(&emulator, &webhook, "pending", 999);
    // Deleting makes room again.
    call(&emulator, "DELETE", &webhook, &Value::Null);
    let receiver = answering(200);
    register(&emulator, &receiver.url(), &["a"], json!({}));
    emulator.emit_event("a", json!({}));
    receiver.next();
}

#[test]
fn tests_are_one_attempt_and_answer_with_its_outcome() {
    let script = [Answer(200), Answer(418), Close];
    let receiver = Receiver::start(move |number| script[number]);
    let emulator = impatient();
    let webhook = register(&emulator, &receiver.url(), &["a"], json!({"status": "inactive"}));
    let test = || call(&emulator, "POST", &format!("{webhook}/test"), &Value::Null).json()["data"].clone();
    let good = test();
    assert_eq!((&good["status_code"], &good["error"]), (&json!(200), &Value::Null));
    assert!(good["duration_ms"].is_u64() && good["delivery_id"].as_str().unwrap().starts_with("del_"));
    let delivery = receiver.next();
    assert!(delivery.header("x-scaigrid-signature").is_some());
    assert_eq!(delivery.json()["event_type"], "webhook.test");
    let bad = test();
    assert_eq!((&bad["status_code"], &bad["error"]), (&json!(418), &json!("the receiver answered 418")));
    let none = test();
    assert_eq!(none["status_code"], Value::Null);
    assert!(none["error"].as_str().unwrap().contains("broke"), "{none}");

    let all = deliveries(&emulator, &webhook, "");
    assert_eq!(all[2]["id"], good["delivery_id"], "the newest first");
    let codes = |query| -> Vec<Value> {
        deliveries(&emulator, &webhook, query).iter().map(|one| one["status_code"].clone()).collect()
    };
    assert_eq!(codes(""), [Value::Null, json!(418), json!(200)]);
    assert_eq!(codes("?status=failed"), [Value::Null, json!(418)]);
    assert_eq!(codes("?limit=1&cursor=after_1"), [json!(418)]);
    assert_eq!(codes("?since=2020-01-01").len(), 3);
    assert_eq!(codes("?since=2999-01-01T00:00:00Z"), [Value::Null; 0]);
    let wrong = get(&emulator, &format!("{webhook}/deliveries?limit=x&status=odd&since=soon"));
    assert_eq!(wrong.invalid_fields(), ["limit", "status", "since"]);
}

#[test]
fn webhooks_are_managed_and_their_secrets_masked() {
    let emulator = Emulator::start().unwrap();
    let webhook = register(&emulator, "http://localhost:9/x", &["a", "b", "a"], json!({}));
    let view = get(&emulator, &webhook).json()["data"].clone();
    assert_eq!((&view["url"], &view["events"]), (&json!("http://localhost:9/x"), &json!(["a", "b"])));
    assert_eq!((&view["status"], &view["max_retries"]), (&json!("active"), &json!(5)));
    let list = get(&emulator, WEBHOOKS).json();
    assert_eq!((&list["data"]["items"][0], &list["pagination"]["has_more"]), (&view, &json!(false)));
    assert!(!view.to_string().contains("whsec"));

    let receiver = answering(200);
    // What a client read and sends back must not become the secret.
    let mut full = view.clone();
    full["url"] = json!(receiver.url());
    let changed = call(&emulator, "PUT", &webhook, &full).json()["data"].clone();
    assert_eq!((&changed["url"], &changed["events"]), (&json!(receiver.url()), &view["events"]));
    emulator.emit_event("a", json!({}));
    let delivery = receiver.next();
    assert_eq!(delivery.header("x-scaigrid-signature"), Some(signature(&delivery.body).as_str()));

    let bare = json!({"url": receiver.url(), "events": ["c"]});
    assert_eq!(call(&emulator, "POST", WEBHOOKS, &bare).json()["data"]["secret"], Value::Null);
    emulator.emit_event("c", json!({}));
    assert_eq!(receiver.next().header("x-scaigrid-signature"), None);
}

#[test]
fn wrong_webhooks_are_refused() {
    let emulator = Emulator::start().unwrap();
    let create = |body: Value| call(&emulator, "POST", WEBHOOKS, &body);
    assert_eq!(create(json!({})).invalid_fields(), ["url", "events"]);
    let body = json!({"url": 1, "events": [], "secret": "", "status": "on", "max_retries": -1});
    assert_eq!(create(body).invalid_fields(), ["url", "events", "secret", "status", "max_retries"]);
    for events in [json!("a"), json!([1]), json!([""])] {
        assert_eq!(
            create(json!({"url": "http://127.0.0.1/", "events": events})).invalid_fields(),
            ["events"]
        );
    }
    let public = create(json!({"url": "https://your-service.example/webhooks", "events": ["a"]}));
    assert_eq!(public.invalid_fields(), ["url"]);
    assert!(public.json()["error"]["details"][0]["message"].as_str().unwrap().contains("loopback"));
    for (method, path) in [
        ("GET", "/v1/webhooks/wh_x"),
        ("PUT", "/v1/webhooks/wh_x"),
        ("DELETE", "/v1/webhooks/%ff"),
        ("POST", "/v1/webhooks/wh_x/test"),
        ("GET", "/v1/webhooks/wh_x/deliveries"),
    ] {
        assert_eq!(call(&emulator, method, path, &json!({})).code(), "NOT_FOUND", "{method} {path}");
    }
}

#[test]
fn the_emulator_stops_while_deliveries_are_under_way() {
    let receiver = Receiver::start(|_| Silence);
    let emulator = Emulator::start().unwrap();
    register(&emulator, &receiver.url(), &["a", "request.completed"], json!({}));
    emulator.emit_event("a", json!({}));
    receiver.next();
    // A stream that is cut off by the end is booked by then.
    emulator.faults().push(Fault::stream(StreamFault::stall()));
    let mut connection = crate::http::connect(&emulator);
    connection.write_all(&stream_bytes(&chat("hi"))).unwrap();
    wait_until(|| emulator.requests().iter().any(|request| request.path == CHAT));
    drop(emulator);
    receiver.wait_until_left();
}

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

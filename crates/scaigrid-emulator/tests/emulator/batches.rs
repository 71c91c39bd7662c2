//! Batches.

use crate::calls::{booked, call, call_as, download};
use crate::http::{OMNI, chat, get, post, send};
use crate::streams::wait_until;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use scaigrid_emulator::Emulator;
use scaigrid_types::Money;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

const BATCH: &str = "/v1/inference/batch";
pub(crate) const EMBEDDING: &str = "openai/text-embedding-3-small";

pub(crate) fn line(id: &str, url: &str, body: Value) -> Value {
    json!({"custom_id": id, "method": "POST", "url": url, "body": body})
}

fn chats(count: usize) -> Vec<Value> {
    (0..count).map(|number| line(&format!("req-{number}"), "/v1/inference/chat", chat("hello"))).collect()
}

fn file(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

pub(crate) fn inline(lines: &[Value]) -> Value {
    json!({"input_file_base64": STANDARD.encode(file(lines))})
}

pub(crate) fn submit(emulator: &Emulator, body: &Value) -> Value {
    let answer = call(emulator, BATCH, body);
    assert_eq!(answer.status, 200, "{:?}", String::from_utf8_lossy(&answer.body));
    answer.request_id();
    answer.json()["data"].clone()
}

fn status(emulator: &Emulator, job: &Value) -> Value {
    get(emulator, &format!("{BATCH}/{}", job["id"].as_str().unwrap())).json()["data"].clone()
}

/// Waits until the job is as it should be.
fn wait_for(emulator: &Emulator, job: &Value, is_there: impl Fn(&Value) -> bool) -> Value {
    let mut job = job.clone();
    wait_until(|| {
        job = status(emulator, &job);
        is_there(&job)
    });
    job
}

pub(crate) fn finished(emulator: &Emulator, job: &Value) -> Value {
    wait_for(emulator, job, |job| !job["completed_at"].is_null())
}

fn lines(emulator: &Emulator, url: &Value) -> Vec<Value> {
    let answer = download(emulator, url);
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/jsonl")));
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_job_runs_mixed_calls_and_keeps_every_line() {
    let emulator = Emulator::start().unwrap();
    let mut streamed = chat("hello");
    streamed["stream"] = json!(true);
    let all = [
        line("chat", "/v1/inference/chat", chat("What's a good recipe for carbonara?")),
        line(
            "embed",
            "/v1/inference/embed",
            json!({"model": EMBEDDING, "input": ["First text", "Second text"]}),
        ),
        line("invalid", "/v1/inference/chat", json!({"model": OMNI})),
        line("generate", "/v1/inference/generate", json!({"model": OMNI, "prompt": "Once"})),
        line("unknown", "/v1/inference/audio/synthesize", json!({"model": "openai/tts-1"})),
        line("image", "/v1/inference/images/generate", json!({"model": "openai/dall-e-3", "prompt": "x"})),
        line("streamed", "/v1/inference/chat", streamed),
        line("model", "/v1/inference/embed", json!({"model": "none", "input": "x"})),
    ];
    let mut body = inline(&all);
    body["endpoint_completion_window"] = json!("4h");
    body["metadata"] = json!({"project": "summarization"});
    let job = submit(&emulator, &body);
    assert!(job["id"].as_str().unwrap().starts_with("batch_"));
    assert_eq!((&job["status"], &job["endpoint_completion_window"]), (&json!("validating"), &json!("4h")));
    assert_eq!(job["request_counts"], json!({"total": 8, "completed": 0, "failed": 0}));
    assert!(job["completed_at"].is_null() && job["output_file_url"].is_null());

    let job = finished(&emulator, &job);
    assert_eq!((&job["status"], &job["metadata"]), (&json!("completed"), &body["metadata"]));
    assert_eq!(job["request_counts"], json!({"total": 8, "completed": 4, "failed": 4}));
    assert!(job["created_at"].as_str().unwrap().ends_with('Z'));
    let output = lines(&emulator, &job["output_file_url"]);
    let ids = |lines: &[Value]| lines.iter().map(|line| line["custom_id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&output), ids(&all));
    let failed: Vec<Value> = output.iter().filter(|line| !line["error"].is_null()).cloned().collect();
    assert_eq!(lines(&emulator, &job["error_file_url"]), failed);

    // The same answers as live.
    let live = post(&emulator, &all[0]["body"]).json();
    let response = &output[0]["response"];
    assert_eq!((&response["status_code"], &output[0]["error"]), (&json!(200), &Value::Null));
    assert_eq!(response["body"]["data"]["choices"], live["data"]["choices"]);
    assert!(response["body"]["meta"]["request_id"].as_str().unwrap().starts_with("req_"));
    assert_eq!(output[1]["response"]["body"]["data"]["data"].as_array().unwrap().len(), 2);
    assert!(output[3]["response"]["body"]["data"]["choices"][0]["text"].is_string());
    let image = download(&emulator, &output[5]["response"]["body"]["data"]["data"][0]["url"]);
    assert_eq!(image.header("content-type"), Some("image/png"));

    assert_eq!(output[2]["response"]["status_code"], 422);
    assert_eq!(output[2]["response"]["body"]["error"]["details"][0]["field"], "messages");
    for (index, code, status) in [
        (2, "VALIDATION_ERROR", json!(422)),
        (4, "NOT_FOUND", Value::Null),
        (6, "VALIDATION_ERROR", Value::Null),
        (7, "MODEL_NOT_FOUND", json!(404)),
    ] {
        assert_eq!(
            (&output[index]["error"]["code"], &output[index]["response"]["status_code"]),
            (&json!(code), &status)
        );
        assert!(output[index]["error"]["message"].is_string());
    }
    // Nobody sent the lines, so they are not among the requests.
    assert!(emulator.requests().iter().all(|request| request.path != "/v1/inference/embed"));
}

#[test]
fn a_batch_costs_half_and_keeps_to_the_budget() {
    let cost = |emulator: &Emulator| booked(emulator, OMNI).2.parse::<Money>().unwrap();
    let emulator = Emulator::start().unwrap();
    post(&emulator, &chat("hello"));
    let live = cost(&emulator);
    let job = submit(&emulator, &inline(&chats(2)));
    finished(&emulator, &job);
    // Two at half the price.
    assert_eq!((booked(&emulator, OMNI).0, cost(&emulator)), (3, live + live));

    let poor =
        Emulator::builder().api_key("poor").budget("poor", "0.000001".parse().unwrap()).start().unwrap();
    let job = finished(&poor, &submit(&poor, &inline(&chats(3))));
    assert_eq!(job["request_counts"], json!({"total": 3, "completed": 1, "failed": 2}));
    let output = lines(&poor, &job["output_file_url"]);
    assert_eq!(output[2]["error"]["code"], "BUDGET_EXCEEDED");
    assert_eq!(output[2]["response"]["status_code"], 429);
    let refused = call(&poor, BATCH, &inline(&chats(1)));
    assert_eq!((refused.status, refused.code().as_str()), (429, "BUDGET_EXCEEDED"));
}

#[test]
fn progress_can_be_seen_and_a_job_cancelled() {
    let emulator = Emulator::builder().batch_pace(Duration::from_millis(15)).start().unwrap();
    let job = submit(&emulator, &inline(&chats(200)));
    let running = wait_for(&emulator, &job, |job| job["request_counts"]["completed"].as_u64().unwrap() >= 2);
    assert_eq!(running["status"], "in_progress");
    let cancel = |job: &Value| {
        let path = format!("{BATCH}/{}/cancel", job["id"].as_str().unwrap());
        send(&emulator, "POST", &path, Some(emulator.api_key()), b"").unwrap()
    };
    let cancelled = cancel(&job).json()["data"].clone();
    assert_eq!((&cancelled["status"], cancelled["completed_at"].is_null()), (&json!("cancelled"), false));
    let counts = &cancelled["request_counts"];
    let number = |name: &str| counts[name].as_u64().unwrap() as usize;
    assert_eq!(number("completed") + number("failed"), 200);
    let output = lines(&emulator, &cancelled["output_file_url"]);
    assert_eq!(output.len(), 200);
    assert_eq!(output.iter().filter(|line| line["error"].is_null()).count(), number("completed"));
    assert_eq!(output[199]["error"]["code"], "BATCH_CANCELLED");
    assert_eq!(lines(&emulator, &cancelled["error_file_url"]).len(), number("failed"));
    // Nothing changes any more.
    let again = cancel(&job).json()["data"].clone();
    assert_eq!(again, cancelled);
    let booked = booked(&emulator, OMNI).0 as usize;
    assert_eq!(booked, number("completed"));
}

#[test]
fn jobs_are_listed_newest_first_and_belong_to_their_key() {
    let emulator = Emulator::builder().api_key("one").api_key("two").start().unwrap();
    let empty = get(&emulator, BATCH).json();
    assert_eq!((&empty["data"]["items"], &empty["pagination"]["has_more"]), (&json!([]), &json!(false)));
    let ids: Vec<Value> = (0..3).map(|_| submit(&emulator, &inline(&chats(1)))["id"].clone()).collect();
    let page = |query: &str| {
        let body = get(&emulator, &format!("{BATCH}?{query}")).json();
        let items = body["data"]["items"].as_array().unwrap();
        (items.iter().map(|item| item["id"].clone()).collect::<Vec<_>>(), body["pagination"].clone())
    };
    let (first, pagination) = page("limit=2");
    assert_eq!((first, &pagination["has_more"]), (vec![ids[2].clone(), ids[1].clone()], &json!(true)));
    let cursor = pagination["next_cursor"].as_str().unwrap();
    let (second, pagination) = page(&format!("limit=2&cursor={cursor}"));
    assert_eq!((second, &pagination["has_more"]), (vec![ids[0].clone()], &json!(false)));
    assert_eq!(get(&emulator, &format!("{BATCH}?limit=0&cursor=x")).invalid_fields(), ["limit", "cursor"]);

    let other = send(&emulator, "GET", BATCH, Some("two"), b"").unwrap().json();
    assert_eq!(other["data"]["items"], json!([]));
    let path = format!("{BATCH}/{}", ids[0].as_str().unwrap());
    for (method, path) in
        [("GET", path.clone()), ("POST", format!("{path}/cancel")), ("GET", format!("{BATCH}/%ff"))]
    {
        let answer = send(&emulator, method, &path, Some("two"), b"").unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (404, "NOT_FOUND"));
    }
}

#[test]
fn wrong_submissions_are_named() {
    let emulator = Emulator::start().unwrap();
    let fields = |body: Value| call(&emulator, BATCH, &body).invalid_fields();
    let good = inline(&chats(1))["input_file_base64"].clone();
    assert_eq!(fields(json!({})), ["body"]);
    assert_eq!(fields(json!({"input_file_url": "http://127.0.0.1/", "input_file_base64": good})), ["body"]);
    assert_eq!(
        fields(json!({"input_file_base64": "?", "endpoint_completion_window": "1d", "metadata": 1})),
        ["endpoint_completion_window", "metadata", "input_file_base64"]
    );
    for url in
        ["s3://my-bucket/batch-input.jsonl", "scaidrive://a/b", "scaigrid://file/f", "https://example.com/f"]
    {
        let answer = call(&emulator, BATCH, &json!({"input_file_url": url}));
        assert_eq!(answer.invalid_fields(), ["input_file_url"]);
        assert!(answer.json()["error"]["details"][0]["message"].as_str().unwrap().contains("this emulator"));
    }
    let bad = STANDARD.encode("{}\nnot json\n");
    let answer = call(&emulator, BATCH, &json!({"input_file_base64": bad}));
    let expected = ["lines[1].custom_id", "lines[1].method", "lines[1].url", "lines[1].body", "lines[2]"];
    assert_eq!(answer.invalid_fields(), expected);
    let large = STANDARD.encode(vec![b' '; 10 * 1024 * 1024 + 1]);
    assert_eq!(fields(json!({"input_file_base64": large})), ["input_file_base64"]);
    assert_eq!(get(&emulator, BATCH).json()["data"]["items"], json!([]));
}

/// Serves one answer and returns its URL.
fn serve(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/input.jsonl?signature=x", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        assert!(request.starts_with(b"GET /input.jsonl?signature=x HTTP/1.1\r\n"));
        stream.write_all(answer.as_bytes()).unwrap();
    });
    url
}

fn http(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn input_is_fetched_from_this_machine() {
    let emulator = Emulator::start().unwrap();
    let url = serve(http("200 OK", &file(&chats(2))));
    let job = submit(&emulator, &json!({"input_file_url": url}));
    assert_eq!((&job["status"], &job["request_counts"]["total"]), (&json!("validating"), &json!(0)));
    let job = finished(&emulator, &job);
    assert_eq!((&job["status"], &job["error_file_url"]), (&json!("completed"), &Value::Null));
    assert_eq!(job["request_counts"], json!({"total": 2, "completed": 2, "failed": 0}));
    assert_eq!(lines(&emulator, &job["output_file_url"]).len(), 2);

    // A result is a file on this machine too, if not a useful one.
    let again = submit(&emulator, &json!({"input_file_url": job["output_file_url"]}));
    assert_eq!(finished(&emulator, &again)["errors"][0]["field"], "lines[1].method");
}

#[test]
fn a_file_that_cannot_be_used_fails_the_job() {
    let emulator = Emulator::start().unwrap();
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/x", listener.local_addr().unwrap())
    };
    for (url, field, message) in [
        (serve(http("404 Not Found", "")), "input_file_url", "status 404"),
        (serve(http("200 OK", "")), "input_file_url", "has no lines"),
        (serve(http("200 OK", "{\n")), "lines[1]", "line 1: is not JSON"),
        (serve("nonsense".to_owned()), "input_file_url", "no proper answer"),
        (serve("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_owned()), "input_file_url", "cut off"),
        (closed, "input_file_url", "cannot connect"),
    ] {
        let job = finished(&emulator, &submit(&emulator, &json!({"input_file_url": url})));
        assert_eq!((&job["status"], &job["errors"][0]["field"]), (&json!("failed"), &json!(field)), "{job}");
        assert!(job["errors"][0]["message"].as_str().unwrap().contains(message), "{job}");
        assert!(job["output_file_url"].is_null());
    }
}

#[test]
fn only_so_many_jobs_run_at_a_time() {
    let emulator = Emulator::builder().api_key("a").batch_pace(Duration::from_secs(60)).start().unwrap();
    for _ in 0..20 {
        submit(&emulator, &inline(&chats(1)));
    }
    let refused = call_as(&emulator, "a", BATCH, &inline(&chats(1)));
    assert_eq!((refused.status, refused.code().as_str()), (429, "QUOTA_EXCEEDED"));
}

#[test]
fn result_urls_are_renewed_when_they_have_expired() {
    let emulator = Emulator::builder().media_lifetime(Duration::from_millis(1)).start().unwrap();
    let job = submit(&emulator, &inline(&chats(1)));
    let job = finished(&emulator, &job);
    let old = job["output_file_url"].clone();
    let new = wait_for(&emulator, &job, |job| job["output_file_url"] != old)["output_file_url"].clone();
    assert_eq!(download(&emulator, &old).status, 403);
    let path = |url: &Value| url.as_str().unwrap().split('?').next().unwrap().to_owned();
    assert_eq!(path(&old), path(&new));
}

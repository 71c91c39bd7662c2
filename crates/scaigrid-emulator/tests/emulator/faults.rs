//! Every fault, as a client sees it.

use crate::http::{Answer, CHAT, chat, connect, get, parse, post, raw, read_answer, request, send};
use scaigrid_emulator::{DEFAULT_API_KEY, Emulator, Fault};
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

/// The chat request as bytes, on a connection that may stay open.
fn chat_bytes() -> Vec<u8> {
    let authorization = format!("Authorization: Bearer {DEFAULT_API_KEY}");
    request("POST", CHAT, &[&authorization], chat("hello").to_string().as_bytes())
}

fn with(fault: Fault) -> (Emulator, io::Result<Vec<u8>>) {
    let emulator = Emulator::builder().fault(fault).start().unwrap();
    let answer = raw(&emulator, &chat_bytes());
    (emulator, answer)
}

fn answered(fault: Fault) -> Answer {
    let emulator = Emulator::builder().fault(fault).start().unwrap();
    post(&emulator, &chat("hello"))
}

#[test]
fn errors_have_the_documented_status_and_hints() {
    let answer = answered(Fault::error("BACKEND_RATE_LIMITED").retry_after(1.5));
    assert_eq!((answer.status, answer.code().as_str()), (429, "BACKEND_RATE_LIMITED"));
    assert_eq!(
        (answer.header("retry-after"), &answer.json()["error"]["retry_after"]),
        (Some("2"), &1.5.into())
    );
    answer.request_id();
    assert_eq!(answer.json()["status"], "error");

    let answer = answered(Fault::error("NEW_CODE").message("m").retry_after_body(30.0));
    assert_eq!((answer.status, &answer.json()["error"]["message"]), (500, &"m".into()));
    assert_eq!((answer.header("retry-after"), &answer.json()["error"]["retry_after"]), (None, &30.into()));

    let date = "Wed, 21 Oct 2037 07:28:00 GMT";
    let fault = Fault::error("BACKEND_ERROR").retry_after_header(date).status(503).header("X-Odd", "1");
    let answer =
        answered(fault.header("bad name", "x").header("x-bad", "a\r\nb").header("Content-Length", "1"));
    assert_eq!(
        (answer.status, answer.header("retry-after"), answer.header("x-odd")),
        (503, Some(date), Some("1"))
    );
    assert!(answer.json()["error"].get("retry_after").is_none() && answer.header("x-bad").is_none());

    let answer = answered(Fault::error("RATE_LIMITED").without_meta().without_status_field());
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["error"]);
    assert!(answer.header("x-scaigrid-request-id").is_some());
}

#[test]
fn any_http_answer_is_possible() {
    let html = Fault::response(502, "text/html", "<h1>Bad Gateway</h1>");
    let answer = answered(html.clone().header("Server", "nginx"));
    assert_eq!((answer.status, answer.body.as_slice()), (502, b"<h1>Bad Gateway</h1>".as_slice()));
    assert_eq!((answer.header("content-type"), answer.header("server")), (Some("text/html"), Some("nginx")));
    assert!(answer.header("x-scaigrid-request-id").is_some());
    assert!(answered(html.without_request_id()).header("x-scaigrid-request-id").is_none());
    assert_eq!(answered(Fault::response(42, "text/plain", "")).status, 500);
}

#[test]
fn raw_bytes_replace_the_answer() {
    for bytes in [&b"\x00\xffnot http"[..], b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", b""] {
        let (emulator, answer) = with(Fault::raw(bytes));
        assert_eq!(answer.unwrap(), bytes);
        assert_eq!(emulator.requests()[0].status, None);
    }
    let large = vec![b'x'; 8 * 1024 * 1024];
    assert_eq!(with(Fault::raw(large.clone())).1.unwrap(), large);
}

#[test]
fn cut_answers_have_their_full_length_in_the_head() {
    let (emulator, answer) = with(Fault::cut_after(10));
    let answer = parse(&answer.unwrap());
    assert_eq!((answer.status, answer.body.as_slice()), (200, br#"{"status":"#.as_slice()));
    assert!(answer.header("content-length").unwrap().parse::<usize>().unwrap() > 100);
    assert!(answer.header("x-scaigrid-request-id").is_some());
    assert_eq!(emulator.requests()[0].status, None);
    // It was served all the same.
    let summary = get(&emulator, "/v1/accounting/usage/summary").json();
    assert_eq!(summary["data"][0]["request_count"], 1);
    assert!(parse(&with(Fault::cut_after(0)).1.unwrap()).body.is_empty());
    assert_eq!(parse(&with(Fault::cut_after(usize::MAX)).1.unwrap()).json()["status"], "ok");
}

#[test]
fn reset_and_close_differ() {
    assert_eq!(with(Fault::reset()).1.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert!(with(Fault::close()).1.unwrap().is_empty());
    let (emulator, _) = with(Fault::reset());
    assert_eq!((emulator.requests().len(), emulator.requests()[0].status), (1, None));
    assert_eq!(post(&emulator, &chat("hello")).status, 200);
}

#[test]
fn a_broken_connection_was_fine_before() {
    let emulator = Emulator::start().unwrap();
    let mut stream = connect(&emulator);
    stream.write_all(&chat_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream).status, 200);
    emulator.faults().push(Fault::reset());
    stream.write_all(&chat_bytes()).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

#[test]
#[allow(clippy::disallowed_methods, reason = "measures real waiting")]
fn delays_come_before_answers_and_other_faults() {
    let wait = Duration::from_millis(150);
    let begin = Instant::now();
    assert_eq!(answered(Fault::delay(wait)).status, 200);
    assert!(begin.elapsed() >= wait);
    let begin = Instant::now();
    assert_eq!(with(Fault::reset().after(wait)).1.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert!(begin.elapsed() >= wait);
}

#[test]
fn a_delayed_request_does_not_hold_up_others() {
    let emulator = Emulator::start().unwrap();
    emulator.faults().push(Fault::delay(Duration::from_secs(600)));
    let mut stuck = connect(&emulator);
    stuck.write_all(&chat_bytes()).unwrap();
    while !emulator.faults().is_empty() {
        std::thread::yield_now();
    }
    assert_eq!(post(&emulator, &chat("hello")).status, 200);
    assert_eq!(emulator.requests()[0].status, None);
}

#[test]
fn faults_wait_for_their_path_and_can_repeat() {
    let emulator = Emulator::start().unwrap();
    let faults = emulator.faults().clone();
    faults.push(Fault::error("MODEL_UNAVAILABLE").for_path("/v1/inference/"));
    faults.repeat(Fault::error("BACKEND_ERROR").for_path("/v1/models"), 2);
    assert_eq!(get(&emulator, "/v1/models").status, 502);
    assert_eq!(faults.len(), 2);
    assert_eq!(get(&emulator, "/health").status, 200);
    assert_eq!(post(&emulator, &chat("hello")).status, 503);
    assert_eq!(get(&emulator, "/v1/models/x").status, 502);
    assert!(faults.is_empty());
    assert_eq!(get(&emulator, "/v1/models").status, 200);
    faults.repeat(Fault::close(), 5);
    faults.clear();
    assert_eq!(get(&emulator, "/v1/models").status, 200);
}

#[test]
fn faults_come_before_the_credential() {
    let emulator = Emulator::builder().fault(Fault::error("BACKEND_ERROR")).start().unwrap();
    assert_eq!(send(&emulator, "GET", "/v1/models", None, b"").unwrap().status, 502);
    assert_eq!(send(&emulator, "GET", "/v1/models", None, b"").unwrap().status, 401);
}

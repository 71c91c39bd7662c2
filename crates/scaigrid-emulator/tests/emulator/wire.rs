//! Envelope, ids, credentials, limits, and routes that do not exist.

use crate::http::{CHAT, SUMMARY, chat, connect, get, parse, post, post_as, raw, read_answer, request, send};
use scaigrid_emulator::{DEFAULT_API_KEY, Emulator};
use std::collections::HashSet;
use std::io::Write;

#[test]
fn every_answer_has_an_id_of_its_own_in_header_and_body() {
    let emulator = Emulator::start().unwrap();
    let answers = [
        post(&emulator, &chat("hello")),
        get(&emulator, "/v1/models"),
        get(&emulator, "/v1/models/none"),
        get(&emulator, SUMMARY),
        get(&emulator, "/v1/nothing"),
        get(&emulator, "/"),
        send(&emulator, "POST", CHAT, None, b"{}").unwrap(),
        send(&emulator, "DELETE", CHAT, Some(DEFAULT_API_KEY), b"").unwrap(),
        send(&emulator, "POST", CHAT, Some(DEFAULT_API_KEY), b"{").unwrap(),
    ];
    let ids: HashSet<String> = answers.iter().map(|answer| answer.request_id()).collect();
    assert_eq!(ids.len(), answers.len());
    assert!(ids.iter().all(|id| id.starts_with("req_")));
    let recorded: HashSet<String> = emulator.requests().into_iter().map(|one| one.request_id).collect();
    assert_eq!(recorded, ids);
}

#[test]
fn health_needs_no_key_and_has_no_envelope() {
    let emulator = Emulator::start().unwrap();
    let answer = send(&emulator, "GET", "/health", None, b"").unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, br#"{"status":"ok"}"#.as_slice()));
    assert!(answer.header("x-scaigrid-request-id").is_some());
}

#[test]
fn credentials_are_checked() {
    let emulator = Emulator::builder().api_key("one").api_key("two").start().unwrap();
    assert_eq!(emulator.api_key(), "one");
    for (header, status, code) in [
        (None, 401, Some("AUTH_TOKEN_MISSING")),
        (Some("Bearer three"), 401, Some("AUTH_TOKEN_INVALID")),
        (Some("Basic one"), 401, Some("AUTH_TOKEN_INVALID")),
        (Some("one"), 401, Some("AUTH_TOKEN_INVALID")),
        (Some("Bearer \u{fc}"), 401, Some("AUTH_TOKEN_INVALID")),
        (Some("Bearer one"), 200, None),
        (Some("bearer  two"), 200, None),
    ] {
        let header = header.map(|value| format!("Authorization: {value}"));
        let headers: Vec<&str> = header.as_deref().into_iter().chain(["Connection: close"]).collect();
        let answer = parse(&raw(&emulator, &request("GET", "/v1/models", &headers, b"")).unwrap());
        assert_eq!(answer.status, status, "{header:?}");
        assert_eq!(code, (status == 401).then(|| answer.code()).as_deref());
        assert_eq!(answer.header("x-scaigrid-ratelimit-limit").is_some(), status == 200);
    }
}

#[test]
fn unknown_routes_methods_and_broken_requests_are_refused() {
    let emulator = Emulator::start().unwrap();
    for (method, path, status, code) in [
        ("GET", "/v1/nothing", 404, "NOT_FOUND"),
        ("GET", "/", 404, "NOT_FOUND"),
        ("GET", "/v1/models/a/b", 404, "NOT_FOUND"),
        ("GET", CHAT, 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/v1/models", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/health", 405, "METHOD_NOT_ALLOWED"),
    ] {
        let answer = send(&emulator, method, path, Some(DEFAULT_API_KEY), b"").unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{method} {path}");
    }
    // Not HTTP at all: refused by the HTTP server itself.
    assert_eq!(parse(&raw(&emulator, b"\x16\x03\x01 what\r\n\r\n").unwrap()).status, 400);
    let broken = b"POST /v1/inference/chat HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
    assert_eq!(parse(&raw(&emulator, broken).unwrap()).code(), "BAD_REQUEST");
    assert_eq!(get(&emulator, "/v1/models").status, 200);
}

#[test]
fn bodies_above_32_mib_are_refused_and_those_below_are_not() {
    let emulator = Emulator::start().unwrap();
    let send = |size: usize| {
        let answer = send(&emulator, "POST", CHAT, Some(DEFAULT_API_KEY), &vec![b' '; size]).unwrap();
        (answer.status, answer.code())
    };
    assert_eq!(send(32 * 1024 * 1024 + 1), (413, "PAYLOAD_TOO_LARGE".to_owned()));
    assert_eq!(send(32 * 1024 * 1024), (422, "VALIDATION_ERROR".to_owned()));
    let sizes: Vec<usize> = emulator.requests().iter().map(|one| one.body.len()).collect();
    assert_eq!(sizes, [0, 32 * 1024 * 1024]);
}

#[test]
fn the_rate_limit_is_per_key_and_says_when_to_come_back() {
    let emulator =
        Emulator::builder().api_key("one").api_key("two").rate_limit_per_minute(2).start().unwrap();
    let remaining = |expected: &str| {
        let answer = get(&emulator, "/v1/models");
        assert_eq!(answer.header("x-scaigrid-ratelimit-limit"), Some("2"));
        assert_eq!(answer.header("x-scaigrid-ratelimit-remaining"), Some(expected));
        answer
    };
    assert_eq!(remaining("1").status, 200);
    assert_eq!(remaining("0").status, 200);
    let refused = remaining("0");
    assert_eq!((refused.status, refused.code().as_str()), (429, "RATE_LIMITED"));
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((55..=60).contains(&seconds), "{seconds}");
    assert_eq!(refused.json()["error"]["retry_after"], seconds);
    assert!(refused.header("x-scaigrid-ratelimit-reset").unwrap().parse::<u64>().unwrap() > 1_700_000_000);
    // Other keys, wrong keys and open routes have nothing to do with it.
    assert_eq!(post_as(&emulator, "two", &chat("hello")).status, 200);
    assert_eq!(post_as(&emulator, "three", &chat("hello")).status, 401);
    assert_eq!(get(&emulator, "/health").status, 200);
}

#[test]
fn one_connection_serves_many_requests() {
    let emulator = Emulator::start().unwrap();
    let mut stream = connect(&emulator);
    let authorization = format!("Authorization: Bearer {DEFAULT_API_KEY}");
    for _ in 0..3 {
        stream.write_all(&request("GET", "/v1/models", &[&authorization], b"")).unwrap();
        assert_eq!(read_answer(&mut stream).status, 200);
    }
    assert_eq!(get(&emulator, "/health").status, 200);
    let connections: Vec<u64> = emulator.requests().iter().map(|one| one.connection).collect();
    assert_eq!(connections, [0, 0, 0, 1]);
    assert!(emulator.open_connections() >= 1);
}

#[test]
fn requests_are_recorded_without_the_key() {
    let emulator = Emulator::start().unwrap();
    get(&emulator, "/v1/models/a%2Fb?x=%20&y");
    post(&emulator, &chat("hello"));
    let [first, second] = emulator.requests().try_into().unwrap();
    assert_eq!((first.method.as_str(), first.path.as_str()), ("GET", "/v1/models/a%2Fb"));
    assert_eq!((first.query.as_deref(), first.status), (Some("x=%20&y"), Some(404)));
    assert_eq!(first.header("Authorization"), Some("Bearer [redacted]"));
    assert_eq!((second.json().unwrap(), second.status), (chat("hello"), Some(200)));
    assert!(!format!("{:?}{emulator:?}", emulator.requests()).contains(DEFAULT_API_KEY));
}

//! What a stream yields, how it ends, and when it is repeated.

use crate::harness::*;
use scaigrid::{ChatChunk, Error, ErrorCode, ErrorKind, StandardPolicy};
use scaigrid_transport::TransportErrorKind as Kind;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The answers of `data/chat-stream.json`.
#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    title: String,
    status: u16,
    content_type: String,
    headers: BTreeMap<String, String>,
    body: Vec<String>,
    end: String,
}

impl Case {
    fn answer(&self, pieces: Vec<String>) -> Answer {
        let mut answer = match self.status {
            200 => events(pieces),
            status => answer(status, pieces.concat()),
        };
        answer = answer.header("content-type", &self.content_type);
        for (name, value) in &self.headers {
            answer = answer.header(name, value);
        }
        if self.end == "eof" { answer } else { answer.ends_with(Kind::Interrupted) }
    }
}

/// A chunk in one line.
fn trace_of(chunk: &ChatChunk) -> String {
    let mut parts = Vec::new();
    for choice in &chunk.choices {
        let delta = &choice.delta;
        let index = if choice.index == 0 { String::new() } else { choice.index.to_string() };
        parts.extend(delta.role.as_ref().map(|role| format!("role{index}={role}")));
        parts.extend(delta.content.as_ref().map(|text| format!("text{index}={text}")));
        parts.extend((!delta.tool_calls.is_empty()).then(|| "call".to_owned()));
        parts.extend(choice.finish_reason.as_ref().map(|reason| format!("finish{index}={reason}")));
    }
    parts.extend(chunk.usage.map(|usage| format!("usage={}/{}", usage.prompt(), usage.completion())));
    parts.join(" ")
}

/// An error in one line: kind, code, and what had come.
fn trace_of_error(error: &Error) -> String {
    let code = error.code().map(|code| format!(" {code}")).unwrap_or_default();
    let partial = error.partial().map(|partial| format!(" partial={:?}", partial.text())).unwrap_or_default();
    format!("error {:?}{code}{partial}", error.kind())
}

fn trace(seen: &SeenStream) -> Vec<String> {
    seen.chunks.iter().map(trace_of).chain(seen.error.as_ref().map(trace_of_error)).collect()
}

/// What each case yields.
const EXPECTED: &[(&str, &[&str])] = &[
    ("L02", &["text=Hi", "finish=stop", "usage=5/2"]),
    ("L03", &["text=Hi", "finish=stop", "usage=5/2"]),
    ("L05", &["text=a usage=5/1", "text=b usage=5/2", "finish=stop usage=5/2"]),
    ("L07", &["text=Hi finish=stop"]),
    ("L11", &["text=Hi", "error Decode partial=\"Hi\""]),
    ("L12", &["text=Hi", "error Decode partial=\"Hi\""]),
    ("L13", &["text=Hel", "error StreamTruncated partial=\"Hel\""]),
    ("L15", &["text=Hi", "error StreamTruncated partial=\"Hi\""]),
    ("L16", &["error StreamTruncated partial=\"\""]),
    ("L18", &["text=Hel", "error Api BACKEND_ERROR partial=\"Hel\""]),
    ("L19", &["error Api BACKEND_ERROR partial=\"\""]),
    ("L20", &["text=Hel", "error Api x partial=\"Hel\""]),
    ("L22", &["text=Hi"]),
    ("L24", &["error Api partial=\"\""]),
    ("L25", &["error Api partial=\"\""]),
    ("L26", &["text=Hi", "finish=stop"]),
    ("L27", &["text=Hel", "error Decode partial=\"Hel\""]),
    ("L29", &["text=Hi finish=stop"]),
    ("L30", &["text=Hi finish=stop"]),
    ("L33", &["error Api RATE_LIMITED"]),
    ("L34", &["error Http"]),
    ("L36", &["error Decode"]),
    ("L37", &["text=Hi finish=stop"]),
    ("L38", &["call", "call", "call", "finish=tool_calls"]),
    ("L39", &["call", "call", "finish=tool_calls"]),
    ("L40", &["call", "finish=tool_calls"]),
    ("L43", &["text=a", "text1=x", "text=b", "text1=y", "finish1=stop", "finish=length"]),
    ("L44", &["text=Hi finish=moderated"]),
    ("L45", &["role=assistant", "finish=stop"]),
    ("L46", &["text=Hi finish=stop"]),
    ("L47", &["text=Hi finish=stop"]),
    ("L48", &["error Decode partial=\"\""]),
    ("L52", &["text=Hel", "error Connection partial=\"Hel\""]),
    ("L54", &["text=Hi finish=stop"]),
];

fn cases() -> Vec<Case> {
    let cases: Cases = serde_json::from_str(include_str!("../data/chat-stream.json")).unwrap();
    cases.cases
}

fn once() -> Setup {
    Setup { policy: Some(StandardPolicy::no_retries()), ..Setup::default() }
}

#[test]
fn every_case_as_given_and_byte_by_byte() {
    let cases = cases();
    let ids: Vec<_> = cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, EXPECTED.iter().map(|(id, _)| *id).collect::<Vec<_>>(), "each case has its expectation");
    for (case, (_, expected)) in cases.iter().zip(EXPECTED) {
        let whole = case.answer(case.body.clone());
        for answer in [whole.clone(), whole.in_pieces_of(1)] {
            streamed_in_both_colours(&once(), &[answer], |seen| {
                assert_eq!(trace(seen), *expected, "{} {}", case.id, case.title);
                assert_eq!(seen.requests.len(), 1);
                if let Some(error) = &seen.error {
                    assert_eq!(error.request_id(), Some("req_1"), "{}", case.id);
                    assert_eq!((error.endpoint(), error.attempts()), (Some("chat_stream"), 1));
                }
            });
        }
    }
}

fn case(id: &str) -> Answer {
    let case = cases().into_iter().find(|case| case.id == id).unwrap();
    case.answer(case.body.clone())
}

#[test]
fn the_reply_is_put_together() {
    let completion = |id: &str, check: &dyn Fn(&scaigrid::ChatCompletion)| {
        streamed_in_both_colours(&once(), &[case(id)], |seen| check(&seen.snapshot));
    };
    completion("L05", &|reply| {
        assert_eq!(reply.text(), "ab");
        assert_eq!(reply.usage, Some(scaigrid::Usage::new(5, 2)));
    });
    completion("L39", &|reply| {
        let calls: Vec<_> = reply
            .tool_calls()
            .iter()
            .map(|call| (&*call.id, &*call.function.name, &*call.function.arguments))
            .collect();
        assert_eq!(calls, [("c1", "f", "{}"), ("c2", "g", "{}")]);
    });
    completion("L38", &|reply| assert_eq!(reply.tool_calls()[0].function.arguments, r#"{"a":1}"#));
    completion("L43", &|reply| {
        let choices: Vec<_> = reply
            .choices
            .iter()
            .map(|choice| (choice.message.text().into_owned(), choice.finish_reason.clone().unwrap()))
            .collect();
        assert_eq!(choices, [("ab".to_owned(), "length".into()), ("xy".to_owned(), "stop".into())]);
    });
}

#[test]
fn what_is_skipped_is_reachable() {
    streamed_in_both_colours(&once(), &[case("L29")], |seen| {
        assert_eq!(seen.skipped.len(), 1);
        assert_eq!((&*seen.skipped[0].name, seen.skipped[0].data.contains("searching")), ("status", true));
    });
    streamed_in_both_colours(&once(), &[case("L46")], |seen| {
        assert_eq!(seen.skipped[0].data, r#"{"id":"x"}"#)
    });
    streamed_in_both_colours(&once(), &[case("L44")], |seen| {
        assert!(seen.chunks[0].raw().unwrap().contains("x_new"));
    });
}

#[test]
fn an_undecodable_chunk_names_the_field_and_keeps_the_text() {
    let wrong = r#"{"choices":[{"delta":{"content":"sgk_private"}},{"delta":{"content":{"a":1}}}]}"#;
    streamed_in_both_colours(&once(), &[events([format!("data: {wrong}\n\n")])], |seen| {
        let error = seen.error.as_ref().unwrap();
        let text = error.to_string();
        assert!(text.contains("`choices[1].delta.content") && !text.contains("sgk_private"), "{text}");
        assert_eq!(error.body(), wrong);
    });
}

fn chunk(text: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}

#[test]
fn every_end_says_what_happened() {
    for (answer, kind, part) in [
        (
            events([chunk("a")]),
            ErrorKind::StreamTruncated,
            "ended without [DONE], after 1 chunk, the last one",
        ),
        (
            events([chunk("a"), chunk("b")]).ends_with(Kind::ReadTimeout),
            ErrorKind::IdleTimeout,
            "silent for longer than 60s, after 2 chunks, the last one",
        ),
        (
            events(Vec::<String>::new()).ends_with(Kind::FirstByteTimeout),
            ErrorKind::Timeout,
            "before its first chunk",
        ),
        (events([chunk("a")]).ends_with(Kind::Timeout), ErrorKind::Timeout, "after 1 chunk"),
        (events([chunk("a")]).ends_with(Kind::Cancelled), ErrorKind::Cancelled, "after 1 chunk"),
    ] {
        streamed_in_both_colours(&once(), &[answer], |seen| {
            let error = seen.error.as_ref().unwrap();
            assert_eq!(error.kind(), kind);
            assert!(error.to_string().contains(part), "{error}");
            assert!(error.may_have_run() && error.partial().is_some());
            assert_eq!(error.history().len(), 1, "{error}");
        });
    }
}

#[test]
fn a_failure_that_lacks_only_its_blank_line_is_not_lost() {
    let failure = "event: error\ndata: {\"code\":\"BACKEND_ERROR\",\"message\":\"m\",\"request_id\":\"req_e\",\"x\":1}\n";
    streamed_in_both_colours(&once(), &[events([chunk("a"), failure.to_owned()])], |seen| {
        let error = seen.error.as_ref().unwrap();
        assert_eq!((error.code(), error.request_id()), (Some(&ErrorCode::BackendError), Some("req_e")));
        assert!(error.body().ends_with(b"\"x\":1}"));
    });
    streamed_in_both_colours(&once(), &[events([chunk("a"), "data: {\"choi".to_owned()])], |seen| {
        let error = seen.error.as_ref().unwrap();
        assert_eq!((error.kind(), &error.body()[..]), (ErrorKind::StreamTruncated, &b"{\"choi"[..]));
        assert!(error.to_string().contains("within an event of 6 bytes"), "{error}");
    });
}

#[test]
fn what_a_stream_echoes_is_not_printed() {
    let echo =
        "event: error\ndata: {\"code\":\"X sgk_test_secret_key\",\"message\":\"sgk_test_secret_key\"}\n\n";
    for pieces in [vec![chunk("a"), echo.to_owned()], vec![echo.to_owned()]] {
        streamed_in_both_colours(&once(), &[events(pieces)], |seen| {
            let error = seen.error.as_ref().unwrap();
            let printed = format!("{error} {error:?} {:?}", error.history());
            assert!(!printed.contains("sgk_test") && printed.contains("[redacted]"), "{printed}");
        });
    }
}

#[test]
fn a_stream_is_repeated_until_its_first_chunk_and_never_after() {
    let failure = "event: error\ndata: {\"code\":\"BACKEND_ERROR\",\"message\":\"m\"}\n\n";
    let fine = || events([chunk("Hi"), "data: [DONE]\n\n".to_owned()]);
    for first in [error("BACKEND_ERROR"), events([failure]), fails(Kind::Connect), answer(503, "later")] {
        streamed_in_both_colours(&Setup::default(), &[first, fine()], |seen| {
            assert_eq!(trace(seen), ["text=Hi"]);
            assert_eq!((seen.requests.len(), seen.waits.len(), seen.history), (2, 1, 1));
        });
    }
    for first in [
        events([chunk("Hi"), failure.to_owned()]),
        events([chunk("Hi")]).broken(),
        // It may have run: repeated only on request.
        events(Vec::<String>::new()),
        fails(Kind::Interrupted),
    ] {
        streamed_in_both_colours(&Setup::default(), &[first], |seen| {
            assert!(seen.error.is_some());
            assert_eq!(seen.requests.len(), 1);
        });
    }
}

#[test]
fn a_plain_answer_is_a_stream_of_one_chunk() {
    streamed_in_both_colours(&once(), &[ok()], |seen| {
        assert_eq!(trace(seen), ["role=assistant text=Hi usage=1/1"]);
        assert_eq!(seen.snapshot.text(), "Hi");
    });
    let refused = answer(200, r#"{"status":"error","error":{"code":"BUDGET_EXCEEDED","message":"m"}}"#);
    streamed_in_both_colours(&once(), &[refused], |seen| {
        assert_eq!(seen.error.as_ref().unwrap().code(), Some(&ErrorCode::BudgetExceeded));
    });
}

#[test]
fn a_stream_has_time_limits_of_its_own() {
    let fine = || events([chunk("Hi"), "data: [DONE]\n\n".to_owned()]);
    // Longer than a plain call may take; no silence is too long.
    let slow = fine().taking(50_000).paced(Duration::from_secs(9)).pause(Duration::from_secs(59));
    streamed_in_both_colours(&Setup::default(), &[slow], |seen| assert!(seen.error.is_none()));
    for (late, kind) in [
        (fine().taking(50_000).paced(Duration::from_secs(11)), ErrorKind::Timeout),
        (events([chunk("Hi")]).pause(Duration::from_secs(61)).piece(": late\n\n"), ErrorKind::IdleTimeout),
    ] {
        streamed_in_both_colours(&once(), &[late], |seen| {
            assert_eq!(seen.error.as_ref().unwrap().kind(), kind);
        });
    }
    streamed_in_both_colours(&Setup::default(), &[fine()], |seen| {
        let limits = seen.timeouts[0];
        assert_eq!(limits.attempt, None);
        assert_eq!(
            (limits.first_byte, limits.read),
            (Some(Duration::from_secs(60)), Some(Duration::from_secs(60)))
        );
    });
    let setup = Setup { deadline: Some(Duration::from_secs(7)), ..Setup::default() };
    streamed_in_both_colours(&setup, &[fine()], |seen| {
        assert_eq!(seen.timeouts[0].attempt, Some(Duration::from_secs(7)));
    });
}

#[test]
fn the_request_asks_for_a_stream() {
    streamed_in_both_colours(&Setup::default(), &[events(["data: [DONE]\n\n"])], |seen| {
        assert!(seen.error.is_none() && seen.chunks.is_empty());
        let request = &seen.requests[0];
        assert_eq!(request.headers()["accept"], "text/event-stream");
        assert!(std::str::from_utf8(request.body()).unwrap().ends_with(r#""stream":true}"#));
    });
}

#[test]
fn a_stream_that_never_ends_meets_the_size_limit() {
    let setup = Setup { max_response_bytes: Some(1000), ..once() };
    let endless: Vec<_> = (0..20).map(|_| chunk(&"x".repeat(100))).collect();
    streamed_in_both_colours(&setup, &[events(endless)], |seen| {
        assert_eq!(seen.error.as_ref().unwrap().kind(), ErrorKind::BodyTooLarge);
        // A choice counts for something beside its text.
        assert_eq!(seen.chunks.len(), 7);
    });
    streamed_in_both_colours(&setup, &[events(["data: ".to_owned() + &"x".repeat(2000)])], |seen| {
        assert_eq!(seen.error.as_ref().unwrap().kind(), ErrorKind::BodyTooLarge);
    });
}

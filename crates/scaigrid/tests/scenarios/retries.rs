//! When a call is repeated, how long it waits, and what comes out.

use crate::harness::*;
use scaigrid::{
    ChatRequest, ErrorCode, ErrorKind, ListModels, RetryClass, StandardPolicy, StopReason, WaitSource,
};
use scaigrid_transport::TransportErrorKind as Kind;
use std::time::Duration;

fn chat() -> ChatRequest {
    ChatRequest::new("m").user("Hello")
}

/// One row: what is set up, what the server does, how many requests it gets, and the waits in milliseconds.
struct Row {
    title: &'static str,
    setup: Setup,
    answers: Vec<Answer>,
    requests: usize,
    waits: Vec<[u64; 2]>,
    /// `None`: the call succeeds.
    fails_with: Option<ErrorKind>,
}

fn row(title: &'static str, answers: Vec<Answer>, waits: Vec<[u64; 2]>) -> Row {
    Row { title, setup: Setup::default(), requests: waits.len() + 1, answers, waits, fails_with: None }
}

impl Row {
    fn fails(mut self, kind: ErrorKind) -> Self {
        self.fails_with = Some(kind);
        self
    }

    fn setup(mut self, setup: Setup) -> Self {
        self.setup = setup;
        self
    }
}

fn attempts(attempts: u32) -> Setup {
    Setup {
        policy: Some(StandardPolicy::builder().max_attempts(attempts).build().unwrap()),
        ..Setup::default()
    }
}

const FIRST: [u64; 2] = [375, 500];
const SECOND: [u64; 2] = [750, 1000];
const THIRD: [u64; 2] = [1500, 2000];

fn rows() -> Vec<Row> {
    let unavailable = || error("MODEL_UNAVAILABLE");
    vec![
        row(
            "a hint in the body only",
            vec![error_after("BACKEND_RATE_LIMITED", "1"), ok()],
            vec![[1000, 1100]],
        ),
        row("a fractional hint", vec![error_after("RATE_LIMITED", "0.25"), ok()], vec![[250, 280]]),
        row(
            "a hint in the header only",
            vec![error("RATE_LIMITED").header("retry-after", "2"), ok()],
            vec![[2000, 2200]],
        ),
        row(
            "the larger of two hints",
            vec![error_after("RATE_LIMITED", "1").header("retry-after", "2"), ok()],
            vec![[2000, 2200]],
        ),
        row("a hint of zero is none", vec![error_after("RATE_LIMITED", "0"), ok()], vec![FIRST]),
        row(
            "a hint smaller than the own backoff",
            vec![error_after("MODEL_UNAVAILABLE", "0.1"), error_after("MODEL_UNAVAILABLE", "0.1"), ok()],
            vec![[100, 110]; 2],
        ),
        row("a hint above the limit", vec![error_after("RATE_LIMITED", "600")], vec![]).fails(ErrorKind::Api),
        row("a used-up budget, although it is a 429", vec![error("BUDGET_EXCEEDED")], vec![])
            .fails(ErrorKind::Api),
        row(
            "a used-up budget, even with a hint",
            vec![error_after("BUDGET_EXCEEDED", "1").header("retry-after", "1")],
            vec![],
        )
        .fails(ErrorKind::Api),
        row("a used-up quota", vec![error("QUOTA_EXCEEDED")], vec![]).fails(ErrorKind::Api),
        row("a shape mismatch", vec![error("UPSTREAM_SHAPE_MISMATCH")], vec![]).fails(ErrorKind::Api),
        row("a back-end timeout", vec![error("BACKEND_TIMEOUT"), ok()], vec![FIRST]),
        row("a back-end error, at most twice", vec![error("BACKEND_ERROR"); 3], vec![FIRST, SECOND])
            .setup(attempts(6))
            .fails(ErrorKind::Api),
        row(
            "three waits",
            vec![unavailable(), unavailable(), unavailable(), ok()],
            vec![FIRST, SECOND, THIRD],
        )
        .setup(attempts(4)),
        row("no retries", vec![unavailable()], vec![]).setup(attempts(1)).fails(ErrorKind::Api),
        row("a refused token without a provider", vec![error("SESSION_EXPIRED")], vec![])
            .fails(ErrorKind::Api),
        row("a missing permission", vec![error("AUTHZ_PERMISSION_DENIED")], vec![]).fails(ErrorKind::Api),
        row("an unknown code on a bare 429", vec![error("SOMETHING_NEW")], vec![]).fails(ErrorKind::Api),
        row(
            "an unknown code on a 429 with a hint",
            vec![error_after("SOMETHING_NEW", "1"), ok()],
            vec![[1000, 1100]],
        ),
        row(
            "an error object without `status`",
            vec![answer(429, r#"{"error":{"code":"RATE_LIMITED","retry_after":1}}"#), ok()],
            vec![[1000, 1100]],
        ),
        row(
            "an error envelope with status 200",
            vec![answer(200, r#"{"status":"error","error":{"code":"BACKEND_TIMEOUT","message":"m"}}"#), ok()],
            vec![FIRST],
        ),
        row(
            "an HTML page with 429",
            vec![answer(429, "<html>slow down</html>").header("content-type", "text/html")],
            vec![],
        )
        .fails(ErrorKind::Http),
        row("an HTML page with 503", vec![answer(503, "<html>later</html>"), ok()], vec![FIRST]),
        row("a broken error answer goes by its status", vec![answer(503, "").broken(), ok()], vec![FIRST]),
        row("500 is not repeated", vec![answer(500, "{}")], vec![]).fails(ErrorKind::Http),
        row(
            "a redirect is not followed",
            vec![answer(302, "").header("location", "https://elsewhere.test/")],
            vec![],
        )
        .fails(ErrorKind::Http),
        row("refused, then fine", vec![fails(Kind::Connect), ok()], vec![FIRST]),
        row("an unknown host", vec![fails(Kind::Dns); 3], vec![FIRST, SECOND]).fails(ErrorKind::Connect),
        row("no connection in time", vec![fails(Kind::ConnectTimeout), ok()], vec![FIRST]),
        row("a bad certificate", vec![fails(Kind::Tls)], vec![]).fails(ErrorKind::Tls),
        row("a refusing proxy", vec![fails(Kind::Proxy)], vec![]).fails(ErrorKind::Proxy),
        row("a lost connection", vec![fails(Kind::Interrupted)], vec![]).fails(ErrorKind::Connection),
        row("a cut body", vec![ok().broken()], vec![]).fails(ErrorKind::Connection),
        row("a slow answer", vec![ok().taking(61_000)], vec![]).fails(ErrorKind::Timeout),
        row("an undecodable answer", vec![answer(200, r#"{"data":{"choices":1}}"#)], vec![])
            .fails(ErrorKind::Decode),
        row("a lost connection, if the caller says so", vec![fails(Kind::Interrupted), ok()], vec![FIRST])
            .setup(Setup {
                policy: Some(StandardPolicy::builder().repeat_ambiguous_inference(true).build().unwrap()),
                ..Setup::default()
            }),
        row("a wait beyond the deadline", vec![error_after("RATE_LIMITED", "5")], vec![])
            .setup(Setup { deadline: Some(Duration::from_secs(2)), ..Setup::default() })
            .fails(ErrorKind::Api),
    ]
}

#[test]
fn every_row_in_both_colours() {
    for row in rows() {
        in_both_colours(&row.setup, &row.answers, &chat(), |seen| {
            let title = row.title;
            assert_eq!(seen.requests.len(), row.requests, "{title}: requests");
            assert_eq!(seen.waits.len(), row.waits.len(), "{title}: {:?}", seen.waits);
            for (wait, [least, most]) in seen.waits.iter().zip(&row.waits) {
                let range = Duration::from_millis(*least)..=Duration::from_millis(*most);
                assert!(range.contains(wait), "{title}: {wait:?} not in {range:?}");
            }
            match (&seen.result, row.fails_with) {
                (Ok(reply), None) => {
                    assert_eq!(reply.text(), "Hi", "{title}");
                    assert_eq!(reply.attempts() as usize, row.requests, "{title}");
                    assert_eq!(reply.history().len(), row.requests - 1, "{title}");
                }
                (Err(error), Some(kind)) => {
                    assert_eq!(error.kind(), kind, "{title}: {error}");
                    assert_eq!(error.attempts() as usize, row.requests, "{title}");
                    assert_eq!(error.endpoint(), Some("chat"), "{title}");
                }
                (result, _) => panic!("{title}: {result:?}"),
            }
        });
    }
}

#[test]
fn calls_that_create_are_repeated_only_when_they_cannot_have_run() {
    for (first, repeated) in [
        (fails(Kind::Connect), true),
        (error("RATE_LIMITED"), true),
        (error("BACKEND_ERROR"), false),
        (answer(503, "later"), false),
        (fails(Kind::Interrupted), false),
        (fails(Kind::Timeout), false),
    ] {
        in_both_colours(&Setup::default(), &[first, ok()], &creating(), |seen| {
            assert_eq!(seen.result.is_ok(), repeated);
            assert_eq!(seen.requests.len(), 1 + usize::from(repeated));
        });
    }
}

#[test]
fn reading_calls_are_repeated_after_a_lost_connection() {
    let list = answer(200, r#"{"data":{"items":[{"slug":"a"}]}}"#);
    in_both_colours(&Setup::default(), &[fails(Kind::Interrupted), list], &ListModels::new(), |seen| {
        assert_eq!(seen.result.as_ref().unwrap().items[0].slug, "a");
    });
}

#[test]
fn a_fresh_token_is_tried_once_and_at_once() {
    let setup = Setup { token_provider: true, ..Setup::default() };
    for code in ["SESSION_EXPIRED", "AUTH_TOKEN_INVALID"] {
        in_both_colours(&setup, &[error(code), ok()], &chat(), |seen| {
            let sent: Vec<_> =
                seen.requests.iter().map(|request| &request.headers()["authorization"]).collect();
            assert_eq!(sent, ["Bearer stale", "Bearer fresh_1"]);
            assert!(seen.waits.is_empty());
            let history = seen.result.as_ref().unwrap().history();
            assert_eq!(history[0].wait_source, Some(WaitSource::FreshToken));
        });
    }
    in_both_colours(&setup, &[error("SESSION_EXPIRED"), error("SESSION_EXPIRED")], &chat(), |seen| {
        assert_eq!(seen.error().code(), Some(&ErrorCode::SessionExpired));
        assert_eq!(seen.error().attempts(), 2);
    });
    // The repetition does not count against the policy's attempts.
    let answers = [error("SESSION_EXPIRED"), error("BACKEND_TIMEOUT"), error("BACKEND_TIMEOUT"), ok()];
    in_both_colours(&setup, &answers, &chat(), |seen| {
        assert_eq!(seen.result.as_ref().unwrap().attempts(), 4);
    });
}

#[test]
fn a_provider_without_a_fresh_token_leaves_the_refusal_readable() {
    let setup = Setup { token_provider: true, no_fresh_token: true, ..Setup::default() };
    in_both_colours(&setup, &[error("SESSION_EXPIRED")], &chat(), |seen| {
        let error = seen.error();
        assert_eq!(error.kind(), ErrorKind::TokenProvider);
        assert_eq!(error.code(), Some(&ErrorCode::SessionExpired));
        assert_eq!(error.request_id(), Some("req_1"));
        let cause = std::error::Error::source(error).unwrap().to_string();
        assert_eq!((cause.as_str(), error.attempts()), ("sign in again", 1));
    });
}

#[test]
fn every_documented_code_is_repeated_by_its_class_and_keeps_its_facts() {
    for code in ErrorCode::ALL {
        let status = code.http_status().unwrap_or(400);
        let body = format!(
            r#"{{"status":"error","error":{{"code":"{code}","message":"m"}},"meta":{{"request_id":"req_1"}}}}"#
        );
        let requests = match code.retry_class() {
            RetryClass::Hint | RetryClass::Backoff | RetryClass::Limited | RetryClass::ByStatus => 3,
            _ => 1,
        };
        in_both_colours(&Setup::default(), &vec![answer(status, body); 3], &chat(), |seen| {
            let error = seen.error();
            assert_eq!(seen.requests.len(), requests, "{code}");
            assert_eq!((error.kind(), error.code()), (ErrorKind::Api, Some(code)));
            assert_eq!((error.status().unwrap().as_u16(), error.request_id()), (status, Some("req_1")));
            assert_eq!(error.may_have_run(), status >= 500, "{code}");
        });
    }
}

#[test]
fn what_is_not_repeated_for_having_run_says_that_it_may_have() {
    for first in
        [error("BACKEND_ERROR"), answer(503, "later"), fails(Kind::Interrupted), fails(Kind::Timeout)]
    {
        in_both_colours(&Setup::default(), &[first], &creating(), |seen| {
            assert_eq!(seen.error().stop_reason(), Some(StopReason::MayHaveRun));
            assert!(seen.error().may_have_run(), "{}", seen.error());
        });
    }
}

#[test]
fn the_trace_tells_every_attempt() {
    let answers = [
        error("MODEL_UNAVAILABLE").header("x-scaigrid-request-id", "req_a"),
        fails(Kind::Connect),
        error("MODEL_UNAVAILABLE").header("x-scaigrid-request-id", "req_c"),
    ];
    in_both_colours(&Setup::default(), &answers, &chat(), |seen| {
        let error = seen.error();
        assert_eq!(error.request_id(), Some("req_c"));
        assert_eq!(error.stop_reason(), Some(StopReason::AttemptsExhausted));
        let history = error.history();
        assert_eq!(history.len(), 3);
        assert_eq!(history[0].request_id.as_deref(), Some("req_a"));
        assert_eq!(history[0].wait, Some(seen.waits[0]));
        assert_eq!(history[0].wait_source, Some(WaitSource::Backoff));
        assert_eq!((history[1].transport, history[1].status), (Some(Kind::Connect), None));
        assert_eq!((history[2].number, history[2].wait), (3, None));
        assert_eq!(error.to_string(), "chat: MODEL_UNAVAILABLE (HTTP 503): m; request id req_c; 3 attempts");
        let first = history[0].to_string();
        assert!(
            first.starts_with("attempt 1: MODEL_UNAVAILABLE (HTTP 503), request id req_a, then 0."),
            "{first}"
        );
    });
}

#[test]
fn the_error_says_why_it_was_not_repeated() {
    let text = |answers: &[Answer], part: &str| {
        in_both_colours(&Setup::default(), answers, &chat(), |seen| {
            let text = seen.error().to_string();
            assert!(text.contains(part), "{text}");
        });
    };
    text(&[error_after("RATE_LIMITED", "600")], "the server asks to wait 600 s");
    text(
        &[error_after("RATE_LIMITED", "600")],
        "not repeated: the server asks for a longer wait than allowed",
    );
    text(
        &[fails(Kind::Interrupted)],
        "the connection broke (host gateway.test); not repeated: the call may have run",
    );
    text(&[ok().taking(61_000)], "the limit was 60s");
}

#[test]
fn the_deadline_shrinks_the_last_attempt() {
    let setup = Setup { deadline: Some(Duration::from_secs(4)), ..attempts(6) };
    // 1.9 s, a wait of at least 0.375 s, and then less than 1.9 s are left.
    let answers = vec![error("MODEL_UNAVAILABLE").taking(1900), error("MODEL_UNAVAILABLE").taking(1900)];
    in_both_colours(&setup, &answers, &chat(), |seen| {
        let error = seen.error();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 2), "{error}");
        assert_eq!(seen.passed, Duration::from_secs(4));
        assert_eq!(error.history()[0].code, Some(ErrorCode::ModelUnavailable));
    });
}

#[test]
fn a_time_limit_of_zero_sends_nothing() {
    let setup = Setup { token_provider: true, ..Setup::default() };
    in_both_colours(&setup, &[ok()], &chat(), |seen| assert!(seen.result.is_ok()));
    #[cfg(feature = "blocking")]
    {
        let client = scaigrid::blocking::Client::builder().api_key("sgk_x").base_url("http://127.0.0.1:1");
        let error = client.build().unwrap().with_timeout(Duration::ZERO).chat(&chat()).unwrap_err();
        assert_eq!((error.kind(), error.attempts(), error.may_have_run()), (ErrorKind::Timeout, 0, false));
    }
}

#[test]
fn attempts_share_one_body_and_all_headers() {
    in_both_colours(&Setup::default(), &[error("BACKEND_ERROR"), ok()], &chat(), |seen| {
        let [first, second] = &seen.requests[..] else { panic!() };
        assert_eq!(first.headers(), second.headers());
        assert_eq!(first.body().as_ptr(), second.body().as_ptr());
        assert_eq!(first.uri(), "https://gateway.test/prefix/v1/inference/chat");
        assert_eq!(first.headers()["authorization"], "Bearer sgk_test_secret_key");
        assert_eq!(first.headers()["accept"], "application/json");
        assert_eq!(first.headers()["content-type"], "application/json");
        assert!(first.headers()["user-agent"].to_str().unwrap().starts_with("scaigrid-rust/"));
        assert!(first.headers()["authorization"].is_sensitive());
    });
}

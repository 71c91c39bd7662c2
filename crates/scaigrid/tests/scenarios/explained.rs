//! What a call tells of its attempts, while it goes on and afterwards; the budget that they share.

#[cfg(feature = "blocking")]
use crate::harness::blocking_client;
use crate::harness::{
    Answer, Brief, Observed, Setup, answer, error, error_after, events, fails, in_both_colours, ok, script,
    streamed_in_both_colours,
};
#[cfg(feature = "async")]
use crate::harness::{async_client, runtime};
use scaigrid::{ChatRequest, ErrorCode, ErrorKind, RetryBudget, StandardPolicy, StopReason, WaitSource};
use scaigrid_transport::TransportErrorKind as Kind;
use std::error::Error as _;
use std::sync::Mutex;
use std::time::Duration;

fn chat() -> ChatRequest {
    ChatRequest::new("m").user("Hello")
}

fn observed() -> (Setup, Observed) {
    let observed = Observed::default();
    (Setup { observed: Some(observed.clone()), ..Setup::default() }, observed)
}

#[test]
fn an_observer_sees_every_attempt() {
    let (setup, observed) = observed();
    let answers = [error("MODEL_UNAVAILABLE"), fails(Kind::Connect), ok()];
    in_both_colours(&setup, &answers, &chat(), |seen| {
        let attempts = std::mem::take(&mut *observed.lock().unwrap());
        let [first, second, third] = &attempts[..] else { panic!("{attempts:?}") };
        assert_eq!((first.endpoint, first.number, first.error), ("chat", 1, Some(ErrorKind::Api)));
        assert_eq!(
            (&first.code, first.request_id.as_deref()),
            (&Some(ErrorCode::ModelUnavailable), Some("req_1"))
        );
        assert_eq!((first.wait, first.wait_source), (Some(seen.waits[0]), Some(WaitSource::Backoff)));
        assert_eq!((second.error, second.transport), (Some(ErrorKind::Connect), Some(Kind::Connect)));
        assert_eq!((third.number, third.error, third.wait), (3, None, None));
        assert_eq!((third.status.unwrap().as_u16(), third.request_id.as_deref()), (200, Some("req_ok")));
        assert_eq!(third.to_string(), "attempt 3: succeeded, request id req_ok");
        // The reply has the same trace, without itself.
        assert_eq!(seen.result.as_ref().unwrap().history(), &attempts[..2]);
    });
}

#[test]
fn an_observer_sees_why_a_call_ended() {
    let (setup, observed) = observed();
    for (answers, reason) in [
        (vec![error("BUDGET_EXCEEDED")], Some(StopReason::NotRetryable)),
        (vec![error("MODEL_UNAVAILABLE"); 3], Some(StopReason::AttemptsExhausted)),
        (vec![error_after("RATE_LIMITED", "61")], Some(StopReason::HintTooLong)),
        (vec![fails(Kind::Interrupted)], Some(StopReason::MayHaveRun)),
        (vec![answer(200, r#"{"data":{"choices":1}}"#)], None),
    ] {
        in_both_colours(&setup, &answers, &chat(), |seen| {
            let last = observed.lock().unwrap().pop().unwrap();
            assert_eq!((last.stop_reason, seen.error().stop_reason()), (reason, reason));
            assert_eq!(Some(&last), seen.error().history().last());
            assert_eq!(last.wait, None);
        });
    }
}

#[test]
fn what_an_observer_sees_holds_no_secret() {
    let (setup, observed) = observed();
    let key = "sgk_test_secret_key";
    let echo = format!(r#"{{"status":"error","error":{{"code":"{key}","message":"{key}"}}}}"#);
    let answers =
        [answer(503, echo).header("x-scaigrid-request-id", key), ok().header("x-scaigrid-request-id", key)];
    in_both_colours(&setup, &answers, &chat(), |seen| {
        let attempts = std::mem::take(&mut *observed.lock().unwrap());
        let report = seen.result.as_ref().unwrap().retry_report();
        let printed = format!("{attempts:?} {} {} {report} {report:?}", attempts[0], attempts[1]);
        assert_eq!(attempts.len(), 2);
        assert!(!printed.contains(key), "{printed}");
    });
}

#[test]
fn a_report_is_one_line() {
    let answers = [
        error("MODEL_UNAVAILABLE").header("x-scaigrid-request-id", "req_a"),
        fails(Kind::Connect).taking(100),
        error_after("RATE_LIMITED", "600").header("x-scaigrid-request-id", "req_c"),
    ];
    let setup = Setup {
        policy: Some(
            StandardPolicy::sample_loop().to_builder().retry_connection_failures(true).build().unwrap(),
        ),
        ..Setup::default()
    };
    in_both_colours(&setup, &answers, &chat(), |seen| {
        let report = seen.error().retry_report();
        assert_eq!(
            report.to_string(),
            "3 attempts in 3.10 s: attempt 1: MODEL_UNAVAILABLE (HTTP 503), request id req_a, then 1.00 s (backoff); \
             attempt 2: Connect, then 2.00 s (backoff); \
             attempt 3: RATE_LIMITED (HTTP 429), request id req_c, stopped: not retryable"
        );
        assert_eq!(report.waited(), Duration::from_secs(3));
        assert_eq!(report.stop_reason(), Some(StopReason::NotRetryable));
    });
    in_both_colours(&Setup::default(), &[ok().taking(20)], &chat(), |seen| {
        let report = seen.result.as_ref().unwrap().retry_report();
        assert_eq!(report.to_string(), "1 attempt in 0.02 s");
        assert_eq!((report.waited(), report.stop_reason()), (Duration::ZERO, None));
    });
}

#[test]
fn an_empty_budget_hands_out_the_failure_as_it_is() {
    let setup = Setup { retries_paid_for: Some(1), ..Setup::default() };
    let answers = [error("MODEL_UNAVAILABLE"), error("MODEL_UNAVAILABLE"), ok()];
    in_both_colours(&setup, &answers, &chat(), |seen| {
        let error = seen.error();
        assert_eq!((error.code(), error.attempts()), (Some(&ErrorCode::ModelUnavailable), 2));
        assert_eq!(error.stop_reason(), Some(StopReason::RetryBudgetEmpty));
        assert!(error.to_string().ends_with("; not repeated: the retry budget is empty"), "{error}");
        assert_eq!(error.history().last().unwrap().stop_reason, error.stop_reason());
    });
}

#[test]
fn successes_fill_the_budget_and_failures_do_not() {
    let budget = RetryBudget::new(1).with_successes_per_retry(4);
    let setup = Setup { budget: Some(budget.clone()), ..Setup::default() };
    assert!(budget.try_withdraw());
    for _ in 0..2 {
        in_both_colours(&setup, &[error("BUDGET_EXCEEDED")], &chat(), |seen| assert!(seen.result.is_err()));
    }
    assert!(!budget.try_withdraw());
    while !budget.try_withdraw() {
        in_both_colours(&setup, &[ok()], &chat(), |seen| assert!(seen.result.is_ok()));
    }
}

#[test]
fn what_cannot_be_repeated_takes_nothing_from_the_budget() {
    let budget = RetryBudget::new(1);
    let setup = Setup { budget: Some(budget.clone()), ..Setup::default() };
    for answers in
        [[error("BUDGET_EXCEEDED")], [fails(Kind::Interrupted)], [error_after("RATE_LIMITED", "99")]]
    {
        in_both_colours(&setup, &answers, &chat(), |seen| assert!(seen.result.is_err()));
    }
    assert_eq!(budget.remaining(), Some(1));
}

#[test]
fn an_attempt_that_the_deadline_cut_off_tells_of_the_failure_before() {
    let setup = Setup { deadline: Some(Duration::from_secs(2)), jitter: Some(1), ..Setup::default() };
    let answers = [error("MODEL_UNAVAILABLE").taking(800), ok().taking(800_000)];
    in_both_colours(&setup, &answers, &chat(), |seen| {
        let error = seen.error();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 2));
        assert_eq!(seen.passed, Duration::from_secs(2));
        assert!(error.message().ends_with(", all that the deadline of 2s had left"), "{error}");
        let before = error.source().unwrap().downcast_ref::<scaigrid::Error>().unwrap();
        assert_eq!(before.code(), Some(&ErrorCode::ModelUnavailable));
    });
}

#[test]
fn a_wait_that_would_pass_the_deadline_hands_out_the_real_error_at_once() {
    let setup = Setup { deadline: Some(Duration::from_secs(2)), ..Setup::default() };
    in_both_colours(&setup, &[error_after("RATE_LIMITED", "5")], &chat(), |seen| {
        let error = seen.error();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Api, Some(&ErrorCode::RateLimited)));
        assert_eq!(error.stop_reason(), Some(StopReason::DeadlineTooClose));
        assert_eq!((error.retry_after(), seen.passed), (Some(Duration::from_secs(5)), Duration::ZERO));
    });
}

#[test]
fn a_proxy_that_asks_who_is_there_is_no_gateway() {
    in_both_colours(&Setup::default(), &[answer(407, "")], &chat(), |seen| {
        let error = seen.error();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Proxy, 1));
        assert_eq!((error.may_have_run(), error.stop_reason()), (false, Some(StopReason::NotRetryable)));
    });
}

#[test]
fn back_end_errors_are_counted_apart_from_what_came_before() {
    let policy = StandardPolicy::builder().max_attempts(9).build().unwrap();
    let setup = Setup { policy: Some(policy), ..Setup::default() };
    let answers: Vec<Answer> =
        ["MODEL_UNAVAILABLE", "BACKEND_ERROR", "BACKEND_TIMEOUT", "BACKEND_ERROR", "BACKEND_ERROR"]
            .map(error)
            .into();
    in_both_colours(&setup, &answers, &chat(), |seen| {
        assert_eq!(seen.error().code(), Some(&ErrorCode::BackendError));
        assert_eq!(seen.error().stop_reason(), Some(StopReason::AttemptsExhausted));
    });
}

#[test]
fn the_sample_loop_of_the_guide() {
    let setup = Setup { policy: Some(StandardPolicy::sample_loop()), ..Setup::default() };
    let answers = ["BACKEND_TIMEOUT", "BACKEND_ERROR", "MODEL_UNAVAILABLE"].map(error);
    in_both_colours(&setup, &answers, &chat(), |seen| {
        assert_eq!(seen.waits, [1, 2].map(Duration::from_secs));
        assert_eq!(seen.error().attempts(), 3);
    });
    in_both_colours(&setup, &[error_after("BACKEND_RATE_LIMITED", "15"), ok()], &chat(), |seen| {
        assert_eq!(seen.waits, [Duration::from_secs(15)]);
    });
}

#[test]
fn jitter_is_spread() {
    let waits: Mutex<Vec<f64>> = Mutex::default();
    for seed in 0..1000 {
        let setup = Setup { jitter: Some(seed), ..Setup::default() };
        in_both_colours(&setup, &[error("MODEL_UNAVAILABLE"), ok()], &chat(), |seen| {
            waits.lock().unwrap().push(seen.waits[0].as_secs_f64() * 1000.0);
        });
    }
    let waits = waits.into_inner().unwrap();
    let mean = waits.iter().sum::<f64>() / waits.len() as f64;
    assert!(waits.iter().any(|wait| *wait < 400.0) && waits.iter().any(|wait| *wait > 475.0));
    assert!(waits.iter().all(|wait| (375.0..=500.0).contains(wait)));
    assert!((427.0..447.0).contains(&mean), "{mean}");
}

#[test]
fn an_outage_is_not_multiplied() {
    let setup = Setup { budget: Some(RetryBudget::default()), ..Setup::default() };
    let requests = Mutex::new(Vec::new());
    let call = |answers: &[Answer]| {
        in_both_colours(&setup, answers, &chat(), |seen| requests.lock().unwrap().push(seen.requests.len()));
    };
    // 100 retries that the budget holds are used up soon, and not one more follows: both colours share it.
    (0..500).for_each(|_| call(&vec![error("MODEL_UNAVAILABLE"); 3]));
    let sent = std::mem::take(&mut *requests.lock().unwrap());
    assert_eq!(sent.iter().sum::<usize>(), sent.len() + 100);
    assert!(sent[60..].iter().all(|requests| *requests == 1));
    // Where every fifth call fails once, retries add a tenth of the calls at most.
    for number in 0..500 {
        call(&if number % 5 == 0 { vec![error("MODEL_UNAVAILABLE"), ok()] } else { vec![ok()] });
    }
    let sent = std::mem::take(&mut *requests.lock().unwrap());
    let calls = sent.len();
    let added = sent.iter().sum::<usize>() - calls;
    assert!(added > 0 && added * 10 <= calls, "{added} of {calls}");
}

#[test]
fn a_stream_that_does_not_begin_blames_no_deadline_that_is_far_away() {
    let setup = Setup { deadline: Some(Duration::from_secs(600)), ..Setup::default() };
    streamed_in_both_colours(&setup, &[fails(Kind::FirstByteTimeout)], |seen| {
        let error = seen.error.as_ref().unwrap();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(!error.to_string().contains("deadline"), "{error}");
    });
    streamed_in_both_colours(&setup, &[fails(Kind::Timeout)], |seen| {
        assert!(seen.error.as_ref().unwrap().to_string().contains("the deadline of 600s"));
    });
}

#[test]
fn a_secret_that_a_snippet_cuts_is_taken_out_too() {
    for before in 170..200 {
        let page = format!("{} sgk_test_secret_key {}", "x".repeat(before), "y".repeat(300));
        in_both_colours(&Setup::default(), &[answer(500, page)], &chat(), |seen| {
            assert!(!seen.error().to_string().contains("sgk_test"), "{}", seen.error());
        });
    }
}

#[test]
fn a_cancelled_failure_is_cancelled() {
    in_both_colours(&Setup::default(), &[answer(503, "").ends_with(Kind::Cancelled)], &chat(), |seen| {
        assert_eq!((seen.error().kind(), seen.requests.len()), (ErrorKind::Cancelled, 1));
    });
}

/// What a stream and a file say for a ticket, and their errors.
fn check_support_lines(lines: &[String]) {
    let ends = [
        " began, HTTP 200, request id req_s, 1970-01-01T00:00:00Z, 2 attempts",
        " failed: Interrupted, HTTP 200, request id req_s, 1970-01-01T00:00:00Z, 2 attempts",
        " began, HTTP 200, request id req_f, 1970-01-01T00:00:00Z, 1 attempt",
        " failed: Interrupted, HTTP 200, request id req_f, 1970-01-01T00:00:00Z, 1 attempt",
    ];
    assert_eq!(lines.len(), ends.len());
    for (line, end) in lines.iter().zip(ends) {
        assert!(line.starts_with(&format!("scaigrid {}: ", env!("CARGO_PKG_VERSION"))), "{line}");
        assert!(line.ends_with(end), "{line}");
    }
}

#[test]
fn streams_and_files_have_a_line_for_support() {
    let text = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";
    let file = events(["a"]).broken().header("content-type", "audio/wav");
    let answers = [
        error("RATE_LIMITED"),
        events([text]).header("x-scaigrid-request-id", "req_s"),
        file.header("x-scaigrid-request-id", "req_f"),
    ];
    let (setup, chat) = (Setup::default(), ChatRequest::new("m").user("Hello"));
    let speech = scaigrid::SynthesizeRequest::new("tts", "Hello", "alloy");
    #[cfg(feature = "async")]
    {
        let client = async_client(&setup, &script(&setup, &answers));
        check_support_lines(&runtime().block_on(async {
            let mut lines = Vec::new();
            let stream = client.chat_stream(&chat).await.unwrap();
            lines.push(stream.support_line());
            lines.push(stream.finish().await.unwrap_err().support_line());
            let file = client.synthesize(&speech).await.unwrap();
            lines.push(file.support_line());
            lines.push(file.collect_bytes(99).await.unwrap_err().support_line());
            lines
        }));
    }
    #[cfg(feature = "blocking")]
    {
        let client = blocking_client(&setup, &script(&setup, &answers));
        let mut lines = Vec::new();
        let stream = client.chat_stream(&chat).unwrap();
        lines.push(stream.support_line());
        lines.push(stream.finish().unwrap_err().support_line());
        let file = client.synthesize(&speech).unwrap();
        lines.push(file.support_line());
        lines.push(file.collect_bytes(99).unwrap_err().support_line());
        check_support_lines(&lines);
    }
}

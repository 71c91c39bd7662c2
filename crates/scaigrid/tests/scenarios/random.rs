//! Random scripts: every call ends, within its limits, and both colours agree step by step.

use crate::harness::{Answer, Brief, Setup, answer, error, error_after, fails, in_both_colours, ok};
use proptest::prelude::*;
use scaigrid::{ChatRequest, Endpoint, ErrorCode, ListModels, RawRequest, StandardPolicy};
use scaigrid_transport::TransportErrorKind as Kind;
use std::sync::Mutex;
use std::time::Duration;

fn any_answer() -> impl Strategy<Value = Answer> {
    let codes = prop::sample::select(
        &[
            "RATE_LIMITED",
            "BACKEND_RATE_LIMITED",
            "BACKEND_ERROR",
            "BACKEND_TIMEOUT",
            "MODEL_UNAVAILABLE",
            "BUDGET_EXCEEDED",
            "SESSION_EXPIRED",
            "VALIDATION_ERROR",
            "SOMETHING_NEW",
        ][..],
    );
    let kinds = prop::sample::select(
        &[
            Kind::Dns,
            Kind::Connect,
            Kind::ConnectTimeout,
            Kind::Tls,
            Kind::Proxy,
            Kind::Timeout,
            Kind::ReadTimeout,
            Kind::Interrupted,
            Kind::Protocol,
            Kind::BodyTooLarge,
        ][..],
    );
    let what = prop_oneof![
        3 => codes.clone().prop_map(error),
        2 => (codes, 0u32..90).prop_map(|(code, hint)| error_after(code, &hint.to_string())),
        2 => kinds.clone().prop_map(fails),
        1 => kinds.prop_map(|kind| ok().ends_with(kind)),
        1 => prop::sample::select(&[200u16, 302, 407, 429, 500, 502, 503, 504][..])
            .prop_map(|status| answer(status, "<html>")),
        1 => Just(ok()),
    ];
    (what, prop_oneof![3 => Just(0), 1 => 0u64..100_000]).prop_map(|(answer, time)| answer.taking(time))
}

/// What a colour came to, in a form that can be compared.
#[derive(Debug, PartialEq)]
struct Came {
    requests: Vec<String>,
    waits: Vec<Duration>,
    passed: Duration,
    end: String,
}

#[derive(Clone, Debug)]
struct Limits {
    max_attempts: u32,
    deadline: Option<u64>,
    capacity: u32,
    repeat_ambiguous: bool,
    token_provider: bool,
    seed: u64,
}

fn any_limits() -> impl Strategy<Value = Limits> {
    (1u32..8, prop::option::of(1u64..120_000), 0u32..6, any::<bool>(), any::<bool>(), any::<u64>()).prop_map(
        |(max_attempts, deadline, capacity, repeat_ambiguous, token_provider, seed)| Limits {
            max_attempts,
            deadline,
            capacity,
            repeat_ambiguous,
            token_provider,
            seed,
        },
    )
}

fn check<E: Endpoint>(limits: &Limits, answers: &[Answer], endpoint: &E, creates: bool) {
    let came: Mutex<Vec<Came>> = Mutex::default();
    let deadline = limits.deadline.map(Duration::from_millis);
    let policy = StandardPolicy::builder()
        .max_attempts(limits.max_attempts)
        .repeat_ambiguous_inference(limits.repeat_ambiguous)
        .build()
        .unwrap();
    // More than any call can use.
    let mut script = answers.to_vec();
    script.resize(limits.max_attempts as usize + 2, error("MODEL_UNAVAILABLE"));
    let setup = Setup {
        policy: Some(policy),
        deadline,
        token_provider: limits.token_provider,
        retries_paid_for: Some(limits.capacity),
        jitter: Some(limits.seed),
        ..Setup::default()
    };
    in_both_colours(&setup, &script, endpoint, |seen| {
        let (sent, paid_for) = (seen.requests.len() as u32, limits.capacity as usize);
        assert!(sent <= limits.max_attempts + u32::from(limits.token_provider));
        assert!(seen.waits.len() <= paid_for);
        assert!(deadline.is_none_or(|deadline| seen.passed <= deadline));
        let (attempts, history) = match &seen.result {
            Ok(reply) => (reply.attempts(), reply.history()),
            Err(error) => (error.attempts(), error.history()),
        };
        assert_eq!(attempts, sent);
        let retried = || history.iter().filter(|attempt| attempt.wait.is_some_and(|wait| !wait.is_zero()));
        assert_eq!(retried().filter_map(|attempt| attempt.wait).collect::<Vec<_>>(), seen.waits);
        for attempt in retried().filter(|_| creates) {
            // What creates is repeated only when nothing can have been created.
            let refused = attempt.code == Some(ErrorCode::RateLimited);
            assert!(refused || attempt.transport.is_some_and(|kind| !kind.may_have_run()), "{attempt}");
        }
        let end = match &seen.result {
            Ok(reply) => format!("ok {history:?} {:?}", reply.elapsed()),
            Err(error) => format!("{error} {:?} {history:?}", error.kind()),
        };
        came.lock().unwrap().push(Came {
            requests: seen.requests.iter().map(|request| format!("{request:?}")).collect(),
            waits: seen.waits.clone(),
            passed: seen.passed,
            end,
        });
    });
    let came = came.into_inner().unwrap();
    assert!(!came.is_empty());
    assert!(came.windows(2).all(|pair| pair[0] == pair[1]), "{came:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn calls_end_within_their_limits_and_colours_agree(
        limits in any_limits(), answers in prop::collection::vec(any_answer(), 0..10),
    ) {
        check(&limits, &answers, &ChatRequest::new("m").user("Hello"), false);
        check(&limits, &answers, &ListModels::new(), false);
        let creating = RawRequest::post("/v1/auth/api-keys");
        check(&limits, &answers, &creating, true);
    }
}

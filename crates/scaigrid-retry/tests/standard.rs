//! The standard policy, through its public face.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use scaigrid_retry::{
    Decision, FailedAttempt, Failure, InvalidPolicy, RetryPolicy, RetryRule, StandardPolicy,
    StandardPolicyBuilder, StopReason, TransportFailure, WaitSource,
};
use scaigrid_types::ErrorCode;
use scaigrid_types::ReplaySafety::{Idempotent, Inference, NotIdempotent};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn answer(status: u16, code: Option<&ErrorCode>) -> Failure<'_> {
    Failure::Response { status, code }
}

fn coded(code: &ErrorCode) -> Failure<'_> {
    answer(code.http_status().unwrap_or(400), Some(code))
}

fn lost(may_have_run: bool) -> Failure<'static> {
    Failure::Transport { kind: TransportFailure::Interrupted, may_have_run }
}

/// For idempotent, inference, and other calls: whether the first failure is followed by a second attempt.
fn retried(policy: &StandardPolicy, failure: Failure<'_>, hint: Option<Duration>) -> [bool; 3] {
    [Idempotent, Inference, NotIdempotent].map(|safety| {
        policy.decide(&FailedAttempt::new(1, failure, safety).with_hint(hint)).delay().is_some()
    })
}

#[test]
fn every_known_code_follows_its_class() {
    for code in ErrorCode::ALL {
        let expected = match code {
            ErrorCode::RateLimited => [true, true, true],
            ErrorCode::BackendRateLimited
            | ErrorCode::BackendTimeout
            | ErrorCode::BackendError
            | ErrorCode::ModelUnavailable
            | ErrorCode::ScaiechoBackendUnavailable => [true, true, false],
            _ => [false, false, false],
        };
        assert_eq!(retried(&StandardPolicy::new(), coded(code), None), expected, "{code}");
    }
}

#[test]
fn unknown_codes_and_missing_codes_go_by_status() {
    let policy = StandardPolicy::new();
    let unknown = ErrorCode::from("SOMETHING_NEW");
    for code in [None, Some(&unknown)] {
        for status in [502, 503, 504] {
            assert_eq!(retried(&policy, answer(status, code), None), [true, true, false], "{status}");
        }
        for status in [200, 301, 400, 401, 404, 408, 500, 501] {
            assert_eq!(retried(&policy, answer(status, code), Some(SECOND)), [false; 3], "{status}");
        }
        assert_eq!(retried(&policy, answer(429, code), None), [false; 3]);
        assert_eq!(retried(&policy, answer(429, code), Some(Duration::ZERO)), [false; 3]);
        assert_eq!(retried(&policy, answer(429, code), Some(SECOND)), [true, true, false]);
        let known_only = StandardPolicy::builder().retry_unknown_codes(false).build().unwrap();
        assert_eq!(retried(&known_only, answer(503, code), Some(SECOND)), [false; 3]);
    }
}

#[test]
fn transport_failures_go_by_what_may_have_happened() {
    let policy = StandardPolicy::new();
    assert_eq!(retried(&policy, lost(false), None), [true, true, true]);
    assert_eq!(retried(&policy, lost(true), None), [true, false, false]);
    for kind in [TransportFailure::Tls, TransportFailure::Proxy, TransportFailure::BodyTooLarge] {
        assert_eq!(retried(&policy, Failure::Transport { kind, may_have_run: false }, None), [false; 3]);
    }
    let repeats = StandardPolicy::builder().repeat_ambiguous_inference(true).build().unwrap();
    assert_eq!(retried(&repeats, lost(true), None), [true, true, false]);
    let answers_only = StandardPolicy::builder().retry_connection_failures(false).build().unwrap();
    assert_eq!(retried(&answers_only, lost(false), None), [false; 3]);
}

#[test]
fn attempts_are_counted() {
    let stop = Decision::Stop(StopReason::AttemptsExhausted);
    let failure = coded(&ErrorCode::ModelUnavailable);
    assert_eq!(StandardPolicy::new().decide(&FailedAttempt::new(3, failure, Inference)), stop);
    assert_eq!(StandardPolicy::no_retries().decide(&FailedAttempt::new(1, failure, Inference)), stop);
    let six = StandardPolicy::builder().max_attempts(6).build().unwrap();
    assert!(six.decide(&FailedAttempt::new(5, failure, Inference)).delay().is_some());
    assert_eq!(six.decide(&FailedAttempt::new(6, failure, Inference)), stop);
}

#[test]
fn back_end_errors_are_repeated_twice_whatever_came_before() {
    let six = StandardPolicy::builder().max_attempts(6).build().unwrap();
    let failure = coded(&ErrorCode::BackendError);
    let decide = |attempt, code_failures| {
        let failed = FailedAttempt::new(attempt, failure, Inference).with_code_failures(code_failures);
        six.decide(&failed).delay().is_some()
    };
    assert_eq!([decide(1, 1), decide(2, 2), decide(3, 3)], [true, true, false]);
    assert_eq!([decide(3, 1), decide(4, 2), decide(5, 3)], [true, true, false]);
    assert!(!decide(6, 1), "the cap of all attempts holds");
}

#[test]
fn rules_are_replaced_one_by_one() {
    let policy = StandardPolicy::builder()
        .rule("BACKEND_ERROR", RetryRule::never())
        .rule("BUDGET_EXCEEDED", RetryRule::retry().only_with_hint())
        .rule("SLUG_CONFLICT", RetryRule::retry().for_every_call())
        .rule("SOMETHING_NEW", RetryRule::retry().at_most(1))
        .rule("MODEL_UNAVAILABLE", RetryRule::never())
        .rule("MODEL_UNAVAILABLE", RetryRule::retry())
        .build()
        .unwrap();
    let retried = |code: ErrorCode, hint| retried(&policy, coded(&code), hint);
    assert_eq!(retried(ErrorCode::BackendError, Some(SECOND)), [false; 3]);
    assert_eq!(retried(ErrorCode::BudgetExceeded, None), [false; 3]);
    assert_eq!(retried(ErrorCode::BudgetExceeded, Some(SECOND)), [true, true, false]);
    assert_eq!(retried(ErrorCode::SlugConflict, None), [true; 3]);
    assert_eq!(retried("SOMETHING_NEW".into(), None), [true, true, false]);
    assert_eq!(retried(ErrorCode::ModelUnavailable, None), [true, true, false]);
    assert_eq!(retried(ErrorCode::BackendTimeout, None), [true, true, false], "untouched");
    let new = ErrorCode::from("SOMETHING_NEW");
    let second = FailedAttempt::new(2, coded(&new), Inference);
    assert_eq!(policy.decide(&second), Decision::Stop(StopReason::AttemptsExhausted));
}

fn waits(policy: &StandardPolicy, attempts: impl IntoIterator<Item = u32>, jitter: f64) -> Vec<Duration> {
    let failure = coded(&ErrorCode::BackendTimeout);
    let wait = |attempt| policy.decide(&FailedAttempt::new(attempt, failure, Inference).with_jitter(jitter));
    attempts.into_iter().map(|attempt| wait(attempt).delay().unwrap()).collect()
}

#[test]
fn waits_double_and_their_upper_quarter_is_random() {
    let policy = StandardPolicy::builder().max_attempts(100).build().unwrap();
    let full = [500, 1000, 2000, 4000, 8000, 8000, 8000].map(Duration::from_millis);
    let attempts = [1, 2, 3, 4, 5, 6, 60];
    assert_eq!(waits(&policy, attempts, 1.0), full);
    assert_eq!(waits(&policy, attempts, 0.0), full.map(|wait| wait * 3 / 4));
    assert_eq!(waits(&policy, attempts, f64::NAN), full.map(|wait| wait * 3 / 4));
}

#[test]
fn the_presets() {
    let sample = StandardPolicy::sample_loop();
    for jitter in [0.0, 0.5, 1.0] {
        assert_eq!(waits(&sample, [1, 2], jitter), [SECOND, 2 * SECOND]);
    }
    assert_eq!(retried(&sample, coded(&ErrorCode::RateLimited), Some(SECOND)), [false; 3]);
    assert_eq!(retried(&sample, lost(false), None), [false; 3]);
    assert_eq!(retried(&sample, answer(503, None), None), [false; 3]);
    let third = FailedAttempt::new(3, coded(&ErrorCode::BackendTimeout), Inference);
    assert_eq!(sample.decide(&third), Decision::Stop(StopReason::AttemptsExhausted));
    let hinted = FailedAttempt::new(1, coded(&ErrorCode::BackendRateLimited), Inference)
        .with_hint(15 * SECOND)
        .with_jitter(0.9);
    let expected = Decision::RetryAfter { delay: 15 * SECOND, source: WaitSource::Hint };
    assert_eq!(sample.decide(&hinted), expected, "exactly");

    let patient = StandardPolicy::patient();
    assert_eq!(waits(&patient, [1, 6, 7], 1.0), [2 * SECOND, 60 * SECOND, 60 * SECOND]);
    assert!(patient.decide(&hinted.with_hint(600 * SECOND)).delay().is_some());
    assert_eq!(patient.to_builder().build(), Ok(patient));
}

#[test]
fn hints_are_honoured_in_full_and_only_up_to_the_limit() {
    let failed = |seconds| {
        FailedAttempt::new(1, coded(&ErrorCode::RateLimited), Inference)
            .with_hint(Duration::from_secs_f64(seconds))
    };
    let policy = StandardPolicy::new();
    let wait = |seconds, jitter| policy.decide(&failed(seconds).with_jitter(jitter)).delay();
    assert_eq!(wait(0.25, 0.0), Some(Duration::from_millis(250)));
    assert_eq!(wait(2.0, 1.0), Some(Duration::from_millis(2200)));
    assert_eq!(wait(60.0, 0.5), Some(Duration::from_secs(63)));
    assert_eq!(policy.decide(&failed(60.1)), Decision::Stop(StopReason::HintTooLong));
    assert_eq!(wait(0.0, 0.0), Some(Duration::from_millis(375)), "no hint");
}

#[test]
fn a_wait_that_cannot_help_is_not_begun() {
    let failed = FailedAttempt::new(1, coded(&ErrorCode::RateLimited), Inference)
        .with_hint(5 * SECOND)
        .with_deadline(6 * SECOND);
    let policy = StandardPolicy::new();
    assert!(policy.decide(&failed).delay().is_some());
    let late = failed.with_elapsed(SECOND);
    assert_eq!(policy.decide(&late), Decision::Stop(StopReason::DeadlineTooClose));
    // Chance does not decide whether a hint fits.
    let close = failed.with_elapsed(Duration::from_millis(900));
    for jitter in [0.0, 0.5, 1.0] {
        assert_eq!(policy.decide(&close.with_jitter(jitter)).delay().unwrap() / 100, SECOND / 20);
    }
}

#[test]
fn policies_are_checked_when_built() {
    let build = |change: fn(StandardPolicyBuilder) -> StandardPolicyBuilder| {
        change(StandardPolicy::builder()).build().unwrap_err()
    };
    assert_eq!(build(|it| it.max_attempts(0)), InvalidPolicy::NoAttempts);
    assert_eq!(build(|it| it.backoff(Duration::ZERO, SECOND)), InvalidPolicy::NoBackoff);
    assert_eq!(
        build(|it| it.backoff(2 * SECOND, SECOND)),
        InvalidPolicy::BackoffRange { first: 2 * SECOND, longest: SECOND }
    );
    assert_eq!(build(|it| it.longest_hint(Duration::ZERO)), InvalidPolicy::NoHint);
    assert_eq!(build(|it| it.backoff_jitter(1.5)), InvalidPolicy::Jitter { share: 1.5 });
    assert_eq!(build(|it| it.hint_jitter(-0.1)), InvalidPolicy::Jitter { share: -0.1 });
    assert!(matches!(build(|it| it.hint_jitter(f64::NAN)), InvalidPolicy::Jitter { .. }));
    assert!(build(|it| it.backoff(2 * SECOND, SECOND)).to_string().contains("(1s) is shorter"));
}

proptest! {
    #[test]
    fn no_input_panics_or_breaks_a_limit(
        attempt in any::<u32>(), failures in any::<u32>(), elapsed in any::<u64>(),
        deadline in proptest::option::of(any::<u64>()), status in any::<u16>(),
        hint in proptest::option::of(any::<u64>()), jitter in any::<f64>(), max in 1u32..,
        code in 0usize..=ErrorCode::ALL.len(), longest in 1u64.., share in 0.0..=1.0,
    ) {
        let policy = StandardPolicy::builder()
            .max_attempts(max)
            .backoff(Duration::from_nanos(longest), Duration::from_secs(longest))
            .backoff_jitter(share)
            .hint_jitter(share)
            .longest_hint(Duration::MAX)
            .build()
            .unwrap();
        let failed = FailedAttempt::new(attempt, answer(status, ErrorCode::ALL.get(code)), Inference)
            .with_code_failures(failures)
            .with_elapsed(Duration::from_millis(elapsed))
            .with_deadline(deadline.map(Duration::from_millis))
            .with_hint(hint.map(Duration::from_secs))
            .with_jitter(jitter);
        if let Some(delay) = policy.decide(&failed).delay() {
            prop_assert!(attempt < max);
            prop_assert!(hint.is_none_or(|hint| delay >= Duration::from_secs(hint)));
            prop_assert!(failed.deadline.is_none_or(|deadline| failed.elapsed + delay < deadline));
        }
    }
}

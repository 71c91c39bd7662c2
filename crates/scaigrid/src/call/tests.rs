//! The call without any driver, against random outcomes.

use super::*;
use crate::SystemEnv;
use crate::settings::Draft;
use proptest::prelude::*;
use scaigrid_retry::{RetryBudget, RetryPolicy, StandardPolicy};
use scaigrid_transport::TransportErrorKind as Kind;
use scaigrid_types::ChatRequest;
use std::sync::Arc;
use std::time::SystemTime;

/// Wants to go on for ever, whatever the failure and the deadline.
struct Stubborn(Duration);

impl RetryPolicy for Stubborn {
    fn decide(&self, _: &FailedAttempt<'_>) -> Decision {
        Decision::RetryAfter { delay: self.0, source: WaitSource::Backoff }
    }
}

/// What happens to one request: a status and a code, or a kind of failure; and how long it takes.
type Happens = (Result<(u16, &'static str, u16), Kind>, u64);

fn any_happens() -> impl Strategy<Value = Happens> {
    let code = prop::sample::select(
        &["RATE_LIMITED", "BACKEND_ERROR", "BUDGET_EXCEEDED", "SESSION_EXPIRED", "NEW", "HTML"][..],
    );
    let status = prop::sample::select(&[200u16, 401, 407, 429, 500, 502, 503][..]);
    let kind =
        prop::sample::select(&[Kind::Dns, Kind::Connect, Kind::Tls, Kind::Timeout, Kind::Interrupted][..]);
    let what = prop_oneof![(status, code, 0u16..100).prop_map(Ok), kind.prop_map(Err)];
    (what, 0u64..40_000)
}

fn outcome(happens: Result<(u16, &'static str, u16), Kind>) -> Outcome {
    match happens {
        Err(kind) => Outcome::NoAnswer(TransportError::new(kind)),
        Ok((status, code, hint)) => {
            let body = match code {
                "HTML" => "<html>".to_owned(),
                _ => format!(r#"{{"status":"error","error":{{"code":"{code}","retry_after":{hint}}}}}"#),
            };
            let (head, ()) = http::Response::builder().status(status).body(()).unwrap().into_parts();
            Outcome::Answer(head, Bytes::from(body))
        }
    }
}

fn settings(deadline: Option<u64>, capacity: u32, policy: Arc<dyn RetryPolicy>) -> Settings {
    let draft = Draft {
        base_url: Some("https://gateway.test".into()),
        deadline: deadline.map(Duration::from_millis),
        retry_policy: policy,
        retry_budget: RetryBudget::new(capacity),
        ..Draft::default()
    };
    draft.settings(&SystemEnv::with_lookup(&|_| None)).unwrap()
}

/// Runs a call to its end, and checks each step. Gives the number of requests and of waits.
fn run(settings: &Settings, happens: &[Happens], most_attempts: u32, streams: bool) -> (u32, u32) {
    let started = crate::clock::any_instant();
    let mut passed = Duration::ZERO;
    let at = |passed: Duration| Now { instant: started + passed, system: SystemTime::UNIX_EPOCH };
    let token = |text: &str| BearerToken::new(text).unwrap();
    let request = ChatRequest::new("m").user("Hello");
    let mut call = Call::start(&request, settings, None, at(passed)).unwrap();
    if streams {
        call.streaming();
    }
    let (mut sent, mut waits) = (0, 0);
    let mut step = call.first(at(passed));
    loop {
        let left = settings.deadline.map(|deadline| deadline.saturating_sub(passed));
        step = match step {
            Step::Pause(Pause::Token { refused }) => {
                assert_eq!(refused.is_some(), sent > 0, "asked once, and once more after a refusal");
                call.on_token(
                    Ok(token(if refused.is_some() { "fresh_token" } else { "stale_token" })),
                    at(passed),
                )
            }
            Step::Send { timeouts } => {
                let request = call.request();
                sent += 1;
                assert!(sent <= most_attempts + 1, "one more for a fresh token");
                assert!(left.is_none_or(|left| timeouts.attempt.unwrap() <= left));
                assert!(request.headers().contains_key("authorization"));
                let (what, milliseconds) = happens[(sent as usize - 1) % happens.len()];
                let takes = Duration::from_millis(milliseconds);
                match timeouts.attempt.filter(|limit| takes > *limit) {
                    Some(limit) => {
                        passed += limit;
                        call.on_outcome(outcome(Err(Kind::Timeout)), at(passed))
                    }
                    None => {
                        passed += takes;
                        call.on_outcome(outcome(what), at(passed))
                    }
                }
            }
            Step::Pause(Pause::Sleep(delay)) => {
                waits += 1;
                assert!(left.is_none_or(|left| delay < left), "a wait that cannot help");
                passed += delay;
                call.on_waited(at(passed))
            }
            Step::Done(result) => {
                let error = result.unwrap_err();
                assert_eq!(error.attempts(), sent);
                assert_eq!(error.history().len(), sent as usize);
                assert_eq!(error.elapsed(), passed);
                return (sent, waits);
            }
        };
    }
}

#[test]
fn a_retry_that_is_never_sent_costs_nothing() {
    let settings = settings(None, 1, Arc::new(StandardPolicy::new()));
    let now = Now { instant: crate::clock::any_instant(), system: SystemTime::UNIX_EPOCH };
    let request = ChatRequest::new("m").user("Hello");
    let mut call = Call::start(&request, &settings, BearerToken::new("some_token").ok(), now).unwrap();
    assert!(matches!(call.first(now), Step::Send { .. }));
    assert!(matches!(call.on_outcome(outcome(Err(Kind::Connect)), now), Step::Pause(Pause::Sleep(_))));
    assert_eq!(settings.retry_budget.remaining(), Some(0));
    drop(call);
    assert_eq!(settings.retry_budget.remaining(), Some(1));
}

proptest! {
    #[test]
    fn every_call_ends_within_its_limits(
        happens in prop::collection::vec(any_happens(), 1..8), deadline in prop::option::of(1u64..200_000),
        capacity in 0u32..8, max_attempts in 1u32..8, streams in any::<bool>(),
    ) {
        let policy = StandardPolicy::builder().max_attempts(max_attempts).build().unwrap();
        let settings = settings(deadline, capacity, Arc::new(policy));
        let (sent, waits) = run(&settings, &happens, max_attempts, streams);
        prop_assert!(waits <= capacity && waits < max_attempts);
        prop_assert!(sent <= waits + 2);
        prop_assert_eq!(settings.retry_budget.remaining(), Some(capacity - waits));
    }

    #[test]
    fn a_policy_without_an_end_is_held_by_deadline_and_budget(
        happens in prop::collection::vec(any_happens(), 1..8), deadline in 1u64..50_000, delay in 0u64..5_000,
        capacity in 0u32..50,
    ) {
        let settings = settings(Some(deadline), capacity, Arc::new(Stubborn(Duration::from_millis(delay))));
        let (_, waits) = run(&settings, &happens, capacity + 1, false);
        prop_assert!(waits <= capacity);
    }
}

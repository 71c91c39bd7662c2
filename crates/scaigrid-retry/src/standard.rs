//! The documented rules as a policy.

use crate::{Decision, FailedAttempt, Failure, RetryPolicy, StopReason, TransportFailure, WaitSource};
use scaigrid_types::{ErrorCode, ReplaySafety, RetryClass};
use std::time::Duration;

/// The rules of the crate's front page. Default: three attempts, waits from 0.5 s doubling to 8 s, hints up to
/// 60 s.
///
/// Three attempts and the retried codes are documented (docs: `getting-started/your-first-integration`); the
/// waits are this client's choice, gentler to callers than the documented sample's 1 s and 2 s.
///
/// ```
/// use scaigrid_retry::StandardPolicy;
/// use std::time::Duration;
///
/// let patient = StandardPolicy::new()
///     .with_max_attempts(6)
///     .with_backoff(Duration::from_secs(1), Duration::from_secs(30))
///     .with_longest_hint(Duration::from_secs(300));
/// let never = StandardPolicy::no_retries();
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct StandardPolicy {
    max_attempts: u32,
    first_backoff: Duration,
    longest_backoff: Duration,
    longest_hint: Duration,
    repeats_ambiguous_inference: bool,
}

/// Retries of a code that the documentation wants repeated "once or twice".
const LIMITED_RETRIES: u32 = 2;
/// Share of a backoff that is random, so that clients do not come back in step.
const BACKOFF_JITTER: f64 = 0.25;
/// Most that is added to a hint, for the same reason.
const HINT_JITTER: f64 = 0.10;

impl Default for StandardPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            first_backoff: Duration::from_millis(500),
            longest_backoff: Duration::from_secs(8),
            longest_hint: Duration::from_secs(60),
            repeats_ambiguous_inference: false,
        }
    }
}

impl StandardPolicy {
    /// The default rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// One attempt.
    pub fn no_retries() -> Self {
        Self::new().with_max_attempts(1)
    }

    /// Limits the attempts, the first one included. 0 counts as 1.
    pub fn with_max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Sets the first wait and the longest one; between them each is twice the one before.
    pub fn with_backoff(mut self, first: Duration, longest: Duration) -> Self {
        (self.first_backoff, self.longest_backoff) = (first, longest);
        self
    }

    /// Sets the longest wait that a server may ask for. A longer one ends the call with its error.
    pub fn with_longest_hint(mut self, longest: Duration) -> Self {
        self.longest_hint = longest;
        self
    }

    /// Repeats inference calls also when the connection broke after sending. The call may then run, and cost,
    /// twice.
    pub fn with_ambiguous_inference_repeated(mut self) -> Self {
        self.repeats_ambiguous_inference = true;
        self
    }

    /// Why this failure is not repeated at all, or how often it may be.
    fn permitted_retries(&self, failed: &FailedAttempt<'_>) -> Result<u32, StopReason> {
        match failed.failure {
            Failure::Response { status, code } => permitted_by_answer(status, code, failed),
            Failure::Transport { kind, may_have_run } => {
                self.permitted_by_transport(kind, may_have_run, failed.replay_safety)
            }
        }
    }

    fn permitted_by_transport(
        &self,
        kind: TransportFailure,
        may_have_run: bool,
        replay_safety: ReplaySafety,
    ) -> Result<u32, StopReason> {
        use TransportFailure as Kind;
        match kind {
            Kind::Tls | Kind::Proxy | Kind::BodyTooLarge | Kind::InvalidRequest | Kind::Cancelled => {
                Err(StopReason::NotRetryable)
            }
            Kind::Dns | Kind::Connect | Kind::Timeout | Kind::Interrupted if !may_have_run => Ok(u32::MAX),
            Kind::Dns | Kind::Connect | Kind::Timeout | Kind::Interrupted => match replay_safety {
                ReplaySafety::Idempotent => Ok(u32::MAX),
                ReplaySafety::Inference if self.repeats_ambiguous_inference => Ok(u32::MAX),
                _ => Err(StopReason::MayHaveRun),
            },
        }
    }

    fn backoff(&self, failed: &FailedAttempt<'_>) -> Duration {
        let doublings = failed.attempt.saturating_sub(1).min(31);
        let full = self.first_backoff.saturating_mul(1 << doublings).min(self.longest_backoff);
        full.mul_f64(1.0 - BACKOFF_JITTER + BACKOFF_JITTER * unit(failed.jitter))
    }
}

fn permitted_by_answer(
    status: u16,
    code: Option<&ErrorCode>,
    failed: &FailedAttempt<'_>,
) -> Result<u32, StopReason> {
    let class = match code.map_or(RetryClass::ByStatus, ErrorCode::retry_class) {
        RetryClass::ByStatus => class_of_status(status, failed.hint),
        class => class,
    };
    let retries = match class {
        RetryClass::Hint | RetryClass::Backoff => u32::MAX,
        RetryClass::Limited => LIMITED_RETRIES,
        // A refused token is the client's business, before it asks a policy.
        _ => return Err(StopReason::NotRetryable),
    };
    // The limiter refuses before any handler runs, so nothing can have been created.
    if code == Some(&ErrorCode::RateLimited) || failed.replay_safety != ReplaySafety::NotIdempotent {
        return Ok(retries);
    }
    Err(StopReason::MayHaveRun)
}

fn class_of_status(status: u16, hint: Option<Duration>) -> RetryClass {
    match status {
        // Permanent 429s exist, so a 429 alone is no invitation.
        429 if hint.is_some_and(|hint| !hint.is_zero()) => RetryClass::Hint,
        502..=504 => RetryClass::Backoff,
        _ => RetryClass::Never,
    }
}

/// Holds a caller's random number inside its range.
fn unit(jitter: f64) -> f64 {
    if jitter.is_nan() { 0.0 } else { jitter.clamp(0.0, 1.0) }
}

impl RetryPolicy for StandardPolicy {
    fn decide(&self, failed: &FailedAttempt<'_>) -> Decision {
        let retries = match self.permitted_retries(failed) {
            Ok(retries) => retries.min(self.max_attempts - 1),
            Err(reason) => return Decision::Stop(reason),
        };
        if failed.attempt > retries {
            return Decision::Stop(StopReason::AttemptsExhausted);
        }
        let (delay, source) = match failed.hint.filter(|hint| !hint.is_zero()) {
            Some(hint) if hint > self.longest_hint => return Decision::Stop(StopReason::HintTooLong),
            Some(hint) => {
                let jitter = hint.mul_f64(HINT_JITTER * unit(failed.jitter));
                (hint.saturating_add(jitter), WaitSource::Hint)
            }
            None => (self.backoff(failed), WaitSource::Backoff),
        };
        let end = failed.elapsed.saturating_add(delay);
        if failed.deadline.is_some_and(|deadline| end >= deadline) {
            return Decision::Stop(StopReason::DeadlineTooClose);
        }
        Decision::RetryAfter { delay, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use scaigrid_types::ReplaySafety::{Idempotent, Inference, NotIdempotent};

    const POLICY: fn() -> StandardPolicy = StandardPolicy::new;

    fn answer(status: u16, code: Option<&ErrorCode>) -> Failure<'_> {
        Failure::Response { status, code }
    }

    fn lost(may_have_run: bool) -> Failure<'static> {
        Failure::Transport { kind: TransportFailure::Interrupted, may_have_run }
    }

    /// For idempotent, inference, and other calls: whether the first failure is followed by a second attempt.
    fn retried(failure: Failure<'_>, hint: Option<Duration>) -> [bool; 3] {
        [Idempotent, Inference, NotIdempotent].map(|safety| {
            POLICY().decide(&FailedAttempt::new(1, failure, safety).with_hint(hint)).delay().is_some()
        })
    }

    #[test]
    fn every_known_code_follows_its_class() {
        for code in ErrorCode::ALL {
            let status = code.http_status().unwrap_or(400);
            let expected = match code {
                ErrorCode::RateLimited => [true, true, true],
                ErrorCode::BackendRateLimited
                | ErrorCode::BackendTimeout
                | ErrorCode::BackendError
                | ErrorCode::ModelUnavailable
                | ErrorCode::ScaiechoBackendUnavailable => [true, true, false],
                _ => [false, false, false],
            };
            assert_eq!(retried(answer(status, Some(code)), None), expected, "{code}");
        }
    }

    #[test]
    fn unknown_codes_and_missing_codes_go_by_status() {
        let unknown = ErrorCode::from("SOMETHING_NEW");
        let hint = Some(Duration::from_secs(1));
        for code in [None, Some(&unknown)] {
            for status in [502, 503, 504] {
                assert_eq!(retried(answer(status, code), None), [true, true, false], "{status}");
            }
            for status in [200, 301, 400, 401, 404, 408, 500, 501] {
                assert_eq!(retried(answer(status, code), hint), [false; 3], "{status}");
            }
            assert_eq!(retried(answer(429, code), None), [false; 3]);
            assert_eq!(retried(answer(429, code), Some(Duration::ZERO)), [false; 3]);
            assert_eq!(retried(answer(429, code), hint), [true, true, false]);
        }
    }

    #[test]
    fn transport_failures_go_by_what_may_have_happened() {
        assert_eq!(retried(lost(false), None), [true, true, true]);
        assert_eq!(retried(lost(true), None), [true, false, false]);
        for kind in [TransportFailure::Tls, TransportFailure::Proxy, TransportFailure::BodyTooLarge] {
            assert_eq!(retried(Failure::Transport { kind, may_have_run: false }, None), [false; 3]);
        }
        let decide = |safety| {
            let policy = POLICY().with_ambiguous_inference_repeated();
            policy.decide(&FailedAttempt::new(1, lost(true), safety)).delay().is_some()
        };
        assert_eq!([Idempotent, Inference, NotIdempotent].map(decide), [true, true, false]);
    }

    #[test]
    fn attempts_are_counted_and_backend_errors_more_tightly() {
        let stop = Decision::Stop(StopReason::AttemptsExhausted);
        let failure = answer(503, Some(&ErrorCode::ModelUnavailable));
        assert_eq!(POLICY().decide(&FailedAttempt::new(3, failure, Inference)), stop);
        assert_eq!(StandardPolicy::no_retries().decide(&FailedAttempt::new(1, failure, Inference)), stop);
        let patient = POLICY().with_max_attempts(6);
        assert!(patient.decide(&FailedAttempt::new(5, failure, Inference)).delay().is_some());
        let backend = answer(502, Some(&ErrorCode::BackendError));
        assert!(patient.decide(&FailedAttempt::new(2, backend, Inference)).delay().is_some());
        assert_eq!(patient.decide(&FailedAttempt::new(3, backend, Inference)), stop);
    }

    #[test]
    fn waits_double_within_their_range() {
        let policy = POLICY().with_max_attempts(100);
        let failure = answer(504, Some(&ErrorCode::BackendTimeout));
        for (attempt, full) in [(1, 500), (2, 1000), (3, 2000), (4, 4000), (5, 8000), (6, 8000), (60, 8000)] {
            let wait = |jitter| {
                let failed = FailedAttempt::new(attempt, failure, Inference).with_jitter(jitter);
                policy.decide(&failed).delay().unwrap()
            };
            assert_eq!(wait(0.0), Duration::from_millis(full * 3 / 4));
            assert_eq!(wait(1.0), Duration::from_millis(full));
        }
    }

    #[test]
    fn hints_are_honoured_in_full_and_only_up_to_the_limit() {
        let failed = |seconds| {
            FailedAttempt::new(1, answer(429, Some(&ErrorCode::RateLimited)), Inference)
                .with_hint(Duration::from_secs_f64(seconds))
        };
        let wait = |seconds, jitter| POLICY().decide(&failed(seconds).with_jitter(jitter)).delay();
        assert_eq!(wait(0.25, 0.0), Some(Duration::from_millis(250)));
        assert_eq!(wait(2.0, 1.0), Some(Duration::from_millis(2200)));
        assert_eq!(wait(60.0, 0.5), Some(Duration::from_secs(63)));
        assert_eq!(POLICY().decide(&failed(60.1)), Decision::Stop(StopReason::HintTooLong));
        assert_eq!(wait(0.0, 0.0), Some(Duration::from_millis(375)));
    }

    #[test]
    fn a_wait_that_cannot_help_is_not_begun() {
        let failed = FailedAttempt::new(1, answer(429, Some(&ErrorCode::RateLimited)), Inference)
            .with_hint(Duration::from_secs(5))
            .with_deadline(Duration::from_secs(6));
        assert!(POLICY().decide(&failed).delay().is_some());
        let late = failed.with_elapsed(Duration::from_secs(1));
        assert_eq!(POLICY().decide(&late), Decision::Stop(StopReason::DeadlineTooClose));
    }

    proptest! {
        #[test]
        fn no_input_panics_or_breaks_a_limit(
            attempt in any::<u32>(), elapsed in any::<u64>(), deadline in proptest::option::of(any::<u64>()),
            status in any::<u16>(), hint in proptest::option::of(any::<u64>()), jitter in any::<f64>(),
            max in any::<u32>(), code in 0usize..ErrorCode::ALL.len(),
        ) {
            let policy = StandardPolicy::new().with_max_attempts(max).with_longest_hint(Duration::MAX);
            let failed = FailedAttempt::new(attempt, answer(status, ErrorCode::ALL.get(code)), Inference)
                .with_elapsed(Duration::from_millis(elapsed))
                .with_deadline(deadline.map(Duration::from_millis))
                .with_hint(hint.map(Duration::from_millis))
                .with_jitter(jitter);
            if let Some(delay) = policy.decide(&failed).delay() {
                prop_assert!(attempt < max.max(1));
                prop_assert!(hint.is_none_or(|hint| delay >= Duration::from_millis(hint)));
                prop_assert!(failed.deadline.is_none_or(|deadline| failed.elapsed + delay < deadline));
            }
        }
    }
}

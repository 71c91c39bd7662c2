//! The documented rules as a policy.

use crate::{
    Decision, FailedAttempt, Failure, RetryPolicy, RetryRule, StandardPolicyBuilder, StopReason,
    TransportFailure, WaitSource,
};
use scaigrid_types::{ErrorCode, ReplaySafety};
use std::time::Duration;

/// The rules of the crate's front page. Default: three attempts, waits from 0.5 s doubling to 8 s, hints up to
/// 60 s.
///
/// Three attempts and the retried codes are documented (docs: `getting-started/your-first-integration`); the
/// waits are this client's choice, gentler to callers than the documented sample's 1 s and 2 s, which are at hand as
/// [`sample_loop`](Self::sample_loop).
///
/// ```
/// use scaigrid_retry::StandardPolicy;
///
/// let interactive = StandardPolicy::new();
/// let batch = StandardPolicy::patient();
/// let never = StandardPolicy::no_retries();
/// let five = StandardPolicy::builder().max_attempts(5).build()?;
/// # Ok::<(), scaigrid_retry::InvalidPolicy>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct StandardPolicy {
    pub(crate) max_attempts: u32,
    pub(crate) first_backoff: Duration,
    pub(crate) longest_backoff: Duration,
    pub(crate) backoff_jitter: f64,
    pub(crate) longest_hint: Duration,
    pub(crate) hint_jitter: f64,
    /// Replacements. Few, so a list.
    pub(crate) rules: Vec<(ErrorCode, RetryRule)>,
    pub(crate) retries_unknown_codes: bool,
    pub(crate) retries_connection_failures: bool,
    pub(crate) repeats_ambiguous_inference: bool,
}

impl Default for StandardPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            first_backoff: Duration::from_millis(500),
            longest_backoff: Duration::from_secs(8),
            backoff_jitter: 0.25,
            longest_hint: Duration::from_secs(60),
            hint_jitter: 0.10,
            rules: Vec::new(),
            retries_unknown_codes: true,
            retries_connection_failures: true,
            repeats_ambiguous_inference: false,
        }
    }
}

impl StandardPolicy {
    /// The default rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Settings to start from: the default rules.
    pub fn builder() -> StandardPolicyBuilder {
        Self::new().to_builder()
    }

    /// This policy's settings, to change some of them.
    pub fn to_builder(&self) -> StandardPolicyBuilder {
        StandardPolicyBuilder { policy: self.clone() }
    }

    /// One attempt.
    pub fn no_retries() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// The retry loop of the integration guide (docs: `getting-started/your-first-integration`): three attempts;
    /// `BACKEND_RATE_LIMITED`, `BACKEND_TIMEOUT`, `BACKEND_ERROR`, and `MODEL_UNAVAILABLE` only; the server's wait, else
    /// 1 s and 2 s, without jitter.
    ///
    /// Unlike that loop it waits for no hint above 60 s, and repeats no call that creates something.
    pub fn sample_loop() -> Self {
        Self {
            first_backoff: Duration::from_secs(1),
            backoff_jitter: 0.0,
            hint_jitter: 0.0,
            rules: vec![(ErrorCode::RateLimited, RetryRule::never())],
            retries_unknown_codes: false,
            retries_connection_failures: false,
            ..Self::default()
        }
    }

    /// For batch work that nobody waits for: eight attempts, waits from 2 s doubling to 60 s, hints up to 10 minutes.
    pub fn patient() -> Self {
        Self {
            max_attempts: 8,
            first_backoff: Duration::from_secs(2),
            longest_backoff: Duration::from_secs(60),
            longest_hint: Duration::from_secs(600),
            ..Self::default()
        }
    }

    /// Why this failure is not repeated at all, or how often it may be.
    fn permitted_retries(&self, failed: &FailedAttempt<'_>) -> Result<u32, StopReason> {
        match failed.failure {
            Failure::Response { status, code } => {
                let rule = self.rule(status, code);
                if rule.max_retries == 0 || (rule.needs_hint && hint(failed).is_none()) {
                    return Err(StopReason::NotRetryable);
                }
                if !rule.every_call && failed.replay_safety == ReplaySafety::NotIdempotent {
                    return Err(StopReason::MayHaveRun);
                }
                // What other codes have used up of the attempts is not counted against this one.
                let others = failed.attempt.saturating_sub(failed.code_failures);
                Ok(rule.max_retries.saturating_add(others))
            }
            Failure::Transport { kind, may_have_run } => {
                self.permitted_by_transport(kind, may_have_run, failed.replay_safety)
            }
        }
    }

    fn rule(&self, status: u16, code: Option<&ErrorCode>) -> RetryRule {
        let replaced = || self.rules.iter().find(|(known, _)| Some(known) == code).map(|(_, rule)| *rule);
        let by_status = || match self.retries_unknown_codes {
            true => RetryRule::of_status(status),
            false => RetryRule::never(),
        };
        replaced().or_else(|| RetryRule::of_code(code?)).unwrap_or_else(by_status)
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
            _ if !self.retries_connection_failures => Err(StopReason::NotRetryable),
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
        full.saturating_sub(share(full, self.backoff_jitter * (1.0 - unit(failed.jitter))))
    }

    /// In full, and a little more where the deadline leaves room.
    fn after_hint(&self, hint: Duration, failed: &FailedAttempt<'_>) -> Duration {
        let more = hint.saturating_add(share(hint, self.hint_jitter * unit(failed.jitter)));
        if passes_deadline(more, failed) { hint } else { more }
    }
}

/// Zero says nothing.
fn hint(failed: &FailedAttempt<'_>) -> Option<Duration> {
    failed.hint.filter(|hint| !hint.is_zero())
}

fn passes_deadline(delay: Duration, failed: &FailedAttempt<'_>) -> bool {
    failed.deadline.is_some_and(|deadline| failed.elapsed.saturating_add(delay) >= deadline)
}

/// A part of a wait. Rounding must not make a panic of the longest wait there is.
fn share(whole: Duration, share: f64) -> Duration {
    Duration::try_from_secs_f64(whole.as_secs_f64() * share).unwrap_or(whole)
}

/// Holds a caller's random number inside its range.
fn unit(jitter: f64) -> f64 {
    if jitter.is_nan() { 0.0 } else { jitter.clamp(0.0, 1.0) }
}

impl RetryPolicy for StandardPolicy {
    fn decide(&self, failed: &FailedAttempt<'_>) -> Decision {
        let retries = match self.permitted_retries(failed) {
            Ok(retries) => retries.min(self.max_attempts.saturating_sub(1)),
            Err(reason) => return Decision::Stop(reason),
        };
        if failed.attempt > retries {
            return Decision::Stop(StopReason::AttemptsExhausted);
        }
        let (delay, source) = match hint(failed) {
            Some(hint) if hint > self.longest_hint => return Decision::Stop(StopReason::HintTooLong),
            Some(hint) => (self.after_hint(hint, failed), WaitSource::Hint),
            None => (self.backoff(failed), WaitSource::Backoff),
        };
        if passes_deadline(delay, failed) {
            return Decision::Stop(StopReason::DeadlineTooClose);
        }
        Decision::RetryAfter { delay, source }
    }
}

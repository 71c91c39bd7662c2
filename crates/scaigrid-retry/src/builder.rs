//! Policies that read as sentences, checked when built.

use crate::{RetryRule, StandardPolicy};
use scaigrid_types::ErrorCode;
use std::time::Duration;

/// Settings of a [`StandardPolicy`]. Made by [`StandardPolicy::builder`] or, from a preset, by
/// [`StandardPolicy::to_builder`].
///
/// | setting | default |
/// |---|---|
/// | [`max_attempts`](Self::max_attempts) | 3 |
/// | [`backoff`](Self::backoff) | 0.5 s doubling to 8 s |
/// | [`backoff_jitter`](Self::backoff_jitter) | 0.25: the upper quarter is random |
/// | [`longest_hint`](Self::longest_hint) | 60 s |
/// | [`hint_jitter`](Self::hint_jitter) | 0.10: up to 10 % on top |
/// | [`rule`](Self::rule) | the rules of the [crate's page](crate) |
/// | [`retry_unknown_codes`](Self::retry_unknown_codes) | yes, by status |
/// | [`retry_connection_failures`](Self::retry_connection_failures) | yes |
/// | [`repeat_ambiguous_inference`](Self::repeat_ambiguous_inference) | no |
///
/// ```
/// use scaigrid_retry::{InvalidPolicy, StandardPolicy};
/// use std::time::Duration;
///
/// let policy = StandardPolicy::builder()
///     .max_attempts(6)
///     .backoff(Duration::from_secs(1), Duration::from_secs(30))
///     .longest_hint(Duration::from_secs(300))
///     .build()?;
/// assert_eq!(StandardPolicy::builder().max_attempts(0).build(), Err(InvalidPolicy::NoAttempts));
/// # Ok::<(), InvalidPolicy>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct StandardPolicyBuilder {
    pub(crate) policy: StandardPolicy,
}

impl StandardPolicyBuilder {
    /// Limits the attempts, the first one included.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.policy.max_attempts = attempts;
        self
    }

    /// Sets the first wait and the longest one; between them each is twice the one before.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        (self.policy.first_backoff, self.policy.longest_backoff) = (first, longest);
        self
    }

    /// Sets which share of an own wait is random, from 0.0 (none) to 1.0 (all of it), so that clients do not come back
    /// in step. The wait never exceeds its full length.
    pub fn backoff_jitter(mut self, share: f64) -> Self {
        self.policy.backoff_jitter = share;
        self
    }

    /// Sets the longest wait that a server may ask for. A longer one ends the call at once with its error.
    pub fn longest_hint(mut self, longest: Duration) -> Self {
        self.policy.longest_hint = longest;
        self
    }

    /// Sets how much is added to a server's wait at most, as a share of it, from 0.0 to 1.0.
    pub fn hint_jitter(mut self, share: f64) -> Self {
        self.policy.hint_jitter = share;
        self
    }

    /// Replaces the rule for one code. It then applies whatever the HTTP status is.
    pub fn rule(mut self, code: impl Into<ErrorCode>, rule: RetryRule) -> Self {
        let code = code.into();
        self.policy.rules.retain(|(known, _)| *known != code);
        self.policy.rules.push((code, rule));
        self
    }

    /// Whether answers without a known code are repeated by their status: 502, 503, 504, and a 429 with a hint.
    pub fn retry_unknown_codes(mut self, retry: bool) -> Self {
        self.policy.retries_unknown_codes = retry;
        self
    }

    /// Whether calls are repeated that got no complete answer, as far as that is safe.
    pub fn retry_connection_failures(mut self, retry: bool) -> Self {
        self.policy.retries_connection_failures = retry;
        self
    }

    /// Whether inference calls are repeated also when the connection broke or the time was over after sending. The
    /// call may then run, and cost, twice. Calls that create something are never repeated then.
    pub fn repeat_ambiguous_inference(mut self, repeat: bool) -> Self {
        self.policy.repeats_ambiguous_inference = repeat;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// See [`InvalidPolicy`].
    pub fn build(self) -> Result<StandardPolicy, InvalidPolicy> {
        let policy = self.policy;
        let (first, longest) = (policy.first_backoff, policy.longest_backoff);
        let is_share = |share: f64| (0.0..=1.0).contains(&share);
        if policy.max_attempts == 0 {
            return Err(InvalidPolicy::NoAttempts);
        }
        if first.is_zero() {
            return Err(InvalidPolicy::NoBackoff);
        }
        if longest < first {
            return Err(InvalidPolicy::BackoffRange { first, longest });
        }
        if policy.longest_hint.is_zero() {
            return Err(InvalidPolicy::NoHint);
        }
        match [policy.backoff_jitter, policy.hint_jitter].into_iter().find(|share| !is_share(*share)) {
            Some(share) => Err(InvalidPolicy::Jitter { share }),
            None => Ok(policy),
        }
    }
}

/// Why a policy was not built.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPolicy {
    /// The first attempt counts too.
    #[error("a policy needs at least one attempt: 1 is no retries")]
    NoAttempts,
    /// Retries without a pause would hammer a server in trouble.
    #[error("the first backoff is zero: retries need a pause")]
    NoBackoff,
    /// The range is empty.
    #[error("the longest backoff ({longest:?}) is shorter than the first ({first:?})")]
    BackoffRange {
        /// The first wait.
        first: Duration,
        /// The longest wait.
        longest: Duration,
    },
    /// Every hint would end the call.
    #[error("the longest hint is zero: to stop on hints, set rules for the codes instead")]
    NoHint,
    /// Not a share.
    #[error("a jitter of {share} is no share: it goes from 0.0 to 1.0")]
    Jitter {
        /// What was given.
        share: f64,
    },
}

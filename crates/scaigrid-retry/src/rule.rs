//! What to do about one error code.

use scaigrid_types::{ErrorCode, RetryClass};

/// What [`StandardPolicy`](crate::StandardPolicy) does about one error code. Reads as a sentence.
///
/// ```
/// use scaigrid_retry::{RetryRule, StandardPolicy};
///
/// let policy = StandardPolicy::builder()
///     .rule("MODEL_UNAVAILABLE", RetryRule::retry().at_most(1))
///     .rule("BACKEND_RATE_LIMITED", RetryRule::retry().only_with_hint())
///     .rule("BACKEND_ERROR", RetryRule::never())
///     .build()?;
/// # Ok::<(), scaigrid_retry::InvalidPolicy>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a rule does nothing until a policy has it"]
pub struct RetryRule {
    pub(crate) max_retries: u32,
    pub(crate) needs_hint: bool,
    pub(crate) every_call: bool,
}

impl RetryRule {
    /// The failure is final.
    pub const fn never() -> Self {
        Self { max_retries: 0, needs_hint: false, every_call: false }
    }

    /// Idempotent and inference calls are repeated, as often as the policy allows.
    pub const fn retry() -> Self {
        Self { max_retries: u32::MAX, needs_hint: false, every_call: false }
    }

    /// Limits how often a call is repeated because of this code, within the policy's own limit.
    pub const fn at_most(mut self, retries: u32) -> Self {
        self.max_retries = retries;
        self
    }

    /// Only when the server says how long to wait.
    pub const fn only_with_hint(mut self) -> Self {
        self.needs_hint = true;
        self
    }

    /// Also calls that create something or have another effect. Right only for a code that means that nothing was
    /// done.
    pub const fn for_every_call(mut self) -> Self {
        self.every_call = true;
        self
    }

    /// The rule of the reference for a code. `None`: the HTTP status decides.
    pub(crate) fn of_code(code: &ErrorCode) -> Option<Self> {
        match code.retry_class() {
            // The limiter refuses before any handler runs, so nothing can have been created.
            _ if *code == ErrorCode::RateLimited => Some(Self::retry().for_every_call()),
            RetryClass::Hint | RetryClass::Backoff => Some(Self::retry()),
            // "Once or twice", says the documentation.
            RetryClass::Limited => Some(Self::retry().at_most(2)),
            RetryClass::ByStatus => None,
            // A refused token is the client's business, before it asks a policy.
            _ => Some(Self::never()),
        }
    }

    /// The rule for an answer whose code, if any, says nothing.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            // Permanent 429s exist, so a 429 alone is no invitation.
            429 => Self::retry().only_with_hint(),
            502..=504 => Self::retry(),
            _ => Self::never(),
        }
    }
}

//! The seam: swap this to swap the retry judgement.

use crate::{Decision, FailedAttempt};

/// Decides whether a failed attempt is followed by another.
///
/// Implementations are pure: same input, same answer. What other calls have done is not theirs to know: the caller
/// asks a [`RetryBudget`](crate::RetryBudget) before it follows a [`Decision::RetryAfter`].
///
/// ```
/// use scaigrid_retry::{Decision, FailedAttempt, RetryPolicy, StopReason};
///
/// /// Tries once.
/// #[derive(Debug)]
/// struct Never;
///
/// impl RetryPolicy for Never {
///     fn decide(&self, _: &FailedAttempt<'_>) -> Decision {
///         Decision::Stop(StopReason::AttemptsExhausted)
///     }
/// }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait RetryPolicy: Send + Sync {
    /// Called after each failed attempt, with all that is known.
    #[allow(clippy::needless_lifetimes, reason = "mockall needs the lifetime by name")]
    fn decide<'a>(&self, failed: &FailedAttempt<'a>) -> Decision;
}

impl<T: RetryPolicy + ?Sized> RetryPolicy for std::sync::Arc<T> {
    fn decide(&self, failed: &FailedAttempt<'_>) -> Decision {
        (**self).decide(failed)
    }
}

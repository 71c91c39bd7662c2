//! What a policy sees, and what it answers.

use scaigrid_types::{ErrorCode, ReplaySafety};
use std::fmt;
use std::time::Duration;

/// A failed attempt, with all that bears on trying again.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FailedAttempt<'a> {
    /// The number of the attempt that failed, from 1. A repetition with a fresh token does not count.
    pub attempt: u32,
    /// How many attempts of this call have failed with the same error code, this one included. For rules that limit the
    /// retries of one code.
    pub code_failures: u32,
    /// Time since the call began, waits included.
    pub elapsed: Duration,
    /// Time that the whole call may take, counted from the same moment. `None`: no limit.
    pub deadline: Option<Duration>,
    /// What went wrong.
    pub failure: Failure<'a>,
    /// How long the server asks to wait. `None` when it does not say; zero is the same.
    pub hint: Option<Duration>,
    /// What happens when the call runs twice.
    pub replay_safety: ReplaySafety,
    /// A random number from 0.0 up to but not including 1.0, for jitter. The policy has no source of its own.
    pub jitter: f64,
}

impl<'a> FailedAttempt<'a> {
    /// A failure without a hint, at time zero, without a deadline, with jitter 0. All attempts before count as failed in
    /// the same way.
    pub fn new(attempt: u32, failure: Failure<'a>, replay_safety: ReplaySafety) -> Self {
        Self {
            attempt,
            code_failures: attempt,
            elapsed: Duration::ZERO,
            deadline: None,
            failure,
            hint: None,
            replay_safety,
            jitter: 0.0,
        }
    }

    /// Sets how many attempts have failed with the same error code, this one included.
    pub fn with_code_failures(mut self, failures: u32) -> Self {
        self.code_failures = failures;
        self
    }

    /// Sets the time since the call began.
    pub fn with_elapsed(mut self, elapsed: Duration) -> Self {
        self.elapsed = elapsed;
        self
    }

    /// Sets the time that the whole call may take.
    pub fn with_deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.deadline = deadline.into();
        self
    }

    /// Sets how long the server asks to wait.
    pub fn with_hint(mut self, hint: impl Into<Option<Duration>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Sets the random number, from 0.0 up to 1.0.
    pub fn with_jitter(mut self, jitter: f64) -> Self {
        self.jitter = jitter;
        self
    }
}

/// What went wrong with an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure<'a> {
    /// An answer came, and it is a failure.
    Response {
        /// The HTTP status. May be 2xx: an error envelope can come with any status.
        status: u16,
        /// The code in the body. `None` when the body holds none, such as a proxy's HTML page.
        code: Option<&'a ErrorCode>,
    },
    /// No complete answer came.
    Transport {
        /// What happened.
        kind: TransportFailure,
        /// Whether the server may have run the call.
        may_have_run: bool,
    },
}

/// How a transport failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportFailure {
    /// The host name did not resolve.
    Dns,
    /// No connection, or not in time.
    Connect,
    /// No trusted TLS connection.
    Tls,
    /// The proxy refused.
    Proxy,
    /// The attempt took too long, or the server was silent for too long.
    Timeout,
    /// The connection broke, or what came is not HTTP.
    Interrupted,
    /// The answer is larger than allowed.
    BodyTooLarge,
    /// The request cannot be sent as it is.
    InvalidRequest,
    /// The caller ended the call.
    Cancelled,
}

/// The answer of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Wait, then try again.
    RetryAfter {
        /// How long to wait.
        delay: Duration,
        /// Where the wait comes from.
        source: WaitSource,
    },
    /// Give up and hand out the failure.
    Stop(StopReason),
}

impl Decision {
    /// The wait before the next attempt. `None`: there is none.
    pub fn delay(&self) -> Option<Duration> {
        match self {
            Decision::RetryAfter { delay, .. } => Some(*delay),
            Decision::Stop(_) => None,
        }
    }
}

/// Where a wait comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitSource {
    /// The server asked for it.
    Hint,
    /// Exponential backoff.
    Backoff,
    /// No wait: the token was refused, and a fresh one is tried at once.
    FreshToken,
}

impl fmt::Display for WaitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WaitSource::Hint => "hint",
            WaitSource::Backoff => "backoff",
            WaitSource::FreshToken => "fresh token",
        })
    }
}

/// Why there is no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// Repeating cannot help: the code, the status, or the kind of failure says so.
    NotRetryable,
    /// The call may have run, and running it twice is not known to be harmless.
    MayHaveRun,
    /// All attempts are used up, or all that this error code is worth.
    AttemptsExhausted,
    /// The server asks for a longer wait than the policy allows.
    HintTooLong,
    /// The wait would pass the deadline.
    DeadlineTooClose,
    /// The request's body came from a reader, which can be read only once.
    BodyNotRepeatable,
    /// The [`RetryBudget`](crate::RetryBudget) is empty: too many calls have failed lately. Another call's failure may
    /// have taken the last token.
    RetryBudgetEmpty,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StopReason::NotRetryable => "not retryable",
            StopReason::MayHaveRun => "the call may have run",
            StopReason::AttemptsExhausted => "attempts exhausted",
            StopReason::HintTooLong => "the server asks for a longer wait than allowed",
            StopReason::DeadlineTooClose => "the wait would pass the deadline",
            StopReason::BodyNotRepeatable => "the request's body came from a reader and cannot be sent again",
            StopReason::RetryBudgetEmpty => "the retry budget is empty",
        })
    }
}

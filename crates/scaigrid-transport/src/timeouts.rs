//! The time limits of one exchange, and the clock that they are measured with.
#![allow(clippy::disallowed_methods, reason = "sockets wait in real time")]

use std::time::Duration;

/// The time limits of one exchange. Default: none.
///
/// The time to connect is a setting of each transport, because it belongs to the connection and not to the
/// request.
///
/// ```
/// use scaigrid_transport::Timeouts;
/// use std::time::Duration;
///
/// // A stream: a minute to its first byte, half a minute of silence after that, and no limit on the whole.
/// let timeouts = Timeouts::none().with_first_byte(Duration::from_secs(60)).with_read(Duration::from_secs(30));
/// assert_eq!(timeouts.attempt, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// From the call of `send` to the last byte of the body. It cuts an answer that is still flowing.
    pub attempt: Option<Duration>,
    /// From the call of `send` to the first byte of the body. Without it, `read` also limits the wait for the response
    /// head and the first byte.
    pub first_byte: Option<Duration>,
    /// The longest silence of the server between two pieces of the body.
    pub read: Option<Duration>,
}

impl Timeouts {
    /// No limits.
    pub fn none() -> Self {
        Self::default()
    }

    /// Sets the time for the whole exchange.
    pub fn with_attempt(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.attempt = limit.into();
        self
    }

    /// Sets the time to the first byte of the body.
    pub fn with_first_byte(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.first_byte = limit.into();
        self
    }

    /// Sets the longest silence.
    pub fn with_read(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.read = limit.into();
        self
    }

    /// Whether single reads have limits.
    #[cfg(feature = "reqwest")]
    pub(crate) fn limit_reads(self) -> bool {
        self.first_byte.is_some() || self.read.is_some()
    }
}

#[cfg(any(feature = "reqwest", feature = "ureq"))]
pub(crate) use limit::{ReadLimit, now};

/// The clock of tokio's timers, which may be paused.
#[cfg(feature = "reqwest")]
pub(crate) fn timer_now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

#[cfg(any(feature = "reqwest", feature = "ureq"))]
mod limit {
    use super::{Duration, Timeouts};
    use crate::TransportErrorKind as Kind;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::time::Instant;

    pub(crate) fn now() -> Instant {
        Instant::now()
    }

    /// How long the next read may take, and what it means when it takes longer.
    pub(crate) struct ReadLimit {
        timeouts: Timeouts,
        started: Instant,
        flows: AtomicBool,
        /// When all must be over, in milliseconds from the start. 0: no such limit.
        end: AtomicU64,
    }

    impl ReadLimit {
        pub(crate) fn new(timeouts: Timeouts, started: Instant) -> Self {
            Self { timeouts, started, flows: AtomicBool::new(false), end: AtomicU64::new(0) }
        }

        /// The first byte of the body has come.
        pub(crate) fn flows(&self) {
            self.flows.store(true, Ordering::Relaxed);
        }

        /// Nothing may take longer than this, counted from `now`.
        #[cfg_attr(
            not(feature = "ureq"),
            allow(dead_code, reason = "only the blocking transport has such an end")
        )]
        pub(crate) fn end_within(&self, limit: Duration, now: Instant) {
            let end = now.saturating_duration_since(self.started).saturating_add(limit).as_millis();
            self.end.store(u64::try_from(end).unwrap_or(u64::MAX).max(1), Ordering::Relaxed);
        }

        /// What is left of the attempt. `None`: no limit.
        #[cfg(feature = "ureq")]
        pub(crate) fn attempt_left(&self, now: Instant) -> Option<Duration> {
            Some(self.timeouts.attempt?.saturating_sub(now.saturating_duration_since(self.started)))
        }

        /// `None`: no limit.
        pub(crate) fn next(&self, now: Instant) -> Option<(Duration, Kind)> {
            let passed = now.saturating_duration_since(self.started);
            let wait = match self.timeouts.first_byte.filter(|_| !self.flows.load(Ordering::Relaxed)) {
                Some(limit) => Some((limit.saturating_sub(passed), Kind::FirstByteTimeout)),
                None => self.timeouts.read.map(|limit| (limit, Kind::ReadTimeout)),
            };
            let end = match self.end.load(Ordering::Relaxed) {
                0 => None,
                end => Some((Duration::from_millis(end).saturating_sub(passed), Kind::Timeout)),
            };
            wait.into_iter().chain(end).min_by_key(|(limit, _)| *limit)
        }
    }
}

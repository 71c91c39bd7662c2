//! The time limits of one exchange, and the clock that they are measured with.
#![allow(clippy::disallowed_methods, reason = "sockets wait in real time")]

use std::time::Duration;

/// The time limits of one exchange. Default: none.
///
/// The time to connect is a setting of each transport, because it belongs to the connection and not to the
/// request.
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
}

#[cfg(any(feature = "reqwest", feature = "ureq"))]
pub(crate) use limit::{ReadLimit, now};

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
        /// Another limit for silence, in milliseconds. 0: none.
        silence: AtomicU64,
    }

    impl ReadLimit {
        pub(crate) fn new(timeouts: Timeouts, started: Instant) -> Self {
            Self { timeouts, started, flows: AtomicBool::new(false), silence: AtomicU64::new(0) }
        }

        /// The first byte of the body has come.
        pub(crate) fn flows(&self) {
            self.flows.store(true, Ordering::Relaxed);
        }

        /// From now on, allows this silence.
        #[cfg_attr(not(feature = "ureq"), allow(dead_code))]
        pub(crate) fn limit_silence(&self, limit: Duration) {
            let milliseconds = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            self.silence.store(milliseconds.max(1), Ordering::Relaxed);
        }

        /// `None`: no limit.
        pub(crate) fn next(&self, now: Instant) -> Option<(Duration, Kind)> {
            match self.timeouts.first_byte.filter(|_| !self.flows.load(Ordering::Relaxed)) {
                Some(limit) => {
                    let passed = now.saturating_duration_since(self.started);
                    Some((limit.saturating_sub(passed), Kind::FirstByteTimeout))
                }
                None => {
                    let limit = match self.silence.load(Ordering::Relaxed) {
                        0 => self.timeouts.read,
                        milliseconds => Some(Duration::from_millis(milliseconds)),
                    };
                    limit.map(|limit| (limit, Kind::ReadTimeout))
                }
            }
        }
    }
}

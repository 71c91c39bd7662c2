//! The time limits of one exchange.

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
    /// The longest silence of the server: while the response head is awaited, and between two pieces of the
    /// body.
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

    /// Sets the longest silence.
    pub fn with_read(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.read = limit.into();
        self
    }
}

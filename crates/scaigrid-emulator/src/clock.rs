//! The only place that reads the time.
#![allow(clippy::disallowed_methods, reason = "this module is the clock that everything else has to use")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A point of the monotonic clock.
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}

/// Milliseconds since the Unix epoch; 0 for a clock before it.
pub(crate) fn unix_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Seconds since the Unix epoch.
pub(crate) fn unix_seconds() -> u64 {
    u64::try_from(unix_millis() / 1000).unwrap_or_default()
}

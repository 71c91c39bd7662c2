//! Times as text: RFC 3339 in UTC.

use crate::clock;
use jiff::Timestamp;

/// Now, to the second, as in `created_at`.
pub(crate) fn now() -> String {
    seconds(clock::unix_millis())
}

/// To the second, such as `2026-04-22T14:30:01Z`.
pub(crate) fn seconds(unix_millis: i64) -> String {
    let time = Timestamp::from_millisecond(unix_millis).unwrap_or_default();
    format!("{time:.0}")
}

/// To the millisecond, such as `2026-04-22T14:30:00.000Z`, as documented for events.
pub(crate) fn millis(unix_millis: i64) -> String {
    let time = Timestamp::from_millisecond(unix_millis).unwrap_or_default();
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fraction_is_fixed() {
        assert_eq!(seconds(1_776_868_200_999), "2026-04-22T14:30:00Z");
        assert_eq!(millis(1_776_868_200_000), "2026-04-22T14:30:00.000Z");
        assert_eq!(millis(1_776_868_200_120), "2026-04-22T14:30:00.120Z");
        assert_eq!(seconds(i64::MAX), "1970-01-01T00:00:00Z");
    }
}

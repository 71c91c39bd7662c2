//! Times as the wire has them: RFC 3339 in UTC.

use crate::clock;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};

/// What is wrong with a time in a query.
pub(crate) const TIME_PROBLEM: &str =
    "must be an RFC 3339 time or a date, such as 2026-04-22T14:30:00Z or 2026-04-22";

/// Now, to the second, for what is shown and never compared.
pub(crate) fn now() -> String {
    let now = clock::unix_millis();
    rfc3339(now - now.rem_euclid(1000))
}

/// With a fraction if there is one.
pub(crate) fn rfc3339(unix_ms: i64) -> String {
    Timestamp::from_millisecond(unix_ms).unwrap_or_default().to_string()
}

/// Always with milliseconds, such as `2026-04-22T14:30:00.000Z`, as documented for events.
pub(crate) fn with_millis(unix_ms: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(unix_ms).unwrap_or_default())
}

/// Milliseconds since the Unix epoch, of an RFC 3339 time.
pub(crate) fn parse_rfc3339(text: &str) -> Option<i64> {
    Some(text.parse::<Timestamp>().ok()?.as_millisecond())
}

/// Milliseconds since the Unix epoch. A date is its begin in UTC, or as an end the begin of the day after, so
/// that it includes the day (assumed).
pub(crate) fn instant_ms(text: &str, is_end: bool) -> Option<i64> {
    if let Some(time) = parse_rfc3339(text) {
        return Some(time);
    }
    // The length keeps out times without an offset, whose time part the parser would drop.
    let date = text.parse::<Date>().ok().filter(|_| text.len() <= "2026-04-22".len())?;
    let date = if is_end { date.checked_add(1.day()).ok()? } else { date };
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_may_be_dates_and_may_have_offsets() {
        let day = 24 * 60 * 60 * 1000;
        assert_eq!(instant_ms("1970-01-02", false), Some(day));
        assert_eq!(instant_ms("1970-01-02", true), Some(2 * day));
        assert_eq!(instant_ms("1970-01-01T01:00:00+01:00", false), Some(0));
        assert_eq!(instant_ms("1970-01-01T00:00:00.250Z", true), Some(250));
        for wrong in ["", "yesterday", "1970-13-01", "1970-01-01T00:00:00", "1970-01-01T25:00:00Z"] {
            assert_eq!(instant_ms(wrong, false), None, "{wrong}");
        }
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(250), "1970-01-01T00:00:00.25Z");
        assert_eq!(parse_rfc3339(&rfc3339(1_234_567)), Some(1_234_567));
        assert_eq!(with_millis(1_776_868_200_000), "2026-04-22T14:30:00.000Z");
        assert_eq!(with_millis(1_776_868_200_120), "2026-04-22T14:30:00.120Z");
        assert_eq!(now().len(), "2026-04-22T14:30:00Z".len());
    }
}

//! One line for a support ticket.

use http::StatusCode;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Longest text that comes from the server, in characters.
const LONGEST: usize = 128;

/// What support needs to find a call. Texts are reduced to characters that ids and codes are made of.
pub(crate) struct Line<'a> {
    pub(crate) endpoint: Option<&'static str>,
    /// Such as `succeeded`.
    pub(crate) outcome: &'static str,
    /// What `failed` means.
    pub(crate) error: Option<&'a str>,
    pub(crate) status: Option<StatusCode>,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) at: Option<SystemTime>,
    pub(crate) attempts: u32,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = self.endpoint.unwrap_or("no call");
        write!(f, "scaigrid {}: {endpoint} ", env!("CARGO_PKG_VERSION"))?;
        f.write_str(self.outcome)?;
        if let Some(error) = self.error {
            write!(f, ": {}", plain(error))?;
        }
        if let Some(status) = self.status {
            write!(f, ", HTTP {}", status.as_u16())?;
        }
        match self.request_id {
            Some(id) => write!(f, ", request id {}", plain(id))?,
            None => f.write_str(", no request id")?,
        }
        if let Some(since) = self.at.and_then(|at| at.duration_since(UNIX_EPOCH).ok()) {
            write!(f, ", {}", Utc(since.as_secs()))?;
        }
        let plural = if self.attempts == 1 { "" } else { "s" };
        write!(f, ", {} attempt{plural}", self.attempts)
    }
}

fn plain(text: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "_-.:[]".contains(*c);
    text.chars().filter(is_plain).take(LONGEST).collect()
}

/// Seconds since 1970 as RFC 3339, such as `2026-01-31T12:00:00Z`.
struct Utc(u64);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0 / 86_400, self.0 % 86_400);
        // Years that begin in March, so that the leap day is the last; eras of 400 years.
        let shifted = days + 719_468;
        let (era, day) = (shifted / 146_097, shifted % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year + u64::from(month <= 2);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_are_right_around_leap_days_and_years() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_769_860_800, "2026-01-31T12:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(Utc(seconds).to_string(), text);
        }
    }

    #[test]
    fn a_line_holds_only_plain_characters() {
        let line = Line {
            endpoint: Some("chat"),
            outcome: "failed",
            error: Some("BACKEND_ERROR\n"),
            status: Some(StatusCode::BAD_GATEWAY),
            request_id: Some("req_1\u{1b}[31m \r\n<x>"),
            at: Some(UNIX_EPOCH + Duration::from_secs(1_769_860_800)),
            attempts: 3,
        };
        let start = format!("scaigrid {}: ", env!("CARGO_PKG_VERSION"));
        let rest =
            "chat failed: BACKEND_ERROR, HTTP 502, request id req_1[31mx, 2026-01-31T12:00:00Z, 3 attempts";
        assert_eq!(line.to_string(), start + rest);
    }
}

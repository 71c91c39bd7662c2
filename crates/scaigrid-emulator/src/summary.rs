//! `GET /v1/accounting/usage/summary`.

use crate::clock;
use crate::gateway::Account;
use crate::ids::RequestId;
use crate::ledger::Selection;
use crate::query::{Parameters, RawQuery};
use crate::reply::{Failure, Reply, seal};
use axum::extract::{Extension, Query};
use axum::response::Response;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use scaigrid_types::{FieldError, GroupBy, UsagePeriod};
use std::sync::Arc;

const HOUR_MS: i64 = 60 * 60 * 1000;

pub(crate) async fn usage_summary(
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    Query(pairs): RawQuery,
) -> Response {
    let selection = select(pairs, clock::unix_millis()).map_err(|problems| Failure::invalid(&problems));
    seal(&id, selection.map(|selection| Reply::new(account.summary(&selection))))
}

/// What the query asks for. Where `period`, `start`, and `end` are all given, all of them hold (assumed).
fn select(pairs: Vec<(String, String)>, now_ms: i64) -> Result<Selection, Vec<FieldError>> {
    let mut query = Parameters::new(pairs);
    let period = query.parsed("period", period_ms, "must be one of hour, day, week, month");
    let group_by = query.parsed("group_by", group_by, "must be one of model, user, backend, tenant");
    let message = "must be an RFC 3339 time or a date, such as 2026-04-22T14:30:00Z or 2026-04-22";
    let start = query.parsed("start", |text| instant_ms(text, false), message);
    let until_ms = query.parsed("end", |text| instant_ms(text, true), message);
    let selection = Selection {
        group_by,
        model: query.text("model"),
        user_id: query.text("user_id"),
        tenant_id: query.text("tenant_id"),
        backend_id: query.text("backend_id"),
        from_ms: period.map(|length| now_ms.saturating_sub(length)).max(start),
        until_ms,
    };
    let problems = query.into_problems();
    if problems.is_empty() { Ok(selection) } else { Err(problems) }
}

/// The length of a period, back from now. Assumed: a month is 30 days.
fn period_ms(text: &str) -> Option<i64> {
    match UsagePeriod::from(text) {
        UsagePeriod::Hour => Some(HOUR_MS),
        UsagePeriod::Day => Some(24 * HOUR_MS),
        UsagePeriod::Week => Some(7 * 24 * HOUR_MS),
        UsagePeriod::Month => Some(30 * 24 * HOUR_MS),
        _ => None,
    }
}

fn group_by(text: &str) -> Option<GroupBy> {
    match GroupBy::from(text) {
        GroupBy::Other(_) => None,
        known => Some(known),
    }
}

/// Milliseconds since the Unix epoch. A date is its begin in UTC, or as an end the begin of the day after, so
/// that it includes the day (assumed).
pub(crate) fn instant_ms(text: &str, is_end: bool) -> Option<i64> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_millisecond());
    }
    // The length keeps out times without an offset, whose time part the parser would drop.
    let date = text.parse::<Date>().ok().filter(|_| text.len() <= "2026-04-22".len())?;
    let date = if is_end { date.checked_add(1.day()).ok()? } else { date };
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Result<Selection, Vec<FieldError>> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        select(pairs.collect(), 100 * HOUR_MS)
    }

    #[test]
    fn times_may_be_dates_and_may_have_offsets() {
        let day = 24 * HOUR_MS;
        assert_eq!(instant_ms("1970-01-02", false), Some(day));
        assert_eq!(instant_ms("1970-01-02", true), Some(2 * day));
        assert_eq!(instant_ms("1970-01-01T01:00:00+01:00", false), Some(0));
        assert_eq!(instant_ms("1970-01-01T00:00:00.250Z", true), Some(250));
        for wrong in ["", "yesterday", "1970-13-01", "1970-01-01T00:00:00", "1970-01-01T25:00:00Z"] {
            assert_eq!(instant_ms(wrong, false), None, "{wrong}");
        }
    }

    #[test]
    fn the_later_of_period_and_start_counts() {
        let from = |pairs| query(pairs).unwrap().from_ms;
        assert_eq!(from(&[]), None);
        assert_eq!(from(&[("period", "hour")]), Some(99 * HOUR_MS));
        assert_eq!(from(&[("period", "hour"), ("start", "1970-01-01")]), Some(99 * HOUR_MS));
        assert_eq!(from(&[("period", "month"), ("start", "1970-01-02")]), Some(24 * HOUR_MS));
    }

    #[test]
    fn every_problem_is_named() {
        let problems = query(&[("period", "daily"), ("group_by", "key"), ("start", "x"), ("end", "")]);
        let fields: Vec<String> = problems.unwrap_err().into_iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["period", "group_by", "start", "end"]);
    }
}

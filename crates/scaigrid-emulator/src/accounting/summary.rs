//! `GET /v1/accounting/usage/summary`.

use super::ledger::{self, Selection};
use crate::accounts::Account;
use crate::accounts::denied;
use crate::call::Call;
use crate::clock;
use crate::query::{Pairs, Parameters, RawQuery};
use crate::reply::{Failure, Reply};
use crate::sync::lock;
use crate::times::{TIME_PROBLEM, instant_ms};
use crate::variant::WireVariant;
use axum::extract::Query;
use axum::response::Response;
use scaigrid_types::{GroupBy, UsagePeriod};
use serde_json::Value;

const HOUR_MS: i64 = 60 * 60 * 1000;

pub(crate) async fn usage_summary(call: Call, Query(pairs): RawQuery) -> Response {
    call.answer(summarise(&call, pairs))
}

fn summarise(call: &Call, pairs: Pairs) -> Result<Reply<Value>, Failure> {
    let mut query = Parameters::new(pairs);
    let mut selection = select(&mut query, clock::unix_millis());
    query.finish()?;
    scope(&call.account, &mut selection)?;
    let rows = ledger::summarise(lock(&call.gateway.books).ledger.records(), &selection);
    let rows = serde_json::to_value(rows).unwrap_or_default();
    let is_object = selection.group_by.is_none() && call.gateway.variants.has(WireVariant::SummaryAsObject);
    Ok(Reply::new(if is_object { rows.get(0).cloned().unwrap_or_default() } else { rows }))
}

/// Keeps a caller to what the permissions let them see. Documented: `user_id` needs `accounting:view_tenant`, and
/// `tenant_id` needs `accounting:view_partner`. Assumed: that holds for the caller's own ids, too.
pub(crate) fn scope(account: &Account, selection: &mut Selection) -> Result<(), Failure> {
    let (tenant, partner) = ("accounting:view_tenant", "accounting:view_partner");
    if selection.tenant_id.is_some() && !account.may(partner) {
        return Err(denied(&[partner]));
    }
    if account.may(tenant) || account.may(partner) {
        return Ok(());
    }
    if selection.user_id.is_some() {
        return Err(denied(&[tenant]));
    }
    selection.user_id = Some(account.user_id.clone());
    Ok(())
}

/// What the query asks for. Where `period`, `start`, and `end` are all given, all of them hold (assumed).
pub(crate) fn select(query: &mut Parameters, now_ms: i64) -> Selection {
    let period = query.parsed("period", period_ms, "must be one of hour, day, week, month");
    let group_by = query.parsed("group_by", group_by, "must be one of model, user, backend, tenant");
    let start = query.parsed("start", |text| instant_ms(text, false), TIME_PROBLEM);
    let until_ms = query.parsed("end", |text| instant_ms(text, true), TIME_PROBLEM);
    Selection {
        group_by,
        model: query.text("model"),
        user_id: query.text("user_id"),
        tenant_id: query.text("tenant_id"),
        backend_id: query.text("backend_id"),
        from_ms: period.map(|length| now_ms.saturating_sub(length)).max(start),
        until_ms,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use scaigrid_types::FieldError;

    fn query(pairs: &[(&str, &str)]) -> Result<Selection, Vec<FieldError>> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut query = Parameters::new(pairs.collect());
        let selection = select(&mut query, 100 * HOUR_MS);
        let problems = query.into_problems();
        if problems.is_empty() { Ok(selection) } else { Err(problems) }
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

//! What was served, and what it cost.

use crate::gateway::TENANT;
use rust_decimal::Decimal;
use scaigrid_types::{GroupBy, Model, Money, UsageSummaryRow};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// How many hours of merged records are kept, counted for each user and model.
const MAX_MERGED: usize = 10_000;

/// One served call, or merged ones of the same hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct UsageRecord {
    pub(crate) id: String,
    pub(crate) model: String,
    pub(crate) backend_id: String,
    pub(crate) user_id: String,
    pub(crate) requests: u64,
    pub(crate) tokens_in: u64,
    pub(crate) tokens_out: u64,
    pub(crate) cost: Money,
    /// The average of merged records.
    pub(crate) latency_ms: u64,
    /// `None` for merged records.
    pub(crate) request_id: Option<String>,
    pub(crate) created_ms: i64,
}

impl UsageRecord {
    fn hour(&self) -> i64 {
        self.created_ms.div_euclid(60 * 60 * 1000)
    }

    /// Whether a merged record can take another one in.
    fn takes(&self, other: &UsageRecord) -> bool {
        self.hour() == other.hour()
            && self.backend_id == other.backend_id
            && self.model == other.model
            && self.user_id == other.user_id
    }

    fn merge(&mut self, other: &UsageRecord) {
        let weighted = |record: &Self| u128::from(record.latency_ms) * u128::from(record.requests);
        let requests = self.requests.saturating_add(other.requests).max(1);
        let average = (weighted(self) + weighted(other)) / u128::from(requests);
        self.latency_ms = u64::try_from(average).unwrap_or(u64::MAX);
        self.requests = requests;
        self.tokens_in = self.tokens_in.saturating_add(other.tokens_in);
        self.tokens_out = self.tokens_out.saturating_add(other.tokens_out);
        self.cost += other.cost;
        self.request_id = None;
    }
}

/// All that was served, oldest first. When there are too many records, the oldest are merged by the hour, so
/// that sums stay right.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Ledger {
    merged: VecDeque<UsageRecord>,
    records: VecDeque<UsageRecord>,
    /// Since the first start, by model. Never forgets.
    totals: BTreeMap<String, Totals>,
}

/// What was served in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Totals {
    /// Served calls.
    pub requests: u64,
    /// Tokens that went in.
    pub tokens_in: u64,
    /// Tokens that came out.
    pub tokens_out: u64,
    /// What they cost.
    pub cost: Money,
}

impl Totals {
    pub(crate) fn add(&mut self, requests: u64, tokens_in: u64, tokens_out: u64, cost: Money) {
        self.requests = self.requests.saturating_add(requests);
        self.tokens_in = self.tokens_in.saturating_add(tokens_in);
        self.tokens_out = self.tokens_out.saturating_add(tokens_out);
        self.cost += cost;
    }
}

impl Ledger {
    /// Adds a record and keeps at most `single` of them apart.
    pub(crate) fn push(&mut self, record: UsageRecord, single: usize) {
        let totals = self.totals.entry(record.model.clone()).or_default();
        totals.add(record.requests, record.tokens_in, record.tokens_out, record.cost);
        self.records.push_back(record);
        while self.records.len() > single {
            let Some(oldest) = self.records.pop_front() else { return };
            self.merge(oldest);
        }
    }

    fn merge(&mut self, record: UsageRecord) {
        let hour = record.hour();
        let mut newest = self.merged.iter_mut().rev().take_while(|merged| merged.hour() >= hour);
        match newest.find(|merged| merged.takes(&record)) {
            Some(merged) => merged.merge(&record),
            None => self.merged.push_back(record),
        }
        if self.merged.len() > MAX_MERGED {
            self.merged.pop_front();
        }
    }

    /// Oldest first; the merged ones are the oldest.
    pub(crate) fn records(&self) -> impl Iterator<Item = &UsageRecord> {
        self.merged.iter().chain(&self.records)
    }

    pub(crate) fn totals(&self) -> &BTreeMap<String, Totals> {
        &self.totals
    }
}

/// Which records are meant, and what a summary adds them up by.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    pub(crate) group_by: Option<GroupBy>,
    pub(crate) model: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) backend_id: Option<String>,
    /// The first millisecond.
    pub(crate) from_ms: Option<i64>,
    /// The first millisecond after.
    pub(crate) until_ms: Option<i64>,
}

impl Selection {
    pub(crate) fn has(&self, record: &UsageRecord) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|text| text == value);
        is(&self.model, &record.model)
            && is(&self.user_id, &record.user_id)
            && is(&self.tenant_id, TENANT)
            && is(&self.backend_id, &record.backend_id)
            && self.from_ms.is_none_or(|from| record.created_ms >= from)
            && self.until_ms.is_none_or(|until| record.created_ms < until)
    }

    fn key(&self, record: &UsageRecord) -> Option<String> {
        match self.group_by.as_ref()? {
            GroupBy::User => Some(record.user_id.clone()),
            GroupBy::Backend => Some(record.backend_id.clone()),
            GroupBy::Tenant => Some(TENANT.to_owned()),
            _ => Some(record.model.clone()),
        }
    }
}

/// The exact price of a call.
pub(crate) fn cost(model: &Model, tokens_in: u64, tokens_out: u64) -> Money {
    let part = |tokens: u64, price: Option<Money>| {
        let price = Decimal::from(price.unwrap_or_default());
        // 10^-6: prices are for a million tokens.
        let exact = Decimal::from(tokens).checked_mul(price).and_then(|p| p.checked_mul(Decimal::new(1, 6)));
        Money::from(exact.unwrap_or(Decimal::MAX))
    };
    let sum = part(tokens_in, model.input_price_per_mtok) + part(tokens_out, model.output_price_per_mtok);
    Decimal::from(sum).normalize().into()
}

/// What the provider takes: 90 % of what the tenant is charged.
fn backend_cost(cost: Money) -> Money {
    let exact = Decimal::from(cost).checked_mul(Decimal::new(9, 1));
    Money::from(exact.unwrap_or(Decimal::MAX).normalize())
}

/// One row for each group, sorted by key; exactly one row without `group_by`, also when nothing was served.
pub(crate) fn summarise<'a>(
    records: impl IntoIterator<Item = &'a UsageRecord>,
    selection: &Selection,
) -> Vec<UsageSummaryRow> {
    let mut groups: BTreeMap<Option<String>, Totals> = BTreeMap::new();
    if selection.group_by.is_none() {
        groups.insert(None, Totals::default());
    }
    for record in records.into_iter().filter(|record| selection.has(record)) {
        let totals = groups.entry(selection.key(record)).or_default();
        totals.add(record.requests, record.tokens_in, record.tokens_out, record.cost);
    }
    groups.into_iter().map(|(key, totals)| row(key, totals)).collect()
}

fn row(group_key: Option<String>, totals: Totals) -> UsageSummaryRow {
    let mut row = UsageSummaryRow::default();
    row.group_key = group_key;
    row.request_count = Some(totals.requests);
    row.input_tokens = Some(totals.tokens_in);
    row.output_tokens = Some(totals.tokens_out);
    row.total_tokens = Some(totals.tokens_in.saturating_add(totals.tokens_out));
    row.total_cost = Some(Decimal::from(totals.cost).normalize().into());
    row.backend_cost = Some(backend_cost(totals.cost));
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;

    fn record(model: &str, user: &str, created_ms: i64) -> UsageRecord {
        let entry = catalog::models().into_iter().find(|entry| entry.model.slug == model).unwrap();
        UsageRecord {
            id: "usage_1".into(),
            requests: 1,
            model: model.into(),
            backend_id: entry.backend_id.into(),
            user_id: user.into(),
            latency_ms: 10,
            request_id: Some("req_1".into()),
            tokens_in: 100,
            tokens_out: 10,
            cost: cost(&entry.model, 100, 10),
            created_ms,
        }
    }

    #[test]
    fn costs_are_exact() {
        let cheap = record("scailabs/poolnoodle-mini", "u", 0);
        assert_eq!(cheap.cost.to_string(), "0.000007");
        assert_eq!(backend_cost(cheap.cost).to_string(), "0.0000063");
        assert_eq!(cost(&Model::new("free"), u64::MAX, u64::MAX), Money::ZERO);
    }

    #[test]
    fn rows_are_grouped_filtered_and_sorted() {
        let (omni, mini) = ("scailabs/poolnoodle-omni", "scailabs/poolnoodle-mini");
        let records = [record(omni, "user_1", 10), record(mini, "user_2", 20), record(omni, "user_2", 30)];
        let keys = |group_by: GroupBy| -> Vec<_> {
            let selection = Selection { group_by: Some(group_by), ..Selection::default() };
            let rows = summarise(&records, &selection);
            rows.into_iter().map(|row| (row.group_key.unwrap(), row.request_count.unwrap())).collect()
        };
        assert_eq!(keys(GroupBy::Model), [(mini.to_owned(), 1), (omni.to_owned(), 2)]);
        assert_eq!(keys(GroupBy::User), [("user_1".to_owned(), 1), ("user_2".to_owned(), 2)]);
        assert_eq!(keys(GroupBy::Backend).len(), 2);
        assert_eq!(keys(GroupBy::Tenant), [("tenant_emulator".to_owned(), 3)]);

        let late = Selection { from_ms: Some(20), until_ms: Some(30), ..Selection::default() };
        let row = summarise(&records, &late).remove(0);
        assert_eq!((row.group_key, row.request_count, row.total_tokens), (None, Some(1), Some(110)));
        let nobody = Selection { user_id: Some("nobody".into()), ..Selection::default() };
        let row = summarise(&records, &nobody).remove(0);
        assert_eq!((row.request_count, row.total_cost), (Some(0), Some(Money::ZERO)));
    }

    #[test]
    fn old_records_are_merged_by_the_hour_and_sums_stay() {
        let (omni, hour) = ("scailabs/poolnoodle-omni", 60 * 60 * 1000);
        let mut ledger = Ledger::default();
        for (user, created_ms) in [("a", 1), ("b", 2), ("a", 3), ("a", hour), ("a", hour + 1)] {
            let mut record = record(omni, user, created_ms);
            record.latency_ms = u64::try_from(created_ms).unwrap();
            ledger.push(record, 1);
        }
        let kept: Vec<_> = ledger
            .records()
            .map(|one| (one.user_id.as_str(), one.requests, one.latency_ms, one.request_id.is_some()))
            .collect();
        let hour = hour as u64;
        let expected =
            [("a", 2, 2, false), ("b", 1, 2, true), ("a", 1, hour, true), ("a", 1, hour + 1, true)];
        assert_eq!(kept, expected);
        let sums = summarise(ledger.records(), &Selection::default()).remove(0);
        assert_eq!((sums.request_count, sums.input_tokens), (Some(5), Some(500)));
        assert_eq!(ledger.totals()[omni].requests, 5);
    }
}

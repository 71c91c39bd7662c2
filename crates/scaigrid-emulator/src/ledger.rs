//! What was served, and what it cost.

use scaigrid_types::{Decimal, GroupBy, Model, Money, UsageSummaryRow};
use std::collections::BTreeMap;

/// Served chats: one, or several of the same second.
#[derive(Clone, Debug)]
pub(crate) struct UsageRecord {
    pub(crate) model: String,
    pub(crate) backend_id: &'static str,
    pub(crate) user_id: String,
    pub(crate) tenant_id: &'static str,
    pub(crate) requests: u64,
    pub(crate) tokens_in: u64,
    pub(crate) tokens_out: u64,
    pub(crate) cost: Money,
    pub(crate) created_ms: i64,
}

impl UsageRecord {
    /// Adds another record to this one, if both are of the same second and kind.
    pub(crate) fn merge(&mut self, other: &UsageRecord) -> bool {
        let key = |record: &Self| (record.created_ms / 1000, record.backend_id);
        let same = key(self) == key(other) && self.model == other.model && self.user_id == other.user_id;
        if same {
            self.requests += other.requests;
            self.tokens_in = self.tokens_in.saturating_add(other.tokens_in);
            self.tokens_out = self.tokens_out.saturating_add(other.tokens_out);
            self.cost += other.cost;
        }
        same
    }
}

/// Which records a summary adds up, and by what.
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
    fn has(&self, record: &UsageRecord) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|text| text == value);
        is(&self.model, &record.model)
            && is(&self.user_id, &record.user_id)
            && is(&self.tenant_id, record.tenant_id)
            && is(&self.backend_id, record.backend_id)
            && self.from_ms.is_none_or(|from| record.created_ms >= from)
            && self.until_ms.is_none_or(|until| record.created_ms < until)
    }

    fn key(&self, record: &UsageRecord) -> Option<String> {
        match self.group_by.as_ref()? {
            GroupBy::User => Some(record.user_id.clone()),
            GroupBy::Backend => Some(record.backend_id.to_owned()),
            GroupBy::Tenant => Some(record.tenant_id.to_owned()),
            _ => Some(record.model.clone()),
        }
    }
}

/// The exact price of a call.
pub(crate) fn cost(model: &Model, tokens_in: u64, tokens_out: u64) -> Money {
    let part = |tokens: u64, price: Option<Money>| {
        let price = price.unwrap_or_default().to_decimal();
        // 10^-6: prices are for a million tokens.
        let exact = Decimal::from(tokens).checked_mul(price).and_then(|p| p.checked_mul(Decimal::new(1, 6)));
        Money::from(exact.unwrap_or(Decimal::MAX))
    };
    let sum = part(tokens_in, model.input_price_per_mtok) + part(tokens_out, model.output_price_per_mtok);
    Money::from(sum.to_decimal().normalize())
}

/// What the provider takes: 90 % of what the tenant is charged.
fn backend_cost(cost: Money) -> Money {
    let exact = cost.to_decimal().checked_mul(Decimal::new(9, 1));
    Money::from(exact.unwrap_or(Decimal::MAX).normalize())
}

/// One row for each group, sorted by key; exactly one row without `group_by`, also when nothing was served.
pub(crate) fn summarise(records: &[UsageRecord], selection: &Selection) -> Vec<UsageSummaryRow> {
    let mut groups: BTreeMap<Option<String>, Sums> = BTreeMap::new();
    if selection.group_by.is_none() {
        groups.insert(None, Sums::default());
    }
    for record in records.iter().filter(|record| selection.has(record)) {
        groups.entry(selection.key(record)).or_default().add(record);
    }
    groups.into_iter().map(|(key, sums)| sums.into_row(key)).collect()
}

#[derive(Default)]
struct Sums {
    requests: u64,
    tokens_in: u64,
    tokens_out: u64,
    cost: Money,
}

impl Sums {
    fn add(&mut self, record: &UsageRecord) {
        self.requests += record.requests;
        self.tokens_in = self.tokens_in.saturating_add(record.tokens_in);
        self.tokens_out = self.tokens_out.saturating_add(record.tokens_out);
        self.cost += record.cost;
    }

    fn into_row(self, group_key: Option<String>) -> UsageSummaryRow {
        let mut row = UsageSummaryRow::default();
        row.group_key = group_key;
        row.request_count = Some(self.requests);
        row.input_tokens = Some(self.tokens_in);
        row.output_tokens = Some(self.tokens_out);
        row.total_tokens = Some(self.tokens_in.saturating_add(self.tokens_out));
        row.total_cost = Some(Money::from(self.cost.to_decimal().normalize()));
        row.backend_cost = Some(backend_cost(self.cost));
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;

    fn record(model: &str, user: &str, created_ms: i64) -> UsageRecord {
        let entry = catalog::models().into_iter().find(|entry| entry.model.slug == model).unwrap();
        UsageRecord {
            requests: 1,
            model: model.into(),
            backend_id: entry.backend_id,
            user_id: user.into(),
            tenant_id: "tenant_emulator",
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
}

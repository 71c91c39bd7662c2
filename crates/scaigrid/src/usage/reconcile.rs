//! The client's count beside the gateway's.

use super::{UsageSnapshot, UsageTotals};
use scaigrid_types::{UsageSummary, UsageSummaryRow};
use std::collections::BTreeMap;

/// Whether two counts of a model fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Agreement {
    /// Both sides count the same.
    Equal,
    /// The gateway counts more, by no more requests than the client knows that it does not know.
    Explained,
    /// They do not fit: other clients use the same account, the periods differ, or somebody is wrong.
    Different,
    /// The gateway has a row, but none of the numbers that could be compared is in it.
    Unknown,
}

/// The two counts of one model. Differences are the gateway's count minus the client's; `None` where the gateway's row
/// lacks the number.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReconciledRow {
    /// The model.
    pub model: String,
    /// What the client counted; all zero when it has not asked this model.
    pub client: UsageTotals,
    /// What the gateway counted; `None` when it has no row.
    pub gateway: Option<UsageSummaryRow>,
    /// Requests; the client's are [`with_usage`](UsageTotals::with_usage).
    pub requests: Option<i64>,
    /// Input tokens.
    pub prompt_tokens: Option<i64>,
    /// Output tokens.
    pub completion_tokens: Option<i64>,
    /// Whether the two fit.
    pub agreement: Agreement,
}

/// Compares what a client counted with the gateway's summary by model, row by row, sorted by model.
///
/// The summary must cover the same time as the snapshot, and no other calls: ask for it with
/// [`between`](scaigrid_types::UsageSummaryQuery::between), [`GroupBy::Model`](scaigrid_types::GroupBy::Model), and the
/// user of the key. Compare with [`since`](UsageSnapshot::since) for a part of the client's life. Rows of the summary
/// without a group key count as `(unknown)`. Lines of batches are in the gateway's count, and not in the client's:
/// [`batches`](UsageSnapshot::batches) has those that were read.
///
/// ```
/// use scaigrid::{UsageSnapshot, UsageSummary, reconcile};
///
/// let rows = reconcile(&UsageSnapshot::default(), &UsageSummary::new(Vec::new()));
/// assert!(rows.is_empty());
/// ```
pub fn reconcile(client: &UsageSnapshot, gateway: &UsageSummary) -> Vec<ReconciledRow> {
    let mut models: BTreeMap<String, (UsageTotals, Vec<UsageSummaryRow>)> =
        client.by_model().into_iter().map(|(model, sums)| (model, (sums, Vec::new()))).collect();
    for row in &gateway.rows {
        let model = row.group_key.clone().unwrap_or_else(|| super::totals::UNKNOWN.to_owned());
        models.entry(model).or_default().1.push(row.clone());
    }
    let rows = models.into_iter().map(|(model, (client, mut rows))| {
        let gateway = match rows.len() {
            0 | 1 => rows.pop(),
            // Such as the pages of a list that were put together.
            _ => {
                let mut sum = UsageSummary::new(rows).totals();
                sum.group_key = Some(model.clone());
                Some(sum)
            }
        };
        row(model, client, gateway)
    });
    rows.collect()
}

fn row(model: String, client: UsageTotals, gateway: Option<UsageSummaryRow>) -> ReconciledRow {
    let none = UsageSummaryRow::default();
    let told = gateway.as_ref().unwrap_or(&none);
    // No row means that nothing was counted.
    let count = |count: Option<u64>| if gateway.is_some() { count } else { Some(0) };
    let requests = difference(count(told.request_count), client.with_usage);
    let prompt_tokens = difference(count(told.input_tokens), client.prompt_tokens);
    let completion_tokens = difference(count(told.output_tokens), client.completion_tokens);
    let all = [requests, prompt_tokens, completion_tokens];
    let unknown = i64::try_from(client.without_usage).unwrap_or(i64::MAX);
    let agreement = if all.iter().all(Option::is_none) {
        Agreement::Unknown
    } else if all.iter().all(|difference| difference.unwrap_or(0) == 0) {
        Agreement::Equal
    } else if unknown > 0
        && all.iter().all(|difference| difference.unwrap_or(0) >= 0)
        && requests.is_none_or(|requests| (1..=unknown).contains(&requests))
    {
        Agreement::Explained
    } else {
        Agreement::Different
    };
    ReconciledRow { model, client, gateway, requests, prompt_tokens, completion_tokens, agreement }
}

fn difference(gateway: Option<u64>, client: u64) -> Option<i64> {
    let difference = i128::from(gateway?) - i128::from(client);
    Some(i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX }))
}

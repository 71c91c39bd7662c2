//! Where the ends of calls are counted.

use super::totals::{OTHER, UNKNOWN, UsageSnapshot, UsageTotals};
use crate::observation::{CallEnd, Outcome};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

const MAX_MODELS: usize = 256;
const MAX_LABELS: usize = 1024;
const MAX_FAILURES: usize = 64;
/// Longer names of models and labels are not kept.
const MAX_NAME_BYTES: usize = 256;

/// The sums of a client and its clones. One lock, held for one addition or one copy, so that all sums are of one moment.
#[derive(Clone, Default)]
pub(crate) struct UsageTable(Arc<Mutex<Rows>>);

#[derive(Default)]
struct Rows {
    by_label: BTreeMap<Option<Arc<str>>, BTreeMap<Arc<str>, UsageTotals>>,
    /// All models of all labels.
    models: BTreeSet<Arc<str>>,
    management: UsageTotals,
}

impl UsageTable {
    pub(crate) fn count(&self, end: &CallEnd<'_>) {
        self.with(|rows| count(rows.row(end), end));
    }

    pub(crate) fn snapshot(&self) -> UsageSnapshot {
        self.with(|rows| rows.snapshot())
    }

    /// Begins anew, and gives what was counted: each call is in this or in a later one.
    pub(crate) fn reset(&self) -> UsageSnapshot {
        self.with(std::mem::take).snapshot()
    }

    fn with<T>(&self, work: impl FnOnce(&mut Rows) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Rows {
    /// The row that a call belongs to.
    fn row(&mut self, end: &CallEnd<'_>) -> &mut UsageTotals {
        // A call of the caller's own that tells tokens has used a model, too.
        if end.operation.is_none() && end.usage().is_none() {
            return &mut self.management;
        }
        let model = self.model(end.model().unwrap_or(UNKNOWN));
        let label = match end.label {
            Some(label) if self.is_full_for(label) => Some(Arc::from(OTHER)),
            label => label.cloned(),
        };
        self.by_label.entry(label).or_default().entry(model).or_default()
    }

    fn is_full_for(&self, label: &Arc<str>) -> bool {
        label.len() > MAX_NAME_BYTES
            || (self.by_label.len() >= MAX_LABELS && !self.by_label.contains_key(&Some(Arc::clone(label))))
    }

    fn model(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.models.get(name) {
            return Arc::clone(known);
        }
        if name.len() > MAX_NAME_BYTES || self.models.len() >= MAX_MODELS {
            return Arc::from(OTHER);
        }
        let name = Arc::from(name);
        self.models.insert(Arc::clone(&name));
        name
    }

    fn snapshot(&self) -> UsageSnapshot {
        let rows = self.by_label.iter().flat_map(|(label, models)| {
            models.iter().map(move |(model, sums)| {
                ((label.as_deref().map(str::to_owned), model.to_string()), sums.clone())
            })
        });
        UsageSnapshot { rows: rows.collect(), management: self.management.clone() }
    }
}

fn count(sums: &mut UsageTotals, end: &CallEnd<'_>) {
    let ended = match end.outcome {
        Outcome::Succeeded => &mut sums.succeeded,
        Outcome::Failed(_) => &mut sums.failed,
        Outcome::CutShort(_) => &mut sums.cut_short,
        Outcome::Abandoned(_) => &mut sums.abandoned,
    };
    *ended = ended.saturating_add(1);
    let usage = end.usage().unwrap_or_default();
    for (sum, value) in [
        (&mut sums.calls, 1),
        (&mut sums.retries, u64::from(end.attempts.saturating_sub(1))),
        (&mut sums.prompt_tokens, usage.prompt()),
        (&mut sums.completion_tokens, usage.completion()),
        (&mut sums.total_tokens, usage.total()),
        (&mut sums.with_usage, u64::from(end.usage().is_some())),
        (&mut sums.without_usage, u64::from(end.without_usage)),
    ] {
        *sum = sum.saturating_add(value);
    }
    let Some(failure) = end.outcome.failure() else { return };
    let name = failure.code.map_or_else(|| format!("{:?}", failure.kind), |code| code.as_str().to_owned());
    let is_kept = name.len() <= MAX_NAME_BYTES && sums.failures.len() < MAX_FAILURES;
    let name = if is_kept || sums.failures.contains_key(&name) { name } else { OTHER.to_owned() };
    let failures = sums.failures.entry(name).or_default();
    *failures = failures.saturating_add(1);
}

//! Where the ends of calls are counted.

use super::totals::{OTHER, UNKNOWN, UsageSnapshot, UsageTotals};
use crate::observation::{CallEnd, Failure, Outcome};
use scaigrid_types::{BatchResult, ErrorCode, ReplyError, Usage};
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
    calls: Sums,
    /// Lines of batches, which are no calls of this client.
    lines: Sums,
    management: UsageTotals,
}

/// By label and model, within limits.
#[derive(Default)]
struct Sums {
    by_label: BTreeMap<Option<Arc<str>>, BTreeMap<Arc<str>, UsageTotals>>,
    /// All models of all labels.
    models: BTreeSet<Arc<str>>,
}

impl UsageTable {
    pub(crate) fn count(&self, end: &CallEnd<'_>) {
        self.with(|rows| count(rows.row(end), end));
    }

    /// Counts one line of the results of a batch.
    pub(crate) fn count_line(&self, label: Option<&Arc<str>>, line: &BatchResult) {
        let facts = line.facts();
        let model = facts.as_ref().ok().and_then(|facts| facts.model).unwrap_or(UNKNOWN);
        self.with(|rows| {
            let sums = rows.lines.row(label, model);
            match &facts {
                Ok(facts) => {
                    add(&mut sums.succeeded, 1);
                    add(&mut sums.without_usage, u64::from(facts.usage.is_none()));
                    add_usage(sums, facts.usage);
                }
                Err(error) => {
                    add(&mut sums.failed, 1);
                    let code = match error {
                        ReplyError::Api(envelope) => envelope.error.code.as_ref(),
                        _ => None,
                    };
                    add_failure(sums, code.map_or("Decode", ErrorCode::as_str));
                }
            }
            add(&mut sums.calls, 1);
        });
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
        self.calls.row(end.label, end.model().unwrap_or(UNKNOWN))
    }

    fn snapshot(&self) -> UsageSnapshot {
        UsageSnapshot {
            rows: self.calls.snapshot(),
            lines: self.lines.snapshot(),
            management: self.management.clone(),
        }
    }
}

impl Sums {
    fn row(&mut self, label: Option<&Arc<str>>, model: &str) -> &mut UsageTotals {
        let model = self.model(model);
        let label = match label {
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

    fn snapshot(&self) -> BTreeMap<(Option<String>, String), UsageTotals> {
        let rows = self.by_label.iter().flat_map(|(label, models)| {
            models.iter().map(move |(model, sums)| {
                ((label.as_deref().map(str::to_owned), model.to_string()), sums.clone())
            })
        });
        rows.collect()
    }
}

fn count(sums: &mut UsageTotals, end: &CallEnd<'_>) {
    let ended = match end.outcome {
        Outcome::Succeeded => &mut sums.succeeded,
        Outcome::Failed(_) => &mut sums.failed,
        Outcome::CutShort(_) => &mut sums.cut_short,
        Outcome::Abandoned(_) => &mut sums.abandoned,
    };
    add(ended, 1);
    add(&mut sums.calls, 1);
    add(&mut sums.retries, u64::from(end.attempts.saturating_sub(1)));
    add(&mut sums.without_usage, u64::from(end.without_usage));
    add_usage(sums, end.usage());
    match end.outcome.failure() {
        Some(Failure { code: Some(code), .. }) => add_failure(sums, code.as_str()),
        Some(Failure { kind, .. }) => add_failure(sums, &format!("{kind:?}")),
        None => {}
    }
}

fn add(sum: &mut u64, value: u64) {
    *sum = sum.saturating_add(value);
}

fn add_usage(sums: &mut UsageTotals, usage: Option<Usage>) {
    let Some(usage) = usage else { return };
    add(&mut sums.prompt_tokens, usage.prompt());
    add(&mut sums.completion_tokens, usage.completion());
    add(&mut sums.total_tokens, usage.total());
    add(&mut sums.with_usage, 1);
}

fn add_failure(sums: &mut UsageTotals, name: &str) {
    if let Some(count) = sums.failures.get_mut(name) {
        return add(count, 1);
    }
    let is_kept = name.len() <= MAX_NAME_BYTES && sums.failures.len() < MAX_FAILURES;
    let name = if is_kept { name } else { OTHER };
    add(sums.failures.entry(name.to_owned()).or_default(), 1);
}

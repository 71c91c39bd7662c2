//! Sums, and what can be done with them.

use std::collections::BTreeMap;

/// What calls came to. All counts saturate.
///
/// `calls` is the sum of `succeeded`, `failed`, `cut_short`, and `abandoned`. A call counts when it has ended, a stream
/// when it has; one that is under way is in no count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsageTotals {
    /// Calls that have ended, however.
    pub calls: u64,
    /// Calls that succeeded; streams and files that came to their end.
    pub succeeded: u64,
    /// Calls that gave an error before their answer began, or instead of it.
    pub failed: u64,
    /// Streams and files that broke off after their first chunk.
    pub cut_short: u64,
    /// Calls whose future, stream, or download was dropped before its end, or that were cancelled.
    pub abandoned: u64,
    /// Requests that were sent beyond the first of each call.
    pub retries: u64,
    /// Tokens of the inputs, as the gateway told.
    pub prompt_tokens: u64,
    /// Tokens of the outputs, as the gateway told.
    pub completion_tokens: u64,
    /// All tokens, as the gateway told.
    pub total_tokens: u64,
    /// Calls whose tokens the gateway told. Each stands for one request that it ran.
    pub with_usage: u64,
    /// Requests that may have run, and been charged, without telling their tokens: answers that were lost on the way,
    /// streams that were cut or dropped before their usage came, failures of the server, and replies that carry no usage,
    /// such as those of audio. The gateway has run between `with_usage` and `with_usage + without_usage` requests.
    pub without_usage: u64,
    /// Failed calls and broken streams by error code, such as `BACKEND_ERROR`; where the gateway gave none, by the name of
    /// the [`ErrorKind`](crate::ErrorKind), such as `Timeout`. At most 64 names; further ones count as `(other)`.
    pub failures: BTreeMap<String, u64>,
}

/// The name of the one more failure, model, or label, where the limit of a table is reached.
pub(super) const OTHER: &str = "(other)";
/// The model of calls that name none, and whose reply names none.
pub(super) const UNKNOWN: &str = "(unknown)";

impl UsageTotals {
    /// Adds other sums.
    pub(super) fn add(&mut self, other: &Self) {
        self.combine(other, u64::saturating_add);
    }

    /// What came on top of `earlier`.
    fn since(&self, earlier: &Self) -> Self {
        let mut difference = self.clone();
        difference.combine(earlier, u64::saturating_sub);
        difference.failures.retain(|_, count| *count > 0);
        difference
    }

    fn combine(&mut self, other: &Self, with: impl Fn(u64, u64) -> u64) {
        for (sum, value) in [
            (&mut self.calls, other.calls),
            (&mut self.succeeded, other.succeeded),
            (&mut self.failed, other.failed),
            (&mut self.cut_short, other.cut_short),
            (&mut self.abandoned, other.abandoned),
            (&mut self.retries, other.retries),
            (&mut self.prompt_tokens, other.prompt_tokens),
            (&mut self.completion_tokens, other.completion_tokens),
            (&mut self.total_tokens, other.total_tokens),
            (&mut self.with_usage, other.with_usage),
            (&mut self.without_usage, other.without_usage),
        ] {
            *sum = with(*sum, value);
        }
        for (name, count) in &other.failures {
            let sum = self.failures.entry(name.clone()).or_default();
            *sum = with(*sum, *count);
        }
    }
}

/// What the calls of a client came to, at one moment: from [`Client::usage`](crate::Client::usage) and
/// [`blocking::Client::usage`](crate::blocking::Client::usage).
///
/// All sums are of the same moment: those by model add up to those by label, and to the total. They are the client's own
/// count, not the gateway's accounting, and are gone with the process.
///
/// ```
/// let client = scaigrid::Client::builder().api_key("sgk_your_key_here").build()?;
/// let before = client.usage();
/// // ... calls ...
/// let spent = client.usage().since(&before);
/// assert_eq!(spent.total().total_tokens, 0);
/// for (model, sums) in spent.by_model() {
///     println!("{model}: {} calls, {} tokens", sums.calls, sums.total_tokens);
/// }
/// # Ok::<(), scaigrid::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageSnapshot {
    /// By label and model.
    pub(super) rows: BTreeMap<(Option<String>, String), UsageTotals>,
    /// The same of lines of batches.
    pub(super) lines: BTreeMap<(Option<String>, String), UsageTotals>,
    pub(super) management: UsageTotals,
}

impl UsageSnapshot {
    /// All calls that ask a model, whatever model and label.
    pub fn total(&self) -> UsageTotals {
        self.sum(|_, _| true)
    }

    /// By model: the one that the request names, else the one that the reply names, else `(unknown)`. At most 256 names of
    /// up to 256 bytes; calls of further ones count as `(other)`.
    pub fn by_model(&self) -> BTreeMap<String, UsageTotals> {
        self.grouped(|_, model| Some(model.to_owned()))
    }

    /// By the label of the client that made the calls; `None` is the client without one. At most 1024 labels of up to 256
    /// bytes; calls of further ones count as `(other)`.
    pub fn by_label(&self) -> BTreeMap<Option<String>, UsageTotals> {
        self.grouped(|label, _| Some(label.map(str::to_owned)))
    }

    /// The calls of one label by model.
    pub fn of_label(&self, label: &str) -> BTreeMap<String, UsageTotals> {
        self.grouped(|of, model| (of == Some(label)).then(|| model.to_owned()))
    }

    /// Calls that ask no model: lists, health, accounting. They have no tokens, and are in no other sum.
    pub fn management(&self) -> &UsageTotals {
        &self.management
    }

    /// The lines of batches whose results were read with [`batch_results`](crate::Client::batch_results), as a snapshot of
    /// their own. They are in no other sum: the gateway runs them, and this client only reads of them.
    ///
    /// In it, a call is a line, counted when it is read; the model is the one that the reply names, and the label that of the
    /// client that reads. A line that failed has its code under `failures`, and its model is not known; one that succeeded
    /// without telling its tokens is in `without_usage`. A file that is read twice counts twice, and results that are not
    /// read, or are fetched by other means, do not count at all. Lines are typically charged at half the price of calls, so
    /// that [`estimated_cost`](Self::estimated_cost) of this snapshot wants a price table of its own.
    pub fn batches(&self) -> Self {
        Self { rows: self.lines.clone(), ..Self::default() }
    }

    /// What was added since an earlier snapshot of the same client. What has not changed is left out. Where a
    /// [`reset_usage`](crate::Client::reset_usage) lies between, counts that are smaller now are 0.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            rows: rows_since(&self.rows, &earlier.rows),
            lines: rows_since(&self.lines, &earlier.lines),
            management: self.management.since(&earlier.management),
        }
    }

    fn sum(&self, is_meant: impl Fn(Option<&str>, &str) -> bool) -> UsageTotals {
        let all = self.grouped(|label, model| is_meant(label, model).then_some(()));
        all.into_values().next().unwrap_or_default()
    }

    fn grouped<K: Ord>(&self, key: impl Fn(Option<&str>, &str) -> Option<K>) -> BTreeMap<K, UsageTotals> {
        let mut groups: BTreeMap<K, UsageTotals> = BTreeMap::new();
        for ((label, model), sums) in &self.rows {
            if let Some(key) = key(label.as_deref(), model) {
                groups.entry(key).or_default().add(sums);
            }
        }
        groups
    }
}

fn rows_since<K: Ord + Clone>(
    rows: &BTreeMap<K, UsageTotals>,
    earlier: &BTreeMap<K, UsageTotals>,
) -> BTreeMap<K, UsageTotals> {
    let none = UsageTotals::default();
    let differences = rows.iter().map(|(key, sums)| (key, sums.since(earlier.get(key).unwrap_or(&none))));
    differences
        .filter(|(_, difference)| *difference != none)
        .map(|(key, difference)| (key.clone(), difference))
        .collect()
}

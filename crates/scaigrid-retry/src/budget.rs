//! Keeps an outage from being multiplied.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A token bucket that pays for retries, so that they add little load to a gateway in trouble.
///
/// Each retry takes a token out; each call that succeeds puts a part of one back, a tenth by default. So retries add
/// at most 10 % to the calls that succeed, and nothing to calls that all fail, once the bucket is empty. First
/// attempts take nothing and are never held back.
///
/// Cheap to clone; clones share the bucket. Needs no clock.
///
/// ```
/// use scaigrid_retry::RetryBudget;
///
/// let budget = RetryBudget::new(1).with_successes_per_retry(2);
/// assert!(budget.try_withdraw());
/// assert!(!budget.try_withdraw(), "empty");
/// budget.deposit();
/// assert!(!budget.try_withdraw(), "half a token");
/// budget.deposit();
/// assert!(budget.try_withdraw());
/// ```
#[derive(Clone, Debug)]
pub struct RetryBudget {
    bucket: Option<Arc<AtomicU64>>,
    /// In retries.
    capacity: u32,
    /// The price of a retry; the bucket counts successes.
    successes_per_retry: u32,
}

/// 100 retries at once, and one more for every ten calls that succeed.
impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(100)
    }
}

impl RetryBudget {
    /// A full bucket for this many retries, refilled by one for every ten calls that succeed. With 0, nothing is
    /// ever repeated.
    pub fn new(capacity: u32) -> Self {
        Self { bucket: None, capacity, successes_per_retry: 10 }.refilled()
    }

    /// No limit.
    pub fn unlimited() -> Self {
        Self { bucket: None, capacity: u32::MAX, successes_per_retry: 1 }
    }

    /// Sets how many successful calls pay for one retry, and starts a full bucket of its own. 0 counts as 1. Default:
    /// 10.
    pub fn with_successes_per_retry(mut self, successes: u32) -> Self {
        self.successes_per_retry = successes.max(1);
        if self.bucket.is_some() { self.refilled() } else { self }
    }

    fn refilled(mut self) -> Self {
        self.bucket = Some(Arc::new(AtomicU64::new(self.full())));
        self
    }

    fn full(&self) -> u64 {
        u64::from(self.capacity) * u64::from(self.successes_per_retry)
    }

    /// Takes a token for one retry. False: there is none, and the retry should not happen.
    pub fn try_withdraw(&self) -> bool {
        let Some(bucket) = &self.bucket else { return true };
        let price = u64::from(self.successes_per_retry);
        let paid = |level: u64| level.checked_sub(price);
        bucket.fetch_update(Ordering::Relaxed, Ordering::Relaxed, paid).is_ok()
    }

    /// Gives back the token of a retry that was not sent after all.
    pub fn refund(&self) {
        self.put_back(u64::from(self.successes_per_retry));
    }

    /// A call has succeeded: puts its part of a token back, up to the capacity.
    pub fn deposit(&self) {
        self.put_back(1);
    }

    fn put_back(&self, successes: u64) {
        let Some(bucket) = &self.bucket else { return };
        let full = self.full();
        let more = |level: u64| (level < full).then(|| level.saturating_add(successes).min(full));
        // An error means that it was full.
        let _ = bucket.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// How many retries it pays for now. `None`: without limit.
    pub fn remaining(&self) -> Option<u32> {
        let level = self.bucket.as_ref()?.load(Ordering::Relaxed);
        Some(u32::try_from(level / u64::from(self.successes_per_retry)).unwrap_or(u32::MAX))
    }
}

//! A limit that the client keeps by itself.

use super::PriceTable;
use super::totals::UNKNOWN;
use crate::observation::CallEnd;
use crate::{Error, ErrorKind};
use scaigrid_types::{Endpoint, Money};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A soft limit on what the calls of a client use, kept by the client itself: from
/// [`budget_guard`](crate::GenericClientBuilder::budget_guard).
///
/// Once the limit is reached, calls that ask a model fail with [`ErrorKind::BudgetGuard`] before they are sent; with
/// [`notify`](Self::notify), a callback is called once instead. Calls that ask no model, such as lists and health, always
/// pass, and so do batches, whose tokens are told late or never, and do not count.
///
/// It is soft: calls under way are not cut, so that all of them together may pass the limit; only tokens that the gateway
/// told count; and costs are estimates. The limit that holds is a budget of the gateway. Clones share what is used; so do
/// clients that are given clones.
///
/// ```
/// use scaigrid::{BudgetGuard, Client};
///
/// let guard = BudgetGuard::tokens(1_000_000);
/// let client = Client::builder().api_key("sgk_your_key_here").budget_guard(guard.clone()).build()?;
/// assert_eq!(guard.used().tokens, 0);
/// # let _ = client;
/// # Ok::<(), scaigrid::Error>(())
/// ```
#[derive(Clone)]
pub struct BudgetGuard {
    limit: Limit,
    allows_unpriced: bool,
    notify: Option<Notify>,
    used: Arc<Mutex<Used>>,
}

type Notify = Arc<dyn Fn(BudgetUse) + Send + Sync>;

#[derive(Clone)]
enum Limit {
    Tokens(u64),
    Cost(Money, Arc<PriceTable>),
}

#[derive(Default)]
struct Used {
    sum: BudgetUse,
    is_told: bool,
}

/// What a [`BudgetGuard`] has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetUse {
    /// All tokens.
    pub tokens: u64,
    /// What they cost, estimated, without a currency. 0 for a limit on tokens.
    pub estimated_cost: Money,
    /// Tokens that have no price, and are not in the cost. 0 for a limit on tokens.
    pub unpriced_tokens: u64,
}

impl BudgetGuard {
    /// A limit on tokens, of inputs and outputs together.
    pub fn tokens(limit: u64) -> Self {
        Self::new(Limit::Tokens(limit))
    }

    /// A limit on the estimated cost, without a currency. A call of a model that the table does not know is refused, unless
    /// [`allow_unpriced`](Self::allow_unpriced) lets it pass; so is one that names no model, such as a message of a session.
    pub fn estimated_cost(limit: Money, prices: PriceTable) -> Self {
        Self::new(Limit::Cost(limit, Arc::new(prices)))
    }

    fn new(limit: Limit) -> Self {
        Self { limit, allows_unpriced: false, notify: None, used: Arc::default() }
    }

    /// Lets calls of models without a price pass. Their tokens are in [`BudgetUse::unpriced_tokens`], and not in the cost.
    pub fn allow_unpriced(mut self) -> Self {
        self.allows_unpriced = true;
        self
    }

    /// Refuses nothing, and calls this once, when the limit is reached: on the thread or task of the call that reached it,
    /// and without any lock. It should return soon.
    pub fn notify(mut self, notify: impl Fn(BudgetUse) + Send + Sync + 'static) -> Self {
        self.notify = Some(Arc::new(notify));
        self
    }

    /// What was used so far.
    pub fn used(&self) -> BudgetUse {
        self.with(|used| used.sum)
    }

    /// Whether the limit is reached.
    pub fn is_exceeded(&self) -> bool {
        self.is_reached(&self.used())
    }

    /// Begins anew, for all clones, such as with a new day.
    pub fn reset(&self) {
        self.with(|used| *used = Used::default());
    }

    fn is_reached(&self, used: &BudgetUse) -> bool {
        match &self.limit {
            Limit::Tokens(limit) => used.tokens >= *limit,
            Limit::Cost(limit, _) => used.estimated_cost >= *limit,
        }
    }

    /// Why a call must not be sent.
    pub(crate) fn refusal<E: Endpoint>(&self, endpoint: &E) -> Option<Error> {
        if self.notify.is_some() || endpoint.operation().is_none() {
            return None;
        }
        let used = self.used();
        if self.is_reached(&used) {
            let message = match &self.limit {
                Limit::Tokens(limit) => {
                    format!("the client's budget guard: {} of {limit} tokens are used", used.tokens)
                }
                Limit::Cost(limit, _) => {
                    let cost = used.estimated_cost;
                    format!("the client's budget guard: an estimated {cost} of {limit} are used")
                }
            };
            return Some(Error::new(ErrorKind::BudgetGuard, message));
        }
        let Limit::Cost(_, prices) = &self.limit else { return None };
        let model = endpoint.requested_model().unwrap_or(UNKNOWN);
        let is_refused = !self.allows_unpriced && !prices.contains(model);
        is_refused.then(|| {
            let message = format!("the client's budget guard has no price for the model `{model}`: add one, or say `.allow_unpriced()`");
            Error::new(ErrorKind::BudgetGuard, message)
        })
    }

    /// Counts a call that has ended.
    pub(crate) fn count(&self, end: &CallEnd<'_>) {
        let Some(usage) = end.usage() else { return };
        let (cost, unpriced) = match &self.limit {
            Limit::Tokens(_) => (Money::ZERO, 0),
            Limit::Cost(_, prices) => {
                let model = end.model().unwrap_or(UNKNOWN);
                prices.cost(model, usage.prompt(), usage.completion(), usage.total())
            }
        };
        let told = self.with(|used| {
            let sum = &mut used.sum;
            sum.tokens = sum.tokens.saturating_add(usage.total());
            sum.estimated_cost += cost;
            sum.unpriced_tokens = sum.unpriced_tokens.saturating_add(unpriced);
            let sum = *sum;
            let is_new = self.is_reached(&sum) && !used.is_told;
            used.is_told |= is_new;
            is_new.then_some(sum)
        });
        if let (Some(used), Some(notify)) = (told, &self.notify) {
            notify(used);
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Used) -> T) -> T {
        work(&mut self.used.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for BudgetGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("BudgetGuard");
        match &self.limit {
            Limit::Tokens(limit) => shown.field("tokens", limit),
            Limit::Cost(limit, _) => shown.field("estimated_cost", limit),
        };
        shown.field("used", &self.used()).finish_non_exhaustive()
    }
}

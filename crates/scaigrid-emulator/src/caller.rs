//! Who sent a request, and what is booked on them.

use crate::catalog::Entry;
use crate::clock;
use crate::gateway::Gateway;
use crate::ids;
use crate::ledger::{self, UsageRecord};
use crate::permissions::Permissions;
use crate::reply::Failure;
use scaigrid_types::{ErrorCode, Money, Usage};
use std::sync::Arc;
use std::time::Instant;

/// The user behind one request. A user may own several keys.
pub(crate) struct Account {
    pub(crate) user_id: String,
    pub(crate) email: String,
    pub(crate) key_id: String,
    pub(crate) permissions: Permissions,
    gateway: Arc<Gateway>,
    request_id: String,
    started: Instant,
}

/// One served call, to be booked.
pub(crate) struct Served<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) tokens_in: u64,
    pub(crate) tokens_out: u64,
    /// Default: by the model's prices for tokens.
    pub(crate) cost: Option<Money>,
    /// Default: the time since the request came.
    pub(crate) latency_ms: Option<u64>,
    /// Default: the request's own. Another one for calls that run later, such as those of a batch.
    pub(crate) request_id: Option<String>,
}

impl<'a> Served<'a> {
    /// With the defaults.
    pub(crate) fn of(entry: &'a Entry, tokens_in: u64, tokens_out: u64) -> Self {
        Self { entry, tokens_in, tokens_out, cost: None, latency_ms: None, request_id: None }
    }
}

impl Account {
    /// The user of a key that is known and has not expired.
    pub(crate) fn authenticate(gateway: &Arc<Gateway>, secret: &str, request_id: &str) -> Option<Self> {
        let accounts = crate::sync::lock(&gateway.accounts);
        let (key, user) = accounts.authenticate(secret, clock::unix_millis())?;
        Some(Self {
            user_id: user.id.clone(),
            email: user.email.clone(),
            key_id: key.id.clone(),
            permissions: user.permissions.clone(),
            gateway: Arc::clone(gateway),
            request_id: request_id.to_owned(),
            started: clock::monotonic(),
        })
    }

    /// Whether the user has a permission, such as `models:use`.
    pub(crate) fn may(&self, permission: &str) -> bool {
        self.permissions.allows(permission)
    }

    /// For every route that runs inference, before anything is served.
    pub(crate) fn check_budget(&self) -> Result<(), Failure> {
        if !self.is_over_budget() {
            return Ok(());
        }
        // No hint: only an administrator, or the next period, can help.
        Err(Failure::new(ErrorCode::BudgetExceeded, "The budget is used up."))
    }

    pub(crate) fn is_over_budget(&self) -> bool {
        self.gateway.is_over_budget(&self.user_id)
    }

    /// Books a served call at the model's prices.
    pub(crate) fn book(&self, entry: &Entry, usage: &Usage) {
        self.book_served(Served::of(entry, usage.prompt(), usage.completion()));
    }

    /// Books a served call.
    pub(crate) fn book_served(&self, served: Served<'_>) {
        let Served { entry, tokens_in, tokens_out, .. } = served;
        let elapsed = || clock::monotonic().duration_since(self.started).as_millis();
        let latency_ms = served.latency_ms.unwrap_or_else(|| u64::try_from(elapsed()).unwrap_or(u64::MAX));
        self.gateway.book(UsageRecord {
            id: ids::with_prefix("usage_"),
            model: entry.model.slug.clone(),
            backend_id: entry.backend_id.to_owned(),
            user_id: self.user_id.clone(),
            requests: 1,
            tokens_in,
            tokens_out,
            cost: served.cost.unwrap_or_else(|| ledger::cost(&entry.model, tokens_in, tokens_out)),
            latency_ms,
            request_id: Some(served.request_id.unwrap_or_else(|| self.request_id.clone())),
            created_ms: clock::unix_millis(),
        });
    }
}

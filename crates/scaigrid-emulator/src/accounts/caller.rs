//! Who sent a request, and what is booked on them.

use super::permissions::Permissions;
use super::store::User;
use crate::accounting::{self, UsageRecord};
use crate::catalog::Entry;
use crate::clock;
use crate::gateway::Gateway;
use crate::ids;
use crate::reply::Failure;
use crate::sync::lock;
use scaigrid_types::{ErrorCode, Usage};
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

impl Account {
    /// The user of a key that is known and has not expired.
    pub(crate) fn authenticate(gateway: &Arc<Gateway>, secret: &str, request_id: &str) -> Option<Self> {
        let accounts = lock(&gateway.accounts);
        let (key, user) = accounts.authenticate(secret, clock::unix_millis())?;
        Some(Self::new(gateway, user, key.id.clone(), request_id))
    }

    /// A user for whom the gateway itself makes a call, such as a line of a batch. Without a key.
    pub(crate) fn of_user(gateway: &Arc<Gateway>, user_id: &str, request_id: &str) -> Option<Self> {
        let accounts = lock(&gateway.accounts);
        Some(Self::new(gateway, accounts.user(user_id)?, String::new(), request_id))
    }

    fn new(gateway: &Arc<Gateway>, user: &User, key_id: String, request_id: &str) -> Self {
        Self {
            user_id: user.id.clone(),
            email: user.email.clone(),
            key_id,
            permissions: user.permissions.clone(),
            gateway: Arc::clone(gateway),
            request_id: request_id.to_owned(),
            started: clock::monotonic(),
        }
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
        let (tokens_in, tokens_out) = (usage.prompt(), usage.completion());
        let latency = clock::monotonic().saturating_duration_since(self.started);
        self.gateway.book(UsageRecord {
            id: ids::with_prefix("usage_"),
            model: entry.model.slug.clone(),
            backend_id: entry.backend_id.to_owned(),
            user_id: self.user_id.clone(),
            requests: 1,
            tokens_in,
            tokens_out,
            cost: accounting::cost(&entry.model, tokens_in, tokens_out),
            latency_ms: u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
            request_id: Some(self.request_id.clone()),
            created_ms: clock::unix_millis(),
        });
    }
}

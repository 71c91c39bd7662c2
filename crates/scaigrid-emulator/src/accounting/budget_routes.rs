//! `/v1/accounting/budgets`.

use super::budget::{Budget, HardAction, Period, Scope, Terms};
use crate::call::Call;
use crate::clock;
use crate::fields::{Fields, filled_text};
use crate::gateway::{PARTNER, TENANT};
use crate::listing::{self, Items};
use crate::path::Param;
use crate::query::{Pairs, RawQuery};
use crate::reply::{Failure, Reply};
use crate::sync::lock;
use axum::extract::Query;
use axum::response::Response;
use bytes::Bytes;
use scaigrid_types::{ErrorCode, Money};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Documented.
const DEFAULT_SOFT_LIMIT: f64 = 0.8;

pub(crate) async fn list_budgets(call: Call, Query(pairs): RawQuery) -> Response {
    call.answer(list(&call, pairs))
}

pub(crate) async fn create_budget(call: Call, body: Bytes) -> Response {
    call.answer(create(&call, &body))
}

pub(crate) async fn get_budget(call: Call, Param(budget): Param<String>) -> Response {
    let found = visible(&call).into_iter().find(|one| one.id == budget);
    let missing = || Failure::not_found("No budget has this id.");
    call.answer(found.map(|budget| Reply::new(budget.wire())).ok_or_else(missing))
}

fn list(call: &Call, pairs: Pairs) -> Result<Reply<Items<Value>>, Failure> {
    let window = listing::only_window(pairs)?;
    Ok(listing::reply(visible(call).iter().map(Budget::wire), window))
}

/// Documented: the caller's scope. Assumed: all for those who may see the tenant, else what applies to the
/// caller.
fn visible(call: &Call) -> Vec<Budget> {
    let sees_all = call.account.may("accounting:view_tenant") || call.account.may("accounting:view_partner");
    let is_visible = |terms: &Terms| sees_all || terms.applies_to(&call.account.user_id);
    lock(&call.gateway.books).budgets.list(is_visible, clock::unix_millis())
}

fn create(call: &Call, body: &[u8]) -> Result<Reply<Value>, Failure> {
    let is_user = |id: &str| lock(&call.gateway.accounts).user(id).is_some();
    let terms = terms(body, &call.account.user_id, is_user)?;
    let mut books = lock(&call.gateway.books);
    let books = &mut *books;
    let created = books.budgets.create(terms, &books.ledger, clock::unix_millis());
    let too_many = || Failure::new(ErrorCode::QuotaExceeded, "There are too many budgets.");
    let (budget, events) = created.ok_or_else(too_many)?;
    events.into_iter().for_each(|event| call.gateway.events.emit(event));
    Ok(Reply::new(budget.wire()))
}

/// Reads a budget. Assumed: `scope` and `period` are required, the hard action is `block` when none is given,
/// and `scope_id` is the caller, the tenant, or the partner.
fn terms(body: &[u8], caller: &str, is_user: impl Fn(&str) -> bool) -> Result<Terms, Failure> {
    let mut fields = Fields::read(body)?;
    let has_limit = ["cost_limit", "token_limit", "request_limit"].iter().any(|name| fields.has(name));
    let scope =
        fields.required("scope", word, "must be one of partner, tenant, user; groups are not emulated");
    let period = fields.required("period", word, "must be one of daily, weekly, monthly, total");
    let cost_limit = fields.parsed("cost_limit", money, "must be a decimal amount that is not negative");
    let token_limit = fields.whole("token_limit", 0..=u64::MAX);
    let request_limit = fields.whole("request_limit", 0..=u64::MAX);
    if !has_limit {
        fields.problem("cost_limit", "is required, or token_limit, or request_limit");
    }
    let hard_action = fields.parsed("hard_action", word, "must be one of block, notify, throttle");
    let share = |value: Value| value.as_f64().filter(|share| (0.0..=1.0).contains(share));
    let soft_limit_pct = fields.parsed("soft_limit_pct", share, "must be a number from 0 to 1");
    let scope_id = fields.parsed("scope_id", filled_text, "must be a text");
    let scope_id = scope.map(|scope| {
        let default = match scope {
            Scope::Partner => PARTNER,
            Scope::Tenant => TENANT,
            Scope::User => caller,
        };
        let id = scope_id.unwrap_or_else(|| default.to_owned());
        let is_known = if scope == Scope::User { is_user(&id) } else { id == default };
        if !is_known {
            fields.problem("scope_id", "is nobody's id in this scope");
        }
        id
    });
    let (Some(scope), Some(scope_id), Some(period)) = (scope, scope_id, period) else {
        return Err(fields.finish().err().unwrap_or_else(|| Failure::invalid(&[])));
    };
    fields.finish()?;
    Ok(Terms {
        scope,
        scope_id,
        period,
        cost_limit,
        token_limit,
        request_limit,
        hard_action: hard_action.unwrap_or(HardAction::Block),
        soft_limit_pct: soft_limit_pct.unwrap_or(DEFAULT_SOFT_LIMIT),
    })
}

/// One of the words of an enum.
fn word<T: DeserializeOwned>(value: Value) -> Option<T> {
    T::deserialize(value).ok()
}

fn money(value: Value) -> Option<Money> {
    Money::deserialize(value).ok().filter(|amount| *amount >= Money::ZERO)
}

/// The budget that [`EmulatorBuilder::budget`](crate::EmulatorBuilder::budget) means.
pub(crate) fn of_settings(user_id: String, cost_limit: Money) -> Terms {
    Terms {
        scope: Scope::User,
        scope_id: user_id,
        period: Period::Total,
        cost_limit: Some(cost_limit),
        token_limit: None,
        request_limit: None,
        hard_action: HardAction::Block,
        soft_limit_pct: DEFAULT_SOFT_LIMIT,
    }
}

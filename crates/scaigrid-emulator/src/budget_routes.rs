//! `/v1/accounting/budgets`.

use crate::budget::{Budget, HardAction, Period, Scope, Terms};
use crate::clock;
use crate::gateway::{Account, Gateway, PARTNER, TENANT};
use crate::ids::RequestId;
use crate::json_body::{Fields, filled_text};
use crate::listing;
use crate::query::{Parameters, RawQuery};
use crate::reply::{Failure, Reply, seal};
use crate::sync::lock;
use axum::extract::{Extension, Path, Query, State};
use axum::response::Response;
use bytes::Bytes;
use scaigrid_types::{ErrorCode, Money};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

/// Documented.
const DEFAULT_SOFT_LIMIT: f64 = 0.8;

pub(crate) async fn list_budgets(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    Query(pairs): RawQuery,
) -> Response {
    seal(&id, list(&gateway, &account, pairs))
}

pub(crate) async fn create_budget(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    body: Bytes,
) -> Response {
    seal(&id, create(&gateway, &account, &body))
}

pub(crate) async fn get_budget(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    Path(budget_id): Path<String>,
) -> Response {
    let found = visible(&gateway, &account).into_iter().find(|budget| budget.id == budget_id);
    let missing = || Failure::not_found("No budget has this id.");
    seal(&id, found.map(|budget| Reply::new(budget.wire())).ok_or_else(missing))
}

fn list(gateway: &Gateway, account: &Account, pairs: Vec<(String, String)>) -> Result<Reply<Value>, Failure> {
    let mut query = Parameters::new(pairs);
    let window = listing::window(&mut query);
    query.finish()?;
    let budgets = visible(gateway, account);
    let (page, pagination) = listing::page(&budgets, Some(window.limit), window.start);
    let items: Vec<Value> = page.iter().map(Budget::wire).collect();
    Ok(Reply { data: json!({"items": items}), pagination })
}

/// Documented: the caller's scope. Assumed: all for those who may see the tenant, else what applies to the
/// caller.
fn visible(gateway: &Gateway, account: &Account) -> Vec<Budget> {
    let sees_all = account.may("accounting:view_tenant") || account.may("accounting:view_partner");
    let is_visible = |terms: &Terms| sees_all || terms.applies_to(&account.user_id);
    lock(&gateway.books).budgets.list(is_visible, clock::unix_millis())
}

fn create(gateway: &Gateway, account: &Account, body: &[u8]) -> Result<Reply<Value>, Failure> {
    let is_user = |id: &str| lock(&gateway.accounts).user(id).is_some();
    let terms = terms(body, &account.user_id, is_user)?;
    let mut books = lock(&gateway.books);
    let books = &mut *books;
    let created = books.budgets.create(terms, &books.ledger, clock::unix_millis());
    let too_many = || Failure::new(ErrorCode::QuotaExceeded, "There are too many budgets.");
    let (budget, events) = created.ok_or_else(too_many)?;
    events.into_iter().for_each(|event| gateway.events.emit(event));
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

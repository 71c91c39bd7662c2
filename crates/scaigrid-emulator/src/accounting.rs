//! `/v1/accounting`: what was served, what it cost, and what it may cost.

mod books;
mod budget;
mod budget_routes;
mod budgets;
mod ledger;
mod summary;
mod usage;

pub(crate) use books::Books;
pub(crate) use budget_routes::of_settings;
pub(crate) use ledger::{UsageRecord, cost};

pub use ledger::Totals;

use crate::gateway::Gateway;
use axum::Router;
use axum::routing::get;
use budget_routes::{create_budget, get_budget, list_budgets};
use std::sync::Arc;
use summary::usage_summary;
use usage::{export_usage, list_usage};

/// All routes of accounting.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/v1/accounting/usage", get(list_usage))
        .route("/v1/accounting/usage/summary", get(usage_summary))
        .route("/v1/accounting/export", get(export_usage))
        .route("/v1/accounting/budgets", get(list_budgets).post(create_budget))
        .route("/v1/accounting/budgets/{id}", get(get_budget))
}

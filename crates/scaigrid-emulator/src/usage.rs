//! `GET /v1/accounting/usage` and `GET /v1/accounting/export`.

use crate::clock;
use crate::export::{self, Format};
use crate::gateway::{Account, Gateway, PARTNER, TENANT};
use crate::ids::RequestId;
use crate::ledger::{Selection, UsageRecord};
use crate::listing;
use crate::query::{Parameters, RawQuery};
use crate::reply::{Failure, Reply, seal};
use crate::summary::{scope, select};
use crate::sync::lock;
use crate::times::rfc3339;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// Assumed: the documentation names no columns.
const COLUMNS: &[&str] = &[
    "id",
    "model",
    "backend_id",
    "user_id",
    "tenant_id",
    "partner_id",
    "tokens_in",
    "tokens_out",
    "cost",
    "latency_ms",
    "created_at",
    "request_id",
    "request_count",
];

pub(crate) async fn list_usage(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    Query(pairs): RawQuery,
) -> Response {
    seal(&id, list(&gateway, &account, pairs))
}

pub(crate) async fn export_usage(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    Query(pairs): RawQuery,
) -> Response {
    let mut query = Parameters::new(pairs);
    let format = Format::read(&mut query);
    match selection(query, &account) {
        Ok(selection) => {
            let rows: Vec<UsageRecord> = {
                let books = lock(&gateway.books);
                books.ledger.records().filter(|record| selection.has(record)).cloned().collect()
            };
            export::respond(&id, "usage", format, COLUMNS, rows.into_iter().map(|record| wire(&record)))
        }
        Err(failure) => failure.into_response(&id),
    }
}

/// Oldest first (assumed).
fn list(gateway: &Gateway, account: &Account, pairs: Vec<(String, String)>) -> Result<Reply<Value>, Failure> {
    let mut query = Parameters::new(pairs);
    let window = listing::window(&mut query);
    let selection = selection(query, account)?;
    let books = lock(&gateway.books);
    let records: Vec<&UsageRecord> = books.ledger.records().filter(|record| selection.has(record)).collect();
    let (page, pagination) = listing::page(&records, Some(window.limit), window.start);
    let items: Vec<Value> = page.into_iter().map(wire).collect();
    Ok(Reply { data: json!({"items": items}), pagination })
}

fn selection(mut query: Parameters, account: &Account) -> Result<Selection, Failure> {
    let mut selection = select(&mut query, clock::unix_millis());
    query.finish()?;
    scope(account, &mut selection)?;
    Ok(selection)
}

/// Documented, but for the last three fields. `request_count` is 1 unless old records were merged.
fn wire(record: &UsageRecord) -> Value {
    json!({
        "id": record.id,
        "model": record.model,
        "backend_id": record.backend_id,
        "user_id": record.user_id,
        "tenant_id": TENANT,
        "tokens_in": record.tokens_in,
        "tokens_out": record.tokens_out,
        "cost": record.cost,
        "latency_ms": record.latency_ms,
        "created_at": rfc3339(record.created_ms),
        "partner_id": PARTNER,
        "request_id": record.request_id,
        "request_count": record.requests,
    })
}

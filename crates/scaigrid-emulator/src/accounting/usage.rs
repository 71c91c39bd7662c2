//! `GET /v1/accounting/usage` and `GET /v1/accounting/export`.

use super::ledger::{Selection, UsageRecord};
use super::summary::{scope, select};
use crate::accounts::Account;
use crate::call::Call;
use crate::clock;
use crate::export::{self, Format};
use crate::gateway::{PARTNER, TENANT};
use crate::listing::{self, Items};
use crate::query::{Pairs, Parameters, RawQuery};
use crate::reply::{Failure, Reply};
use crate::sync::lock;
use crate::times::rfc3339;
use axum::extract::Query;
use axum::response::Response;
use serde_json::{Value, json};

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

pub(crate) async fn list_usage(call: Call, Query(pairs): RawQuery) -> Response {
    call.answer(list(&call, pairs))
}

pub(crate) async fn export_usage(call: Call, Query(pairs): RawQuery) -> Response {
    let mut query = Parameters::new(pairs);
    let format = Format::read(&mut query);
    match selection(query, &call.account) {
        Ok(selection) => {
            let rows: Vec<UsageRecord> = {
                let books = lock(&call.gateway.books);
                books.ledger.records().filter(|record| selection.has(record)).cloned().collect()
            };
            export::respond(&call.id, "usage", format, COLUMNS, rows.into_iter().map(|record| wire(&record)))
        }
        Err(failure) => call.failed(failure),
    }
}

/// Oldest first (assumed).
fn list(call: &Call, pairs: Pairs) -> Result<Reply<Items<Value>>, Failure> {
    let mut query = Parameters::new(pairs);
    let window = listing::window(&mut query);
    let selection = selection(query, &call.account)?;
    let books = lock(&call.gateway.books);
    let records = books.ledger.records().filter(|record| selection.has(record));
    Ok(listing::reply(records.map(wire), window))
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

//! `/v1/audit-log`, and the one place that writes to it.

use super::action;
use super::log::{Entry, Wanted};
use crate::accounts::Account;
use crate::call::Call;
use crate::clock;
use crate::export::{self, Format};
use crate::gateway::Gateway;
use crate::ids::{self, RequestId};
use crate::listing::{self, Items};
use crate::query::{Pairs, Parameters, RawQuery};
use crate::reply::{Failure, Reply};
use crate::sync::lock;
use crate::times::{TIME_PROBLEM, instant_ms};
use crate::wire::ConnectionHandle;
use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, Extension, MatchedPath, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::USER_AGENT;
use axum::middleware::Next;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;

/// Assumed: the documentation names no columns.
const COLUMNS: &[&str] = &[
    "id",
    "timestamp",
    "action",
    "actor_id",
    "actor_email",
    "actor_type",
    "tenant_id",
    "partner_id",
    "resource_type",
    "resource_id",
    "ip_address",
    "user_agent",
    "status",
    "status_code",
    "request_id",
];

/// The longest user agent that is kept, in characters.
const MAX_USER_AGENT: usize = 256;

/// The largest answer in which the id of a new resource is looked for, in bytes.
const MAX_ANSWER: u64 = 1024 * 1024;

/// Writes down every changing request of a known user, whatever becomes of it.
pub(crate) async fn audited(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    ConnectInfo(ConnectionHandle(connection)): ConnectInfo<ConnectionHandle>,
    route: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let Some(action) = action::action(request.method(), route.as_str()) else {
        return next.run(request).await;
    };
    let named = action::last_parameter(route.as_str(), request.uri().path());
    let user_agent = request
        .headers()
        .get(USER_AGENT)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).chars().take(MAX_USER_AGENT).collect());
    let response = next.run(request).await;
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let (response, created) = match action.name.ends_with(".create") {
        true => created_id(response).await,
        false => (response, None),
    };
    lock(&gateway.audit).push(Entry {
        id: ids::with_prefix("audit_"),
        created_ms: clock::unix_millis(),
        action: action.name,
        actor_id: account.user_id.clone(),
        actor_email: account.email.clone(),
        resource_type: action.resource_type,
        resource_id: created.or(named),
        ip_address: connection.peer.to_string(),
        user_agent,
        status_code: response.status().as_u16(),
        request_id: id.0,
    });
    response
}

/// The id in the answer, if it is a small one with an id.
async fn created_id(response: Response) -> (Response, Option<String>) {
    if response.body().size_hint().exact().is_none_or(|size| size > MAX_ANSWER) {
        return (response, None);
    }
    let (parts, body) = response.into_parts();
    // The body is in memory already: reading it does not fail.
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let id = answer.pointer("/data/id").and_then(Value::as_str).map(str::to_owned);
    (Response::from_parts(parts, Body::from(bytes)), id)
}

pub(crate) async fn list_audit_log(call: Call, Query(pairs): RawQuery) -> Response {
    call.answer(list(&call.gateway, pairs))
}

/// Assumed: without an envelope, as the export of usage.
pub(crate) async fn export_audit_log(call: Call, Query(pairs): RawQuery) -> Response {
    let mut query = Parameters::new(pairs);
    let format = Format::read(&mut query);
    match wanted(query) {
        Ok(wanted) => {
            let rows: Vec<Entry> = lock(&call.gateway.audit).select(&wanted).cloned().collect();
            export::respond(
                &call.id,
                "audit-log",
                format,
                COLUMNS,
                rows.into_iter().map(|entry| entry.wire()),
            )
        }
        Err(failure) => call.failed(failure),
    }
}

/// Oldest first (assumed).
fn list(gateway: &Gateway, pairs: Pairs) -> Result<Reply<Items<Value>>, Failure> {
    let mut query = Parameters::new(pairs);
    let window = listing::window(&mut query);
    let wanted = wanted(query)?;
    let log = lock(&gateway.audit);
    Ok(listing::reply(log.select(&wanted).map(Entry::wire), window))
}

fn wanted(mut query: Parameters) -> Result<Wanted, Failure> {
    let status = |text: &str| ["SUCCESS", "FAILURE"].contains(&text).then(|| text.to_owned());
    let wanted = Wanted {
        from_ms: query.parsed("start", |text| instant_ms(text, false), TIME_PROBLEM),
        until_ms: query.parsed("end", |text| instant_ms(text, true), TIME_PROBLEM),
        action: query.text("action"),
        actor_id: query.text("actor_id"),
        resource_type: query.text("resource_type"),
        resource_id: query.text("resource_id"),
        status: query.parsed("status", status, "must be SUCCESS or FAILURE"),
        ip_address: query.text("ip_address"),
    };
    query.finish()?;
    Ok(wanted)
}

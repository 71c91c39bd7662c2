//! Health and metrics. Documented: no envelope, and no credential but for the details.

use crate::clock;
use crate::gateway::Gateway;
use crate::ids::RequestId;
use crate::reply;
use crate::sync::lock;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(crate) async fn health(Extension(id): Extension<RequestId>) -> Response {
    reply::json(StatusCode::OK, &id, &json!({"status": "ok"}))
}

/// The body of the 503 is assumed.
pub(crate) async fn ready(
    State(gateway): State<Arc<Gateway>>,
    Extension(id): Extension<RequestId>,
) -> Response {
    let is_ready = gateway.ready.load(Ordering::Relaxed);
    let (status, word) = match is_ready {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not_ready"),
    };
    reply::json(status, &id, &json!({"status": word, "checks": checks(is_ready)}))
}

/// The body is assumed.
pub(crate) async fn detailed(
    State(gateway): State<Arc<Gateway>>,
    Extension(id): Extension<RequestId>,
) -> Response {
    let is_ready = gateway.ready.load(Ordering::Relaxed);
    let backends = gateway.models.iter().map(|entry| (entry.backend_id.to_owned(), json!("healthy")));
    let body = json!({
        "status": if is_ready { "ok" } else { "degraded" },
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": clock::monotonic().duration_since(gateway.started).as_secs(),
        "checks": checks(is_ready),
        "backends": backends.collect::<Value>(),
        "requests_received": gateway.received.load(Ordering::Relaxed),
    });
    reply::json(StatusCode::OK, &id, &body)
}

pub(crate) async fn metrics(
    State(gateway): State<Arc<Gateway>>,
    Extension(id): Extension<RequestId>,
) -> Response {
    let totals = lock(&gateway.books).ledger.totals().clone();
    let text = gateway.metrics.text(&totals, &gateway.models);
    reply::raw(&id, "text/plain; version=0.0.4; charset=utf-8", text)
}

/// The names are documented.
fn checks(is_ready: bool) -> Value {
    let database = if is_ready { "ok" } else { "error" };
    json!({"database": database, "redis": "ok", "modules": "ok"})
}

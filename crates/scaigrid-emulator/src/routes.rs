//! Which path and method goes where.

use crate::admission::admit;
use crate::chat::chat;
use crate::gateway::Gateway;
use crate::ids::RequestId;
use crate::intake::receive;
use crate::models::{get_model, list_models};
use crate::reply::{self, Failure};
use crate::summary::usage_summary;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;
use std::sync::Arc;

/// The whole gateway.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    let v1 = Router::new()
        .route("/v1/inference/chat", post(chat))
        .route("/v1/models", get(list_models))
        .route("/v1/models/{slug}", get(get_model))
        .route("/v1/accounting/usage/summary", get(usage_summary))
        .merge(crate::sessions::routes())
        .merge(crate::rooms::routes())
        .merge(crate::webhooks::routes())
        .merge(crate::scaimatrix::routes())
        .method_not_allowed_fallback(wrong_method)
        .route_layer(from_fn_with_state(Arc::clone(&gateway), admit));
    Router::new()
        .merge(v1)
        .route("/health", get(health).fallback(wrong_method))
        .fallback(unknown_route)
        // `receive` has its own limit, which answers in the envelope.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::clone(&gateway), receive))
        .with_state(gateway)
}

/// Documented: no credential and no envelope.
async fn health(Extension(id): Extension<RequestId>) -> Response {
    reply::json(StatusCode::OK, &id, &json!({"status": "ok"}))
}

/// The code is assumed: the documentation names none for an unknown route.
async fn unknown_route(Extension(id): Extension<RequestId>) -> Response {
    let message = "No such route, or none that this emulator knows.";
    Failure::undocumented(StatusCode::NOT_FOUND, "NOT_FOUND", message).into_response(&id)
}

/// The code is assumed, as for an unknown route.
async fn wrong_method(Extension(id): Extension<RequestId>) -> Response {
    let message = "The route does not take this method.";
    Failure::undocumented(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message).into_response(&id)
}

//! Which path and method goes where.

use crate::admission::admit;
use crate::api_keys::{create_key, delete_key, list_keys, profile};
use crate::audio::{synthesize, transcribe};
use crate::audit_log::{audited, export_audit_log, list_audit_log};
use crate::batch::{cancel_batch, get_batch, list_batches, submit_batch};
use crate::budget_routes::{create_budget, get_budget, list_budgets};
use crate::chat::chat;
use crate::embed::embed;
use crate::gateway::Gateway;
use crate::generate::generate;
use crate::health;
use crate::ids::RequestId;
use crate::images::generate_images;
use crate::intake::receive;
use crate::media::get_media;
use crate::models::{get_model, list_models};
use crate::permissions::authorize;
use crate::reply::Failure;
use crate::summary::usage_summary;
use crate::usage::{export_usage, list_usage};
use crate::variant::WireVariant;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{delete, get, post};
use std::sync::Arc;

/// The whole gateway.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    let other_path = |variant| from_fn_with_state((Arc::clone(&gateway), variant), only_with);
    let v1 = Router::new()
        .route("/v1/inference/chat", post(chat))
        .route("/v1/inference/embed", post(embed))
        .route("/v1/inference/images/generate", post(generate_images))
        .route("/v1/inference/audio/transcribe", post(transcribe))
        .route("/v1/inference/audio/synthesize", post(synthesize))
        .route("/v1/inference/generate", post(generate))
        .route("/v1/inference/batch", post(submit_batch).get(list_batches))
        .route("/v1/inference/batch/{batch_id}", get(get_batch))
        .route("/v1/inference/batch/{batch_id}/cancel", post(cancel_batch))
        .route(
            "/v1/inference/embeddings",
            post(embed).fallback(wrong_method).layer(other_path(WireVariant::EmbeddingsPath)),
        )
        .route(
            "/v1/chat/completions",
            post(chat).fallback(wrong_method).layer(other_path(WireVariant::ChatCompletionsPath)),
        )
        .route("/v1/models", get(list_models))
        .route("/v1/models/{slug}", get(get_model))
        .route("/v1/accounting/usage/summary", get(usage_summary))
        .merge(crate::sessions::routes())
        .merge(crate::rooms::routes())
        .merge(crate::webhooks::routes())
        .merge(crate::scaimatrix::routes())
        .route("/v1/accounting/usage", get(list_usage))
        .route("/v1/accounting/export", get(export_usage))
        .route("/v1/accounting/budgets", get(list_budgets).post(create_budget))
        .route("/v1/accounting/budgets/{budget_id}", get(get_budget))
        .route("/v1/api-keys", get(list_keys).post(create_key))
        .route("/v1/api-keys/{key_id}", delete(delete_key))
        .route("/v1/me", get(profile))
        .route("/v1/auth/me", get(profile))
        .route("/v1/audit-log", get(list_audit_log))
        .route("/v1/audit-log/export", get(export_audit_log))
        .route("/health/detailed", get(health::detailed))
        .method_not_allowed_fallback(wrong_method)
        // The last one comes first: admitted, then logged, also when the permission is missing.
        .route_layer(from_fn(authorize))
        .route_layer(from_fn_with_state(Arc::clone(&gateway), audited))
        .route_layer(from_fn_with_state(Arc::clone(&gateway), admit));
    Router::new()
        .merge(v1)
        .route("/media/{media_id}", get(get_media).fallback(wrong_method))
        .route("/health", get(health::health).fallback(wrong_method))
        .route("/health/ready", get(health::ready).fallback(wrong_method))
        .route("/metrics", get(health::metrics).fallback(wrong_method))
        .fallback(unknown_route)
        // `receive` has its own limit, which answers in the envelope.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::clone(&gateway), receive))
        .with_state(gateway)
}

/// Serves a path only while its variant is set.
async fn only_with(
    State((gateway, variant)): State<(Arc<Gateway>, WireVariant)>,
    Extension(id): Extension<RequestId>,
    request: Request,
    next: Next,
) -> Response {
    match gateway.variants.has(variant) {
        true => next.run(request).await,
        false => unknown_route(Extension(id)).await,
    }
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

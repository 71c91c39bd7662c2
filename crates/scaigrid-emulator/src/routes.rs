//! Which path and method goes where.

use crate::admission::admit;
use crate::audio::{synthesize, transcribe};
use crate::batch::{cancel_batch, get_batch, list_batches, submit_batch};
use crate::chat::chat;
use crate::embed::embed;
use crate::gateway::Gateway;
use crate::generate::generate;
use crate::ids::RequestId;
use crate::images::generate_images;
use crate::intake::receive;
use crate::media::get_media;
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
        .route("/v1/inference/embed", post(embed))
        .route("/v1/inference/images/generate", post(generate_images))
        .route("/v1/inference/audio/transcribe", post(transcribe))
        .route("/v1/inference/audio/synthesize", post(synthesize))
        .route("/v1/inference/generate", post(generate))
        .route("/v1/inference/batch", post(submit_batch).get(list_batches))
        .route("/v1/inference/batch/{batch_id}", get(get_batch))
        .route("/v1/inference/batch/{batch_id}/cancel", post(cancel_batch))
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
        .route("/media/{media_id}", get(get_media).fallback(wrong_method))
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

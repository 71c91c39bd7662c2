//! Which path and method goes where.

use crate::accounts::authorize;
use crate::admission::admit;
use crate::audit::audited;
use crate::gateway::Gateway;
use crate::ids::RequestId;
use crate::intake::receive;
use crate::media::get_media;
use crate::reply::Failure;
use crate::{
    accounting, accounts, audit, batch, health, inference, models, rooms, scaimatrix, sessions, webhooks,
};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension, MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use std::sync::Arc;

/// The whole gateway.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    let v1 = Router::new()
        .merge(inference::routes())
        .merge(batch::routes())
        .merge(models::routes())
        .merge(sessions::routes())
        .merge(rooms::routes())
        .merge(accounting::routes())
        .merge(accounts::routes())
        .merge(webhooks::routes())
        .merge(audit::routes())
        .merge(scaimatrix::routes())
        .route("/health/detailed", get(health::detailed));
    let others = guarded(inference::other_routes(), &gateway)
        .route_layer(from_fn_with_state(Arc::clone(&gateway), only_if_set));
    Router::new()
        .merge(guarded(v1, &gateway))
        .merge(others)
        .route("/health", get(health::health).fallback(wrong_method))
        .route("/health/ready", get(health::ready).fallback(wrong_method))
        .route("/metrics", get(health::metrics).fallback(wrong_method))
        .route("/media/{id}", get(get_media).fallback(wrong_method))
        .fallback(unknown_route)
        // `receive` has its own limit, which answers in the envelope.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::clone(&gateway), receive))
        .with_state(gateway)
}

/// The routes for users with a key and the permission.
fn guarded(routes: Router<Arc<Gateway>>, gateway: &Arc<Gateway>) -> Router<Arc<Gateway>> {
    routes
        .method_not_allowed_fallback(wrong_method)
        // The last one comes first: admitted, then logged, also when the permission is missing.
        .route_layer(from_fn(authorize))
        .route_layer(from_fn_with_state(Arc::clone(gateway), audited))
        .route_layer(from_fn_with_state(Arc::clone(gateway), admit))
}

/// Of paths that come with a variant, there are only those whose variant is set.
async fn only_if_set(
    State(gateway): State<Arc<Gateway>>,
    id: Extension<RequestId>,
    route: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    match inference::has_path(route.as_str(), &gateway.variants) {
        true => next.run(request).await,
        false => unknown_route(id).await,
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

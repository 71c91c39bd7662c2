//! ScaiMatrix, `/v1/modules/scaimatrix`: collections of documents that can be searched.

mod chunking;
mod collection;
mod collections;
mod document;
mod documents;
mod search;
mod settings;
mod store;

pub(crate) use documents::{Ingestion, resume};
pub(crate) use store::Collections;

use crate::gateway::Gateway;
use axum::Router;
use axum::routing::{get, post};
use std::sync::Arc;

/// All routes of the module. The path of `re-chunk` is assumed to lie below its collection.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    let module = Router::new()
        .route("/collections", get(collections::list).post(collections::create))
        .route(
            "/collections/{id}",
            get(collections::show).put(collections::change).delete(collections::delete),
        )
        .route("/collections/{id}/fork", post(collections::fork))
        .route("/collections/{id}/re-chunk", post(collections::rechunk))
        .route("/collections/{id}/search", post(search::search))
        .route("/collections/{id}/documents", get(documents::list).post(documents::upload))
        .route("/collections/{id}/documents/{document}", get(documents::show).delete(documents::delete))
        .route("/permissions/collection/{id}/effective", get(collections::permissions));
    Router::new().nest("/v1/modules/scaimatrix", module)
}

//! `/v1/inference/batch`: many calls in one file.
//!
//! ```text
//! submit ──▶ validating ──▶ in_progress ──▶ completed
//!                │               ├────────▶ cancelled   by the client
//!                │               └────────▶ expired     its window is over
//!                └────────▶ failed                      the file cannot be used
//! ```
//! A job runs in a task of its own. Its state is in the [`JobStore`] alone, so that a task can take it up where
//! another one left it.

mod fetch;
mod input;
mod job;
mod results;
mod routes;
mod run;
mod store;
mod submit;

pub(crate) use run::resume;
pub(crate) use store::JobStore;

use crate::gateway::Gateway;
use axum::Router;
use axum::routing::{get, post};
use routes::{cancel_batch, get_batch, list_batches, submit_batch};
use std::sync::Arc;

/// All routes of batches.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/v1/inference/batch", get(list_batches).post(submit_batch))
        .route("/v1/inference/batch/{id}", get(get_batch))
        .route("/v1/inference/batch/{id}/cancel", post(cancel_batch))
}

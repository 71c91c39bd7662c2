//! `GET /v1/models` and `GET /v1/models/{slug}`.

use crate::call::Call;
use crate::gateway::Gateway;
use crate::listing::{self, Items};
use crate::path::Param;
use crate::query::{Pairs, Parameters, RawQuery};
use crate::reply::{Failure, Reply};
use axum::Router;
use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use scaigrid_types::{Modality, Model, ModelStatus};
use std::sync::Arc;

/// Both routes.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/v1/models", get(list_models)).route("/v1/models/{slug}", get(get_model))
}

async fn list_models(call: Call, Query(pairs): RawQuery) -> Response {
    call.answer(list(&call.gateway, pairs))
}

async fn get_model(call: Call, Param(slug): Param<String>) -> Response {
    call.answer(call.gateway.model(&slug).map(|entry| Reply::new(&entry.model)))
}

/// Assumed: without `pagination` on the last page.
fn list(gateway: &Gateway, pairs: Pairs) -> Result<Reply<Items<&Model>>, Failure> {
    let mut query = Parameters::new(pairs);
    let window = listing::window(&mut query);
    let modality = query.text("modality").map(Modality::from);
    let status = query.text("status").map(ModelStatus::from);
    query.finish()?;
    let wanted = |model: &&Model| {
        (modality.is_none() || model.modality == modality) && (status.is_none() || model.status == status)
    };
    let mut page = listing::reply(gateway.models.iter().map(|entry| &entry.model).filter(wanted), window);
    page.pagination = page.pagination.filter(|pagination| pagination.has_more);
    Ok(page)
}

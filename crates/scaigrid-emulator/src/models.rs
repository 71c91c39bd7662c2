//! `GET /v1/models` and `GET /v1/models/{slug}`.

use crate::gateway::Gateway;
use crate::ids::RequestId;
use crate::query::{Parameters, RawQuery};
use crate::reply::{Failure, Reply, seal};
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::response::Response;
use scaigrid_types::{ErrorCode, Modality, Model, ModelStatus, Pagination};
use serde::Serialize;
use std::sync::Arc;

/// Assumed: documented for other lists.
const DEFAULT_LIMIT: usize = 100;

#[derive(Serialize)]
struct Items {
    items: Vec<Model>,
}

pub(crate) async fn list_models(
    State(gateway): State<Arc<Gateway>>,
    Extension(id): Extension<RequestId>,
    Query(pairs): RawQuery,
) -> Response {
    seal(&id, list(&gateway, pairs))
}

pub(crate) async fn get_model(
    State(gateway): State<Arc<Gateway>>,
    Extension(id): Extension<RequestId>,
    slug: Result<Path<String>, PathRejection>,
) -> Response {
    // A slug that is not UTF-8 is no model's slug.
    let entry = slug.ok().and_then(|Path(slug)| gateway.model(&slug));
    let not_found = || Failure::new(ErrorCode::ModelNotFound, "No model has this slug.");
    seal(&id, entry.map(|entry| Reply::new(&entry.model)).ok_or_else(not_found))
}

fn list(gateway: &Gateway, pairs: Vec<(String, String)>) -> Result<Reply<Items>, Failure> {
    let mut query = Parameters::new(pairs);
    let within_limits = |text: &str| text.parse().ok().filter(|limit| (1..=1000).contains(limit));
    let limit = query.parsed("limit", within_limits, "must be a whole number from 1 to 1000");
    let start = query.parsed("cursor", position, "is not a cursor of this list").unwrap_or(0);
    let modality = query.text("modality").map(Modality::from);
    let status = query.text("status").map(ModelStatus::from);
    let problems = query.into_problems();
    if !problems.is_empty() {
        return Err(Failure::invalid(&problems));
    }

    let wanted = |model: &&Model| {
        (modality.is_none() || model.modality == modality) && (status.is_none() || model.status == status)
    };
    let matching: Vec<&Model> = gateway.models.iter().map(|entry| &entry.model).filter(wanted).collect();
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let items: Vec<Model> = matching.iter().copied().skip(start).take(limit).cloned().collect();
    let end = start.saturating_add(items.len());
    let pagination = (end < matching.len()).then(|| Pagination::new(Some(format!("after_{end}"))));
    Ok(Reply { data: Items { items }, pagination })
}

fn position(cursor: &str) -> Option<usize> {
    cursor.strip_prefix("after_")?.parse().ok()
}

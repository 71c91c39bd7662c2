//! The four routes.

use super::job::Job;
use super::run;
use super::submit;
use crate::clock;
use crate::gateway::{Account, Gateway};
use crate::ids::RequestId;
use crate::listing::{self, Items};
use crate::media;
use crate::query::{Parameters, RawQuery};
use crate::reply::{Failure, Reply, seal};
use crate::sync::lock;
use crate::variant::WireVariant;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;

/// Assumed: answers with status 200 and the job object.
pub(crate) async fn submit_batch(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    body: Bytes,
) -> Response {
    seal(&id, submit(&gateway, &account, &body))
}

pub(crate) async fn list_batches(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    Query(pairs): RawQuery,
) -> Response {
    seal(&id, list(&gateway, &account, pairs))
}

pub(crate) async fn get_batch(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    batch: Result<Path<String>, PathRejection>,
) -> Response {
    seal(&id, on_job(&gateway, &account, batch, |_| {}))
}

pub(crate) async fn cancel_batch(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    batch: Result<Path<String>, PathRejection>,
) -> Response {
    let cancel =
        |job: &mut Job| run::with_files(&gateway, |publish| job.cancel(clock::unix_millis(), publish));
    seal(&id, on_job(&gateway, &account, batch, cancel))
}

fn submit(gateway: &Arc<Gateway>, account: &Account, body: &[u8]) -> Result<Reply<Value>, Failure> {
    let order = submit::read(body)?;
    account.check_budget()?;
    let mut store = lock(&gateway.batches);
    let id = store.add(&account.user_id, order, clock::unix_millis())?;
    let view = store.job(&id).map(|job| view(gateway, job)).unwrap_or_default();
    drop(store);
    run::spawn(Arc::clone(gateway), account.user_id.clone(), id);
    Ok(Reply::new(view))
}

fn list(
    gateway: &Gateway,
    account: &Account,
    pairs: Vec<(String, String)>,
) -> Result<Reply<Items<Value>>, Failure> {
    let mut query = Parameters::new(pairs);
    let window = listing::window(&mut query);
    let problems = query.into_problems();
    if !problems.is_empty() {
        return Err(Failure::invalid(&problems));
    }
    let store = lock(&gateway.batches);
    let jobs = store.jobs_of(&account.user_id);
    let (jobs, pagination) = listing::page(&jobs, Some(window.limit), window.start);
    let items = jobs.into_iter().map(|job| view(gateway, job)).collect();
    Ok(Reply { data: Items { items }, pagination })
}

/// Changes a job of the account and shows it.
fn on_job(
    gateway: &Gateway,
    account: &Account,
    batch: Result<Path<String>, PathRejection>,
    change: impl FnOnce(&mut Job),
) -> Result<Reply<Value>, Failure> {
    let mut store = lock(&gateway.batches);
    let job = batch.ok().and_then(|Path(batch)| store.job_of(&account.user_id, &batch));
    // The code is assumed: the documentation names none for batches.
    let not_found =
        || Failure::undocumented(StatusCode::NOT_FOUND, "NOT_FOUND", "No batch of yours has this id.");
    let job = job.ok_or_else(not_found)?;
    change(job);
    Ok(Reply::new(view(gateway, job)))
}

fn view(gateway: &Gateway, job: &Job) -> Value {
    let mut view = job.view(|file| media::url(gateway, file));
    if let (true, Value::Object(view)) = (gateway.variants.has(WireVariant::IdsElsewhere), &mut view) {
        for (name, other) in [("id", "batch_id"), ("output_file_url", "results_url")] {
            if let Some(value) = view.remove(name) {
                view.insert(other.to_owned(), value);
            }
        }
    }
    view
}

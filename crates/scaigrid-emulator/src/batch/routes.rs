//! The four routes.

use super::job::Job;
use super::run;
use super::submit;
use crate::call::Call;
use crate::clock;
use crate::gateway::Gateway;
use crate::listing::{self, Items};
use crate::media;
use crate::path::Param;
use crate::query::{Pairs, RawQuery};
use crate::reply::{Failure, Reply};
use crate::sync::lock;
use crate::variant::WireVariant;
use axum::extract::Query;
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;

/// Assumed: answers with status 200 and the job object.
pub(crate) async fn submit_batch(call: Call, body: Bytes) -> Response {
    call.answer(submit(&call, &body))
}

pub(crate) async fn list_batches(call: Call, Query(pairs): RawQuery) -> Response {
    call.answer(list(&call, pairs))
}

pub(crate) async fn get_batch(call: Call, Param(batch): Param<String>) -> Response {
    call.answer(on_job(&call, &batch, |_| {}))
}

pub(crate) async fn cancel_batch(call: Call, Param(batch): Param<String>) -> Response {
    let cancel =
        |job: &mut Job| run::with_files(&call.gateway, |publish| job.cancel(clock::unix_millis(), publish));
    call.answer(on_job(&call, &batch, cancel))
}

fn submit(call: &Call, body: &[u8]) -> Result<Reply<Value>, Failure> {
    let order = submit::read(body)?;
    call.account.check_budget()?;
    let mut store = lock(&call.gateway.batches);
    let id = store.add(&call.account.user_id, order, clock::unix_millis())?;
    let view = store.job(&id).map(|job| view(&call.gateway, job)).unwrap_or_default();
    drop(store);
    run::spawn(Arc::clone(&call.gateway), call.account.user_id.clone(), id);
    Ok(Reply::new(view))
}

fn list(call: &Call, pairs: Pairs) -> Result<Reply<Items<Value>>, Failure> {
    let window = listing::only_window(pairs)?;
    let store = lock(&call.gateway.batches);
    Ok(listing::reply(store.jobs_of(&call.account.user_id).map(|job| view(&call.gateway, job)), window))
}

/// Changes a job of the account and shows it.
fn on_job(call: &Call, batch: &str, change: impl FnOnce(&mut Job)) -> Result<Reply<Value>, Failure> {
    let mut store = lock(&call.gateway.batches);
    // The code is assumed: the documentation names none for batches.
    let not_found = || Failure::not_found("No batch of yours has this id.");
    let job = store.job_of(&call.account.user_id, batch).ok_or_else(not_found)?;
    change(job);
    Ok(Reply::new(view(&call.gateway, job)))
}

fn view(gateway: &Gateway, job: &Job) -> Value {
    let mut view = job.view(|file| media::url(gateway, file));
    if let (true, Value::Object(view)) = (gateway.variants.has(WireVariant::IdsElsewhere), &mut view) {
        for (usual, other) in [("id", "batch_id"), ("output_file_url", "results_url")] {
            let value = view.remove(usual).unwrap_or_default();
            view.insert(other.to_owned(), value);
        }
    }
    view
}

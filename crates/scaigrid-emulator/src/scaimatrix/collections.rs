//! `/collections`: create, list, show, change, delete, fork, chunk anew; and who may do what.

use super::collection::{Collection, Permission, rights};
use super::document::Stage;
use super::settings::Settings;
use super::store::no_collection;
use crate::call::Call;
use crate::fields::Fields;
use crate::listing;
use crate::path::Param;
use crate::query::RawQuery;
use crate::reply::{Failure, Reply};
use crate::sync::lock;
use axum::extract::Query;
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};

pub(crate) async fn create(call: Call, body: Bytes) -> Response {
    let created = Fields::read(&body).and_then(Settings::read_new).and_then(|settings| {
        let collection = Collection::new(&call.account.user_id, settings);
        let mut collections = lock(&call.gateway.collections);
        collections.add(collection).map(|collection| Reply::new(collection.view(&call.account.user_id)))
    });
    call.created(created)
}

/// Assumed: collections that the user may not use are listed too, with `"user_permission": null`.
pub(crate) async fn list(call: Call, Query(pairs): RawQuery) -> Response {
    let collections = lock(&call.gateway.collections);
    let views = collections.all().iter().map(|collection| collection.view(&call.account.user_id));
    call.paged_in_meta(listing::only_window(pairs).map(|window| listing::page(views, window)))
}

pub(crate) async fn show(call: Call, Param(collection): Param<String>) -> Response {
    let collections = lock(&call.gateway.collections);
    let found = collections.find(&collection, &call.account.user_id, Permission::Write);
    call.answer(found.map(|collection| Reply::new(collection.view(&call.account.user_id))))
}

pub(crate) async fn change(call: Call, Param(collection): Param<String>, body: Bytes) -> Response {
    call.answer(put(&call, &collection, &body).map(Reply::new))
}

/// Documented: `follow_ups` say what the change asks for. Assumed: inside of `data`, and only when there are any.
fn put(call: &Call, collection: &str, body: &[u8]) -> Result<Value, Failure> {
    let mut collections = lock(&call.gateway.collections);
    let before = collections.find(collection, &call.account.user_id, Permission::Manage)?.settings.clone();
    let after = before.clone().read(Fields::read(body)?)?;
    collections.make_room(json!(after).to_string().len())?;
    let mut follow_ups = serde_json::Map::new();
    if !after.has_graph_of(&before) {
        follow_ups.insert("graph_reextract".to_owned(), json!("queued"));
    }
    if !after.chunks_as(&before) {
        follow_ups.insert("rechunk_recommended".to_owned(), json!(true));
    }
    let collection = collections.find_mut(collection, &call.account.user_id, Permission::Manage)?;
    collection.apply(after);
    let mut view = collection.view(&call.account.user_id);
    if let (false, Value::Object(view)) = (follow_ups.is_empty(), &mut view) {
        view.insert("follow_ups".to_owned(), Value::Object(follow_ups));
    }
    Ok(view)
}

/// The answer is assumed to be that of documents.
pub(crate) async fn delete(call: Call, Param(collection): Param<String>) -> Response {
    let mut collections = lock(&call.gateway.collections);
    let found = collections.find(&collection, &call.account.user_id, Permission::Manage).map(drop);
    let deleted = found.map(|()| {
        collections.remove(&collection);
        Reply::new(json!({"deleted": true}))
    });
    call.answer(deleted)
}

pub(crate) async fn fork(call: Call, Param(collection): Param<String>, body: Bytes) -> Response {
    call.created(copy(&call, &collection, &body).map(Reply::new))
}

/// Only the path is documented. Assumed: the body may set what creation sets, the name is the original's with
/// `(fork)` by default, and documents that are done are copied.
fn copy(call: &Call, collection: &str, body: &[u8]) -> Result<Value, Failure> {
    let mut collections = lock(&call.gateway.collections);
    let original = collections.find(collection, &call.account.user_id, Permission::Write)?;
    let mut settings = original.settings.clone();
    settings.name = format!("{} (fork)", settings.name);
    let settings = settings.read(Fields::read_optional(body)?)?;
    let fork = original.fork(&call.account.user_id, settings);
    collections.add(fork).map(|fork| fork.view(&call.account.user_id))
}

/// Assumed: it is done at once, and says how many documents it was.
pub(crate) async fn rechunk(call: Call, Param(collection): Param<String>) -> Response {
    let mut collections = lock(&call.gateway.collections);
    let found = collections.find_mut(&collection, &call.account.user_id, Permission::Manage);
    let done = found.map(|collection| {
        let mut rechunked = 0_usize;
        for document in collection.documents.iter_mut().filter(|one| one.stage == Stage::Indexed) {
            document.rechunk(&collection.settings);
            rechunked += 1;
        }
        Reply::new(json!({"rechunked": rechunked}))
    });
    call.answer(done)
}

/// Documented: `can.read` and so on. Assumed: everybody may ask about themselves.
pub(crate) async fn permissions(call: Call, Param(collection): Param<String>) -> Response {
    let collections = lock(&call.gateway.collections);
    let found = collections.get(&collection).ok_or_else(no_collection);
    call.answer(found.map(|collection| Reply::new(rights(collection.permission(&call.account.user_id)))))
}

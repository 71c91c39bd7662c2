//! `/collections`: create, list, show, change, delete, fork, chunk anew; and who may do what.

use super::collection::{Collection, Permission, rights};
use super::document::Stage;
use super::settings::Settings;
use super::store::no_collection;
use super::{Id, id_of};
use crate::gateway::{Account, Gateway};
use crate::ids::RequestId;
use crate::json_body::Fields;
use crate::listing;
use crate::query::{Parameters, RawQuery};
use crate::reply::{Failure, Reply, seal, seal_created, seal_paged_in_meta};
use crate::sync::lock;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) async fn create(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    body: Bytes,
) -> Response {
    let created = Fields::read(&body).and_then(Settings::read_new).and_then(|settings| {
        let collection = Collection::new(&account.user_id, settings);
        let mut collections = lock(&gateway.collections);
        collections.add(collection).map(|collection| Reply::new(collection.view(&account.user_id)))
    });
    seal_created(&id, created)
}

/// Assumed: collections that the user may not use are listed too, with `"user_permission": null`.
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    Query(pairs): RawQuery,
) -> Response {
    let mut query = Parameters::new(pairs);
    let window = listing::window(&mut query);
    let problems = query.into_problems();
    if !problems.is_empty() {
        return Failure::invalid(&problems).into_response(&id);
    }
    let collections = lock(&gateway.collections);
    let views = collections.all().iter().map(|collection| collection.view(&account.user_id));
    let views: Vec<Value> = views.collect();
    let (data, pagination) = listing::page(&views, Some(window.limit), window.start);
    seal_paged_in_meta(&id, Ok(Reply { data, pagination }))
}

pub(crate) async fn show(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    collection: Id,
) -> Response {
    let view = id_of(collection).and_then(|collection| {
        let collections = lock(&gateway.collections);
        let collection = collections.find(&collection, &account.user_id, Permission::Write)?;
        Ok(Reply::new(collection.view(&account.user_id)))
    });
    seal(&id, view)
}

pub(crate) async fn change(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    collection: Id,
    body: Bytes,
) -> Response {
    let changed = id_of(collection).and_then(|collection| put(&gateway, &account, &collection, &body));
    seal(&id, changed.map(Reply::new))
}

/// Documented: `follow_ups` say what the change asks for. Assumed: inside of `data`, and only when there are any.
fn put(gateway: &Gateway, account: &Account, collection: &str, body: &[u8]) -> Result<Value, Failure> {
    let mut collections = lock(&gateway.collections);
    let before = collections.find(collection, &account.user_id, Permission::Manage)?.settings.clone();
    let after = before.clone().read(Fields::read(body)?)?;
    collections.make_room(json!(after).to_string().len())?;
    let mut follow_ups = serde_json::Map::new();
    if !after.has_graph_of(&before) {
        follow_ups.insert("graph_reextract".to_owned(), json!("queued"));
    }
    if !after.chunks_as(&before) {
        follow_ups.insert("rechunk_recommended".to_owned(), json!(true));
    }
    let collection = collections.find_mut(collection, &account.user_id, Permission::Manage)?;
    collection.apply(after);
    let mut view = collection.view(&account.user_id);
    if let (false, Value::Object(view)) = (follow_ups.is_empty(), &mut view) {
        view.insert("follow_ups".to_owned(), Value::Object(follow_ups));
    }
    Ok(view)
}

/// The answer is assumed to be that of documents.
pub(crate) async fn delete(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    collection: Id,
) -> Response {
    let deleted = id_of(collection).and_then(|collection| {
        let mut collections = lock(&gateway.collections);
        collections.find(&collection, &account.user_id, Permission::Manage)?;
        collections.remove(&collection);
        Ok(Reply::new(json!({"deleted": true})))
    });
    seal(&id, deleted)
}

pub(crate) async fn fork(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    collection: Id,
    body: Bytes,
) -> Response {
    let forked = id_of(collection).and_then(|collection| copy(&gateway, &account, &collection, &body));
    seal_created(&id, forked.map(Reply::new))
}

/// Only the path is documented. Assumed: the body may set what creation sets, the name is the original's with
/// `(fork)` by default, and documents that are done are copied.
fn copy(gateway: &Gateway, account: &Account, collection: &str, body: &[u8]) -> Result<Value, Failure> {
    let mut collections = lock(&gateway.collections);
    let original = collections.find(collection, &account.user_id, Permission::Write)?;
    let mut settings = original.settings.clone();
    settings.name = format!("{} (fork)", settings.name);
    let settings = settings.read(Fields::read_optional(body)?)?;
    let fork = original.fork(&account.user_id, settings);
    collections.add(fork).map(|fork| fork.view(&account.user_id))
}

/// Assumed: it is done at once, and says how many documents it was.
pub(crate) async fn rechunk(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    collection: Id,
) -> Response {
    let done = id_of(collection).and_then(|collection| {
        let mut collections = lock(&gateway.collections);
        let collection = collections.find_mut(&collection, &account.user_id, Permission::Manage)?;
        let mut rechunked = 0_usize;
        for document in collection.documents.iter_mut().filter(|one| one.stage == Stage::Indexed) {
            document.rechunk(&collection.settings);
            rechunked += 1;
        }
        Ok(Reply::new(json!({"rechunked": rechunked})))
    });
    seal(&id, done)
}

/// Documented: `can.read` and so on. Assumed: everybody may ask about themselves.
pub(crate) async fn permissions(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    collection: Id,
) -> Response {
    let rights = id_of(collection).and_then(|collection| {
        let collections = lock(&gateway.collections);
        let collection = collections.get(&collection).ok_or_else(no_collection)?;
        Ok(Reply::new(rights(collection.permission(&account.user_id))))
    });
    seal(&id, rights)
}

//! `/v1/sessions`: conversations whose history the server keeps.

mod messages;
mod store;

pub(crate) use store::Sessions;

use crate::chat::chat_model;
use crate::gateway::{Account, Gateway};
use crate::ids::RequestId;
use crate::json_body::Fields;
use crate::listing::{self, Items};
use crate::query::{Parameters, RawQuery};
use crate::reply::{Failure, Reply, seal, seal_created, seal_empty};
use crate::sync::lock;
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;
use store::{Changes, Session, Status};

/// All routes of sessions.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/v1/sessions", get(list_sessions).post(create_session))
        .route("/v1/sessions/{id}", get(get_session).patch(change_session).delete(delete_session))
        .route("/v1/sessions/{id}/messages", post(messages::ask))
}

/// The id in a path. One that is not UTF-8 is no session's id.
type Id = Result<Path<String>, PathRejection>;

fn id_of(id: Id) -> Result<String, Failure> {
    id.map(|Path(id)| id).map_err(|_| no_session())
}

fn no_session() -> Failure {
    Failure::not_found("You have no session with this id.")
}

async fn create_session(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    body: Bytes,
) -> Response {
    seal_created(&id, create(&gateway, &account, &body).map(Reply::new))
}

fn create(gateway: &Gateway, account: &Account, body: &[u8]) -> Result<Value, Failure> {
    let mut fields = Fields::read(body)?;
    let model = fields.required_text("model");
    let changes = Changes {
        title: fields.text("title"),
        system_prompt: fields.text("system_prompt"),
        metadata: fields.object("metadata"),
        status: None,
    };
    fields.finish()?;
    chat_model(gateway, &model)?;
    let session = Session::new(account.user_id.clone(), model, changes);
    let view = session.view(true);
    lock(&gateway.sessions).add(session)?;
    Ok(view)
}

async fn list_sessions(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    Query(pairs): RawQuery,
) -> Response {
    seal(&id, list(&gateway, &account, pairs))
}

fn list(
    gateway: &Gateway,
    account: &Account,
    pairs: Vec<(String, String)>,
) -> Result<Reply<Items<Value>>, Failure> {
    let mut query = Parameters::new(pairs);
    let window = listing::window(&mut query);
    let tenant = query.parsed("scope", |scope| (scope == "tenant").then_some(()), "must be `tenant`");
    let problems = query.into_problems();
    if !problems.is_empty() {
        return Err(Failure::invalid(&problems));
    }
    let sessions = lock(&gateway.sessions);
    let wanted = sessions.all().filter(|session| tenant.is_some() || session.user_id == account.user_id);
    let views: Vec<Value> = wanted.map(|session| session.view(false)).collect();
    Ok(listing::reply(&views, window))
}

async fn get_session(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    session: Id,
) -> Response {
    let view = id_of(session).and_then(|session| {
        let sessions = lock(&gateway.sessions);
        sessions.find(&session, &account.user_id).map(|session| Reply::new(session.view(true)))
    });
    seal(&id, view)
}

async fn change_session(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    session: Id,
    body: Bytes,
) -> Response {
    let changed = id_of(session).and_then(|session| change(&gateway, &account, &session, &body));
    seal(&id, changed.map(Reply::new))
}

/// Assumed: what is absent, or null, stays as it is.
fn change(gateway: &Gateway, account: &Account, session: &str, body: &[u8]) -> Result<Value, Failure> {
    let mut sessions = lock(&gateway.sessions);
    sessions.find(session, &account.user_id)?;
    let mut fields = Fields::read(body)?;
    let changes = Changes {
        title: fields.text("title"),
        system_prompt: fields.text("system_prompt"),
        metadata: fields.object("metadata"),
        status: fields.choice("status", &[("active", Status::Active), ("closed", Status::Closed)]),
    };
    fields.finish()?;
    sessions.change(session, &account.user_id, changes).map(|session| session.view(true))
}

async fn delete_session(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    session: Id,
) -> Response {
    let deleted =
        id_of(session).and_then(|session| lock(&gateway.sessions).remove(&session, &account.user_id));
    seal_empty(&id, deleted)
}

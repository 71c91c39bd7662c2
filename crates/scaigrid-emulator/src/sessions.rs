//! `/v1/sessions`: conversations whose history the server keeps.

mod messages;
mod store;

pub(crate) use store::Sessions;

use crate::call::Call;
use crate::fields::Fields;
use crate::gateway::Gateway;
use crate::inference;
use crate::listing::{self, Items};
use crate::path::Param;
use crate::query::{Pairs, Parameters, RawQuery};
use crate::reply::{Failure, Reply};
use crate::sync::lock;
use axum::Router;
use axum::extract::Query;
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use scaigrid_types::Modality;
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

fn no_session() -> Failure {
    Failure::not_found("You have no session with this id.")
}

async fn create_session(call: Call, body: Bytes) -> Response {
    call.created(create(&call, &body).map(Reply::new))
}

fn create(call: &Call, body: &[u8]) -> Result<Value, Failure> {
    let mut fields = Fields::read(body)?;
    let model = fields.required_text("model");
    let changes = Changes {
        title: fields.text("title"),
        system_prompt: fields.text("system_prompt"),
        metadata: fields.object("metadata"),
        status: None,
    };
    fields.finish()?;
    inference::model(&call.gateway, &model, &Modality::Chat)?;
    let session = Session::new(call.account.user_id.clone(), model, changes);
    let view = session.view(true);
    lock(&call.gateway.sessions).add(session)?;
    Ok(view)
}

async fn list_sessions(call: Call, Query(pairs): RawQuery) -> Response {
    call.answer(list(&call, pairs))
}

fn list(call: &Call, pairs: Pairs) -> Result<Reply<Items<Value>>, Failure> {
    let mut query = Parameters::new(pairs);
    let window = listing::window(&mut query);
    let tenant = query.parsed("scope", |scope| (scope == "tenant").then_some(()), "must be `tenant`");
    query.finish()?;
    let sessions = lock(&call.gateway.sessions);
    let wanted = sessions.all().filter(|session| tenant.is_some() || session.user_id == call.account.user_id);
    Ok(listing::reply(wanted.map(|session| session.view(false)), window))
}

async fn get_session(call: Call, Param(session): Param<String>) -> Response {
    let sessions = lock(&call.gateway.sessions);
    let found = sessions.find(&session, &call.account.user_id);
    call.answer(found.map(|session| Reply::new(session.view(true))))
}

async fn change_session(call: Call, Param(session): Param<String>, body: Bytes) -> Response {
    call.answer(change(&call, &session, &body).map(Reply::new))
}

/// Assumed: what is absent, or null, stays as it is.
fn change(call: &Call, session: &str, body: &[u8]) -> Result<Value, Failure> {
    let mut sessions = lock(&call.gateway.sessions);
    sessions.find(session, &call.account.user_id)?;
    let mut fields = Fields::read(body)?;
    let changes = Changes {
        title: fields.text("title"),
        system_prompt: fields.text("system_prompt"),
        metadata: fields.object("metadata"),
        status: fields.choice("status", &[("active", Status::Active), ("closed", Status::Closed)]),
    };
    fields.finish()?;
    sessions.change(session, &call.account.user_id, changes).map(|session| session.view(true))
}

async fn delete_session(call: Call, Param(session): Param<String>) -> Response {
    call.done(lock(&call.gateway.sessions).remove(&session, &call.account.user_id))
}

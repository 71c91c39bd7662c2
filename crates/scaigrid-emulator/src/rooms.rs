//! `/v1/rooms`: conversations of several users and bots. Bots do not answer here.

mod store;

pub(crate) use store::Rooms;

use crate::accounts::Account;
use crate::fields::{Fields, into_text};
use crate::gateway::Gateway;
use crate::ids::RequestId;
use crate::listing::{self, Items};
use crate::path::Param;
use crate::query::RawQuery;
use crate::reply::{Failure, Reply, seal, seal_created, seal_empty};
use crate::sync::lock;
use axum::Router;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;
use store::{Changes, Kind, Member, Room};

/// All routes of rooms.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/v1/rooms", get(list_rooms).post(create_room))
        .route("/v1/rooms/{id}", get(get_room).patch(change_room).delete(archive_room))
        .route("/v1/rooms/{id}/members", post(add_member))
        // Assumed: only the tool `rooms_send_message` shows that posting exists.
        .route("/v1/rooms/{id}/messages", post(post_message))
}

const KINDS: [(&str, Kind); 2] = [("user", Kind::User), ("bot", Kind::Bot)];

fn no_room() -> Failure {
    Failure::not_found("You are in no room with this id.")
}

async fn create_room(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    body: Bytes,
) -> Response {
    seal_created(&id, create(&gateway, &account, &body).map(Reply::new))
}

fn create(gateway: &Gateway, account: &Account, body: &[u8]) -> Result<Value, Failure> {
    let mut fields = Fields::read(body)?;
    let name = fields.required_text("name");
    let description = fields.text("description");
    let members = initial_members(&mut fields);
    fields.finish()?;
    let mut room = Room::new(&account.user_id, Changes { name: Some(name), description });
    for member in members {
        room.admit(member)?;
    }
    let view = room.view(true);
    lock(&gateway.rooms).add(room)?;
    Ok(view)
}

fn initial_members(fields: &mut Fields) -> Vec<Member> {
    let list = |value| if let Value::Array(list) = value { Some(list) } else { None };
    let list = fields.parsed("initial_members", list, "must be a list").unwrap_or_default();
    let mut members = Vec::new();
    for (index, member) in list.into_iter().enumerate() {
        match read_member(member) {
            Some(member) => members.push(member),
            None => {
                let message = "must be an object with a `type`, which is user or bot, and an `id`";
                fields.problem(format!("initial_members[{index}]"), message);
            }
        }
    }
    members
}

fn read_member(value: Value) -> Option<Member> {
    let kind = value.get("type")?.as_str()?;
    let (_, kind) = KINDS.iter().find(|(word, _)| *word == kind)?;
    let id = value.get("id")?.as_str().filter(|id| !id.is_empty())?;
    Some(Member::new(*kind, id, "member"))
}

async fn list_rooms(
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
    let window = listing::only_window(pairs)?;
    let rooms = lock(&gateway.rooms);
    Ok(listing::reply(rooms.of(&account.user_id).map(|room| room.view(false)), window))
}

async fn get_room(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    Param(room): Param<String>,
) -> Response {
    let rooms = lock(&gateway.rooms);
    let found = rooms.find(&room, &account.user_id);
    seal(&id, found.map(|room| Reply::new(room.view(true))))
}

async fn change_room(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    Param(room): Param<String>,
    body: Bytes,
) -> Response {
    seal(&id, change(&gateway, &account, &room, &body).map(Reply::new))
}

/// Assumed: the fields are those of creation, and what is absent, or null, stays as it is.
fn change(gateway: &Gateway, account: &Account, room: &str, body: &[u8]) -> Result<Value, Failure> {
    let mut rooms = lock(&gateway.rooms);
    rooms.find(room, &account.user_id)?;
    let mut fields = Fields::read(body)?;
    let changes = Changes { name: fields.filled_text("name"), description: fields.text("description") };
    fields.finish()?;
    rooms.update(room, &account.user_id, |room| room.apply(changes)).map(|room| room.view(true))
}

async fn archive_room(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    Param(room): Param<String>,
) -> Response {
    seal_empty(&id, lock(&gateway.rooms).archive(&room, &account.user_id))
}

async fn add_member(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    Param(room): Param<String>,
    body: Bytes,
) -> Response {
    seal_created(&id, member(&gateway, &account, &room, &body).map(Reply::new))
}

/// Assumed: adding somebody again sets the role.
fn member(gateway: &Gateway, account: &Account, room: &str, body: &[u8]) -> Result<Value, Failure> {
    let mut rooms = lock(&gateway.rooms);
    rooms.find(room, &account.user_id)?;
    let mut fields = Fields::read(body)?;
    fields.require("type");
    let kind = fields.choice("type", &KINDS).unwrap_or(Kind::User);
    let id = fields.required_text("id");
    let role = fields.filled_text("role").unwrap_or_else(|| "member".to_owned());
    fields.finish()?;
    let member = Member::new(kind, &id, &role);
    let view = json!(member);
    rooms.update(room, &account.user_id, |room| room.admit(member))?;
    Ok(view)
}

async fn post_message(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    Param(room): Param<String>,
    body: Bytes,
) -> Response {
    seal_created(&id, message(&gateway, &account, &room, &body).map(Reply::new))
}

/// Assumed: `content`, and for threads `parent_id` with the message that is answered.
fn message(gateway: &Gateway, account: &Account, room: &str, body: &[u8]) -> Result<Value, Failure> {
    let mut rooms = lock(&gateway.rooms);
    let found = rooms.find(room, &account.user_id)?;
    let mut fields = Fields::read(body)?;
    let content = fields.required_text("content");
    let in_room = |value| into_text(value).filter(|parent| found.has_message(parent));
    let parent = fields.parsed("parent_id", in_room, "must be the id of a message in the room");
    fields.finish()?;
    let author = account.user_id.as_str();
    let room = rooms.update(room, author, |room| room.post(author, content, parent))?;
    Ok(json!(room.newest_message()))
}

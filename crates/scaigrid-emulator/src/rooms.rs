//! `/v1/rooms`: conversations of several users and bots. Bots do not answer here.

mod store;

pub(crate) use store::Rooms;

use crate::call::Call;
use crate::fields::{Fields, into_text};
use crate::gateway::Gateway;
use crate::listing::{self, Items};
use crate::path::Param;
use crate::query::{Pairs, RawQuery};
use crate::reply::{Failure, Reply};
use crate::sync::lock;
use axum::Router;
use axum::extract::Query;
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

async fn create_room(call: Call, body: Bytes) -> Response {
    call.created(create(&call, &body).map(Reply::new))
}

fn create(call: &Call, body: &[u8]) -> Result<Value, Failure> {
    let mut fields = Fields::read(body)?;
    let name = fields.required_text("name");
    let description = fields.text("description");
    let members = initial_members(&mut fields);
    fields.finish()?;
    let mut room = Room::new(&call.account.user_id, Changes { name: Some(name), description });
    for member in members {
        room.admit(member)?;
    }
    let view = room.view(true);
    lock(&call.gateway.rooms).add(room)?;
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

async fn list_rooms(call: Call, Query(pairs): RawQuery) -> Response {
    call.answer(list(&call, pairs))
}

fn list(call: &Call, pairs: Pairs) -> Result<Reply<Items<Value>>, Failure> {
    let window = listing::only_window(pairs)?;
    let rooms = lock(&call.gateway.rooms);
    Ok(listing::reply(rooms.of(&call.account.user_id).map(|room| room.view(false)), window))
}

async fn get_room(call: Call, Param(room): Param<String>) -> Response {
    let rooms = lock(&call.gateway.rooms);
    let found = rooms.find(&room, &call.account.user_id);
    call.answer(found.map(|room| Reply::new(room.view(true))))
}

async fn change_room(call: Call, Param(room): Param<String>, body: Bytes) -> Response {
    call.answer(change(&call, &room, &body).map(Reply::new))
}

/// Assumed: the fields are those of creation, and what is absent, or null, stays as it is.
fn change(call: &Call, room: &str, body: &[u8]) -> Result<Value, Failure> {
    let mut rooms = lock(&call.gateway.rooms);
    rooms.find(room, &call.account.user_id)?;
    let mut fields = Fields::read(body)?;
    let changes = Changes { name: fields.filled_text("name"), description: fields.text("description") };
    fields.finish()?;
    rooms.update(room, &call.account.user_id, |room| room.apply(changes)).map(|room| room.view(true))
}

async fn archive_room(call: Call, Param(room): Param<String>) -> Response {
    call.done(lock(&call.gateway.rooms).archive(&room, &call.account.user_id))
}

async fn add_member(call: Call, Param(room): Param<String>, body: Bytes) -> Response {
    call.created(member(&call, &room, &body).map(Reply::new))
}

/// Assumed: adding somebody again sets the role.
fn member(call: &Call, room: &str, body: &[u8]) -> Result<Value, Failure> {
    let mut rooms = lock(&call.gateway.rooms);
    rooms.find(room, &call.account.user_id)?;
    let mut fields = Fields::read(body)?;
    fields.require("type");
    let kind = fields.choice("type", &KINDS).unwrap_or(Kind::User);
    let id = fields.required_text("id");
    let role = fields.filled_text("role").unwrap_or_else(|| "member".to_owned());
    fields.finish()?;
    let member = Member::new(kind, &id, &role);
    let view = json!(member);
    rooms.update(room, &call.account.user_id, |room| room.admit(member))?;
    Ok(view)
}

async fn post_message(call: Call, Param(room): Param<String>, body: Bytes) -> Response {
    call.created(message(&call, &room, &body).map(Reply::new))
}

/// Assumed: `content`, and for threads `parent_id` with the message that is answered.
fn message(call: &Call, room: &str, body: &[u8]) -> Result<Value, Failure> {
    let mut rooms = lock(&call.gateway.rooms);
    let found = rooms.find(room, &call.account.user_id)?;
    let mut fields = Fields::read(body)?;
    let content = fields.required_text("content");
    let in_room = |value| into_text(value).filter(|parent| found.has_message(parent));
    let parent = fields.parsed("parent_id", in_room, "must be the id of a message in the room");
    fields.finish()?;
    let author = call.account.user_id.as_str();
    let room = rooms.update(room, author, |room| room.post(author, content, parent))?;
    Ok(json!(room.newest_message()))
}

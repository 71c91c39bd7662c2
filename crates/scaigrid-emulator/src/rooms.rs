//! `/v1/rooms`: conversations of several users and bots. Bots do not answer here.

mod store;

pub(crate) use store::Rooms;

use crate::gateway::{Account, Gateway};
use crate::ids::RequestId;
use crate::json_body::{Fields, into_text};
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

type Id = Result<Path<String>, PathRejection>;

fn id_of(id: Id) -> Result<String, Failure> {
    id.map(|Path(id)| id).map_err(|_| no_room())
}

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
    let mut query = Parameters::new(pairs);
    let window = listing::window(&mut query);
    let problems = query.into_problems();
    if !problems.is_empty() {
        return Err(Failure::invalid(&problems));
    }
    let views: Vec<Value> = lock(&gateway.rooms).of(&account.user_id).map(|room| room.view(false)).collect();
    Ok(listing::reply(&views, window))
}

async fn get_room(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    room: Id,
) -> Response {
    let view = id_of(room).and_then(|room| {
        let rooms = lock(&gateway.rooms);
        rooms.find(&room, &account.user_id).map(|room| Reply::new(room.view(true)))
    });
    seal(&id, view)
}

async fn change_room(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    room: Id,
    body: Bytes,
) -> Response {
    let changed = id_of(room).and_then(|room| change(&gateway, &account, &room, &body));
    seal(&id, changed.map(Reply::new))
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
    room: Id,
) -> Response {
    let archived = id_of(room).and_then(|room| lock(&gateway.rooms).archive(&room, &account.user_id));
    seal_empty(&id, archived)
}

async fn add_member(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    room: Id,
    body: Bytes,
) -> Response {
    let added = id_of(room).and_then(|room| member(&gateway, &account, &room, &body));
    seal_created(&id, added.map(Reply::new))
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
    room: Id,
    body: Bytes,
) -> Response {
    let posted = id_of(room).and_then(|room| message(&gateway, &account, &room, &body));
    seal_created(&id, posted.map(Reply::new))
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

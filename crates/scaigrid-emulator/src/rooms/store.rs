//! All rooms, their members, and their messages.

use super::no_room;
use crate::ids;
use crate::reply::Failure;
use crate::times;
use scaigrid_types::{ErrorCode, FieldError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// The most rooms that are kept, the archived ones included.
pub(crate) const MAX_ROOMS: usize = 1000;

/// The most members of a room.
pub(crate) const MAX_MEMBERS: usize = 1000;

/// The newest messages of a room that are kept.
pub(crate) const MAX_MESSAGES: usize = 1000;

/// The most text in all rooms together, in bytes.
pub(crate) const MAX_BYTES: usize = 64 * 1024 * 1024;

/// How many messages the details show (assumed: "recent messages" is all that is documented).
const RECENT: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    User,
    Bot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Active,
    Archived,
}

/// A member, also as clients see it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Member {
    #[serde(rename = "type")]
    kind: Kind,
    id: String,
    role: String,
    joined_at: String,
}

impl Member {
    pub(crate) fn new(kind: Kind, id: &str, role: &str) -> Self {
        Self { kind, id: id.to_owned(), role: role.to_owned(), joined_at: times::now() }
    }
}

/// A message, also as clients see it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Message {
    id: String,
    room_id: String,
    author: Author,
    content: String,
    /// The message that it answers, in a thread.
    parent_id: Option<String>,
    created_at: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Author {
    #[serde(rename = "type")]
    kind: Kind,
    id: String,
}

/// What a client can set. `None` leaves it as it is.
pub(crate) struct Changes {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Room {
    id: String,
    name: String,
    description: Option<String>,
    status: Status,
    created_by: String,
    members: Vec<Member>,
    messages: VecDeque<Message>,
    created_at: String,
    updated_at: String,
}

impl Room {
    /// A room with its creator in it.
    pub(crate) fn new(user_id: &str, changes: Changes) -> Self {
        let now = times::now();
        Self {
            id: ids::with_prefix("room_"),
            name: changes.name.unwrap_or_default(),
            description: changes.description,
            status: Status::Active,
            created_by: user_id.to_owned(),
            // The role is assumed.
            members: vec![Member::new(Kind::User, user_id, "owner")],
            messages: VecDeque::new(),
            created_at: now.clone(),
            updated_at: now,
        }
    }

    fn has_user(&self, user_id: &str) -> bool {
        self.members.iter().any(|member| member.kind == Kind::User && member.id == user_id)
    }

    pub(crate) fn has_message(&self, id: &str) -> bool {
        self.messages.iter().any(|message| message.id == id)
    }

    pub(crate) fn newest_message(&self) -> Option<Value> {
        self.messages.back().map(|message| json!(message))
    }

    /// As clients see it. Lists leave out members and messages (assumed).
    pub(crate) fn view(&self, with_details: bool) -> Value {
        let mut view = json!({
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "status": self.status,
            "created_by": self.created_by,
            "member_count": self.members.len(),
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        });
        if let (true, Value::Object(view)) = (with_details, &mut view) {
            view.insert("members".to_owned(), json!(self.members));
            let skipped = self.messages.len().saturating_sub(RECENT);
            let recent: Vec<&Message> = self.messages.iter().skip(skipped).collect();
            view.insert("messages".to_owned(), json!(recent));
        }
        view
    }

    pub(crate) fn apply(&mut self, changes: Changes) -> Result<(), Failure> {
        if let Some(name) = changes.name {
            self.name = name;
        }
        if let Some(description) = changes.description {
            self.description = Some(description);
        }
        Ok(())
    }

    /// Adds a member, or gives the present one this role.
    pub(crate) fn admit(&mut self, member: Member) -> Result<(), Failure> {
        let mut members = self.members.iter_mut();
        if let Some(present) = members.find(|one| one.kind == member.kind && one.id == member.id) {
            // Being named among the first members makes the owner no mere member.
            if present.role != "owner" {
                present.role = member.role;
            }
            return Ok(());
        }
        if self.members.len() >= MAX_MEMBERS {
            return Err(full("The emulator keeps no more than 1000 members in a room."));
        }
        self.members.push(member);
        Ok(())
    }

    /// Appends a message of a user; the oldest gives way.
    pub(crate) fn post(
        &mut self,
        user_id: &str,
        content: String,
        parent_id: Option<String>,
    ) -> Result<(), Failure> {
        if self.messages.len() >= MAX_MESSAGES {
            self.messages.pop_front();
        }
        self.messages.push_back(Message {
            id: ids::with_prefix("rmsg_"),
            room_id: self.id.clone(),
            author: Author { kind: Kind::User, id: user_id.to_owned() },
            content,
            parent_id,
            created_at: times::now(),
        });
        Ok(())
    }

    /// All text that a client can make long, in bytes.
    fn bytes(&self) -> usize {
        let members = self.members.iter().map(|member| member.id.len() + member.role.len());
        let messages = self.messages.iter().map(|message| message.content.len());
        let own = self.name.len() + self.description.as_deref().map_or(0, str::len);
        members.chain(messages).fold(own, usize::saturating_add)
    }
}

/// All rooms, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rooms {
    rooms: Vec<Room>,
    /// Of all rooms together.
    bytes: usize,
}

impl Rooms {
    /// The rooms that a user is in. Archived ones are left out (assumed).
    pub(crate) fn of(&self, user_id: &str) -> impl Iterator<Item = &Room> {
        let open = self.rooms.iter().filter(|room| room.status == Status::Active);
        open.filter(move |room| room.has_user(user_id))
    }

    /// Assumed: who is not in a room does not learn that it exists.
    pub(crate) fn find(&self, id: &str, user_id: &str) -> Result<&Room, Failure> {
        let mut rooms = self.rooms.iter();
        rooms.find(|room| room.id == id && room.has_user(user_id)).ok_or_else(no_room)
    }

    pub(crate) fn add(&mut self, room: Room) -> Result<(), Failure> {
        if self.rooms.len() >= MAX_ROOMS {
            return Err(full("The emulator keeps no more than 1000 rooms, the archived ones included."));
        }
        self.bytes = fitting(self.bytes.saturating_add(room.bytes()))?;
        self.rooms.push(room);
        Ok(())
    }

    /// Changes a room that is not archived, all or nothing.
    pub(crate) fn update(
        &mut self,
        id: &str,
        user_id: &str,
        change: impl FnOnce(&mut Room) -> Result<(), Failure>,
    ) -> Result<&Room, Failure> {
        let mut rooms = self.rooms.iter_mut();
        let room = rooms.find(|room| room.id == id && room.has_user(user_id)).ok_or_else(no_room)?;
        if room.status == Status::Archived {
            // The code is assumed.
            return Err(Failure::invalid(&[FieldError::new("status", "is `archived`")]));
        }
        let mut changed = room.clone();
        change(&mut changed)?;
        changed.updated_at = times::now();
        let others = self.bytes.saturating_sub(room.bytes());
        self.bytes = fitting(others.saturating_add(changed.bytes()))?;
        *room = changed;
        Ok(room)
    }

    /// Documented: history is kept. Assumed: members can still read it, and nobody can change it.
    pub(crate) fn archive(&mut self, id: &str, user_id: &str) -> Result<(), Failure> {
        let mut rooms = self.rooms.iter_mut();
        let room = rooms.find(|room| room.id == id && room.has_user(user_id)).ok_or_else(no_room)?;
        room.status = Status::Archived;
        room.updated_at = times::now();
        Ok(())
    }
}

/// The sum, if it is within the limit.
fn fitting(bytes: usize) -> Result<usize, Failure> {
    let message = "The emulator keeps no more than 64 MiB of text in rooms.";
    if bytes <= MAX_BYTES { Ok(bytes) } else { Err(full(message)) }
}

/// The code is documented for hard quotas, this quota is the emulator's own.
fn full(message: &str) -> Failure {
    Failure::new(ErrorCode::QuotaExceeded, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_room() -> (Rooms, String) {
        let mut rooms = Rooms::default();
        let room = Room::new("user_1", Changes { name: Some("r".to_owned()), description: None });
        let id = room.id.clone();
        rooms.add(room).unwrap();
        (rooms, id)
    }

    #[test]
    fn the_newest_messages_are_kept_and_the_recent_ones_shown() {
        let (mut rooms, id) = with_room();
        for number in 0..MAX_MESSAGES + 5 {
            rooms.update(&id, "user_1", |room| room.post("user_1", number.to_string(), None)).unwrap();
        }
        let room = rooms.find(&id, "user_1").unwrap();
        assert_eq!((room.messages.len(), room.messages[0].content.as_str()), (MAX_MESSAGES, "5"));
        let view = room.view(true);
        let shown = view["messages"].as_array().unwrap();
        assert_eq!((shown.len(), shown.last().unwrap()["content"].as_str()), (RECENT, Some("1004")));
    }

    #[test]
    fn a_refused_change_changes_nothing() {
        let (mut rooms, id) = with_room();
        let large = "x".repeat(MAX_BYTES);
        assert!(rooms.update(&id, "user_1", |room| room.post("user_1", large, None)).is_err());
        assert_eq!((rooms.bytes, rooms.find(&id, "user_1").unwrap().messages.len()), (12, 0));
        for number in 1..MAX_MEMBERS {
            let member = Member::new(Kind::Bot, &number.to_string(), "member");
            rooms.update(&id, "user_1", |room| room.admit(member)).unwrap();
        }
        let one_more = Member::new(Kind::Bot, "x", "member");
        assert!(rooms.update(&id, "user_1", |room| room.admit(one_more)).is_err());
        let again = Member::new(Kind::Bot, "1", "moderator");
        rooms.update(&id, "user_1", |room| room.admit(again)).unwrap();
        assert_eq!(rooms.find(&id, "user_1").unwrap().members[1].role, "moderator");
    }

    #[test]
    fn rooms_are_limited_and_survive_a_file() {
        let (mut rooms, id) = with_room();
        for _ in 1..MAX_ROOMS {
            let changes = Changes { name: Some("r".to_owned()), description: None };
            rooms.add(Room::new("user_2", changes)).unwrap();
        }
        let changes = Changes { name: Some("r".to_owned()), description: None };
        assert!(rooms.add(Room::new("user_2", changes)).is_err());
        let text = serde_json::to_string(&rooms).unwrap();
        let again: Rooms = serde_json::from_str(&text).unwrap();
        let view = |rooms: &Rooms| rooms.find(&id, "user_1").unwrap().view(true);
        assert_eq!(view(&again), view(&rooms));
    }
}

//! Rooms: conversations of several people and bots.
//!
//! Source: docs `reference/sessions-and-rooms`. ScaiWave has rooms of its own, which are something else.

use crate::macros::{by_id, endpoint, object, paginated, query, request};
use crate::open_enum::open_enum;
use crate::request_body::refuse_named;
use crate::{InvalidRequest, Page, RequestBody};
use serde::{Deserialize, Serialize};
use serde_json::Value;

open_enum! {
    /// What takes part in a room. Documented.
    RoomMemberType {
        /// A person.
        User = "user",
        /// A bot.
        Bot = "bot",
    }
}

open_enum! {
    /// What a member of a room may do. One value is documented.
    RoomRole {
        /// Takes part.
        Member = "member",
    }
}

request! {
    /// Opens a room: `POST /v1/rooms`. The fields are documented; that the name is required is assumed.
    ///
    /// ```
    /// use scaigrid_types::CreateRoom;
    ///
    /// let room = CreateRoom::new("Design Review").user("user_alice").bot("bot_reviewer");
    /// # let _ = room;
    /// ```
    CreateRoom {
        /// A name for people.
        name: String,
        ;
        /// What it is for.
        description: String,
        /// Who takes part from the start.
        initial_members: Vec<InitialMember>,
    }
}

impl CreateRoom {
    /// Adds a person.
    pub fn user(self, id: impl Into<String>) -> Self {
        self.member(InitialMember { member_type: RoomMemberType::User, id: id.into() })
    }

    /// Adds a bot.
    pub fn bot(self, id: impl Into<String>) -> Self {
        self.member(InitialMember { member_type: RoomMemberType::Bot, id: id.into() })
    }

    fn member(mut self, member: InitialMember) -> Self {
        self.initial_members.get_or_insert_default().push(member);
        self
    }
}

/// Who takes part in a room from the start. Documented.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialMember {
    /// A person or a bot.
    #[serde(rename = "type")]
    pub member_type: RoomMemberType,
    /// Whose.
    pub id: String,
}

endpoint! {
    CreateRoom => Room, "rooms.create", Post "/v1/rooms", data + json
}

query! {
    /// Lists the rooms that the caller belongs to: `GET /v1/rooms`. Documented; the parameters are assumed.
    ListRooms {
        /// Most items of one page. Assumed.
        limit: u32,
        /// Where to go on: [`Page::next_cursor`] of the page before. Assumed.
        cursor: String,
    }
}

endpoint! {
    ListRooms => Page<Room>, "rooms.list", Get "/v1/rooms", page + query
}

paginated!(ListRooms => Room);

by_id! {
    /// One room with its members and recent messages: `GET /v1/rooms/{room_id}`.
    GetRoom(room_id) => Room, "rooms.get", Get "/v1/rooms" / room_id, data
}

request! {
    /// Changes a room: `PATCH /v1/rooms/{room_id}`. Documented, but not the fields: those of creating are assumed.
    UpdateRoom(room_id) {
        ;
        /// A name for people.
        name: String,
        /// What it is for.
        description: String,
    }
}

endpoint! {
    UpdateRoom => Room, "rooms.update", Patch "/v1/rooms" / room_id, data or room_id + json
}

by_id! {
    /// Archives a room: `DELETE /v1/rooms/{room_id}`. Its history is kept for audit.
    ArchiveRoom(room_id) => (), "rooms.archive", Delete "/v1/rooms" / room_id, empty
}

request! {
    /// Adds a member to a room: `POST /v1/rooms/{room_id}/members`. Documented.
    AddRoomMember(room_id) {
        /// A person or a bot.
        #[serde(rename = "type")]
        member_type: RoomMemberType,
        /// Whose.
        id: String,
        ;
        /// What the member may do; `member` is documented.
        role: RoomRole,
    }
}

endpoint! {
    AddRoomMember => (), "rooms.add_member", Post "/v1/rooms" / room_id / "members", empty {
        fn body(&self) -> Result<Option<RequestBody>, InvalidRequest> {
            // The field has another name here than on the wire.
            refuse_named(&self.extra, &["type"])?;
            self.json().map(Some)
        }
    }
}

request! {
    /// Says something in a room: `POST /v1/rooms/{room_id}/messages`.
    ///
    /// **Unverified**: that messages can be posted is documented for a tool of ScaiMCP only, so path and fields are
    /// assumed. That messages can be threaded is documented, but not the field.
    SendRoomMessage(room_id) {
        /// What is said.
        content: String,
        ;
    }
}

endpoint! {
    SendRoomMessage => RoomMessage, "rooms.send_message", Post "/v1/rooms" / room_id / "messages", data_or_default + json
}

object! {
    /// A room. The form of answers is not documented: all is assumed, and only the id is required.
    Room {
        /// Names it.
        id: String,
        ;
        /// A name for people.
        name: String,
        /// What it is for.
        description: String,
        /// Who takes part.
        members: Vec<RoomMember>,
        /// Recent messages.
        messages: Vec<RoomMessage>,
        /// When it was opened.
        created_at: String,
        /// When it was changed last.
        updated_at: String,
    }
}

object! {
    /// A member of a room. Assumed.
    RoomMember {
        ;
        /// Whose.
        id: String,
        /// A person or a bot.
        #[serde(rename = "type")]
        member_type: RoomMemberType,
        /// What the member may do.
        role: RoomRole,
    }
}

object! {
    /// A message of a room. Assumed.
    RoomMessage {
        ;
        /// Names it.
        id: String,
        /// What is said.
        content: Value,
        /// When.
        created_at: String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Endpoint;

    #[test]
    fn the_documented_requests() {
        let create = CreateRoom::new("Design Review")
            .description("Weekly review channel")
            .user("user_alice")
            .bot("bot_reviewer");
        let body = r#"{"name":"Design Review","description":"Weekly review channel","initial_members":[{"type":"user","id":"user_alice"},{"type":"bot","id":"bot_reviewer"}]}"#;
        assert_eq!(create.body().unwrap().unwrap().as_bytes(), Some(body.as_bytes()));
        let add = AddRoomMember::new("room_1", RoomMemberType::User, "user_bob").role(RoomRole::Member);
        let body = br#"{"type":"user","id":"user_bob","role":"member"}"#;
        assert_eq!(add.body().unwrap().unwrap().as_bytes(), Some(&body[..]));
        assert_eq!(add.path().segments().collect::<Vec<_>>(), ["v1", "rooms", "room_1", "members"]);
    }
}

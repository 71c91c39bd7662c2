//! Rooms: people, bots, and what they say.

use scaigrid::{AddRoomMember, CreateRoom, ListRooms, RoomMemberType, RoomRole, SendRoomMessage, UpdateRoom};
use scaigrid_emulator::{DEFAULT_API_KEY, Emulator};

fn review() -> CreateRoom {
    CreateRoom::new("Design Review").description("Weekly").bot("bot_reviewer")
}

run!(
    people_join_a_room_and_read_what_was_said,
    Emulator::builder().api_key(DEFAULT_API_KEY).api_key("sgk_other"),
    |emulator, client| {
        let other = client_of!(emulator, "sgk_other");
        let room = wait!(client.create_room(&review())).unwrap();
        assert_eq!(
            (room.name.as_deref(), room.description.as_deref()),
            (Some("Design Review"), Some("Weekly"))
        );
        assert_eq!(wait!(other.room(&room.id)).unwrap_err().status().unwrap(), 404, "not in it yet");
        assert!(wait!(other.rooms(&ListRooms::new())).unwrap().items.is_empty());

        let add = AddRoomMember::new(&room.id, RoomMemberType::User, "user_2").role(RoomRole::Member);
        wait!(client.add_room_member(&add)).unwrap();
        let said = wait!(other.send_room_message(&SendRoomMessage::new(&room.id, "Good morning."))).unwrap();
        assert_eq!(said.content.as_ref().unwrap(), "Good morning.");
        let seen = wait!(client.room(&room.id)).unwrap();
        let members: Vec<_> = seen.members.iter().flatten().map(|one| one.id.as_deref().unwrap()).collect();
        assert!(["user_1", "user_2", "bot_reviewer"].iter().all(|id| members.contains(id)), "{members:?}");
        let messages = seen.messages.as_ref().unwrap();
        assert_eq!((messages.len(), &messages[0].id), (1, &said.id));
        assert_eq!(wait!(other.rooms(&ListRooms::new())).unwrap().items[0].id, room.id);
    }
);

run!(a_room_is_changed_and_archived, |_, client| {
    let room = wait!(client.create_room(&review())).unwrap();
    let changed = wait!(client.update_room(&UpdateRoom::new(&room.id).name("Reviews"))).unwrap();
    assert_eq!((changed.name.as_deref(), changed.description.as_deref()), (Some("Reviews"), Some("Weekly")));
    wait!(client.send_room_message(&SendRoomMessage::new(&room.id, "Bye."))).unwrap();
    wait!(client.archive_room(&room.id)).unwrap();
    assert!(wait!(client.rooms(&ListRooms::new())).unwrap().items.is_empty());
    let kept = wait!(client.room(&room.id)).unwrap();
    assert_eq!(kept.messages.as_ref().unwrap().len(), 1, "for audit");
    wait!(client.send_room_message(&SendRoomMessage::new(&room.id, "Hello?"))).unwrap_err();
});

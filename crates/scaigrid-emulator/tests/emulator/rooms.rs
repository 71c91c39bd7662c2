//! Rooms: members and their messages.

use crate::http::{call, call_as, get};
use scaigrid_emulator::Emulator;
use serde_json::{Value, json};

const ROOMS: &str = "/v1/rooms";

fn two_users() -> Emulator {
    Emulator::builder().api_key("one").api_key("two").start().unwrap()
}

fn open(emulator: &Emulator, body: &Value) -> String {
    let answer = call(emulator, "POST", ROOMS, body);
    assert_eq!(answer.status, 201, "{answer:?}");
    format!("{ROOMS}/{}", answer.json()["data"]["id"].as_str().unwrap())
}

#[test]
fn rooms_belong_to_their_members() {
    let emulator = two_users();
    let body = json!({"name": "Design Review", "description": "Weekly",
        "initial_members": [{"type": "user", "id": "user_alice"}, {"type": "bot", "id": "bot_reviewer"}]});
    let room = open(&emulator, &body);
    let view = get(&emulator, &room).json()["data"].clone();
    assert_eq!((&view["name"], &view["description"]), (&json!("Design Review"), &json!("Weekly")));
    let members: Vec<(Value, Value, Value)> = view["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| (member["type"].clone(), member["id"].clone(), member["role"].clone()))
        .collect();
    let expected =
        [("user", "user_1", "owner"), ("user", "user_alice", "member"), ("bot", "bot_reviewer", "member")];
    assert_eq!(members, expected.map(|(kind, id, role)| (json!(kind), json!(id), json!(role))));

    let as_two = |method, path: &str, body| call_as(&emulator, "two", method, path, &body);
    assert_eq!(as_two("GET", &room, Value::Null).code(), "NOT_FOUND");
    assert_eq!(as_two("GET", ROOMS, Value::Null).json()["data"]["items"], json!([]));
    let added = call(
        &emulator,
        "POST",
        &format!("{room}/members"),
        &json!({"type": "user", "id": "user_2", "role": "guest"}),
    );
    assert_eq!((added.status, added.json()["data"]["role"].clone()), (201, json!("guest")));
    assert_eq!(as_two("GET", ROOMS, Value::Null).json()["data"]["items"].as_array().unwrap().len(), 1);
    assert_eq!(as_two("GET", &room, Value::Null).status, 200);

    let changed = call(&emulator, "PATCH", &room, &json!({"name": "New"})).json()["data"].clone();
    assert_eq!((&changed["name"], &changed["description"]), (&json!("New"), &json!("Weekly")));
}

#[test]
fn messages_are_kept_and_threaded() {
    let emulator = two_users();
    let room = open(&emulator, &json!({"name": "r", "initial_members": [{"type": "user", "id": "user_2"}]}));
    let path = format!("{room}/messages");
    let first = call(&emulator, "POST", &path, &json!({"content": "Hello."})).json()["data"].clone();
    let body = json!({"content": "Hi.", "parent_id": first["id"]});
    let second = call_as(&emulator, "two", "POST", &path, &body);
    assert_eq!(second.status, 201);
    assert_eq!(second.json()["data"]["author"], json!({"type": "user", "id": "user_2"}));
    let messages = get(&emulator, &room).json()["data"]["messages"].clone();
    assert_eq!(messages[0], first);
    assert_eq!(messages[1]["parent_id"], first["id"]);
    assert!(get(&emulator, ROOMS).json()["data"]["items"][0].get("messages").is_none());
}

#[test]
fn archived_rooms_can_be_read_and_not_changed() {
    let emulator = two_users();
    let room = open(&emulator, &json!({"name": "r"}));
    call(&emulator, "POST", &format!("{room}/messages"), &json!({"content": "Hello."}));
    assert_eq!(call(&emulator, "DELETE", &room, &Value::Null).status, 204);
    let view = get(&emulator, &room).json()["data"].clone();
    assert_eq!((&view["status"], &view["messages"][0]["content"]), (&json!("archived"), &json!("Hello.")));
    assert_eq!(get(&emulator, ROOMS).json()["data"]["items"], json!([]));
    for (method, path, body) in [
        ("POST", format!("{room}/messages"), json!({"content": "x"})),
        ("POST", format!("{room}/members"), json!({"type": "bot", "id": "b"})),
        ("PATCH", room.clone(), json!({"name": "x"})),
    ] {
        assert_eq!(call(&emulator, method, &path, &body).invalid_fields(), ["status"]);
    }
    assert_eq!(call(&emulator, "DELETE", &room, &Value::Null).status, 204);
}

#[test]
fn wrong_rooms_are_refused() {
    let emulator = two_users();
    let create = |body: Value| call(&emulator, "POST", ROOMS, &body).invalid_fields();
    assert_eq!(create(json!({"description": 1})), ["name", "description"]);
    let members = json!([{"type": "user", "id": "u"}, {"type": "cat", "id": "c"}, {"type": "bot"}, 1]);
    let expected = ["initial_members[1]", "initial_members[2]", "initial_members[3]"];
    assert_eq!(create(json!({"name": "r", "initial_members": members})), expected);
    assert_eq!(create(json!({"name": "r", "initial_members": {}})), ["initial_members"]);

    let room = open(&emulator, &json!({"name": "r"}));
    let post =
        |path: &str, body: Value| call(&emulator, "POST", &format!("{room}/{path}"), &body).invalid_fields();
    assert_eq!(post("members", json!({"role": ""})), ["type", "id", "role"]);
    assert_eq!(post("messages", json!({"parent_id": "x"})), ["content", "parent_id"]);
    assert_eq!(get(&emulator, "/v1/rooms?cursor=x").invalid_fields(), ["cursor"]);
    for path in ["/v1/rooms/room_x", "/v1/rooms/%ff"] {
        assert_eq!(get(&emulator, path).code(), "NOT_FOUND");
        assert_eq!(call(&emulator, "DELETE", path, &Value::Null).code(), "NOT_FOUND");
        assert_eq!(call(&emulator, "POST", &format!("{path}/messages"), &json!({})).code(), "NOT_FOUND");
    }
}

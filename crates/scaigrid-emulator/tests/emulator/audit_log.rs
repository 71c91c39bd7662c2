//! The audit log.

use crate::accounting::download;
use crate::http::{Answer, CHAT, OMNI, call, chat, get, parse, post, raw, request, send};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use scaigrid_emulator::Emulator;
use serde_json::{Value, json};

const LOG: &str = "/v1/audit-log";

fn items(answer: &Answer) -> Vec<Value> {
    answer.json()["data"]["items"].as_array().unwrap().clone()
}

#[test]
fn changing_requests_are_logged_and_others_are_not() {
    let emulator =
        Emulator::builder().api_key("admin").api_key_with_permissions("weak", ["models:use"]).start();
    let emulator = emulator.unwrap();
    let headers = ["Authorization: Bearer admin", "User-Agent: \"a\", b", "Connection: close"];
    let body = br#"{"scope":"user","period":"total","request_limit":9}"#;
    let budget = parse(&raw(&emulator, &request("POST", "/v1/accounting/budgets", &headers, body)).unwrap());
    let key = call(&emulator, "POST", "/v1/api-keys", &json!({"name": "n"})).json()["data"]["id"].clone();
    let key = key.as_str().unwrap().to_owned();
    call(&emulator, "DELETE", &format!("/v1/api-keys/{key}"), &json!({}));
    call(&emulator, "POST", "/v1/api-keys", &json!({}));
    send(&emulator, "POST", "/v1/accounting/budgets", Some("weak"), b"{}").unwrap();
    // None of these: inference, reading, no route, no user, no such method.
    post(&emulator, &chat("hello"));
    get(&emulator, LOG);
    call(&emulator, "POST", "/v1/nothing", &json!({}));
    send(&emulator, "POST", "/v1/api-keys", Some("wrong"), b"{}").unwrap();
    call(&emulator, "PUT", "/v1/api-keys", &json!({}));

    let log = items(&get(&emulator, LOG));
    let facts: Vec<_> = log
        .iter()
        .map(|entry| {
            [&entry["action"], &entry["status"], &entry["actor_id"]].map(|text| text.as_str().unwrap())
        })
        .collect();
    assert_eq!(
        facts,
        [
            ["budget.create", "SUCCESS", "user_1"],
            ["api_key.create", "SUCCESS", "user_1"],
            ["api_key.delete", "SUCCESS", "user_1"],
            ["api_key.create", "FAILURE", "user_1"],
            ["budget.create", "FAILURE", "user_2"],
        ]
    );
    let first = &log[0];
    assert_eq!(first["resource_id"], budget.json()["data"]["id"]);
    assert_eq!((&first["resource_type"], &first["actor_type"]), (&json!("budget"), &json!("user")));
    assert_eq!((&first["ip_address"], &first["user_agent"]), (&json!("127.0.0.1"), &json!("\"a\", b")));
    assert_eq!((&first["request_id"], &first["status_code"]), (&json!(budget.request_id()), &json!(200)));
    assert_eq!((&log[1]["resource_id"], &log[2]["resource_id"]), (&json!(key), &json!(key)));
    assert_eq!(log[4]["status_code"], 403);

    for (query, count) in [
        ("action=budget.create", 2),
        ("actor_id=user_2", 1),
        ("resource_type=api_key", 3),
        (&format!("resource_id={key}"), 2),
        ("status=FAILURE", 2),
        ("ip_address=127.0.0.1", 5),
        ("ip_address=::1", 0),
        ("start=2020-01-01&end=2999-01-01", 5),
        ("start=2999-01-01", 0),
        ("limit=2&cursor=after_4", 1),
    ] {
        assert_eq!(items(&get(&emulator, &format!("{LOG}?{query}"))).len(), count, "{query}");
    }
    assert_eq!(get(&emulator, &format!("{LOG}?limit=2")).json()["pagination"]["next_cursor"], "after_2");
    let wrong = get(&emulator, &format!("{LOG}?limit=0&start=x&end=x&status=ok"));
    assert_eq!(wrong.invalid_fields(), ["limit", "start", "end", "status"]);

    let (head, json) = download(&emulator, &format!("{LOG}/export?format=JSON"));
    assert_eq!(head.header("content-type"), Some("application/json"));
    assert_eq!(serde_json::from_str::<Vec<Value>>(&json).unwrap(), log);
    let (_, csv) =
        download(&emulator, &format!("{LOG}/export?format=csv&action=budget.create&status=SUCCESS"));
    assert!(csv.contains(",\"\"\"a\"\", b\",") && csv.lines().count() == 2, "{csv}");
    let (_, lines) = download(&emulator, &format!("{LOG}/export?format=ndjson"));
    assert_eq!(lines.lines().count(), 5);
}

#[test]
fn every_kind_of_change_has_its_action() {
    let emulator = Emulator::start().unwrap();
    let make = |path: &str, body: Value| {
        let answer = call(&emulator, "POST", path, &body);
        assert!(answer.status < 300, "{path}: {}", answer.json());
        format!("{path}/{}", answer.json()["data"]["id"].as_str().unwrap())
    };
    let session = make("/v1/sessions", json!({"model": OMNI}));
    call(&emulator, "PATCH", &session, &json!({"title": "t"}));
    call(&emulator, "POST", &format!("{session}/messages"), &json!({"content": "hi"}));
    call(&emulator, "DELETE", &session, &json!({}));
    let room = make("/v1/rooms", json!({"name": "r"}));
    call(&emulator, "POST", &format!("{room}/members"), &json!({"type": "user", "id": "user_2"}));
    call(&emulator, "POST", &format!("{room}/messages"), &json!({"content": "hi"}));
    let webhook = make("/v1/webhooks", json!({"url": "http://127.0.0.1:1/", "events": ["x"]}));
    call(&emulator, "PUT", &webhook, &json!({"status": "inactive"}));
    call(&emulator, "POST", &format!("{webhook}/test"), &json!({}));
    call(&emulator, "DELETE", &webhook, &json!({}));
    let collection =
        make("/v1/modules/scaimatrix/collections", json!({"name": "c", "embedding_model": "openai/e"}));
    call(&emulator, "POST", &format!("{collection}/fork"), &json!({}));
    call(&emulator, "POST", &format!("{collection}/re-chunk"), &json!({}));
    call(&emulator, "POST", &format!("{collection}/search"), &json!({"query": "x"}));
    call(&emulator, "POST", &format!("{collection}/documents"), &json!({}));
    call(&emulator, "DELETE", &format!("{collection}/documents/x"), &json!({}));
    let line = json!({"custom_id": "a", "method": "POST", "url": CHAT, "body": chat("hi")}).to_string();
    let batch = make("/v1/inference/batch", json!({"input_file_base64": STANDARD.encode(line)}));
    call(&emulator, "POST", &format!("{batch}/cancel"), &json!({}));

    let last = |path: &str| path.rsplit_once('/').unwrap().1.to_owned();
    let log = items(&get(&emulator, LOG));
    let entry = |action: &str| {
        let mut entries = log.iter().filter(|entry| entry["action"] == action);
        let entry = entries.next().unwrap_or_else(|| panic!("no {action}"));
        assert!(entries.next().is_none(), "{action}");
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        (text("resource_type"), text("resource_id"), text("status"))
    };
    let success = |kind: &str, path: &str| (kind.to_owned(), last(path), "SUCCESS".to_owned());
    for (action, kind, path) in [
        ("session.create", "session", &session),
        ("session.update", "session", &session),
        ("session.delete", "session", &session),
        ("room.create", "room", &room),
        ("webhook.create", "webhook", &webhook),
        ("webhook.update", "webhook", &webhook),
        ("webhook.test", "webhook", &webhook),
        ("webhook.delete", "webhook", &webhook),
        ("collection.create", "collection", &collection),
        ("collection.fork", "collection", &collection),
        ("collection.re_chunk", "collection", &collection),
        ("batch.create", "batch", &batch),
        ("batch.cancel", "batch", &batch),
    ] {
        assert_eq!(entry(action), success(kind, path), "{action}");
    }
    assert_eq!(entry("room.member.create").1, "user_2");
    assert!(entry("session.message.create").1.starts_with("msg_"));
    assert!(entry("room.message.create").1.starts_with("rmsg_"));
    for action in ["collection.document.create", "collection.document.delete"] {
        let (kind, _, status) = entry(action);
        assert_eq!((kind.as_str(), status.as_str()), ("document", "FAILURE"));
    }
    // All of them: a search changes nothing.
    assert_eq!(log.len(), 13 + 3 + 2);
}

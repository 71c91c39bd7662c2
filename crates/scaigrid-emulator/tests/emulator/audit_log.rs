//! The audit log.

use crate::accounting::download;
use crate::http::{Answer, chat, get, parse, post, raw, request, send};
use scaigrid_emulator::Emulator;
use serde_json::{Value, json};

const LOG: &str = "/v1/audit-log";

fn items(answer: &Answer) -> Vec<Value> {
    answer.json()["data"]["items"].as_array().unwrap().clone()
}

fn call(emulator: &Emulator, method: &str, target: &str, body: &Value) -> Answer {
    send(emulator, method, target, Some(emulator.api_key()), body.to_string().as_bytes()).unwrap()
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

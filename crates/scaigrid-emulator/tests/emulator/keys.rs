//! API keys and profiles.

use crate::http::{call_as, chat, get, post_as, send};
use scaigrid_emulator::Emulator;
use serde_json::{Value, json};

const KEYS: &str = "/v1/api-keys";

/// Creates a key and returns the answer's data.
fn create(emulator: &Emulator, key: &str, body: &Value) -> Value {
    let answer = call_as(emulator, key, "POST", KEYS, body);
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()["data"].clone()
}

#[test]
fn a_created_key_works_until_it_is_revoked() {
    let emulator = Emulator::builder().rate_limit_per_minute(6).start().unwrap();
    let made = create(&emulator, emulator.api_key(), &json!({"name": "one", "assigned_user_id": null}));
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with("sgk_") && key.len() >= 36);
    assert_eq!((&made["name"], &made["prefix"]), (&json!("one"), &json!("sgk_")));
    assert_eq!((&made["expires_at"], made["scopes"].as_array().unwrap().len()), (&json!(null), 15));
    assert!(made["created_at"].as_str().unwrap().ends_with('Z'));

    let listed = get(&emulator, KEYS).json();
    let items = listed["data"]["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[1]["id"], items[1].get("key")), (2, &made["id"], None));
    assert_eq!(listed["pagination"], json!({"has_more": false, "next_cursor": null}));
    assert!(!listed.to_string().contains(emulator.api_key()) && !listed.to_string().contains(key));

    // Its own window of the rate limit, its user's usage.
    let answer = post_as(&emulator, key, &chat("hello"));
    assert_eq!((answer.status, answer.header("x-scaigrid-ratelimit-remaining")), (200, Some("5")));
    let usage = get(&emulator, "/v1/accounting/usage").json();
    assert_eq!(usage["data"]["items"][0]["user_id"], "user_1");

    let target = format!("{KEYS}/{}", made["id"].as_str().unwrap());
    let deleted = call_as(&emulator, key, "DELETE", &target, &json!({}));
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    assert!(deleted.header("x-scaigrid-request-id").is_some());
    let refused = post_as(&emulator, key, &chat("hello"));
    assert_eq!((refused.status, refused.code().as_str()), (401, "AUTH_TOKEN_INVALID"));
    let again = call_as(&emulator, emulator.api_key(), "DELETE", &target, &json!({}));
    assert_eq!((again.status, again.code().as_str()), (404, "NOT_FOUND"));
}

#[test]
fn keys_expire() {
    let emulator = Emulator::start().unwrap();
    for (expires_at, status) in [("2020-01-01T00:00:00Z", 401), ("2999-01-01T00:00:00+02:00", 200)] {
        let made = create(&emulator, emulator.api_key(), &json!({"name": "n", "expires_at": expires_at}));
        let answer = send(&emulator, "GET", "/v1/me", made["key"].as_str(), b"").unwrap();
        assert_eq!(answer.status, status, "{expires_at}");
    }
}

#[test]
fn keys_may_be_for_other_users() {
    let emulator = Emulator::builder()
        .api_key("admin")
        .api_key_with_permissions("weak", ["models:use"])
        .start()
        .unwrap();
    let made = create(&emulator, "admin", &json!({"name": "n", "assigned_user_id": "user_2"}));
    assert_eq!(made["scopes"], json!(["models:use"]));
    let key = made["key"].as_str().unwrap();
    assert_eq!(call_as(&emulator, key, "GET", "/v1/me", &json!({})).json()["data"]["id"], "user_2");
    assert_eq!(call_as(&emulator, key, "GET", "/v1/models", &json!({})).code(), "AUTHZ_PERMISSION_DENIED");
    let body = json!({"name": "n", "assigned_user_id": "user_1"});
    assert_eq!(call_as(&emulator, "weak", "POST", KEYS, &body).code(), "AUTHZ_PERMISSION_DENIED");

    for (body, fields) in [
        (json!({"name": "n", "assigned_user_id": "nobody"}), &["assigned_user_id"][..]),
        (json!({"expires_at": "soon", "assigned_user_id": 7}), &["name", "expires_at", "assigned_user_id"]),
        (json!({"name": "x".repeat(257), "expires_at": 1}), &["name", "expires_at"]),
        (json!([]), &["body"]),
    ] {
        assert_eq!(call_as(&emulator, "admin", "POST", KEYS, &body).invalid_fields(), fields, "{body}");
    }
}

#[test]
fn the_profile_has_roles_and_permissions() {
    let emulator = Emulator::builder()
        .api_key("admin")
        .api_key_with_permissions("viewer", ["models:list", "accounting:view_own"])
        .start()
        .unwrap();
    for path in ["/v1/me", "/v1/auth/me"] {
        let me = call_as(&emulator, "viewer", "GET", path, &json!({})).json()["data"].clone();
        assert_eq!((&me["id"], &me["tenant_id"]), (&json!("user_2"), &json!("tenant_emulator")));
        assert_eq!(me["permissions"], json!(["accounting:view_own", "models:list"]));
        assert_eq!(me["roles"], json!(["custom"]));
    }
    let admin = get(&emulator, "/v1/me").json()["data"].clone();
    assert_eq!(
        (&admin["roles"], admin["permissions"].as_array().unwrap().len()),
        (&json!(["super_admin"]), 15)
    );
}

#[test]
fn a_test_can_revoke_a_key() {
    let emulator = Emulator::start().unwrap();
    let key = emulator.api_key();
    assert!(emulator.revoke_key(key) && !emulator.revoke_key(key));
    assert_eq!(get(&emulator, "/v1/me").code(), "AUTH_TOKEN_INVALID");
}

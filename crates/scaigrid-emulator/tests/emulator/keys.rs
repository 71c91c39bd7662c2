//! API keys, profiles, and permissions.

use crate::http::{Answer, CHAT, SUMMARY, chat, get, post_as, send};
use scaigrid_emulator::Emulator;
use serde_json::{Value, json};

const KEYS: &str = "/v1/api-keys";

fn call(emulator: &Emulator, method: &str, target: &str, key: &str, body: &Value) -> Answer {
    send(emulator, method, target, Some(key), body.to_string().as_bytes()).unwrap()
}

/// Creates a key and returns the answer's data.
fn create(emulator: &Emulator, key: &str, body: &Value) -> Value {
    let answer = call(emulator, "POST", KEYS, key, body);
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
    let deleted = call(&emulator, "DELETE", &target, key, &json!({}));
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    assert!(deleted.header("x-scaigrid-request-id").is_some());
    let refused = post_as(&emulator, key, &chat("hello"));
    assert_eq!((refused.status, refused.code().as_str()), (401, "AUTH_TOKEN_INVALID"));
    let again = call(&emulator, "DELETE", &target, emulator.api_key(), &json!({}));
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
    assert_eq!(call(&emulator, "GET", "/v1/me", key, &json!({})).json()["data"]["id"], "user_2");
    assert_eq!(call(&emulator, "GET", "/v1/models", key, &json!({})).code(), "AUTHZ_PERMISSION_DENIED");
    let body = json!({"name": "n", "assigned_user_id": "user_1"});
    assert_eq!(call(&emulator, "POST", KEYS, "weak", &body).code(), "AUTHZ_PERMISSION_DENIED");

    for (body, fields) in [
        (json!({"name": "n", "assigned_user_id": "nobody"}), &["assigned_user_id"][..]),
        (json!({"expires_at": "soon", "assigned_user_id": 7}), &["name", "expires_at", "assigned_user_id"]),
        (json!({"name": "x".repeat(257), "expires_at": 1}), &["name", "expires_at"]),
        (json!([]), &["body"]),
    ] {
        assert_eq!(call(&emulator, "POST", KEYS, "admin", &body).invalid_fields(), fields, "{body}");
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
        let me = call(&emulator, "GET", path, "viewer", &json!({})).json()["data"].clone();
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
fn every_route_needs_its_permission() {
    let routes = [
        ("POST", CHAT, "models:use"),
        ("GET", "/v1/models", "models:list"),
        ("GET", "/v1/models/a%2Fb", "models:list"),
        ("GET", SUMMARY, "accounting:view_own"),
        ("GET", "/v1/accounting/usage", "accounting:view_tenant"),
        ("GET", "/v1/accounting/export", "accounting:view_partner"),
        ("GET", "/v1/accounting/budgets", "accounting:view_own"),
        ("GET", "/v1/accounting/budgets/x", "accounting:view_own"),
        ("POST", "/v1/accounting/budgets", "accounting:manage_budgets"),
        ("DELETE", "/v1/api-keys/x", "api_keys:manage"),
        ("GET", "/v1/audit-log", "admin:access"),
        ("GET", "/v1/audit-log/export", "accounting:view_partner"),
        ("GET", "/health/detailed", "admin:access"),
    ];
    let mut builder = Emulator::builder().api_key_with_permissions("none", [""; 0]);
    for (_, _, permission) in &routes {
        builder = builder.api_key_with_permissions(format!("only-{permission}"), [*permission]);
    }
    let emulator = builder.start().unwrap();
    for (method, path, permission) in routes {
        let denied = call(&emulator, method, path, "none", &json!({}));
        assert_eq!(
            (denied.status, denied.code().as_str()),
            (403, "AUTHZ_PERMISSION_DENIED"),
            "{method} {path}"
        );
        let allowed = call(&emulator, method, path, &format!("only-{permission}"), &json!({}));
        assert_ne!(allowed.status, 403, "{method} {path}");
    }
    for path in ["/v1/me", KEYS, "/health", "/health/ready", "/metrics"] {
        assert_eq!(call(&emulator, "GET", path, "none", &json!({})).status, 200, "{path}");
    }
}

#[test]
fn a_test_can_revoke_a_key() {
    let emulator = Emulator::start().unwrap();
    let key = emulator.api_key();
    assert!(emulator.revoke_key(key) && !emulator.revoke_key(key));
    assert_eq!(get(&emulator, "/v1/me").code(), "AUTH_TOKEN_INVALID");
}

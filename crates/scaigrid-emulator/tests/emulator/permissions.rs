//! Which route needs which permission.

use crate::http::{CHAT, SUMMARY, call_as, get};
use scaigrid_emulator::{Emulator, WireVariant};
use serde_json::{Value, json};

const COLLECTIONS: &str = "/v1/modules/scaimatrix/collections";

/// Each route with one of the permissions that let a user pass.
fn guarded() -> Vec<(&'static str, String, &'static str)> {
    let of = |method, path: &str, permission| (method, path.to_owned(), permission);
    let below = |path: &str| format!("{COLLECTIONS}/x{path}");
    vec![
        of("POST", CHAT, "models:use"),
        of("POST", "/v1/chat/completions", "models:use"),
        of("POST", "/v1/inference/embed", "models:use"),
        of("POST", "/v1/inference/embeddings", "models:use"),
        of("POST", "/v1/inference/images/generate", "models:use"),
        of("POST", "/v1/inference/audio/transcribe", "models:use"),
        of("POST", "/v1/inference/audio/synthesize", "models:use"),
        of("POST", "/v1/inference/generate", "models:use"),
        of("POST", "/v1/inference/batch", "models:use"),
        of("GET", "/v1/inference/batch", "models:use"),
        of("GET", "/v1/inference/batch/x", "models:use"),
        of("POST", "/v1/inference/batch/x/cancel", "models:use"),
        of("GET", "/v1/models", "models:list"),
        of("GET", "/v1/models/a%2Fb", "models:list"),
        of("GET", "/v1/sessions", "models:use"),
        of("POST", "/v1/sessions", "models:use"),
        of("GET", "/v1/sessions/x", "models:use"),
        of("PATCH", "/v1/sessions/x", "models:use"),
        of("DELETE", "/v1/sessions/x", "models:use"),
        of("POST", "/v1/sessions/x/messages", "models:use"),
        of("GET", "/v1/rooms", "models:use"),
        of("POST", "/v1/rooms", "models:use"),
        of("GET", "/v1/rooms/x", "models:use"),
        of("PATCH", "/v1/rooms/x", "models:use"),
        of("DELETE", "/v1/rooms/x", "models:use"),
        of("POST", "/v1/rooms/x/members", "models:use"),
        of("POST", "/v1/rooms/x/messages", "models:use"),
        of("GET", SUMMARY, "accounting:view_own"),
        of("GET", "/v1/accounting/usage", "accounting:view_tenant"),
        of("GET", "/v1/accounting/export", "accounting:view_partner"),
        of("GET", "/v1/accounting/budgets", "accounting:view_own"),
        of("GET", "/v1/accounting/budgets/x", "accounting:view_own"),
        of("POST", "/v1/accounting/budgets", "accounting:manage_budgets"),
        of("DELETE", "/v1/api-keys/x", "api_keys:manage"),
        of("GET", "/v1/webhooks", "webhooks:manage"),
        of("POST", "/v1/webhooks", "webhooks:manage"),
        of("GET", "/v1/webhooks/x", "webhooks:manage"),
        of("PUT", "/v1/webhooks/x", "webhooks:manage"),
        of("DELETE", "/v1/webhooks/x", "webhooks:manage"),
        of("POST", "/v1/webhooks/x/test", "webhooks:manage"),
        of("GET", "/v1/webhooks/x/deliveries", "webhooks:manage"),
        of("GET", "/v1/audit-log", "admin:access"),
        of("GET", "/v1/audit-log/export", "accounting:view_partner"),
        of("GET", COLLECTIONS, "scaimatrix:view"),
        of("POST", COLLECTIONS, "scaimatrix:manage"),
        of("GET", &below(""), "scaimatrix:view"),
        of("PUT", &below(""), "scaimatrix:manage"),
        of("DELETE", &below(""), "scaimatrix:manage"),
        of("POST", &below("/fork"), "scaimatrix:manage"),
        of("POST", &below("/re-chunk"), "scaimatrix:manage"),
        of("POST", &below("/search"), "scaimatrix:search"),
        of("GET", &below("/documents"), "scaimatrix:view"),
        of("POST", &below("/documents"), "scaimatrix:ingest"),
        of("GET", &below("/documents/y"), "scaimatrix:view"),
        of("DELETE", &below("/documents/y"), "scaimatrix:ingest"),
        of("GET", "/v1/modules/scaimatrix/permissions/collection/x/effective", "scaimatrix:view"),
        of("GET", "/health/detailed", "admin:access"),
    ]
}

#[test]
fn every_route_needs_its_permission() {
    let mut builder = Emulator::builder()
        .api_key_with_permissions("none", [""; 0])
        .variant(WireVariant::EmbeddingsPath)
        .variant(WireVariant::ChatCompletionsPath);
    for (_, _, permission) in guarded() {
        builder = builder.api_key_with_permissions(format!("only-{permission}"), [permission]);
    }
    let emulator = builder.start().unwrap();
    for (method, path, permission) in guarded() {
        let denied = call_as(&emulator, "none", method, &path, &json!({}));
        let code = denied.code();
        assert_eq!((denied.status, code.as_str()), (403, "AUTHZ_PERMISSION_DENIED"), "{method} {path}");
        let allowed = call_as(&emulator, &format!("only-{permission}"), method, &path, &json!({}));
        assert!(![401, 403, 405].contains(&allowed.status), "{method} {path} {}", allowed.status);
    }
    for path in ["/v1/me", "/v1/auth/me", "/v1/api-keys", "/health", "/health/ready", "/metrics"] {
        assert_eq!(call_as(&emulator, "none", "GET", path, &Value::Null).status, 200, "{path}");
    }
    assert_eq!(call_as(&emulator, "none", "POST", "/v1/api-keys", &json!({"name": "n"})).status, 200);
}

#[test]
fn what_needs_no_credential_gets_on_without_one() {
    let emulator = Emulator::start().unwrap();
    for (path, status) in [("/health", 200), ("/health/ready", 200), ("/metrics", 200), ("/media/x", 404)] {
        let answer = crate::http::send(&emulator, "GET", path, None, b"").unwrap();
        assert_eq!(answer.status, status, "{path}");
    }
    // What no route has is no secret.
    let unknown = crate::http::send(&emulator, "GET", "/v1/nothing", None, b"").unwrap();
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "NOT_FOUND"));
    assert_eq!(get(&emulator, "/v1/models").status, 200);
}

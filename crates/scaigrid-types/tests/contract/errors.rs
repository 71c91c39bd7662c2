//! Errors: every example and fragment, and the table of codes.

use crate::{decode, example, of_kind};
use scaigrid_types::RetryClass::{Backoff, ByStatus, Hint, Limited, Never, Reauth};
use scaigrid_types::*;
use serde_json::{Value, json};

/// Code, HTTP status, and retry class, as in section 4.1.
const CODES: [(&str, Option<u16>, RetryClass); 30] = [
    ("AUTH_TOKEN_MISSING", Some(401), Never),
    ("AUTH_TOKEN_INVALID", Some(401), Reauth),
    ("AUTH_INSUFFICIENT_SCOPE", Some(403), Never),
    ("AUTHZ_PERMISSION_DENIED", Some(403), Never),
    ("AUTH_FLOW_INVALID", Some(401), Never),
    ("AUTH_IDENTITY_NOT_FOUND", Some(404), Never),
    ("SESSION_EXPIRED", Some(401), Reauth),
    ("SERVICE_TOKEN_INVALID", Some(401), Never),
    ("VALIDATION_ERROR", Some(422), Never),
    ("SLUG_CONFLICT", Some(409), Never),
    ("MODEL_NOT_FOUND", Some(404), Never),
    ("MODEL_ACCESS_DENIED", Some(403), Never),
    ("MODEL_UNAVAILABLE", Some(503), Backoff),
    ("BACKEND_ERROR", Some(502), Limited),
    ("BACKEND_TIMEOUT", Some(504), Backoff),
    ("BACKEND_RATE_LIMITED", Some(429), Hint),
    ("UPSTREAM_SHAPE_MISMATCH", Some(502), Never),
    ("BACKEND_NOT_FOUND", Some(404), Never),
    ("PROVIDER_NOT_FOUND", Some(404), Never),
    ("PROVIDER_DISCOVERY_ERROR", Some(502), Never),
    ("PROVIDER_HAS_BACKENDS", Some(409), Never),
    ("RATE_LIMITED", Some(429), Hint),
    ("QUOTA_EXCEEDED", Some(429), Never),
    ("BUDGET_EXCEEDED", Some(429), Never),
    ("MODULE_NOT_ENABLED", Some(403), Never),
    ("INVALID_ACE", None, Never),
    ("INVALID_SOURCE_IR", None, Never),
    ("SCAIECHO_BACKEND_UNAVAILABLE", Some(502), ByStatus),
    ("TOOL_NOT_FOUND", None, Never),
    ("PERMISSION_DENIED", None, Never),
];

#[test]
fn every_code_has_its_status_and_class() {
    for (text, status, class) in CODES {
        let code = ErrorCode::from(text);
        assert!(!matches!(code, ErrorCode::Unknown(_)), "{text}");
        assert_eq!((code.http_status(), code.retry_class()), (status, class), "{text}");
    }
    let known: Vec<_> = ErrorCode::ALL.iter().map(ErrorCode::as_str).collect();
    assert_eq!(known, CODES.map(|(text, ..)| text));
}

#[test]
fn every_error_of_the_reference_decodes_and_goes_out_again() {
    for example in of_kind("error") {
        let error = ErrorEnvelope::from_slice(example.text().as_bytes()).unwrap();
        let value = example.value();
        let field = |pointer: &str| value.pointer(pointer).cloned();
        let sent = serde_json::to_value(&error).unwrap();
        for pointer in ["/error/code", "/error/message", "/error/retry_after", "/error/details", "/meta"] {
            assert_eq!(sent.pointer(pointer).cloned(), field(pointer), "{} {pointer}", example.what);
        }
        assert_eq!(sent["status"], "error");
        assert_eq!(error.request_id(), value.pointer("/meta/request_id").and_then(Value::as_str));
        // As an answer with status 200, too.
        assert!(matches!(decode(&GetMe, example.text()), Err(ReplyError::Api(found)) if *found == error));
    }
}

#[test]
fn what_the_examples_show() {
    let error = |what| ErrorEnvelope::from_slice(example(what).text().as_bytes()).unwrap();
    let limited = error("rate limited");
    assert_eq!(limited.error.code, Some(ErrorCode::RateLimited));
    assert_eq!((limited.error.retry_after, limited.request_id()), (Some(15.0), None));
    let details = error("error with details").error.field_errors();
    assert_eq!(details, [FieldError::new("messages", "must not be empty")]);
    let fragment = error("fragment MODEL_UNAVAILABLE");
    assert_eq!((fragment.error.code, fragment.error.message), (Some(ErrorCode::ModelUnavailable), None));
    let other = error("error of the OpenAI surface").error;
    assert_eq!(other.code, Some(ErrorCode::Unknown("model_not_found".to_owned())));
    assert_eq!(other.message.as_deref(), Some("no such model"));
}

/// Failure is `"status":"error"` or an `error` at the top, and nothing else.
#[test]
fn what_a_failure_is() {
    let failed = |body: Value| matches!(decode(&GetMe, &body.to_string()), Err(ReplyError::Api(_)));
    for failure in [
        json!({"status": "error"}),
        json!({"status": "error", "data": {"id": "x"}}),
        json!({"status": "ok", "error": {}, "data": {"id": "x"}}),
        json!({"error": "boom"}),
        json!({"error": {"code": "NEW"}, "data": null}),
    ] {
        assert!(failed(failure.clone()), "{failure}");
    }
    for success in [
        json!({"data": {"id": "x"}}),
        json!({"status": "ok", "data": {"id": "x"}}),
        json!({"status": "success", "data": {"id": "x"}}),
        json!({"status": "ERROR", "data": {"id": "x"}}),
        json!({"status": "ok", "error": null, "data": {"id": "x"}}),
        json!({"data": {"id": "x", "error": "of the data"}, "meta": {"request_id": "req_1", "x": 1}}),
    ] {
        assert!(!failed(success.clone()), "{success}");
        assert_eq!(decode(&GetMe, &success.to_string()).unwrap().id.as_deref(), Some("x"));
    }
}

#[test]
fn errors_are_read_leniently() {
    let error = |error: Value| {
        ErrorEnvelope::from_slice(json!({"error": error}).to_string().as_bytes()).unwrap().error
    };
    assert_eq!(error(json!({"code": "X", "retry_after": 1.5})).retry_after, Some(1.5));
    assert_eq!(
        error(json!({"code": null, "message": null, "retry_after": null, "details": null})),
        ApiError::default()
    );
    let nulls = error(json!({"details": [{"field": "a", "message": null}, {"field": null, "message": "m"}]}));
    assert_eq!(nulls.field_errors(), [FieldError::new("a", ""), FieldError::new("", "m")]);
    let object = error(json!({"details": {"field": "a"}}));
    assert_eq!((object.field_errors().len(), object.details), (0, Some(json!({"field": "a"}))));
}

/// Without an envelope there is no reply, but for the routes that are documented so.
#[test]
fn a_success_has_data() {
    for body in ["", "{}", r#"{"status":"ok"}"#, r#"{"id":"x"}"#, r#"{"data":null}"#, "<html>", "[]", "7"] {
        assert!(matches!(decode(&GetMe, body), Err(ReplyError::Decode(_))), "{body}");
    }
}

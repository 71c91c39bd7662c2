use super::*;

fn with(variants: &[WireVariant], path: &str, body: Value) -> Value {
    reshape(body, Asked { path, start: 4 }, |variant| variants.contains(&variant))
}

fn list() -> Value {
    json!({
        "status": "ok",
        "data": {"items": [1, 2]},
        "pagination": {"has_more": true, "next_cursor": "after_6"},
        "meta": {"request_id": "req_1"},
    })
}

fn last_page() -> Value {
    let mut body = list();
    body["pagination"] = json!({"has_more": false, "next_cursor": null});
    body
}

#[test]
fn lists_take_every_shape() {
    let meta = json!({"request_id": "req_1"});
    for (variant, expected) in [
        (WireVariant::ListItemsPagination, list()),
        (WireVariant::ListItems, json!({"status": "ok", "data": {"items": [1, 2]}, "meta": meta})),
        (WireVariant::ListBareArray, json!({"status": "ok", "data": [1, 2], "meta": meta})),
        (
            WireVariant::ListMetaCursor,
            json!({"status": "ok", "data": [1, 2],
                "meta": {"request_id": "req_1", "has_more": true, "next_cursor": "after_6"}}),
        ),
        (
            WireVariant::ListTopLevelCursor,
            json!({"status": "ok", "data": [1, 2], "has_more": true, "next_cursor": "after_6", "meta": meta}),
        ),
        (
            WireVariant::ListJobs,
            json!({"status": "ok", "data": {"jobs": [1, 2], "next_page_token": "after_6"}, "meta": meta}),
        ),
        (
            WireVariant::ListEvents,
            json!({"status": "ok", "data": {"events": [1, 2], "next_cursor": "after_6"}, "meta": meta}),
        ),
        (WireVariant::ListObject, json!({"object": "list", "data": [1, 2]})),
    ] {
        assert_eq!(with(&[variant], "/v1/x", list()), expected, "{variant}");
        // From any shape that has kept the cursor, the first one can be made again.
        let back = with(&[WireVariant::ListItemsPagination], "/v1/x", expected.clone());
        if expected.get("meta").is_some()
            && expected["data"].is_array()
            && expected.to_string().contains("after_6")
        {
            assert_eq!(back, list(), "{variant}");
        }
    }
    let last = with(&[WireVariant::ListJobs], "/v1/x", last_page());
    assert_eq!(last["data"], json!({"jobs": [1, 2], "next_page_token": null, "total_count": 6}));
}

#[test]
fn only_lists_are_reshaped() {
    let meta = json!({"request_id": "req_1"});
    for data in [json!({"data": [1]}), json!({"items": [1], "total": 1}), json!({"id": "x"}), json!("text")] {
        let body = json!({"status": "ok", "data": data, "meta": meta});
        assert_eq!(with(&[WireVariant::ListBareArray], "/v1/x", body.clone()), body);
    }
    let raw = json!({"status": "ok"});
    assert_eq!(with(WireVariant::ALL, "/health", raw.clone()), raw);
}

#[test]
fn models_have_forms_of_their_own() {
    let model =
        json!({"slug": "a/b", "status": "active", "health_status": "healthy", "active_backend_count": 1});
    let body = json!({"status": "ok", "data": {"items": [model]}, "meta": {"request_id": "req_1"}});
    let both = [WireVariant::ModelsBareArray, WireVariant::ModelsWithoutHealth];
    assert_eq!(with(&both, "/v1/models", body.clone())["data"], json!([{"slug": "a/b"}]));
    assert_eq!(with(&both, "/v1/api-keys", body.clone()), body);
    let one = json!({"status": "ok", "data": model, "meta": {"request_id": "req_1"}});
    assert_eq!(with(&both, "/v1/models/a%2Fb", one)["data"], json!({"slug": "a/b"}));
}

#[test]
fn envelopes_lose_status_and_meta() {
    let ok = || json!({"status": "ok", "data": 1, "meta": {"request_id": "req_1"}});
    let of = |variant| with(&[variant], "/v1/x", ok());
    assert_eq!(of(WireVariant::WithoutStatus), json!({"data": 1, "meta": {"request_id": "req_1"}}));
    assert_eq!(of(WireVariant::StatusSuccess)["status"], "success");
    assert_eq!(of(WireVariant::WithoutMeta), json!({"status": "ok", "data": 1}));
    let both = [WireVariant::WithoutMeta, WireVariant::ListMetaCursor];
    assert_eq!(with(&both, "/v1/x", list())["meta"], json!({"has_more": true, "next_cursor": "after_6"}));
}

#[test]
fn errors_change_their_parts() {
    let error = json!({
        "status": "error",
        "error": {"code": "X", "retry_after": 15, "details": [{"field": "a", "message": "b"}]},
        "meta": {"request_id": "req_1"},
    });
    let of = |variants: &[WireVariant]| with(variants, "/v1/x", error.clone())["error"].clone();
    assert_eq!(of(&[WireVariant::ErrorsUnknownCode])["code"], "EMULATOR_X");
    assert_eq!(of(&[WireVariant::DetailsObject])["details"], json!({"a": "b"}));
    assert_eq!(of(&[WireVariant::RetryAfterFractional])["retry_after"], 14.5);
    assert_eq!(of(&[WireVariant::RetryAfterZero])["retry_after"], 0);
    assert!(of(&[WireVariant::RetryAfterAbsent]).get("retry_after").is_none());
    let body = with(&[WireVariant::WithoutStatus, WireVariant::WithoutMeta], "/v1/x", error.clone());
    assert_eq!((body["status"].as_str(), body.get("meta")), (Some("error"), None));
}

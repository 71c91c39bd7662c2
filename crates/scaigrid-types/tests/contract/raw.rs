//! Calls without a type: what the generic request sends and gives.

use crate::{body, decode, example, of_kind};
use scaigrid_types::*;
use serde_json::json;

fn call(what: &str) -> (RawRequest, &'static str, &'static str) {
    match what {
        "identify" => (RawRequest::post("/v1/auth/identify"), "POST", "v1/auth/identify"),
        "authorize" => (RawRequest::post("/v1/auth/authorize"), "POST", "v1/auth/authorize"),
        "token" => (RawRequest::post("/v1/auth/token"), "POST", "v1/auth/token"),
        "refresh" => (RawRequest::post("/v1/auth/refresh"), "POST", "v1/auth/refresh"),
        "create model" => (RawRequest::post("/v1/models"), "POST", "v1/models"),
        "user roles" => (
            RawRequest::put("/v1/users").segment("user_alice").segment("roles"),
            "PUT",
            "v1/users/user_alice/roles",
        ),
        "module permissions" => (
            RawRequest::put("/v1/users").segment("user_alice").segment("module-permissions"),
            "PUT",
            "v1/users/user_alice/module-permissions",
        ),
        "role mapping" => (RawRequest::post("/v1/role-mappings"), "POST", "v1/role-mappings"),
        "create custom role" => (RawRequest::post("/v1/iam/custom-roles"), "POST", "v1/iam/custom-roles"),
        "create crawl" => (
            RawRequest::post("/v1/modules/scaimatrix/collections").segment("col_1").segment("crawls"),
            "POST",
            "v1/modules/scaimatrix/collections/col_1/crawls",
        ),
        "module config" => (
            RawRequest::put("/v1/modules").segment("scaibot").segment("config"),
            "PUT",
            "v1/modules/scaibot/config",
        ),
        other => panic!("no case for {other}"),
    }
}

#[test]
fn every_call_without_a_type_can_be_sent() {
    for example in of_kind("raw_request") {
        let (request, method, path) = call(&example.what);
        let request = request.json(&example.value());
        assert_eq!(body(&request), example.value().to_string(), "{}", example.what);
        assert_eq!(request.method().as_str(), method, "{}", example.what);
        assert_eq!(request.path().segments().collect::<Vec<_>>().join("/"), path, "{}", example.what);
        let idempotent = Endpoint::replay_safety(&request) == ReplaySafety::Idempotent;
        assert_eq!(idempotent, method == "PUT", "{}", example.what);
        assert!(request.is_authenticated());
    }
}

/// The payload below `data`, whatever it is.
#[test]
fn every_answer_without_a_type_is_its_data() {
    for example in of_kind("raw_response") {
        let reply = decode(&RawRequest::get("/v1/x"), example.text()).unwrap();
        assert_eq!(reply, example.value()["data"], "{}", example.what);
        assert!(!reply.is_null());
    }
}

#[test]
fn answers_without_an_envelope_or_a_body() {
    let get = RawRequest::get("/v1/x");
    assert_eq!(decode(&get, example("health").text()), Ok(json!({"status": "ok"})));
    assert_eq!(decode(&get, "[1]"), Ok(json!([1])));
    assert_eq!(decode(&get, ""), Ok(json!(null)));
    assert_eq!(get.decode(ResponseBody::new(b"# metrics", Some("text/plain"))), Ok(json!(null)));
    assert!(matches!(decode(&get, example("rate limited").text()), Err(ReplyError::Api(_))));
}

/// The request lines that the reference spells out.
#[test]
fn request_lines() {
    fn line(call: &impl Endpoint) -> String {
        let path: String = call.path().segments().map(|segment| format!("/{segment}")).collect();
        let query: Vec<_> = call.query().pairs().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{} {path}?{}", call.method().as_str(), query.join("&"))
    }
    for example in of_kind("line") {
        let built = match example.what.as_str() {
            "summary line" => line(&UsageSummaryQuery::new(UsagePeriod::Day)),
            "usage line" => line(&ListUsage::new().period(UsagePeriod::Day).limit(100)),
            "grouped summary line" => {
                line(&UsageSummaryQuery::new(UsagePeriod::Month).group_by(GroupBy::Model))
            }
            other => panic!("no case for {other}"),
        };
        assert_eq!(built, example.plain());
    }
}

//! What a reply and an error carry, and how bodies of every form are read.

use crate::harness::*;
use scaigrid::{
    ChatRequest, Endpoint, ErrorCode, ErrorKind, GetModel, ListModels, Method, Path, RawRequest, ReplyError,
    ResponseBody, UsagePeriod, UsageSummaryQuery,
};
use serde_json::json;
use std::time::Duration;

fn chat() -> ChatRequest {
    ChatRequest::new("m").user("Hello")
}

fn plain() -> Setup {
    Setup::default()
}

#[test]
fn a_reply_carries_the_facts_around_it() {
    let reply = ok()
        .header("x-scaigrid-request-id", "req_header")
        .header("x-scaigrid-ratelimit-limit", "60")
        .header("x-scaigrid-ratelimit-remaining", "59")
        .header("x-scaigrid-ratelimit-reset", "1713888715")
        .taking(250);
    in_both_colours(&plain(), &[reply], &chat(), |seen| {
        let reply = seen.result.as_ref().unwrap();
        assert_eq!(reply.request_id(), Some("req_header"));
        assert_eq!(reply.status(), 200);
        let limit = reply.rate_limit();
        assert_eq!((limit.limit, limit.remaining, limit.reset), (Some(60), Some(59), Some(1_713_888_715)));
        assert_eq!((reply.attempts(), reply.history().len()), (1, 0));
        assert_eq!(reply.elapsed(), Duration::from_millis(250));
        assert_eq!(reply.usage.unwrap().total(), 2);
        assert!(reply.body().starts_with(b"{\"status\":\"ok\""));
    });
    in_both_colours(&plain(), &[ok()], &chat(), |seen| {
        assert_eq!(seen.result.as_ref().unwrap().request_id(), Some("req_ok"));
    });
}

#[test]
fn an_error_carries_the_facts_around_it() {
    let refused = answer(
        422,
        r#"{"status":"error","error":{"code":"VALIDATION_ERROR","message":"Invalid request","details":[{"field":"model","message":"is required"}]},"meta":{"request_id":"req_b"}}"#,
    );
    in_both_colours(&plain(), &[refused], &chat(), |seen| {
        let error = seen.error();
        assert_eq!(error.code(), Some(&ErrorCode::ValidationError));
        assert_eq!(error.status().unwrap(), 422);
        assert_eq!(error.request_id(), Some("req_b"));
        assert_eq!(error.field_errors()[0].field, "model");
        assert!(!error.may_have_run());
        assert_eq!(
            error.to_string(),
            "chat: VALIDATION_ERROR (HTTP 422): Invalid request; model: is required; request id req_b"
        );
    });
    let limited = error_after("RATE_LIMITED", "600").header("x-scaigrid-ratelimit-remaining", "0");
    in_both_colours(&plain(), &[limited], &chat(), |seen| {
        assert_eq!(seen.error().retry_after(), Some(Duration::from_secs(600)));
        assert_eq!(seen.error().rate_limit().remaining, Some(0));
        assert!(seen.error().is_rate_limited() && !seen.error().is_budget_exceeded());
    });
    in_both_colours(&plain(), &[error("BUDGET_EXCEEDED")], &chat(), |seen| {
        assert!(seen.error().is_budget_exceeded() && !seen.error().is_rate_limited());
    });
    in_both_colours(&plain(), &[error("AUTH_TOKEN_INVALID")], &chat(), |seen| {
        assert!(seen.error().is_auth())
    });
}

#[test]
fn the_request_id_of_the_header_wins() {
    let both = error("X").header("x-scaigrid-request-id", "req_h");
    in_both_colours(&plain(), &[both], &chat(), |seen| {
        assert_eq!(seen.error().request_id(), Some("req_h"));
        assert!(seen.error().body().windows(5).any(|bytes| bytes == b"req_1"));
    });
}

#[test]
fn what_a_server_echoes_is_not_printed() {
    let echo = "<pre>authorization: Bearer sgk_test_secret_key</pre>";
    let envelope = r#"{"error":{"code":"X sgk_test_secret_key","message":"bad key sgk_test_secret_key","details":[{"field":"f","message":"sgk_test_secret_key"}]}}"#;
    for body in [echo, envelope] {
        in_both_colours(&plain(), &[answer(404, body)], &chat(), |seen| {
            let error = seen.error();
            let printed = format!("{error} {error:?} {:?} {:?}", error.history(), error.api_error());
            assert!(!printed.contains("sgk_test") && printed.contains("[redacted]"), "{printed}");
        });
    }
}

#[test]
fn what_a_server_says_stays_on_one_line() {
    let forged = r#"{"error":{"code":"X\n2024 INFO forged\u001b[31m","message":"a\r\nb"},"meta":{"request_id":"r\n"}}"#;
    in_both_colours(&plain(), &[answer(400, forged)], &chat(), |seen| {
        let printed = format!("{}{}", seen.error(), seen.error().history()[0]);
        assert!(!printed.contains(char::is_control), "{printed:?}");
    });
}

#[test]
fn answers_that_are_not_the_gateways_are_shortened_to_one_line() {
    let page = format!("<html>\n<h1>502\tBad  Gateway</h1>\u{1b}[31m{}</html>", "x".repeat(5000));
    in_both_colours(&plain(), &[answer(404, page)], &chat(), |seen| {
        let error = seen.error();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Http, None));
        let text = error.to_string();
        assert!(text.starts_with("chat: HTTP 404: <html> <h1>502 Bad Gateway</h1>"), "{text}");
        assert!(text.len() < 300 && !text.contains(char::is_control), "{text}");
        assert_eq!(error.body().len(), 5000 + 44);
    });
    let location = "https://login.example.com/sso?token=hidden";
    in_both_colours(&plain(), &[answer(302, "").header("location", location)], &chat(), |seen| {
        let text = seen.error().to_string();
        assert!(text.contains("redirected to https://login.example.com/sso;"), "{text}");
        assert!(!text.contains("hidden"));
    });
    let login = answer(200, "<html>log in</html>").header("content-type", "text/html");
    in_both_colours(&plain(), &[login], &chat(), |seen| {
        assert_eq!(seen.error().kind(), ErrorKind::Decode);
        assert!(seen.error().to_string().contains("`text/html` where JSON was expected: check the base URL"));
    });
}

#[test]
fn an_undecodable_answer_names_the_field_and_keeps_the_body() {
    let wrong = answer(200, r#"{"data":{"slug":7},"meta":{"request_id":"req_d"}}"#);
    in_both_colours(&plain(), &[wrong], &GetModel::new("m"), |seen| {
        let error = seen.error();
        assert_eq!(
            error.to_string(),
            "models.get: HTTP 200: at `data.slug`: invalid type: integer, expected a string (line 1, column 17); request id req_d"
        );
        assert!(error.may_have_run());
        assert_eq!(error.decode_error().unwrap().path(), "data.slug");
        assert!(std::error::Error::source(error).is_none(), "the message says it already");
        assert_eq!(error.body().len(), 49);
    });
    let missing = answer(200, r#"{"data":{"display_name":"x"}}"#);
    in_both_colours(&plain(), &[missing], &GetModel::new("m"), |seen| {
        let text = seen.error().to_string();
        assert!(text.contains("models.get") && text.contains("missing field `slug`"), "{text}");
    });
}

#[test]
fn a_large_answer_is_refused() {
    let setup = Setup { max_response_bytes: Some(100), ..plain() };
    in_both_colours(&setup, &[ok()], &chat(), |seen| {
        assert_eq!(seen.error().kind(), ErrorKind::BodyTooLarge);
        assert_eq!(seen.error().status().unwrap(), 200);
        assert!(seen.error().to_string().contains("100 bytes"));
    });
}

#[test]
fn lists_and_summaries_decode_in_every_documented_shape() {
    for body in [
        r#"{"status":"ok","data":{"items":[{"slug":"a","context_window":256000}]}}"#,
        r#"{"data":[{"slug":"a","context_window":256000.0}]}"#,
    ] {
        in_both_colours(&plain(), &[answer(200, body)], &ListModels::new().limit(1), |seen| {
            assert_eq!(seen.requests[0].uri().query(), Some("limit=1"));
            let page = seen.result.as_ref().unwrap();
            assert_eq!((page.items[0].context_window, page.has_more()), (Some(256_000), false));
        });
    }
    let row = r#"{"group_key":"m","request_count":12450,"total_tokens":6111323,"total_cost":"62.47","backend_cost":61.93}"#;
    for body in [
        format!(r#"{{"data":[{row}]}}"#),
        format!(r#"{{"data":{row}}}"#),
        format!(r#"{{"data":{{"items":[{row}]}}}}"#),
    ] {
        let query = UsageSummaryQuery::new(UsagePeriod::Day);
        in_both_colours(&plain(), &[answer(200, body)], &query, |seen| {
            assert_eq!(
                seen.requests[0].uri().path_and_query().unwrap(),
                "/prefix/v1/accounting/usage/summary?period=day"
            );
            let totals = seen.result.as_ref().unwrap().totals();
            assert_eq!(totals.request_count, Some(12_450));
            assert_eq!(totals.total_cost.unwrap().to_string(), "62.47");
            assert_eq!(totals.backend_cost.unwrap().to_string(), "61.93");
        });
    }
}

#[test]
fn nothing_is_sent_when_the_request_is_wrong() {
    let too_long = "x".repeat(70_000);
    for slug in ["", ".", "..", &too_long] {
        in_both_colours(&plain(), &[], &GetModel::new(slug), |seen| {
            assert_eq!(seen.error().kind(), ErrorKind::InvalidRequest);
            assert_eq!((seen.error().attempts(), seen.error().endpoint()), (0, Some("models.get")));
        });
    }
    in_both_colours(&plain(), &[], &chat().extra("model", "other"), |seen| {
        assert_eq!(seen.error().kind(), ErrorKind::InvalidRequest);
    });
    for path in ["/v1/usage?period=day", "/v1/models/a%2Fb", "/v1/x#y"] {
        in_both_colours(&plain(), &[], &RawRequest::get(path), |seen| {
            assert!(seen.error().to_string().contains("`.query(..)`"), "{}", seen.error());
        });
    }
    let header = RawRequest::post("/v1/x").body("text/plain\r\nX-Evil: 1", "x");
    in_both_colours(&plain(), &[], &header, |seen| {
        assert_eq!(seen.error().kind(), ErrorKind::InvalidRequest)
    });
}

#[test]
fn raw_requests_unwrap_what_there_is() {
    let request = || RawRequest::get("/v1/users").segment("a/b").query("q", "x y");
    for (answer, expected) in [
        (answer(200, r#"{"status":"ok","data":[1]}"#), json!([1])),
        (answer(200, r#"{"status":"ready"}"#), json!({"status": "ready"})),
        (answer(204, ""), json!(null)),
        (answer(200, "a,b\n").header("content-type", "text/csv"), json!(null)),
    ] {
        in_both_colours(&plain(), &[answer], &request(), |seen| {
            assert_eq!(seen.requests[0].uri(), "https://gateway.test/prefix/v1/users/a%2Fb?q=x%20y");
            assert_eq!(**seen.result.as_ref().unwrap(), expected);
        });
    }
}

/// An endpoint that this crate does not cover.
struct Health;

impl Endpoint for Health {
    type Reply = String;

    fn name(&self) -> &'static str {
        "health"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    fn path(&self) -> Path {
        Path::from_static("/health")
    }

    fn decode(&self, body: ResponseBody<'_>) -> Result<String, ReplyError> {
        body.text()
    }
}

#[test]
fn a_users_own_endpoint_gets_the_same_treatment() {
    in_both_colours(
        &plain(),
        &[error("BACKEND_TIMEOUT"), answer(200, r#"{"status":"ok"}"#)],
        &Health,
        |seen| {
            assert_eq!(**seen.result.as_ref().unwrap(), r#"{"status":"ok"}"#);
            assert_eq!(seen.waits.len(), 1);
        },
    );
}

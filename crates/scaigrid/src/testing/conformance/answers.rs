//! Answers that come as they should, in all the ways that HTTP has, and requests that arrive as they are.

use super::scenario::{Call, KEY, Scenario, Seen, USUAL, Verdict, ensure, equal};
use super::server::Step;
use super::wire::*;
use std::time::Duration;

fn gave_hi(seen: &Seen) -> Verdict {
    seen.all_gave("Hi")
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "plain answer",
        promise: "a body with a length is handed out whole",
        setup: USUAL,
        connections: || once(ok(CHAT)),
        calls: &[Call::Chat],
        check: gave_hi,
    },
    Scenario {
        name: "answer in chunks",
        promise: "chunks of any size are put together, and their framing is taken away",
        setup: USUAL,
        connections: || {
            let head = raw("200 OK", &["content-type: application/json", "transfer-encoding: chunked"], "");
            let body = chunks(CHAT.as_bytes(), 7);
            vec![vec![Step::Read, Step::Write(head), Step::WriteBytes(body)]]
        },
        calls: &[Call::Chat],
        check: gave_hi,
    },
    Scenario {
        name: "answer until the end of the connection",
        promise: "a body without a length ends with the connection",
        setup: USUAL,
        connections: || once(raw("200 OK", &["content-type: application/json", "connection: close"], CHAT)),
        calls: &[Call::Chat],
        check: gave_hi,
    },
    Scenario {
        name: "answer without a body",
        promise: "204 has no body, and none is waited for",
        setup: USUAL,
        connections: || once(raw("204 No Content", &[], "")),
        calls: &[Call::Delete],
        check: |seen| seen.all_gave("null"),
    },
    Scenario {
        name: "answer byte by byte",
        promise: "a head may come in pieces of any size",
        setup: USUAL,
        connections: || vec![vec![Step::Read, Step::WriteBytes(ok(CHAT))]],
        calls: &[Call::Chat],
        check: gave_hi,
    },
    Scenario {
        name: "interim answer",
        promise: "an answer of the class 1xx is not the answer",
        setup: USUAL,
        connections: || once([raw("103 Early Hints", &["link: </a>"], ""), ok(CHAT)].concat()),
        calls: &[Call::Chat],
        check: gave_hi,
    },
    Scenario {
        name: "large answer",
        promise: "a body of some MiB is handed out whole",
        setup: USUAL,
        connections: || once(ok(&format!(r#"{{"data":"{}"}}"#, "x".repeat(4 << 20)))),
        calls: &[Call::Get],
        check: |seen| match &seen.call()?.result {
            Ok(text) => equal("bytes of the answer", &text.len(), &(4 << 20)),
            Err(failed) => Err(format!("{failed:?}")),
        },
    },
    Scenario {
        name: "compressed answer",
        promise: "what a transport says that it accepts, it decodes",
        setup: USUAL,
        connections: || {
            let headers = ["content-type: application/json", "content-encoding: gzip"];
            let len = format!("content-length: {}", CHAT_GZIP.len());
            let compressed = raw("200 OK", &[headers[0], headers[1], &len], CHAT_GZIP);
            vec![vec![Step::Read, Step::WriteIfGzip { compressed, plain: ok(CHAT) }]]
        },
        calls: &[Call::Chat],
        check: gave_hi,
    },
    Scenario {
        name: "request as it is",
        promise: "method, address, headers, and body arrive unchanged, each header once",
        setup: USUAL,
        connections: || vec![vec![Step::Read, Step::Write(ok(DATA)), Step::Read, Step::Write(ok(CHAT))]],
        calls: &[Call::Get, Call::Chat],
        check: request_as_it_is,
    },
    Scenario {
        name: "large request",
        promise: "a body of some MiB arrives whole",
        setup: USUAL,
        connections: || once(ok(CHAT)),
        calls: &[Call::LongChat(2 << 20)],
        check: |seen| {
            seen.all_gave("Hi")?;
            let body = &seen.request()?.body;
            ensure(body.len() > 2 << 20, || format!("{} bytes arrived", body.len()))?;
            ensure(body.ends_with(b"}"), || "the end is missing".to_owned())
        },
    },
    Scenario {
        name: "headers of an answer",
        promise: "headers are handed out, whatever the case of their names",
        setup: USUAL,
        connections: || {
            let plain = r#"{"data":"Hi"}"#;
            let headers =
                ["X-SCAIGRID-Request-Id: req_2", "Content-Type: application/json", "content-length: 13"];
            once(raw("200 OK", &headers, plain))
        },
        calls: &[Call::Get],
        check: |seen| {
            seen.all_gave("Hi")?;
            equal("the request id", &seen.call()?.request_id.as_deref(), &Some("req_2"))
        },
    },
    Scenario {
        name: "refusal is an answer",
        promise: "a status of 4xx or 5xx is handed out with its headers and body, so that the client can judge it",
        setup: USUAL,
        connections: || {
            let error = r#"{"status":"error","error":{"code":"RATE_LIMITED","message":"m"}}"#;
            let len = format!("content-length: {}", error.len());
            let refusal = raw(
                "429 Too Many Requests",
                &["content-type: application/json", "retry-after: 7", &len],
                error,
            );
            vec![vec![Step::Read, Step::Write(refusal), Step::Read, Step::Write(ok(CHAT))]]
        },
        calls: &[Call::Chat],
        check: |seen| {
            seen.all_gave("Hi")?;
            seen.requests(2)?;
            equal("the waits", &seen.waits, &vec![Duration::from_secs(7)])
        },
    },
    Scenario {
        name: "redirect is an answer",
        promise: "redirects are not followed: the credential must not go elsewhere",
        setup: USUAL,
        connections: || {
            let headers = ["location: /elsewhere", "content-length: 0"];
            let redirect = raw("307 Temporary Redirect", &headers, "");
            vec![vec![Step::Read, Step::Write(redirect), Step::Read, Step::Write(ok(CHAT))]; 2]
        },
        calls: &[Call::Chat],
        check: |seen| {
            seen.requests(1)?;
            match &seen.call()?.result {
                Ok(text) => Err(format!("expected the redirect, came {text}")),
                Err(failed) => equal("the status", &failed.status, &Some(307)),
            }
        },
    },
    Scenario {
        name: "attempts are the client's",
        promise: "a transport repeats nothing by itself",
        setup: USUAL,
        connections: || {
            // A connection that closes by itself could take a request with it that nobody counts.
            let steps = [Step::Read, Step::Write(json("503 Service Unavailable", "{}"))];
            let steps: Vec<Step> = steps.iter().cycle().take(8).cloned().collect();
            each_time(4, &steps)
        },
        calls: &[Call::Get],
        check: |seen| {
            equal("attempts of the client", &seen.call()?.attempts, &3)?;
            seen.requests(3)
        },
    },
];

fn request_as_it_is(seen: &Seen) -> Verdict {
    seen.all_gave("Hi")?;
    seen.requests(2)?;
    let get = seen.request()?;
    equal("the request line", &get.line(), &"GET /prefix/v1/models/openai%2Fgpt-4o?a=b%20c%2Bd HTTP/1.1")?;
    ensure(get.body.is_empty(), || "a GET came with a body".to_owned())?;
    let chat = seen.server.requests.last().unwrap_or(get);
    equal("the request line", &chat.line(), &"POST /prefix/v1/inference/chat HTTP/1.1")?;
    for (name, value) in [
        ("authorization", format!("Bearer {KEY}")),
        ("x-custom", "as it is".to_owned()),
        ("content-type", "application/json".to_owned()),
        ("content-length", chat.body.len().to_string()),
    ] {
        equal(name, &chat.header(name), &vec![value.as_str()])?;
    }
    equal("the number of hosts", &chat.header("host").len(), &1)?;
    ensure(chat.header("transfer-encoding").is_empty(), || {
        "a body of known length came in chunks".to_owned()
    })?;
    let body = String::from_utf8_lossy(&chat.body);
    ensure(body.starts_with('{') && body.contains("Hello \u{1F600}"), || format!("the body came as {body}"))
}

//! Request bodies that are read while they are sent.

use super::scenario::{Call, Scenario, Seen, Setup, USUAL, Verdict, ensure, equal};
use super::server::Step;
use super::wire::*;
use scaigrid_transport::TransportErrorKind as Kind;

const PIECES: &[&str] = &["first ", "second ", "third"];

fn arrived(seen: &Seen) -> Verdict {
    seen.all_gave("Hi")?;
    let body = String::from_utf8_lossy(&seen.request()?.body);
    ensure(body.contains("first second third"), || format!("the body came as {body}"))?;
    equal("how often the source was read", &seen.call()?.reads, &PIECES.len())
}

/// Answers the head, and takes the rest without a look.
fn refused() -> Vec<Vec<Step>> {
    let error = r#"{"status":"error","error":{"code":"VALIDATION_ERROR","message":"m"}}"#;
    let len = format!("content-length: {}", error.len());
    let refusal =
        raw("413 Content Too Large", &["content-type: application/json", "connection: close", &len], error);
    vec![vec![Step::ReadHead, Step::Write(refusal), Step::Linger]]
}

fn was_refused(seen: &Seen) -> Verdict {
    match &seen.call()?.result {
        Ok(text) => Err(format!("expected the refusal, came {text}")),
        Err(failed) => {
            equal("the status", &failed.status, &Some(413)).map_err(|wrong| format!("{wrong}: {failed:?}"))
        }
    }
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "upload of known length",
        promise: "it is sent with its length, and read once",
        setup: USUAL,
        connections: || once(ok(DATA)),
        calls: &[Call::Upload { pieces: PIECES, is_len_known: true, breaks: false }],
        check: |seen| {
            arrived(seen)?;
            let request = seen.request()?;
            equal(
                "content-length",
                &request.header("content-length"),
                &vec![request.body.len().to_string().as_str()],
            )?;
            ensure(!request.is_chunked(), || "it came in chunks".to_owned())
        },
    },
    Scenario {
        name: "upload of unknown length",
        promise: "it is sent in chunks, and read once",
        setup: USUAL,
        connections: || once(ok(DATA)),
        calls: &[Call::Upload { pieces: PIECES, is_len_known: false, breaks: false }],
        check: |seen| {
            arrived(seen)?;
            ensure(seen.request()?.is_chunked(), || "it did not come in chunks".to_owned())
        },
    },
    Scenario {
        name: "upload that cannot be read",
        promise: "RequestBody, with the cause; the server has not run it, because it did not arrive whole",
        setup: USUAL,
        connections: || once(ok(DATA)),
        calls: &[Call::Upload { pieces: PIECES, is_len_known: true, breaks: true }],
        check: |seen| {
            seen.failed_with(Kind::RequestBody)?;
            seen.requests(0)?;
            let cause = seen.call()?.result.as_ref().map_err(|failed| failed.text.as_str());
            ensure(cause.is_err_and(|text| text.contains("the disk is gone")), || format!("{cause:?}"))
        },
    },
    Scenario {
        name: "upload without a connection",
        promise: "nothing is read before there is a connection, so that it can be repeated",
        setup: Setup { is_nowhere: true, ..USUAL },
        connections: Vec::new,
        calls: &[Call::Upload { pieces: PIECES, is_len_known: true, breaks: false }],
        check: |seen| {
            seen.failed_with(Kind::Connect)?;
            equal("how often the source was read", &seen.call()?.reads, &0)?;
            equal("attempts", &seen.call()?.attempts, &3)
        },
    },
    Scenario {
        name: "large upload that is refused",
        promise: "an answer that comes before the body is sent is handed out",
        setup: USUAL,
        connections: refused,
        calls: &[Call::LargeUpload { len: 8 << 20, is_len_known: true }],
        check: was_refused,
    },
    Scenario {
        name: "large upload in chunks that is refused",
        promise: "an answer that comes before the body is sent is handed out",
        setup: USUAL,
        connections: refused,
        calls: &[Call::LargeUpload { len: 8 << 20, is_len_known: false }],
        check: was_refused,
    },
];

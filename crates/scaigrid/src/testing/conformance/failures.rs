//! Connections that are not made or break, and answers that are none: each has its kind.

use super::scenario::{Call, SHORT, Scenario, Setup, USUAL, ensure, equal};
use super::server::Step;
use super::wire::*;
use crate::ErrorKind;
use scaigrid_transport::TransportErrorKind as Kind;
use std::time::Duration;

/// The bytes must not be overtaken by the reset.
const BEFORE_RESET: Step = Step::Pause(Duration::from_millis(50));

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "nobody listens",
        promise: "Connect: the server has not run the request, so that it can be repeated",
        setup: Setup { is_nowhere: true, ..USUAL },
        connections: Vec::new,
        calls: &[Call::Chat],
        check: |seen| {
            seen.failed_with(Kind::Connect)?;
            equal("attempts", &seen.call()?.attempts, &3)
        },
    },
    Scenario {
        name: "closed without an answer",
        promise: "Interrupted: the server may have run it, and a chat is not repeated",
        setup: USUAL,
        connections: || each_time(2, &[Step::Read]),
        calls: &[Call::Chat],
        check: |seen| {
            seen.failed_with(Kind::Interrupted)?;
            seen.requests(1)
        },
    },
    Scenario {
        name: "closed without an answer, for a call that can be repeated",
        promise: "the client's retry gets the answer",
        setup: USUAL,
        connections: || vec![vec![Step::Read], vec![Step::Read, Step::Write(ok(DATA))]],
        calls: &[Call::Get],
        check: |seen| {
            seen.all_gave("Hi")?;
            equal("attempts", &seen.call()?.attempts, &2)
        },
    },
    Scenario {
        name: "reset before the head",
        promise: "Interrupted",
        setup: USUAL,
        connections: || vec![vec![Step::ReadAlmost]],
        calls: &[Call::Chat],
        check: |seen| seen.failed_with(Kind::Interrupted),
    },
    Scenario {
        name: "head cut off",
        promise: "Interrupted",
        setup: USUAL,
        connections: || once(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()),
        calls: &[Call::Chat],
        check: |seen| seen.failed_with(Kind::Interrupted),
    },
    Scenario {
        name: "body cut off",
        promise: "Interrupted: half an answer is none",
        setup: USUAL,
        connections: || once([head(CHAT.len() + 1), CHAT.as_bytes().to_vec()].concat()),
        calls: &[Call::Chat],
        check: |seen| seen.failed_with(Kind::Interrupted),
    },
    Scenario {
        name: "body in chunks cut off",
        promise: "Interrupted: the last chunk is missing",
        setup: USUAL,
        connections: || {
            let head = raw("200 OK", &["content-type: application/json", "transfer-encoding: chunked"], "");
            once([head, chunk(CHAT.as_bytes())].concat())
        },
        calls: &[Call::Chat],
        check: |seen| seen.failed_with(Kind::Interrupted),
    },
    Scenario {
        name: "reset in the body",
        promise: "Interrupted",
        setup: USUAL,
        connections: || {
            let bytes = [head(CHAT.len()), b"{\"data\"".to_vec()].concat();
            vec![vec![Step::ReadAlmost, Step::Write(bytes), BEFORE_RESET]]
        },
        calls: &[Call::Chat],
        check: |seen| seen.failed_with(Kind::Interrupted),
    },
    Scenario {
        name: "stream cut off",
        promise: "Interrupted, behind what came",
        setup: USUAL,
        connections: || {
            let begin = STREAM.as_bytes().get(..80).unwrap_or_default();
            once([stream_head(), chunk(begin)].concat())
        },
        calls: &[Call::Stream],
        check: |seen| {
            seen.failed_with(Kind::Interrupted)?;
            let kind = seen.call()?.result.as_ref().map_err(|failed| failed.kind);
            // Had the transport taken the cut for the end, the client would have missed the end of the stream.
            equal("the error", &kind.err(), &Some(ErrorKind::Connection))
        },
    },
    Scenario {
        name: "not HTTP",
        promise: "Protocol",
        setup: USUAL,
        connections: || once(b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()),
        calls: &[Call::Chat],
        check: |seen| seen.failed_with(Kind::Protocol),
    },
    Scenario {
        name: "status that is none",
        promise: "Protocol",
        setup: USUAL,
        connections: || once(b"HTTP/1.1 nonsense\r\n\r\n".to_vec()),
        calls: &[Call::Chat],
        check: |seen| seen.failed_with(Kind::Protocol),
    },
    Scenario {
        name: "chunk size that is none",
        promise: "Protocol",
        setup: USUAL,
        connections: || {
            let headers = ["content-type: application/json", "transfer-encoding: chunked"];
            once(raw("200 OK", &headers, "nonsense\r\n{}\r\n0\r\n\r\n"))
        },
        calls: &[Call::Chat],
        check: |seen| seen.failed_with(Kind::Protocol),
    },
    Scenario {
        name: "server that came back",
        promise: "a broken connection is not used again",
        setup: USUAL,
        connections: || {
            let broken = vec![Step::Read, Step::Write(head(10))];
            vec![broken, vec![Step::Read, Step::Write(ok(CHAT))]]
        },
        calls: &[Call::Chat, Call::Pause(SHORT), Call::Chat],
        check: |seen| {
            equal("connections", &seen.server.connections, &2)?;
            ensure(seen.call()?.result.is_ok(), || format!("{:?}", seen.calls))
        },
    },
];

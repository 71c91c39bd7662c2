//! Event streams, pieces of bodies, and connections.

use super::scenario::{Call, SHORT, Scenario, Seen, USUAL, Verdict, ensure, equal};
use super::server::Step;
use super::wire::*;

fn left(seen: &Seen) -> Verdict {
    equal("whether the connection was closed", &seen.server.client_left, &Some(true))
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "stream byte by byte",
        promise: "pieces may end anywhere, also within a character",
        setup: USUAL,
        connections: || {
            vec![vec![Step::Read, Step::Write(stream_head()), Step::WriteBytes(chunks(STREAM.as_bytes(), 1))]]
        },
        calls: &[Call::Stream],
        check: |seen| seen.all_gave(STREAMED),
    },
    Scenario {
        name: "stream until the end of the connection",
        promise: "a stream without chunks ends with the connection",
        setup: USUAL,
        connections: || {
            vec![vec![Step::Read, Step::Write(stream_until_close()), Step::WriteBytes(STREAM.into())]]
        },
        calls: &[Call::Stream],
        check: |seen| seen.all_gave(STREAMED),
    },
    Scenario {
        name: "stream as it comes",
        promise: "each piece is handed out when it is there, and not when the body has ended",
        setup: USUAL,
        connections: || {
            let begin = STREAM.as_bytes().get(..80).unwrap_or_default();
            vec![vec![Step::Read, Step::Write([stream_head(), chunk(begin)].concat()), Step::AwaitEnd]]
        },
        calls: &[Call::StreamBegin],
        check: |seen| {
            seen.all_gave("H")?;
            left(seen)
        },
    },
    Scenario {
        name: "call that is given up",
        promise: "a future that is dropped, or a handle that is cancelled, ends the exchange at once",
        setup: USUAL,
        connections: || vec![vec![Step::Read, Step::AwaitEnd]],
        calls: &[Call::GivenUp],
        check: |seen| {
            ensure(seen.call()?.result.is_err(), || "the call succeeded".to_owned())?;
            seen.requests(1)?;
            left(seen)
        },
    },
    Scenario {
        name: "nothing is read ahead",
        promise: "bytes leave the socket when they are asked for, so that a slow reader slows the server down",
        setup: USUAL,
        connections: || {
            let head = raw("200 OK", &["content-type: application/octet-stream", "connection: close"], "");
            vec![vec![Step::Read, Step::Write(head), Step::Flood(64 << 20)]]
        },
        calls: &[Call::FileBegin],
        check: |seen| {
            let taken = seen.server.flooded.unwrap_or(usize::MAX);
            // What the buffers of both sockets hold, and far less than all.
            ensure(taken < 32 << 20, || format!("{taken} bytes were taken without being asked for"))
        },
    },
    Scenario {
        name: "connection is kept",
        promise: "a body that was read to its end leaves its connection to the next request",
        setup: USUAL,
        connections: || {
            let steps = [Step::Read, Step::Write(ok(CHAT))];
            vec![steps.iter().cycle().take(8).cloned().collect()]
        },
        calls: &[Call::Chat, Call::Chat, Call::Chat, Call::Chat],
        check: |seen| {
            seen.all_gave("Hi")?;
            equal("connections", &seen.server.connections, &1)
        },
    },
    Scenario {
        name: "connection that is announced to end",
        promise: "behind `Connection: close`, the next request takes another connection",
        setup: USUAL,
        connections: || {
            let len = format!("content-length: {}", CHAT.len());
            let headers = ["content-type: application/json", "connection: close", len.as_str()];
            each_time(2, &[Step::Read, Step::Write(raw("200 OK", &headers, CHAT))])
        },
        calls: &[Call::Chat, Call::Chat],
        check: |seen| {
            seen.all_gave("Hi")?;
            equal("attempts", &seen.call()?.attempts, &1)
        },
    },
    Scenario {
        name: "connection that the server has closed",
        promise: "a kept connection that was closed while it was idle is replaced, also for a chat",
        setup: USUAL,
        connections: || each_time(2, &[Step::Read, Step::Write(ok(CHAT))]),
        calls: &[Call::Chat, Call::Pause(SHORT), Call::Chat],
        check: |seen| {
            seen.all_gave("Hi")?;
            seen.requests(2)
        },
    },
];

//! Limits of time and size.

use super::scenario::{Call, SHORT, Scenario, Seen, Setup, USUAL, Verdict, equal};
use super::server::Step;
use super::wire::*;
use scaigrid_transport::TransportErrorKind as Kind;
use std::time::Duration;

const HASTY: Setup = Setup { timeout: SHORT, ..USUAL };

/// Pauses that are longer than [`SHORT`] together, and not each.
const SLOW: Step = Step::Pause(Duration::from_millis(150));

fn timed_out(seen: &Seen) -> Verdict {
    seen.failed_with(Kind::Timeout)?;
    seen.requests(1)
}

/// An event stream in four slow pieces, of which the first is the head.
fn slow_stream() -> Vec<Vec<Step>> {
    let mut steps = vec![Step::Read, Step::Write(stream_head())];
    for piece in STREAM.as_bytes().chunks(STREAM.len() / 4) {
        steps.extend([SLOW, Step::Write(chunk(piece))]);
    }
    steps.push(Step::Write(b"0\r\n\r\n".to_vec()));
    vec![steps]
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "silence before the head",
        promise: "Timeout, after `Timeouts::attempt`",
        setup: HASTY,
        connections: || vec![vec![Step::Read, Step::AwaitEnd]],
        calls: &[Call::Chat],
        check: timed_out,
    },
    Scenario {
        name: "silence in the body",
        promise: "Timeout, after `Timeouts::attempt`",
        setup: HASTY,
        connections: || {
            vec![vec![Step::Read, Step::Write([head(99), b"{".to_vec()].concat()), Step::AwaitEnd]]
        },
        calls: &[Call::Chat],
        check: timed_out,
    },
    Scenario {
        name: "body that trickles",
        promise: "`Timeouts::attempt` ends an answer that still flows",
        setup: HASTY,
        connections: || {
            let mut steps = vec![Step::Read, Step::Write(head(CHAT.len()))];
            for piece in CHAT.as_bytes().chunks(CHAT.len() / 6) {
                steps.extend([SLOW, Step::Write(piece.to_vec())]);
            }
            vec![steps]
        },
        calls: &[Call::Chat],
        check: timed_out,
    },
    Scenario {
        name: "server that does not read",
        promise: "the limits also end a request that cannot be sent",
        setup: HASTY,
        connections: || vec![vec![Step::Pause(Duration::from_secs(2))]],
        calls: &[Call::LongChat(16 << 20)],
        check: |seen| seen.failed_with(Kind::Timeout),
    },
    Scenario {
        name: "stream without a head",
        promise: "FirstByteTimeout, after `Timeouts::first_byte`",
        setup: Setup { first_byte: SHORT, ..USUAL },
        connections: || vec![vec![Step::Read, Step::AwaitEnd]],
        calls: &[Call::Stream],
        check: |seen| seen.failed_with(Kind::FirstByteTimeout),
    },
    Scenario {
        name: "stream without a first byte",
        promise: "FirstByteTimeout: a head is no byte of the body",
        setup: Setup { first_byte: SHORT, ..USUAL },
        connections: || vec![vec![Step::Read, Step::Write(stream_head()), Step::AwaitEnd]],
        calls: &[Call::Stream],
        check: |seen| seen.failed_with(Kind::FirstByteTimeout),
    },
    Scenario {
        name: "stream that begins late",
        promise: "with `Timeouts::first_byte`, the silence before the first byte does not count for `Timeouts::read`",
        setup: Setup { idle: SHORT, ..USUAL },
        connections: || {
            let body = chunks(STREAM.as_bytes(), 1000);
            let late = Step::Pause(SHORT * 2);
            vec![vec![Step::Read, Step::Write(stream_head()), late, Step::Write(body)]]
        },
        calls: &[Call::Stream],
        check: |seen| seen.all_gave(STREAMED),
    },
    Scenario {
        name: "stream that falls silent",
        promise: "ReadTimeout, after `Timeouts::read`",
        setup: Setup { idle: SHORT, ..USUAL },
        connections: || {
            let begin = STREAM.as_bytes().get(..80).unwrap_or_default();
            vec![vec![Step::Read, Step::Write([stream_head(), chunk(begin)].concat()), Step::AwaitEnd]]
        },
        calls: &[Call::Stream],
        check: |seen| seen.failed_with(Kind::ReadTimeout),
    },
    Scenario {
        name: "stream that is slow",
        promise: "`Timeouts::read` counts anew with each piece",
        setup: Setup { idle: SHORT, ..USUAL },
        connections: slow_stream,
        calls: &[Call::Stream],
        check: |seen| seen.all_gave(STREAMED),
    },
    Scenario {
        name: "answer larger than allowed",
        promise: "the client stops to read, and the connection is closed",
        setup: Setup { max_bytes: 1024, ..USUAL },
        connections: || {
            let begin = [head(1 << 30), vec![b' '; 4096]].concat();
            vec![vec![Step::Read, Step::Write(begin), Step::AwaitEnd]]
        },
        calls: &[Call::Chat, Call::AwaitEnd],
        check: |seen| {
            seen.failed_with(Kind::BodyTooLarge)?;
            equal("whether the connection was closed", &seen.server.client_left, &Some(true))
        },
    },
];

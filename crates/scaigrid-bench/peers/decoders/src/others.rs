//! Decoders that work on streams of pieces. Nothing here ever waits.

use bytes::Bytes;
use eventsource_stream::Eventsource as _;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use scaigrid_bench::decode::EventDecoder;
use sse_stream::SseStream;
use std::convert::Infallible;

pub const ALL: [EventDecoder; 2] = [
    EventDecoder { name: "eventsource-stream", decode: eventsource },
    EventDecoder { name: "sse-stream", decode: sse },
];

fn eventsource(pieces: &[Bytes]) -> (u64, u64) {
    let pieces = stream::iter(pieces.iter().map(|piece| Ok::<_, Infallible>(piece.clone())));
    let counted = pieces.eventsource().fold((0, 0), |(events, bytes), event| {
        std::future::ready((events + 1, bytes + event.unwrap().data.len() as u64))
    });
    counted.now_or_never().unwrap()
}

fn sse(pieces: &[Bytes]) -> (u64, u64) {
    let pieces = stream::iter(pieces.iter().map(|piece| Ok::<_, Infallible>(piece.clone())));
    let counted = SseStream::from_bytes_stream(pieces).fold((0, 0), |(events, bytes), event| {
        // It hands out events without data, too.
        let data = event.unwrap().data;
        let found = data.map_or((0, 0), |data| (1, data.len() as u64));
        std::future::ready((events + found.0, bytes + found.1))
    });
    counted.now_or_never().unwrap()
}

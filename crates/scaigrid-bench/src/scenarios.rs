//! The loads that the sides are compared under.

use crate::harness::Kind;
use crate::load::{Load, Pace};

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// For the table and for `--scenario`.
    pub name: &'static str,
    /// The kind of work.
    pub kind: Kind,
    /// What the server sends.
    pub load: Load,
    /// Tasks or threads.
    pub parallel: usize,
    /// Measured calls.
    pub total: usize,
    /// Whether clients that can do either call the route that wraps answers. Ours always do, peers never.
    pub enveloped: bool,
    /// Whether other SDKs take part.
    pub peers: bool,
}

const fn chat(name: &'static str, parallel: usize, total: usize) -> Scenario {
    let load = Load { pace: Pace::Flood, chunks: 0, shape: 0, reply_bytes: 0 };
    Scenario { name, kind: Kind::Chat, load, parallel, total, enveloped: false, peers: true }
}

const fn stream(name: &'static str, parallel: usize, total: usize, pace: Pace, chunks: usize) -> Scenario {
    let load = Load { pace, chunks, shape: 0, reply_bytes: 0 };
    Scenario { name, kind: Kind::Stream, load, parallel, total, enveloped: false, peers: true }
}

const fn varied(mut scenario: Scenario, seed: u64) -> Scenario {
    scenario.load.shape = seed;
    scenario
}

const fn enveloped(mut scenario: Scenario) -> Scenario {
    scenario.enveloped = true;
    scenario.peers = false;
    scenario
}

/// All of them. Varied shapes take `seed`.
pub fn all(seed: u64) -> [Scenario; 12] {
    [
        chat("chat, 1", 1, 8_000),
        chat("chat, 16", 16, 20_000),
        chat("chat, 64", 64, 20_000),
        enveloped(chat("chat, 16, enveloped", 16, 20_000)),
        varied(chat("chat, 16, varied", 16, 20_000), seed),
        stream("stream, 1 of 20000", 1, 20, Pace::Flood, 20_000),
        stream("streams, 64 of 1000", 64, 320, Pace::Flood, 1_000),
        varied(stream("stream, 1 of 20000, varied", 1, 20, Pace::Flood, 20_000), seed),
        varied(stream("streams, 64 of 1000, varied", 64, 320, Pace::Flood, 1_000), seed.wrapping_add(1)),
        stream("stream, 1 of 20000, a write an event", 1, 5, Pace::Each, 20_000),
        varied(stream("stream, 1 of 20000, varied, writes of 61", 1, 2, Pace::Pieces(61), 20_000), seed),
        stream("streams, 64 of 200, each 5 ms", 64, 128, Pace::Every(5), 200),
    ]
}

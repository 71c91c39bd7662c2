//! Every side does a little of every kind of work, in this process. The sides check what they get.
#![allow(clippy::unwrap_used, reason = "tests")]
use scaigrid_bench::harness::{Job, Kind};
use scaigrid_bench::load::{Load, Pace};
use scaigrid_bench::{server, sides};
use std::sync::LazyLock;

static BASE: LazyLock<String> = LazyLock::new(|| server::start(None));

#[track_caller]
fn every_side(kind: Kind, load: Load, change: impl Fn(&mut Job)) {
    for name in sides::NAMES {
        if kind == Kind::List && !sides::LISTING.contains(&name) {
            continue;
        }
        let mut job = Job::new(&BASE, None, kind, load, 4);
        job.parallel = 2;
        change(&mut job);
        let outcome = sides::run(name, &job, None).unwrap();
        assert_eq!(outcome.requests, 4);
        assert!(outcome.wall > 0.0);
    }
}

#[test]
fn plain_answers() {
    for (shape, enveloped) in [(0, false), (0, true), (1, true), (2, false)] {
        every_side(Kind::Chat, Load { shape, ..Load::chat() }, |job| job.enveloped = enveloped);
    }
}

#[test]
fn large_bodies_in_both_directions() {
    let load = Load { reply_bytes: 1 << 20, ..Load::chat() };
    every_side(Kind::Chat, load, |job| job.ask_bytes = 1 << 20);
}

#[test]
fn streams_of_every_pace_and_shape() {
    for pace in [Pace::Flood, Pace::Each, Pace::Pieces(61), Pace::Every(1)] {
        for shape in [0, 3] {
            every_side(Kind::Stream, Load { shape, ..Load::stream(pace, 10) }, |_| ());
        }
    }
    every_side(Kind::Stream, Load { shape: 5, ..Load::stream(Pace::Flood, 300) }, |_| ());
}

#[test]
fn lists_of_several_pages() {
    every_side(Kind::List, Load::chat(), |job| job.items = 2 * server::PAGE + 1);
}

#[test]
#[should_panic(expected = "the work of a thread")]
fn an_answer_that_differs_is_noticed() {
    // The server has 10 items, and 11 are expected.
    struct Short;
    impl scaigrid_bench::side::BlockingSide for Short {
        fn new(_: &str, _: bool) -> Self {
            Self
        }
        fn chat(&self, _: &scaigrid_bench::side::Ask) -> scaigrid_bench::side::Answer {
            scaigrid_bench::side::Answer::plain("short", 149)
        }
        fn stream(&self, ask: &scaigrid_bench::side::Ask) -> scaigrid_bench::side::Answer {
            self.chat(ask)
        }
    }
    let job = Job::new(&BASE, None, Kind::Chat, Load::chat(), 1);
    let job = Job { warm: 0, ..job };
    scaigrid_bench::harness::run_blocking::<Short>(&job, None);
}

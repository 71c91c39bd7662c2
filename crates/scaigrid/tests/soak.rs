//! Many calls of all kinds, for long, against a gateway in chaos. Run by `cargo xtask soak`.
//!
//! Every call must end in a typed result; what the gateway did and what the clients saw must add up; memory and
//! file descriptors must stay flat.
#![cfg(all(feature = "async", feature = "blocking"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "it takes real time, and reports")]

use scaigrid::{
    AttemptReport, ChatRequest, Error, ErrorKind, GenericClientBuilder, ListModels, RawRequest,
    StandardPolicy, StopReason, UsagePeriod, UsageSummaryQuery,
};
use scaigrid_emulator::{Emulator, Fault, IncomingRequest, StreamFault};
use scaigrid_transport::TransportErrorKind as Transport;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const TASKS: usize = 64;
const THREADS: usize = 16;
/// Far above what an answer takes, also on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone, Default)]
struct Tally(Arc<Mutex<BTreeMap<String, u64>>>);

impl Tally {
    fn count(&self, what: impl Into<String>) {
        *self.0.lock().unwrap().entry(what.into()).or_default() += 1;
    }

    fn all(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap().clone()
    }
}

/// The fault for a request, and what the client must see of it.
fn chaos(random: &mut fastrand::Rng, request: &IncomingRequest<'_>) -> (Option<Fault>, &'static str) {
    let codes = [
        "RATE_LIMITED",
        "BACKEND_RATE_LIMITED",
        "BACKEND_ERROR",
        "BACKEND_TIMEOUT",
        "MODEL_UNAVAILABLE",
        "BUDGET_EXCEEDED",
        "SOMETHING_NEW",
    ];
    let code = codes[random.usize(..codes.len())];
    let (fault, seen) = match random.u32(..1000) {
        0..60 => (Fault::error(code), code),
        60..90 => (Fault::error(code).retry_after_body(0.02), code),
        90..100 => (Fault::response(503, "text/html", "<html>later</html>"), "503"),
        100..120 => (Fault::reset(), "broken"),
        120..140 => (Fault::close(), "broken"),
        140..150 => (Fault::raw("HTTP/1.1 200 OK\r\ncontent-le"), "broken"),
        150..160 => (Fault::raw("SSH-2.0-OpenSSH_9.2\r\n\r\n"), "broken"),
        160..180 if !request.is_stream() => (Fault::cut_after(5), "broken"),
        180..200 => (Fault::hang_up(), "success"),
        200..230 => (Fault::delay(Duration::from_millis(random.u64(..30))), "success"),
        230 if random.bool() => (Fault::stall(""), "timeout"),
        240..300 if request.is_stream() => return stream_chaos(random, code),
        _ => return (None, "success"),
    };
    (Some(fault), seen)
}

fn stream_chaos(random: &mut fastrand::Rng, code: &'static str) -> (Option<Fault>, &'static str) {
    let (fault, seen) = match random.u32(..4) {
        0 => (StreamFault::error(code), code),
        // From here on the first chunk comes, and the call has succeeded.
        1 => (StreamFault::error(code).after_chunks(1), "success"),
        2 => (StreamFault::cut(random.usize(600..900)).cleanly(), "success"),
        _ => (StreamFault::new().without_done(), "success"),
    };
    (Some(Fault::stream(fault)), seen)
}

/// What a client saw of an attempt.
fn seen(attempt: &AttemptReport) -> String {
    match (attempt.error, &attempt.code, attempt.transport, attempt.status) {
        (None, ..) => "success".to_owned(),
        (_, Some(code), ..) => code.to_string(),
        (_, _, Some(Transport::Interrupted | Transport::Protocol), _) => "broken".to_owned(),
        (_, _, Some(Transport::Timeout | Transport::FirstByteTimeout | Transport::ReadTimeout), _) => {
            "timeout".to_owned()
        }
        (_, _, Some(kind), _) => format!("{kind:?}"),
        (_, _, None, Some(status)) => status.as_str().to_owned(),
        (kind, ..) => format!("{kind:?}"),
    }
}

fn outcome(result: Result<(), Error>) -> String {
    match result {
        Ok(()) => "success".to_owned(),
        Err(error) => match (error.kind(), error.code(), error.stop_reason()) {
            (_, _, Some(StopReason::RetryBudgetEmpty)) => "retry budget empty".to_owned(),
            (ErrorKind::Api, Some(code), _) => format!("Api {code}"),
            (kind, ..) => format!("{kind:?}"),
        },
    }
}

fn chat() -> ChatRequest {
    ChatRequest::new("scailabs/poolnoodle-omni").user("What is a good recipe for carbonara?")
}

/// Bytes of memory in use, and open file descriptors, where the system tells.
fn resources() -> (u64, usize) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    let kib: u64 = rss.trim().trim_end_matches(" kB").parse().unwrap_or(0);
    (kib * 1024, std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count))
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}

struct Soak {
    end: Instant,
    seen: Tally,
    outcomes: Tally,
    calls: AtomicU64,
}

impl Soak {
    fn settings<C>(
        self: &Arc<Self>,
        builder: GenericClientBuilder<C>,
        emulator: &Emulator,
    ) -> GenericClientBuilder<C> {
        let soak = Arc::clone(self);
        let policy = StandardPolicy::builder()
            .backoff(Duration::from_millis(5), Duration::from_millis(40))
            .build()
            .unwrap();
        builder
            .base_url(emulator.base_url())
            .api_key(emulator.api_key())
            .timeout(TIMEOUT)
            .first_byte_timeout(TIMEOUT)
            .stream_idle_timeout(TIMEOUT)
            .deadline(Duration::from_secs(30))
            .retry_policy(policy)
            .on_attempt(move |attempt| soak.seen.count(seen(attempt)))
    }

    /// The result of one more call, or `None` when it is time to end.
    fn note(&self, result: Result<(), Error>) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.outcomes.count(outcome(result));
        Instant::now() < self.end
    }

    async fn task(&self, client: scaigrid::Client, mut random: fastrand::Rng) {
        loop {
            let result = match random.u32(..10) {
                0..3 => client.chat(&chat()).await.map(drop),
                3..6 => match client.chat_stream(&chat()).await {
                    // Half of the way, and dropped.
                    Ok(mut stream) if random.bool() => stream.next().await.transpose().map(drop),
                    Ok(stream) => stream.finish().await.map(drop),
                    Err(error) => Err(error),
                },
                6..8 => client.models(&ListModels::new()).await.map(drop),
                8 => client.usage_summary(&UsageSummaryQuery::new(UsagePeriod::Day)).await.map(drop),
                _ => client.send(&RawRequest::get("/health")).await.map(drop),
            };
            if !self.note(result) {
                return;
            }
        }
    }

    fn thread(&self, client: &scaigrid::blocking::Client, mut random: fastrand::Rng) {
        loop {
            let result = match random.u32(..10) {
                0..3 => client.chat(&chat()).map(drop),
                3..6 => match client.chat_stream(&chat()) {
                    Ok(mut stream) if random.bool() => stream.next().transpose().map(drop),
                    Ok(stream) => stream.finish().map(drop),
                    Err(error) => Err(error),
                },
                6..8 => client.models(&ListModels::new()).map(drop),
                8 => client.usage_summary(&UsageSummaryQuery::new(UsagePeriod::Day)).map(drop),
                _ => client.send(&RawRequest::get("/health")).map(drop),
            };
            if !self.note(result) {
                return;
            }
        }
    }
}

#[test]
#[ignore = "fifteen minutes: run it with `cargo xtask soak`"]
fn every_call_ends_and_everything_adds_up() {
    let seconds = number("SCAIGRID_SOAK_SECONDS", 900);
    let seed = number("SCAIGRID_SOAK_SEED", 1);
    let done = Tally::default();
    let (tally, source) = (done.clone(), Mutex::new(fastrand::Rng::with_seed(seed)));
    let emulator = Emulator::builder()
        .without_recording()
        .rate_limit_per_minute(u32::MAX)
        .fault_source(move |request| {
            let (fault, seen) = chaos(&mut source.lock().unwrap(), request);
            tally.count(seen);
            fault
        })
        .start()
        .unwrap();
    let began = Instant::now();
    let soak = Arc::new(Soak {
        end: began + Duration::from_secs(seconds),
        seen: Tally::default(),
        outcomes: Tally::default(),
        calls: AtomicU64::new(0),
    });
    let before = resources();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let client = soak.settings(scaigrid::Client::builder(), &emulator).build().unwrap();
    let blocking = soak.settings(scaigrid::blocking::Client::builder(), &emulator).build().unwrap();
    let random = |number: usize| fastrand::Rng::with_seed(seed.wrapping_mul(1000) + number as u64);

    let tasks: Vec<_> = (0..TASKS)
        .map(|number| {
            let (soak, client, random) = (Arc::clone(&soak), client.clone(), random(number));
            runtime.spawn(async move { soak.task(client, random).await })
        })
        .collect();
    let mut samples = Vec::new();
    std::thread::scope(|scope| {
        for number in 0..THREADS {
            let (soak, blocking, random) = (&soak, &blocking, random(TASKS + number));
            scope.spawn(move || soak.thread(blocking, random));
        }
        let pause = Duration::from_secs(seconds).div_f64(10.0);
        for _ in 0..10 {
            std::thread::sleep(pause);
            samples.push(resources());
            let (rss, descriptors) = resources();
            let calls = soak.calls.load(Ordering::Relaxed);
            println!(
                "{:>5.0?}: {calls} calls, {} KiB, {descriptors} descriptors",
                began.elapsed(),
                rss / 1024
            );
        }
    });
    runtime.block_on(async {
        for task in tasks {
            task.await.expect("no task panics");
        }
    });
    drop((client, blocking, runtime));
    while emulator.open_connections() > 0 && began.elapsed() < Duration::from_secs(seconds + 10) {
        std::thread::sleep(Duration::from_millis(10));
    }

    let (done, seen) = (done.all(), soak.seen.all());
    let (calls, received) = (soak.calls.load(Ordering::Relaxed), emulator.received());
    let after = resources();
    println!(
        "seed {seed}, {seconds} s, {TASKS} tasks, {THREADS} threads: {calls} calls, {received} requests"
    );
    println!("outcomes of calls: {:#?}", soak.outcomes.all());
    println!("the gateway did: {done:#?}\nthe clients saw: {seen:#?}");
    println!("before: {before:?}, tenths: {samples:?}, after: {after:?} (bytes, descriptors)");

    let sum = |tally: &BTreeMap<String, u64>| tally.values().sum::<u64>();
    assert_eq!(sum(&soak.outcomes.all()), calls, "every call has one result");
    assert_eq!(sum(&done), received, "the gateway judged every request once");
    // A request on a connection that the gateway is just closing is seen by the client alone, as a broken one.
    let unseen = sum(&seen) - received;
    for (what, count) in &done {
        let unseen = if what == "broken" { unseen } else { 0 };
        assert_eq!(seen.get(what).copied().unwrap_or(0), count + unseen, "{what}");
    }
    assert_eq!(emulator.open_connections(), 0, "connections are left");
    assert_eq!(after.1, before.1, "descriptors are left");
    // The first tenth is for warming up.
    let (warm, end) = (samples[0], samples[9]);
    assert!(end.0 < warm.0 + warm.0 / 5 + 8 * 1024 * 1024, "memory grew from {} to {} bytes", warm.0, end.0);
}

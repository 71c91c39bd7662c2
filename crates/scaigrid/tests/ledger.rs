//! What a client counts is what the gateway booked, in chaos, too. Where the client cannot know, its count is bounded.
//!
//! Two models take part. Calls of `KNOWN` meet failures that both sides know of: refusals, connections that break before
//! the gateway has run anything, delays. Calls of `LOST` also meet what the client cannot know: answers that are lost on
//! their way, streams that are cut before their usage comes, and streams that it drops itself.
#![cfg(all(feature = "async", feature = "blocking"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "it takes real time, and reports")]

use scaigrid::{
    ChatRequest, EmbedRequest, Error, GenericClientBuilder, ListModels, RetryBudget, StandardPolicy,
    UsageSnapshot,
};
use scaigrid_emulator::{Emulator, Fault, IncomingRequest, StreamFault};
use std::sync::Mutex;
use std::time::{Duration, Instant};

const KNOWN: &str = "scailabs/poolnoodle-omni";
const LOST: &str = "scailabs/poolnoodle-mini";
const EMBEDDING: &str = "openai/text-embedding-3-small";
const SEED: u64 = 7;

/// More than any request of this test takes. The gateway books no more for one.
const MOST_TOKENS: u64 = 20;

/// A failure that the client may meet.
fn chaos(random: &mut fastrand::Rng, request: &IncomingRequest<'_>) -> Option<Fault> {
    let is_lost = String::from_utf8_lossy(request.body()).contains(LOST);
    let codes = ["RATE_LIMITED", "BACKEND_ERROR", "MODEL_UNAVAILABLE", "BUDGET_EXCEEDED", "SOMETHING_NEW"];
    let code = codes[random.usize(..codes.len())];
    Some(match random.u32(..1000) {
        0..100 => Fault::error(code),
        100..130 => Fault::reset(),
        130..150 => Fault::close(),
        150..170 => Fault::hang_up(),
        170..180 => Fault::delay(Duration::from_millis(random.u64(..10))),
        180..300 if is_lost && !request.is_stream() => Fault::cut_after(random.usize(..300)),
        180..300 if is_lost => Fault::stream(match random.u32(..4) {
            0 => StreamFault::error(code),
            1 => StreamFault::error(code).after_chunks(random.usize(1..6)),
            2 => StreamFault::cut(random.usize(600..900)).cleanly(),
            _ => StreamFault::new().without_done(),
        }),
        _ => return None,
    })
}

fn emulator() -> Emulator {
    let source = Mutex::new(fastrand::Rng::with_seed(SEED));
    Emulator::builder()
        .without_recording()
        .rate_limit_per_minute(u32::MAX)
        .fault_source(move |request| chaos(&mut source.lock().unwrap(), request))
        .start()
        .unwrap()
}

fn settings<C>(builder: GenericClientBuilder<C>, emulator: &Emulator) -> GenericClientBuilder<C> {
    let (first, most) = (Duration::from_millis(1), Duration::from_millis(5));
    builder
        .base_url(emulator.base_url())
        .api_key(emulator.api_key())
        .retry_policy(StandardPolicy::builder().backoff(first, most).build().unwrap())
        .retry_budget(RetryBudget::new(1_000_000))
}

/// What is called next.
#[derive(Clone, Copy)]
enum Next {
    Chat(&'static str),
    Stream(&'static str),
    /// A stream that is dropped after so many chunks.
    Dropped(usize),
    Embed,
    List,
}

fn next(random: &mut fastrand::Rng) -> Next {
    match random.u32(..10) {
        0..2 => Next::Chat(KNOWN),
        2..4 => Next::Stream(KNOWN),
        4 => Next::Chat(LOST),
        5 => Next::Stream(LOST),
        6..8 => Next::Dropped(random.usize(..12)),
        8 => Next::Embed,
        _ => Next::List,
    }
}

fn chat(model: &str) -> ChatRequest {
    ChatRequest::new(model).user("What is a good recipe for carbonara?")
}

async fn call(client: &scaigrid::Client, next: Next) -> Result<(), Error> {
    match next {
        Next::Chat(model) => client.chat(&chat(model)).await.map(drop),
        Next::Stream(model) => client.chat_stream(&chat(model)).await?.finish().await.map(drop),
        Next::Dropped(chunks) => {
            let mut stream = client.chat_stream(&chat(LOST)).await?;
            for _ in 0..chunks {
                if stream.next().await.transpose()?.is_none() {
                    break;
                }
            }
            Ok(())
        }
        Next::Embed => client.embed(&EmbedRequest::new(EMBEDDING, "a text")).await.map(drop),
        Next::List => client.models(&ListModels::new()).await.map(drop),
    }
}

fn call_blocking(client: &scaigrid::blocking::Client, next: Next) -> Result<(), Error> {
    match next {
        Next::Chat(model) => client.chat(&chat(model)).map(drop),
        Next::Stream(model) => client.chat_stream(&chat(model))?.finish().map(drop),
        Next::Dropped(chunks) => {
            client.chat_stream(&chat(LOST))?.take(chunks).try_for_each(|chunk| chunk.map(drop))
        }
        Next::Embed => client.embed(&EmbedRequest::new(EMBEDDING, "a text")).map(drop),
        Next::List => client.models(&ListModels::new()).map(drop),
    }
}

/// Waits until the gateway has noticed the end of all streams, and compares.
fn compare(colour: &str, emulator: &Emulator, seen: &UsageSnapshot, calls: u64) {
    let began = Instant::now();
    while emulator.open_connections() > 0 && began.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (booked, by_model, total) = (emulator.ledger(), seen.by_model(), seen.total());
    assert_eq!(total.calls + seen.management().calls, calls, "every call is counted once");
    for sums in by_model.values().chain([&total, seen.management()]) {
        assert_eq!(sums.calls, sums.succeeded + sums.failed + sums.cut_short + sums.abandoned);
        assert_eq!(sums.failures.values().sum::<u64>(), sums.failed + sums.cut_short);
        assert_eq!(sums.total_tokens, sums.prompt_tokens + sums.completion_tokens);
    }
    assert_eq!(booked.by_model.len(), 3);
    for (model, booked) in &booked.by_model {
        let seen = &by_model[model];
        println!(
            "{colour} {model}: gateway {} requests, {} + {} tokens; client {} calls ({} failed, {} cut, {} dropped), \
             {} retries, {} + {} requests, {} + {} tokens",
            booked.requests,
            booked.tokens_in,
            booked.tokens_out,
            seen.calls,
            seen.failed,
            seen.cut_short,
            seen.abandoned,
            seen.retries,
            seen.with_usage,
            seen.without_usage,
            seen.prompt_tokens,
            seen.completion_tokens,
        );
        let seen_tokens = (seen.with_usage, seen.prompt_tokens, seen.completion_tokens);
        let booked_tokens = (booked.requests, booked.tokens_in, booked.tokens_out);
        if model != LOST {
            assert_eq!(seen_tokens, booked_tokens, "{model}");
            assert_eq!((seen.cut_short, seen.abandoned), (0, 0));
            continue;
        }
        // Never more than was booked, and what is missing belongs to requests that the client knows it does not know.
        let missing = booked.requests - seen.with_usage;
        assert!(missing <= seen.without_usage, "{model}: {missing} requests, {} unknown", seen.without_usage);
        let tokens = (booked.tokens_in + booked.tokens_out) - seen.total_tokens;
        assert!(booked.tokens_in >= seen.prompt_tokens && booked.tokens_out >= seen.completion_tokens);
        assert!(tokens <= missing * MOST_TOKENS, "{model}: {tokens} tokens of {missing} requests");
        assert!(seen.cut_short > 0 && seen.abandoned > 0 && missing > 0, "it was no chaos");
    }
    assert!(total.retries > 0 && seen.management().failed > 0, "it was no chaos");
}

#[test]
fn the_async_clients_count_is_the_gateways() {
    const TASKS: u64 = 32;
    const CALLS: u64 = 100;
    let emulator = emulator();
    let client = settings(scaigrid::Client::builder(), &emulator).build().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let tasks: Vec<_> = (0..TASKS)
        .map(|number| {
            // Clones with labels of their own share the sums.
            let client = client.with_label(format!("tenant-{}", number % 4));
            runtime.spawn(async move {
                let mut random = fastrand::Rng::with_seed(SEED * 1000 + number);
                for _ in 0..CALLS {
                    let _ = call(&client, next(&mut random)).await;
                }
            })
        })
        .collect();
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    let seen = client.usage();
    drop((client, runtime));
    compare("async", &emulator, &seen, TASKS * CALLS);
    let by_label = seen.by_label();
    assert_eq!(by_label.len(), 4);
    assert_eq!(by_label.values().map(|sums| sums.total_tokens).sum::<u64>(), seen.total().total_tokens);
}

#[test]
fn the_blocking_clients_count_is_the_gateways() {
    const THREADS: u64 = 8;
    const CALLS: u64 = 300;
    let emulator = emulator();
    let client = settings(scaigrid::blocking::Client::builder(), &emulator).build().unwrap();
    std::thread::scope(|scope| {
        for number in 0..THREADS {
            let client = client.with_label(format!("tenant-{}", number % 4));
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(SEED * 1000 + number);
                for _ in 0..CALLS {
                    let _ = call_blocking(&client, next(&mut random));
                }
            });
        }
    });
    let seen = client.usage();
    drop(client);
    compare("blocking", &emulator, &seen, THREADS * CALLS);
}

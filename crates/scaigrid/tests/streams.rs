//! Streams of both clients against the emulator, over real sockets and in real time, but for the waits of retries.
#![cfg(any(feature = "async", feature = "blocking"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "these tests are about silence in real time")]

use scaigrid::{
    ChatCompletion, ChatRequest, Error, ErrorKind, FunctionDefinition, GenericClientBuilder, ToolChoice,
};
use scaigrid_emulator::{Emulator, Fault, LineEnd, StreamFault};
use serde_json::json;
use std::time::{Duration, Instant};

/// Settings of a client.
#[derive(Clone, Copy)]
struct Limits {
    timeout: Duration,
    first_byte: Duration,
    idle: Duration,
    deadline: Duration,
}

const LONG: Duration = Duration::from_secs(20);
/// Long enough for a busy machine to keep, short enough to wait for.
const SHORT: Duration = Duration::from_millis(400);
const LIMITS: Limits = Limits { timeout: LONG, first_byte: LONG, idle: LONG, deadline: LONG };

/// What a stream came to.
struct Seen {
    texts: Vec<String>,
    error: Option<Error>,
    reply: ChatCompletion,
}

impl Seen {
    fn text(&self) -> String {
        self.texts.concat()
    }
}

trait Colour {
    fn new(emulator: &Emulator, limits: Limits) -> Self;
    fn plain(&self, request: &ChatRequest) -> ChatCompletion;
    /// Streams to the end.
    fn stream(&self, request: &ChatRequest) -> Seen;
    fn finish(&self, request: &ChatRequest) -> ChatCompletion;
    /// Drops the stream after its first chunk.
    fn begin(&self, request: &ChatRequest);
}

fn settings<C>(
    builder: GenericClientBuilder<C>,
    emulator: &Emulator,
    limits: Limits,
) -> GenericClientBuilder<C> {
    builder
        .base_url(emulator.base_url())
        .api_key(emulator.api_key())
        .timeout(limits.timeout)
        .first_byte_timeout(limits.first_byte)
        .stream_idle_timeout(limits.idle)
        .deadline(limits.deadline)
}

#[cfg(feature = "async")]
struct Async {
    client: scaigrid::Client,
    runtime: tokio::runtime::Runtime,
}

#[cfg(feature = "async")]
impl Colour for Async {
    fn new(emulator: &Emulator, limits: Limits) -> Self {
        let client = settings(scaigrid::Client::builder(), emulator, limits).build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { client, runtime }
    }

    fn plain(&self, request: &ChatRequest) -> ChatCompletion {
        self.runtime.block_on(self.client.chat(request)).unwrap().into_inner()
    }

    fn stream(&self, request: &ChatRequest) -> Seen {
        self.runtime.block_on(async {
            let mut seen = Seen { texts: Vec::new(), error: None, reply: ChatCompletion::default() };
            let mut stream = match self.client.chat_stream(request).await {
                Ok(stream) => stream,
                Err(error) => return Seen { error: Some(error), ..seen },
            };
            while let Some(chunk) = stream.next().await {
                match chunk {
                    Ok(chunk) => seen.texts.push(chunk.text().to_owned()),
                    Err(error) => seen.error = Some(error),
                }
            }
            seen.reply = stream.snapshot();
            seen
        })
    }

    fn finish(&self, request: &ChatRequest) -> ChatCompletion {
        self.runtime.block_on(async { self.client.chat_stream(request).await?.finish().await }).unwrap()
    }

    fn begin(&self, request: &ChatRequest) {
        self.runtime.block_on(async {
            drop(self.client.chat_stream(request).await.unwrap());
            // The HTTP stack closes the connection in a task of its own, which needs a turn.
            tokio::time::sleep(Duration::from_millis(20)).await;
        });
    }
}

#[cfg(feature = "blocking")]
struct Blocking(scaigrid::blocking::Client);

#[cfg(feature = "blocking")]
impl Colour for Blocking {
    fn new(emulator: &Emulator, limits: Limits) -> Self {
        Self(settings(scaigrid::blocking::Client::builder(), emulator, limits).build().unwrap())
    }

    fn plain(&self, request: &ChatRequest) -> ChatCompletion {
        self.0.chat(request).unwrap().into_inner()
    }

    fn stream(&self, request: &ChatRequest) -> Seen {
        let mut seen = Seen { texts: Vec::new(), error: None, reply: ChatCompletion::default() };
        let mut stream = match self.0.chat_stream(request) {
            Ok(stream) => stream,
            Err(error) => return Seen { error: Some(error), ..seen },
        };
        for chunk in &mut stream {
            match chunk {
                Ok(chunk) => seen.texts.push(chunk.text().to_owned()),
                Err(error) => seen.error = Some(error),
            }
        }
        seen.reply = stream.snapshot();
        seen
    }

    fn finish(&self, request: &ChatRequest) -> ChatCompletion {
        self.0.chat_stream(request).unwrap().finish().unwrap()
    }

    fn begin(&self, request: &ChatRequest) {
        drop(self.0.chat_stream(request).unwrap());
    }
}

fn question() -> ChatRequest {
    ChatRequest::new("scailabs/poolnoodle-omni")
        .user("Carbonara needs guanciale, eggs, pecorino and pepper. Cream does not belong into it.")
}

/// Equal but for what is new in every call.
fn same(mut one: ChatCompletion, mut other: ChatCompletion) {
    assert!(one.id.is_some() && other.id.is_some());
    (one.id, one.created, other.id, other.created) = (None, None, None, None);
    assert_eq!(one, other);
}

fn a_stream_adds_up_to_the_plain_reply<C: Colour>(emulator: &Emulator) {
    let client = C::new(emulator, LIMITS);
    let schema = json!({"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}});
    let tool = FunctionDefinition::new("weather").parameters(schema);
    let with_tool = question().tool(tool).tool_choice(ToolChoice::Required);
    for request in [question(), question().max_tokens(3), with_tool] {
        let plain = client.plain(&request);
        let seen = client.stream(&request);
        assert!(seen.error.is_none(), "{:?}", seen.error);
        assert_eq!(seen.text(), plain.text());
        same(seen.reply, plain.clone());
        same(client.finish(&request), plain);
    }
}

fn odd_but_legal_streams_read_the_same<C: Colour>(emulator: &Emulator) {
    let client = C::new(emulator, LIMITS);
    let plain = client.plain(&question());
    for fault in [
        StreamFault::new().prefix(&b"\xEF\xBB\xBF"[..]),
        StreamFault::new()
            .prefix("event: status\ndata: {\"message\":\"searching\"}\n\nretry: 10\n\n: hello\n\n"),
        StreamFault::new().line_ends(LineEnd::Cr),
        StreamFault::new().line_ends(LineEnd::CrLf).comments(),
        StreamFault::as_json(),
        #[cfg(feature = "gzip")]
        StreamFault::new().gzip(),
    ] {
        let name = format!("{fault:?}");
        emulator.faults().push(Fault::stream(fault));
        let seen = client.stream(&question());
        assert!(seen.error.is_none(), "{name}: {:?}", seen.error);
        same(seen.reply, plain.clone());
    }
}

fn every_way_to_break_is_told_apart<C: Colour>(emulator: &Emulator) {
    let client = C::new(emulator, LIMITS);
    for (fault, kind) in [
        (StreamFault::error("BACKEND_ERROR").after_chunks(3), ErrorKind::Api),
        (StreamFault::error("BACKEND_ERROR").after_chunks(3).without_done(), ErrorKind::Api),
        (StreamFault::new().without_done(), ErrorKind::StreamTruncated),
        (StreamFault::cut(700).cleanly(), ErrorKind::StreamTruncated),
        (StreamFault::cut(700), ErrorKind::Connection),
        (StreamFault::cut(700).with_reset(), ErrorKind::Connection),
    ] {
        let name = format!("{fault:?}");
        emulator.faults().push(Fault::stream(fault));
        let before = emulator.requests().len();
        let seen = client.stream(&question());
        let error = seen.error.as_ref().unwrap_or_else(|| panic!("{name}"));
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(!seen.text().is_empty() && error.partial().unwrap().text() == seen.text(), "{name}");
        assert!(error.request_id().unwrap().starts_with("req_"));
        assert_eq!(emulator.requests().len() - before, 1, "{name}: never repeated behind the first chunk");
    }
}

fn silence_meets_its_own_limit<C: Colour>(emulator: &Emulator) {
    let idle = C::new(emulator, Limits { idle: SHORT, ..LIMITS });
    emulator.faults().push(Fault::stream(StreamFault::stall().after_chunks(3)));
    let started = Instant::now();
    let error = idle.stream(&question()).error.unwrap();
    assert_eq!(error.kind(), ErrorKind::IdleTimeout, "{error}");
    assert!(error.to_string().contains("longer than 400ms, after 3 chunks, the last one 0."), "{error}");
    assert!((SHORT..LONG / 4).contains(&started.elapsed()));

    let first_byte = C::new(emulator, Limits { first_byte: SHORT, ..LIMITS });
    emulator.faults().push(Fault::stream(StreamFault::stall()));
    let error = first_byte.stream(&question()).error.unwrap();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 1), "{error}");
    // A slow begin is no silence of the stream.
    emulator.faults().push(Fault::delay(2 * SHORT));
    assert!(idle.stream(&question()).error.is_none());
}

fn comments_are_life_and_the_timeout_cuts_no_healthy_stream<C: Colour>(emulator: &Emulator) {
    let client = C::new(emulator, Limits { timeout: SHORT, idle: SHORT, ..LIMITS });
    emulator.faults().push(Fault::stream(StreamFault::new().comments().paced(SHORT / 4)));
    let started = Instant::now();
    let seen = client.stream(&question());
    assert!(seen.error.is_none(), "{:?}", seen.error);
    assert!(started.elapsed() > 2 * SHORT);
    let deadline = C::new(emulator, Limits { deadline: SHORT, ..LIMITS });
    emulator.faults().push(Fault::stream(StreamFault::new().paced(SHORT / 4)));
    let seen = deadline.stream(&question());
    assert_eq!(seen.error.unwrap().kind(), ErrorKind::Timeout);
    assert!(!seen.texts.is_empty());
}

#[cfg(feature = "gzip")]
fn compressed_chunks_come_one_by_one<C: Colour>(emulator: &Emulator) {
    let client = C::new(emulator, Limits { idle: SHORT, ..LIMITS });
    emulator.faults().push(Fault::stream(StreamFault::stall().after_chunks(4).gzip()));
    let seen = client.stream(&question());
    assert_eq!(seen.error.unwrap().kind(), ErrorKind::IdleTimeout);
    assert_eq!(seen.texts.len(), 4);
}

#[cfg(not(feature = "gzip"))]
fn compressed_chunks_come_one_by_one<C: Colour>(_: &Emulator) {}

/// Behind `[DONE]` the server goes on with comments, for ever.
fn a_server_that_goes_on_behind_the_end_does_not_hold_the_stream<C: Colour>(emulator: &Emulator) {
    let client = C::new(emulator, LIMITS);
    let mut frames = vec!["data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n", "data: [DONE]\n\n"];
    frames.extend([": ping\n\n"; 100]);
    emulator.faults().push(Fault::stream(StreamFault::frames(frames).paced(Duration::from_millis(40))));
    let started = Instant::now();
    let seen = client.stream(&question());
    assert!(seen.error.is_none() && seen.text() == "Hi");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

fn a_dropped_stream_closes_its_connection<C: Colour>(emulator: &Emulator) {
    let client = C::new(emulator, LIMITS);
    emulator.faults().push(Fault::stream(StreamFault::stall().after_chunks(2)));
    client.begin(&question());
    let deadline = Instant::now() + Duration::from_secs(1);
    while !emulator.requests()[0].client_left {
        assert!(Instant::now() < deadline, "the server sees nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
    // The half-read connection is not used again.
    client.plain(&question());
    let connections: Vec<_> = emulator.requests().iter().map(|request| request.connection).collect();
    assert_ne!(connections[0], connections[1]);
}

fn a_clean_end_gives_the_connection_back<C: Colour>(emulator: &Emulator) {
    let client = C::new(emulator, LIMITS);
    for _ in 0..3 {
        assert!(client.stream(&question()).error.is_none());
    }
    client.plain(&question());
    let connections: Vec<_> = emulator.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [connections[0]; 4]);
}

/// Streams in the form of other gateways, with the fields that those add.
fn streams_of_other_gateways_decode_without_loss<C: Colour>(emulator: &Emulator) {
    let client = C::new(emulator, LIMITS);
    for (name, stream) in [
        ("openai", include_str!("data/stream-openai.txt")),
        ("openrouter", include_str!("data/stream-openrouter.txt")),
        ("xai", include_str!("data/stream-xai.txt")),
    ] {
        emulator.faults().push(Fault::stream(StreamFault::frames([stream.to_owned()])));
        let seen = client.stream(&question());
        assert!(seen.error.is_none(), "{name}: {:?}", seen.error);
        assert!(seen.reply.usage.unwrap().total() > 0, "{name}");
        assert!(seen.reply.finish_reason().is_some(), "{name}");
        let call = seen.reply.tool_calls().first();
        let reasoning = seen.reply.choices[0].message.reasoning_content.as_deref();
        match name {
            "openai" => assert_eq!(call.unwrap().function.arguments, r#"{"city":"Rome"}"#),
            _ => assert_eq!((&*seen.text(), reasoning), ("Hello, Rome!", Some("Let me think."))),
        }
    }
}

#[cfg(feature = "blocking")]
#[test]
fn a_blocking_stream_is_cancelled_from_another_thread() {
    let emulator = Emulator::start().unwrap();
    let client = Blocking::new(&emulator, LIMITS).0;
    emulator.faults().push(Fault::stream(StreamFault::stall().after_chunks(2)));
    let mut stream = client.chat_stream(&question()).unwrap();
    let handle = stream.cancel_handle();
    let cancelled = std::thread::spawn(move || {
        std::thread::sleep(SHORT);
        handle.cancel();
        Instant::now()
    });
    let error = stream.find_map(Result::err).unwrap();
    let late = Instant::now().duration_since(cancelled.join().unwrap());
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    assert!(error.partial().is_some() && late < Duration::from_secs(2), "{late:?}");
    assert!(stream.next().is_none());
    // The handle does nothing to later calls.
    client.chat(&question()).unwrap();
}

/// Every test in both colours, each on an emulator of its own.
macro_rules! both {
    ($($test:ident),+ $(,)?) => {
        #[cfg(feature = "async")]
        mod in_async { $( #[test] fn $test() { super::$test::<super::Async>(&super::Emulator::start().unwrap()); } )+ }
        #[cfg(feature = "blocking")]
        mod in_blocking { $( #[test] fn $test() { super::$test::<super::Blocking>(&super::Emulator::start().unwrap()); } )+ }
    };
}

both! {
    a_stream_adds_up_to_the_plain_reply,
    odd_but_legal_streams_read_the_same,
    every_way_to_break_is_told_apart,
    silence_meets_its_own_limit,
    comments_are_life_and_the_timeout_cuts_no_healthy_stream,
    compressed_chunks_come_one_by_one,
    a_server_that_goes_on_behind_the_end_does_not_hold_the_stream,
    a_dropped_stream_closes_its_connection,
    a_clean_end_gives_the_connection_back,
    streams_of_other_gateways_decode_without_loss,
}

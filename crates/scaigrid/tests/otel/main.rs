//! The spans and metrics of calls, as OpenTelemetry's SDK exports them. A program of its own: the subscriber, the meter
//! provider, and who is interested in which span are the whole process's.
#![cfg(any(feature = "async", feature = "blocking"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[cfg(feature = "opentelemetry")]
mod context;
#[cfg(feature = "async")]
mod dropped;

use opentelemetry::trace::{SpanId, SpanKind, Status, TracerProvider as _};
use opentelemetry::{Array, Value};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use scaigrid::{
    ChatRequest, EmbedRequest, GenerateImagesRequest, GenericClientBuilder, RetryBudget, SendSessionMessage,
    StandardPolicy,
};
use scaigrid_emulator::{Emulator, Fault};
use tracing_subscriber::layer::SubscriberExt as _;

const MODEL: &str = "scailabs/poolnoodle-omni";
const IMAGES: &str = "openai/dall-e-3";
const PROMPT: &str = "xyzzy plugh";

/// What is done with a client of either colour.
#[derive(Clone, Copy, PartialEq)]
enum Doing {
    Chat,
    Stream,
    /// Takes one chunk, and drops the stream.
    Drop,
    Models,
    Parameters,
    Vectors,
    Image,
    /// A message in a session.
    Session,
    SessionStream,
}

fn parameters() -> ChatRequest {
    request()
        .top_p(0.9)
        .seed(7)
        .extra("top_k", 40)
        .extra("n", 2)
        .extra("frequency_penalty", 0.25)
        .extra("presence_penalty", "much")
        .extra("response_format", serde_json::json!({"type": "json_object"}))
}

fn settings<C>(
    builder: GenericClientBuilder<C>,
    emulator: &Emulator,
    content: bool,
) -> GenericClientBuilder<C> {
    builder
        .base_url(emulator.base_url())
        .api_key(emulator.api_key())
        .retry_policy(StandardPolicy::new())
        .retry_budget(RetryBudget::unlimited())
        .record_content(content)
}

fn request() -> ChatRequest {
    ChatRequest::new(MODEL).system("Be brief.").user(PROMPT).max_tokens(20).temperature(0.5)
}

#[cfg(feature = "async")]
fn in_async(emulator: &Emulator, doing: Doing, content: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = settings(scaigrid::Client::builder(), emulator, content).build().unwrap();
    runtime.block_on(async {
        match doing {
            Doing::Chat => drop(client.chat(&request()).await),
            Doing::Models => drop(client.models(&scaigrid::ListModels::new()).await),
            Doing::Parameters => drop(client.chat(&parameters()).await),
            Doing::Vectors => {
                drop(client.embed(&EmbedRequest::new("openai/text-embedding-3-small", "a")).await)
            }
            Doing::Image => drop(client.generate_images(&GenerateImagesRequest::new(IMAGES, "a")).await),
            Doing::SessionStream => {
                drop(client.stream_session_message(&SendSessionMessage::new("sess_1", PROMPT)).await);
            }
            Doing::Session => {
                drop(client.send_session_message(&SendSessionMessage::new("sess_1", PROMPT)).await);
            }
            Doing::Stream => {
                let mut stream = client.chat_stream(&request()).await.unwrap();
                while let Some(chunk) = stream.next().await {
                    drop(chunk);
                    // Between two chunks, the call's span is nobody's current span.
                    assert_ne!(tracing::Span::current().metadata().unwrap().name(), "scaigrid.call");
                }
            }
            Doing::Drop => drop(client.chat_stream(&request()).await.unwrap().next().await),
        }
    });
}

#[cfg(feature = "blocking")]
fn in_blocking(emulator: &Emulator, doing: Doing, content: bool) {
    let client = settings(scaigrid::blocking::Client::builder(), emulator, content).build().unwrap();
    match doing {
        Doing::Chat => drop(client.chat(&request())),
        Doing::Models => drop(client.models(&scaigrid::ListModels::new())),
        Doing::Parameters => drop(client.chat(&parameters())),
        Doing::Vectors => drop(client.embed(&EmbedRequest::new("openai/text-embedding-3-small", "a"))),
        Doing::Image => drop(client.generate_images(&GenerateImagesRequest::new(IMAGES, "a"))),
        Doing::SessionStream => {
            drop(client.stream_session_message(&SendSessionMessage::new("sess_1", PROMPT)));
        }
        Doing::Session => drop(client.send_session_message(&SendSessionMessage::new("sess_1", PROMPT))),
        Doing::Stream => client.chat_stream(&request()).unwrap().for_each(drop),
        Doing::Drop => drop(client.chat_stream(&request()).unwrap().next()),
    }
}

/// The exported span of one call, in each colour, and the caller's id.
fn spans(faults: &[Fault], doing: Doing, content: bool, check: impl Fn(&SpanData, SpanId, &Emulator)) {
    let colours: &[fn(&Emulator, Doing, bool)] = &[
        #[cfg(feature = "async")]
        in_async,
        #[cfg(feature = "blocking")]
        in_blocking,
    ];
    for run in colours {
        let mut builder = Emulator::builder();
        for fault in faults {
            builder = builder.fault(fault.clone());
        }
        let emulator = builder.start().unwrap();
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info_span!("caller").in_scope(|| run(&emulator, doing, content));
        });
        let spans = exporter.get_finished_spans().unwrap();
        let caller = spans.iter().find(|span| span.name == "caller").unwrap();
        let calls: Vec<_> = spans.iter().filter(|span| text(span, "scaigrid.endpoint").is_some()).collect();
        let [call] = calls[..] else { panic!("one span per call, not {calls:#?}") };
        assert_eq!(call.parent_span_id, caller.span_context.span_id());
        assert_eq!(call.span_context.trace_id(), caller.span_context.trace_id());
        assert_eq!(call.span_kind, SpanKind::Client);
        let all = format!("{spans:?}");
        assert!(!all.contains(emulator.api_key()));
        assert_eq!(all.contains(PROMPT), content, "{all}");
        assert_eq!(value(call, "server.port"), Some(&Value::I64(port(&emulator))));
        let mut keys: Vec<_> = call.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
        keys.sort_unstable();
        let count = keys.len();
        keys.dedup();
        assert_eq!(keys.len(), count, "no attribute twice: {keys:?}");
        check(call, caller.span_context.span_id(), &emulator);
    }
}

/// The events of our own, beside those of the transport.
fn attempts(span: &SpanData) -> Vec<String> {
    span.events
        .iter()
        .map(|event| format!("{event:?}"))
        .filter(|event| event.contains("scaigrid::"))
        .collect()
}

fn value<'a>(span: &'a SpanData, key: &str) -> Option<&'a Value> {
    span.attributes.iter().find(|attribute| attribute.key.as_str() == key).map(|attribute| &attribute.value)
}

fn text(span: &SpanData, key: &str) -> Option<String> {
    match value(span, key)? {
        Value::String(text) => Some(text.to_string()),
        other => panic!("{key} is {other:?}"),
    }
}

fn number(span: &SpanData, key: &str) -> Option<f64> {
    match value(span, key)? {
        Value::I64(number) => Some(*number as f64),
        Value::F64(number) => Some(*number),
        other => panic!("{key} is {other:?}"),
    }
}

#[track_caller]
fn check_success(span: &SpanData, emulator: &Emulator) {
    assert_eq!(span.name, format!("chat {MODEL}"));
    // Ok is the application's to say.
    assert_eq!(span.status, Status::Unset);
    for (key, expected) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "scaigrid"),
        ("gen_ai.request.model", MODEL),
        ("server.address", "127.0.0.1"),
        ("scaigrid.outcome", "succeeded"),
        ("scaigrid.request_id", &emulator.requests().last().unwrap().request_id),
    ] {
        assert_eq!(text(span, key).as_deref(), Some(expected), "{key}");
    }
    assert!(text(span, "gen_ai.response.model").is_some());
    assert!(text(span, "gen_ai.response.id").is_some());
    let reasons = value(span, "gen_ai.response.finish_reasons").unwrap();
    match cfg!(feature = "opentelemetry") {
        true => assert_eq!(*reasons, Value::Array(Array::String(vec!["stop".into()]))),
        false => assert_eq!(*reasons, Value::String(r#"["stop"]"#.into())),
    }
    assert_eq!(number(span, "gen_ai.request.max_tokens"), Some(20.0));
    assert_eq!(number(span, "gen_ai.request.temperature"), Some(0.5));
    assert_eq!(number(span, "http.response.status_code"), Some(200.0));
    assert!(number(span, "gen_ai.usage.input_tokens").unwrap() > 0.0);
    assert!(number(span, "gen_ai.usage.output_tokens").unwrap() > 0.0);
    assert!(number(span, "scaigrid.duration").unwrap() > 0.0);
    assert_eq!(text(span, "error.type"), None);
}

#[test]
fn a_plain_call() {
    spans(&[], Doing::Chat, false, |span, _, emulator| {
        check_success(span, emulator);
        assert_eq!(value(span, "gen_ai.request.stream"), None);
        assert_eq!(value(span, "http.request.resend_count"), None);
        assert_eq!(attempts(span).len(), 1, "one event per attempt");
    });
}

#[test]
fn a_stream_keeps_its_span_to_its_end() {
    spans(&[], Doing::Stream, false, |span, _, emulator| {
        check_success(span, emulator);
        assert_eq!(value(span, "gen_ai.request.stream"), Some(&Value::Bool(true)));
        let first = number(span, "gen_ai.response.time_to_first_chunk").unwrap();
        assert!(first > 0.0 && first <= number(span, "scaigrid.duration").unwrap());
    });
}

#[test]
fn a_call_that_is_retried_is_one_span() {
    let fault = Fault::error("BACKEND_RATE_LIMITED").retry_after_body(0.01);
    spans(&[fault], Doing::Chat, false, |span, _, emulator| {
        check_success(span, emulator);
        assert_eq!(number(span, "http.request.resend_count"), Some(1.0));
        assert_eq!(attempts(span).len(), 2, "one event per attempt");
        let first = attempts(span)[0].clone();
        assert!(first.contains("BACKEND_RATE_LIMITED") && first.contains("attempt"), "{first}");
    });
}

#[test]
fn a_call_that_fails() {
    spans(&[Fault::error("BUDGET_EXCEEDED")], Doing::Chat, false, |span, _, emulator| {
        assert_eq!(span.status, Status::error("BUDGET_EXCEEDED (HTTP 429)"));
        assert_eq!(text(span, "error.type").as_deref(), Some("BUDGET_EXCEEDED"));
        assert_eq!(text(span, "scaigrid.outcome").as_deref(), Some("failed"));
        assert_eq!(number(span, "http.response.status_code"), Some(429.0));
        let id = emulator.requests().last().unwrap().request_id.clone();
        assert_eq!(text(span, "scaigrid.request_id"), Some(id));
    });
}

#[test]
fn a_stream_that_breaks_tells_what_had_come() {
    spans(&[Fault::cut_after(600)], Doing::Stream, false, |span, _, _| {
        assert_eq!(text(span, "scaigrid.outcome").as_deref(), Some("cut_short"));
        assert!(text(span, "error.type").is_some());
        assert!(matches!(span.status, Status::Error { .. }));
        assert!(text(span, "gen_ai.response.model").is_some());
    });
}

#[test]
fn what_the_request_asks_for_is_told() {
    spans(&[], Doing::Parameters, false, |span, _, _| {
        for (key, expected) in [
            ("gen_ai.request.top_p", 0.9),
            ("gen_ai.request.top_k", 40.0),
            ("gen_ai.request.seed", 7.0),
            ("gen_ai.request.frequency_penalty", 0.25),
            ("gen_ai.request.choice.count", 2.0),
        ] {
            assert_eq!(number(span, key), Some(expected), "{key}");
        }
        // Conventions want a number.
        assert_eq!(value(span, "gen_ai.request.presence_penalty"), None);
        assert_eq!(text(span, "gen_ai.output.type").as_deref(), Some("json"));
    });
    spans(&[], Doing::Vectors, false, |span, _, _| {
        assert_eq!(text(span, "gen_ai.operation.name").as_deref(), Some("embeddings"));
        assert_eq!(value(span, "gen_ai.output.type"), None);
    });
    spans(&[], Doing::Image, false, |span, _, _| {
        assert_eq!(text(span, "gen_ai.output.type").as_deref(), Some("image"));
    });
    for doing in [Doing::Session, Doing::SessionStream] {
        spans(&[], doing, false, |span, _, _| {
            assert_eq!(text(span, "gen_ai.conversation.id").as_deref(), Some("sess_1"));
        });
    }
}

#[test]
fn an_answer_that_cannot_be_decoded_is_no_200() {
    let fault = Fault::response(200, "application/json", r#"{"data":{"choices":7}}"#);
    spans(&[fault], Doing::Chat, false, |span, _, _| {
        assert_eq!(text(span, "error.type").as_deref(), Some("Decode"));
        let attempt = attempts(span)[0].clone();
        assert!(attempt.contains("Decode") && !attempt.contains(r#"String("200")"#), "{attempt}");
    });
}

#[test]
fn a_stream_that_is_dropped() {
    spans(&[], Doing::Drop, false, |span, _, _| {
        assert_eq!(text(span, "scaigrid.outcome").as_deref(), Some("abandoned"));
        assert_eq!(span.status, Status::Unset);
        let first = number(span, "gen_ai.response.time_to_first_chunk").unwrap();
        assert!(first > 0.0 && first <= number(span, "scaigrid.duration").unwrap());
    });
}

#[test]
fn a_call_that_runs_no_model() {
    spans(&[], Doing::Models, false, |span, _, _| {
        assert_eq!(Some(span.name.to_string()), text(span, "scaigrid.endpoint"));
        assert_eq!(value(span, "gen_ai.operation.name"), None);
        assert_eq!(text(span, "scaigrid.outcome").as_deref(), Some("succeeded"));
    });
}

#[test]
fn content_is_recorded_only_on_demand() {
    for doing in [Doing::Chat, Doing::Stream] {
        spans(&[], doing, true, |span, _, _| {
            let input = text(span, "gen_ai.input.messages").unwrap();
            let part = |text: &str| format!(r#"[{{"content":"{text}","type":"text"}}]"#);
            let (system, user) = (part("Be brief."), part(PROMPT));
            let expected =
                format!(r#"[{{"parts":{system},"role":"system"}},{{"parts":{user},"role":"user"}}]"#);
            assert_eq!(input, expected);
            assert_eq!(value(span, "gen_ai.system_instructions"), None);
            assert!(text(span, "gen_ai.output.messages").unwrap().contains(r#""finish_reason":"stop""#));
        });
    }
}

#[test]
fn the_trace_goes_to_the_gateway_with_the_feature_only() {
    spans(&[], Doing::Chat, false, |span, _, emulator| {
        let requests = emulator.requests();
        let headers = &requests.last().unwrap().headers;
        let parent = headers.iter().find(|(name, _)| name == "traceparent").map(|(_, value)| value.clone());
        let ids = &span.span_context;
        let expected = format!("00-{}-{}-01", ids.trace_id(), ids.span_id());
        assert_eq!(parent, cfg!(feature = "opentelemetry").then_some(expected));
    });
}

#[cfg(feature = "opentelemetry")]
#[test]
fn metrics_are_those_of_the_conventions() {
    use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
    use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};

    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
    opentelemetry::global::set_meter_provider(provider.clone());
    let fault = Fault::error("BACKEND_RATE_LIMITED").retry_after_body(0.01);
    spans(&[fault], Doing::Chat, false, |_, _, _| {});
    spans(&[Fault::error("BUDGET_EXCEEDED")], Doing::Chat, false, |_, _, _| {});
    spans(&[], Doing::Stream, false, |_, _, _| {});
    spans(&[], Doing::Drop, false, |_, _, _| {});
    provider.force_flush().unwrap();
    let finished = exporter.get_finished_metrics().unwrap();
    let metrics = || finished.iter().flat_map(|all| all.scope_metrics()).flat_map(|scope| scope.metrics());
    let metric = |name: &str| metrics().find(|metric| metric.name() == name).unwrap();
    let tokens = metric("gen_ai.client.token.usage");
    assert_eq!(tokens.unit(), "{token}");
    let AggregatedMetrics::U64(MetricData::Histogram(tokens)) = tokens.data() else { panic!("{tokens:?}") };
    let attributes = format!("{tokens:?}");
    for part in
        ["gen_ai.token.type", "input", "output", "gen_ai.request.model", "gen_ai.response.model", "chat"]
    {
        assert!(attributes.contains(part), "{part} not in {attributes}");
    }
    assert_eq!(tokens.data_points().next().unwrap().bounds().nth(1), Some(4.0));
    let duration = metric("gen_ai.client.operation.duration");
    assert_eq!(duration.unit(), "s");
    let duration = format!("{:?}", duration.data());
    assert!(duration.contains("BUDGET_EXCEEDED") && duration.contains("server.address"), "{duration}");
    assert!(duration.contains("Cancelled"), "a call that was dropped is no success: {duration}");
    let first = metric("gen_ai.client.operation.time_to_first_chunk");
    assert_eq!(first.unit(), "s");
    let AggregatedMetrics::F64(MetricData::Histogram(first)) = first.data() else { panic!("{first:?}") };
    let point = first.data_points().next().unwrap();
    assert_eq!(point.bounds().collect::<Vec<_>>()[..3], [0.01, 0.02, 0.04]);
    assert!(point.count() > 0 && point.sum() > 0.0);
    let retries = metric("scaigrid.client.retries");
    assert_eq!(retries.unit(), "{retry}");
    assert!(format!("{:?}", retries.data()).contains("BACKEND_RATE_LIMITED"));
}

fn port(emulator: &Emulator) -> i64 {
    emulator.base_url().trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap()
}

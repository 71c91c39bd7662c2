//! Calls whose future is dropped before the answer: what their span has learned by then.

use super::{number, request, text, value};
use opentelemetry::trace::{Status, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use scaigrid::transport::{Body, RequestBody, Timeouts, Transport, TransportError};
use scaigrid::{Client, Clock, StandardPolicy};
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};
use tracing_subscriber::layer::SubscriberExt as _;

const LIMITED: &str = r#"{"status":"error","error":{"code":"RATE_LIMITED"},"meta":{"request_id":"req_1"}}"#;

/// What happens to the next request.
#[derive(Clone, Copy)]
enum Happens {
    Limited,
    /// A head, and then nothing.
    Head(&'static str),
    Nothing,
}

struct Scripted(Mutex<Vec<Happens>>);

/// The pieces of a body, and then nothing, for ever.
struct Silent(Option<&'static str>);

impl futures_core::Stream for Silent {
    type Item = Result<bytes::Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.0.take() {
            Some(text) => Poll::Ready(Some(Ok(text.into()))),
            None => Poll::Pending,
        }
    }
}

#[async_trait::async_trait]
impl Transport for Scripted {
    async fn send(
        &self,
        _: http::Request<RequestBody>,
        _: Timeouts,
    ) -> Result<http::Response<Body>, TransportError> {
        let next = self.0.lock().unwrap().remove(0);
        let head = http::Response::builder();
        Ok(match next {
            Happens::Limited => head.status(429).body(Body::from(bytes::Bytes::from(LIMITED))).unwrap(),
            Happens::Head(kind) => head
                .header("content-type", kind)
                .header("x-scaigrid-request-id", "req_2 sgk_some_test_key")
                .body(Body::new(Silent(Some(" "))))
                .unwrap(),
            Happens::Nothing => std::future::pending().await,
        })
    }
}

/// Each look at it takes a second; waiting takes none.
struct Ticking(Mutex<Instant>);

#[async_trait::async_trait]
impl Clock for Ticking {
    fn now(&self) -> Instant {
        let mut now = self.0.lock().unwrap();
        *now += Duration::from_secs(1);
        *now
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    async fn sleep(&self, _: Duration) {}
}

/// The span of a call that is polled once, and dropped.
fn dropped(happens: &[Happens], is_stream: bool) -> SpanData {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    #[allow(clippy::disallowed_methods, reason = "an instant to count virtual time from")]
    let started = Instant::now();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let client = Client::builder()
            .api_key("sgk_some_test_key")
            .base_url("http://127.0.0.1:9")
            .transport(Scripted(Mutex::new(happens.to_vec())))
            .clock(Ticking(Mutex::new(started)))
            .retry_policy(StandardPolicy::new())
            .build()
            .unwrap();
        let request = request();
        let mut context = Context::from_waker(std::task::Waker::noop());
        let is_pending = match is_stream {
            true => std::pin::pin!(client.chat_stream(&request)).poll(&mut context).is_pending(),
            false => std::pin::pin!(client.chat(&request)).poll(&mut context).is_pending(),
        };
        assert!(is_pending);
    });
    let spans = exporter.get_finished_spans().unwrap();
    let [span] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(text(span, "scaigrid.outcome").as_deref(), Some("abandoned"));
    assert_eq!((&span.status, value(span, "error.type")), (&Status::Unset, None));
    assert!(number(span, "scaigrid.duration").unwrap() >= 1.0);
    assert_eq!(value(span, "gen_ai.response.time_to_first_chunk"), None);
    span.clone()
}

#[test]
fn before_any_answer() {
    for is_stream in [false, true] {
        let span = dropped(&[Happens::Nothing], is_stream);
        for unknown in ["scaigrid.request_id", "http.response.status_code", "http.request.resend_count"] {
            assert_eq!(value(&span, unknown), None, "{unknown}");
        }
    }
}

#[test]
fn after_an_attempt_that_failed() {
    for is_stream in [false, true] {
        let span = dropped(&[Happens::Limited, Happens::Nothing], is_stream);
        assert_eq!(text(&span, "scaigrid.request_id").as_deref(), Some("req_1"));
        assert_eq!(number(&span, "http.response.status_code"), Some(429.0));
        assert_eq!(number(&span, "http.request.resend_count"), Some(1.0));
    }
}

#[test]
fn after_the_head_of_the_answer() {
    for (kind, is_stream) in
        [("application/json", false), ("text/event-stream", true), ("application/json", true)]
    {
        let span = dropped(&[Happens::Limited, Happens::Head(kind)], is_stream);
        // The server has echoed the key.
        assert_eq!(text(&span, "scaigrid.request_id").as_deref(), Some("req_2 [redacted]"));
        assert_eq!(number(&span, "http.response.status_code"), Some(200.0));
        assert_eq!(number(&span, "http.request.resend_count"), Some(1.0));
    }
}

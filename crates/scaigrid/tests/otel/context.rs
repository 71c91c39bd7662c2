//! The trace context is the gateway's business, and nobody else's.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use scaigrid::{BatchJob, Image};
use std::sync::{Arc, Mutex};
use tracing_subscriber::layer::SubscriberExt as _;

const GATEWAY: &str = "https://gateway.test";

/// Each request: its address, and whether it carries the trace.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<(String, bool)>>>);

impl Seen {
    /// Redirects to another origin; anything else is an empty file.
    fn answer<B>(&self, request: &http::Request<B>) -> http::response::Builder {
        let carries = ["traceparent", "tracestate"].iter().any(|name| request.headers().contains_key(*name));
        self.0.lock().unwrap().push((request.uri().to_string(), carries));
        match request.uri().path() {
            "/v1/moved" => http::Response::builder().status(307).header("location", "https://cdn.example/x"),
            _ => http::Response::builder().header("content-type", "image/png"),
        }
    }
}

/// What is fetched from where, and whether the gateway's own origin is asked.
const URLS: [(&str, bool); 6] = [
    ("https://gateway.test/media/1", true),
    ("/media/1", true),
    ("https://cdn.example/1?signature=x", false),
    ("http://gateway.test/media/1", false),
    ("https://gateway.test:8443/media/1", false),
    ("https://gateway.test.evil.example/media/1", false),
];

fn job(url: &str) -> BatchJob {
    serde_json::from_value(serde_json::json!({"id": "b", "status": "completed", "output_file_url": url}))
        .unwrap()
}

fn image(url: &str) -> Image {
    serde_json::from_value(serde_json::json!({"url": url})).unwrap()
}

/// Runs it within a trace.
fn traced(run: impl FnOnce()) {
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::info_span!("caller").in_scope(run);
    });
}

fn check(seen: &Seen) {
    let seen = std::mem::take(&mut *seen.0.lock().unwrap());
    let mut expected = Vec::new();
    for (url, is_ours) in URLS {
        let whole = if url.starts_with('/') { format!("{GATEWAY}{url}") } else { url.to_owned() };
        expected.extend([(whole.clone(), is_ours), (whole.clone(), is_ours), (whole, is_ours)]);
    }
    // The redirect is not followed.
    expected.push((format!("{GATEWAY}/v1/moved"), true));
    assert_eq!(seen, expected);
}

#[cfg(feature = "async")]
mod in_async {
    use super::*;
    use scaigrid::transport::{Body, RequestBody, Timeouts, Transport, TransportError};

    #[async_trait::async_trait]
    impl Transport for Seen {
        async fn send(
            &self,
            request: http::Request<RequestBody>,
            _: Timeouts,
        ) -> Result<http::Response<Body>, TransportError> {
            Ok(self.answer(&request).body(Body::from(bytes::Bytes::new())).unwrap())
        }
    }

    #[test]
    fn it_stays_with_the_gateway_async() {
        let seen = Seen::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        traced(|| {
            let builder = scaigrid::Client::builder().base_url(GATEWAY).api_key("sgk_some_test_key");
            let client = builder.transport(seen.clone()).build().unwrap();
            runtime.block_on(async {
                for (url, _) in URLS {
                    client.download_url(url).await.unwrap();
                    client.download_image(&image(url)).await.unwrap();
                    client.batch_results(&job(url)).await.unwrap();
                }
                client.send(&scaigrid::RawRequest::get("/v1/moved")).await.unwrap_err();
            });
        });
        check(&seen);
    }
}

#[cfg(feature = "blocking")]
mod in_blocking {
    use super::*;
    use scaigrid::transport::blocking::{Body, RequestBody, Transport};
    use scaigrid::transport::{Timeouts, TransportError};

    impl Transport for Seen {
        fn send(
            &self,
            request: http::Request<RequestBody>,
            _: Timeouts,
        ) -> Result<http::Response<Body>, TransportError> {
            Ok(self.answer(&request).body(Body::from(bytes::Bytes::new())).unwrap())
        }
    }

    #[test]
    fn it_stays_with_the_gateway_blocking() {
        let seen = Seen::default();
        traced(|| {
            let builder =
                scaigrid::blocking::Client::builder().base_url(GATEWAY).api_key("sgk_some_test_key");
            let client = builder.transport(seen.clone()).build().unwrap();
            for (url, _) in URLS {
                client.download_url(url).unwrap();
                client.download_image(&image(url)).unwrap();
                client.batch_results(&job(url)).unwrap();
            }
            client.send(&scaigrid::RawRequest::get("/v1/moved")).unwrap_err();
        });
        check(&seen);
    }
}

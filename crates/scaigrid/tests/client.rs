//! The clients as values: their traits and sizes, what they print, how they are overridden, and mocks.
#![cfg(any(feature = "async", feature = "blocking"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use scaigrid::{BearerToken, Error, ErrorKind, Reply};
use std::fmt::Debug;
use std::time::Duration;

const KEY: &str = "sgk_do_not_print_this_key";
const HEADER: &str = "do-not-print-this-header";

fn is_a_shared_value<T: Send + Sync + Clone + Debug + 'static>() {}

#[test]
fn an_error_is_one_pointer() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    fn is_an_error<T: std::error::Error + Send + Sync + 'static>() {}
    is_an_error::<Error>();
    fn is_send<T: Send + Sync + Debug>() {}
    is_send::<Reply<String>>();
    is_a_shared_value::<BearerToken>();
}

/// All that can be printed about a client, its builder, and a failed call.
fn assert_silent(printed: &[String]) {
    for text in printed {
        for secret in [KEY, HEADER, "c2drX2RvX25vdF9wcmludF90aGlzX2tleQ"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[cfg(feature = "async")]
mod in_async {
    use super::*;
    use mockall::predicate::always;
    use scaigrid::transport::{Body, MockTransport, TransportError, TransportErrorKind};
    use scaigrid::{ChatRequest, Client, Decision, ListModels, StopReason};
    use scaigrid_retry::MockRetryPolicy;

    fn builder() -> scaigrid::ClientBuilder {
        Client::builder().api_key(KEY).base_url("http://127.0.0.1:9").header("x-team", HEADER)
    }

    #[test]
    fn a_client_is_a_shared_value() {
        is_a_shared_value::<Client>();
        fn is_send<T: Send>(_: T) {}
        let client = builder().build().unwrap();
        is_send(client.chat(&ChatRequest::new("m")));
        is_send(client.wait_for_batch("b", scaigrid::Polling::new()));
        is_send(async { client.download_url("https://example.com").await?.save("x").await });
        is_send(client.items(ListModels::new()));
        is_send(async {
            let mut pages = client.pages(ListModels::new());
            pages.next().await
        });
    }

    #[tokio::test]
    async fn nothing_secret_is_printed() {
        let builder = builder();
        let client = builder.clone().build().unwrap();
        let request = ChatRequest::new("m").user("Hello");
        let error = client
            .with_retry_policy(scaigrid::StandardPolicy::no_retries())
            .chat(&request)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        let wrong = Client::builder().api_key(format!("{KEY}\n")).build().unwrap_err();
        let in_url = Client::builder().base_url(format!("https://user:{KEY}@example.com"));
        assert_silent(&[
            format!("{builder:?} {client:?} {error:?} {error} {error:#?}"),
            format!("{wrong:?} {wrong} {in_url:?} {:?}", in_url.clone().api_key("sgk_x").build()),
        ]);
    }

    #[tokio::test]
    async fn a_request_on_its_way_prints_no_secret() {
        let mut transport = MockTransport::new();
        transport.expect_send().times(1).returning(|request, timeouts| {
            assert_eq!(request.headers()["authorization"], format!("Bearer {KEY}"));
            assert_eq!(timeouts.attempt, Some(Duration::from_secs(5)));
            assert_silent(&[format!("{request:?}")]);
            Err(TransportError::new(TransportErrorKind::Tls))
        });
        let client = builder().transport(transport).build().unwrap();
        let error = client.with_timeout(Duration::from_secs(5)).models(&ListModels::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls);
    }

    #[tokio::test]
    async fn the_policy_decides() {
        let mut policy = MockRetryPolicy::new();
        policy.expect_decide().with(always()).times(1).returning(|failed| {
            assert_eq!((failed.attempt, failed.hint), (1, Some(Duration::from_secs(7))));
            Decision::Stop(StopReason::NotRetryable)
        });
        let mut transport = MockTransport::new();
        transport.expect_send().times(1).returning(|_, _| {
            let body = Body::from(bytes::Bytes::from_static(b"busy"));
            Ok(http::Response::builder().status(503).header("retry-after", "7").body(body).unwrap())
        });
        let client = builder().transport(transport).build().unwrap().with_retry_policy(policy);
        let error = client.model("m").await.unwrap_err();
        assert_eq!(error.stop_reason(), Some(StopReason::NotRetryable));
    }

    #[tokio::test]
    async fn overrides_leave_the_original_alone() {
        let client = builder().build().unwrap();
        let other = client.with_timeout(Duration::from_secs(1)).with_header("x-tenant", "t").unwrap();
        assert!(format!("{other:?}").contains("timeout: 1s") && format!("{other:?}").contains("x-tenant"));
        assert!(
            format!("{client:?}").contains("timeout: 60s") && !format!("{client:?}").contains("x-tenant")
        );
        assert_eq!(client.with_header("host", "x").unwrap_err().kind(), ErrorKind::Config);
        assert_eq!(client.base_url(), "http://127.0.0.1:9");
    }

    #[test]
    fn https_needs_tls() {
        let built = Client::builder().api_key("sgk_x").base_url("https://example.com").build();
        if cfg!(any(feature = "rustls", feature = "native-tls")) {
            built.unwrap();
        } else {
            let error = built.unwrap_err();
            assert!(error.kind() == ErrorKind::Config, "{error:?}");
            assert!(error.to_string().contains("`rustls` or `native-tls`"), "{error}");
        }
    }
}

#[cfg(feature = "blocking")]
mod in_blocking {
    use super::*;
    use scaigrid::blocking::Client;
    use scaigrid::transport::blocking::{Body, MockTransport};
    use scaigrid::{ChatRequest, Decision, ListModels, StopReason};
    use scaigrid_retry::MockRetryPolicy;

    fn builder() -> scaigrid::blocking::ClientBuilder {
        Client::builder().api_key(KEY).base_url("http://127.0.0.1:9").header("x-team", HEADER)
    }

    #[test]
    fn a_client_is_a_shared_value() {
        is_a_shared_value::<Client>();
    }

    #[test]
    fn nothing_secret_is_printed() {
        let builder = builder();
        let client = builder.clone().build().unwrap();
        let request = ChatRequest::new("m").user("Hello");
        let error =
            client.with_retry_policy(scaigrid::StandardPolicy::no_retries()).chat(&request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert_silent(&[format!("{builder:?} {client:?} {error:?} {error} {error:#?}")]);
    }

    #[test]
    fn a_request_on_its_way_prints_no_secret_and_the_policy_decides() {
        let mut transport = MockTransport::new();
        transport.expect_send().times(1).returning(|request, timeouts| {
            assert_eq!(request.headers()["authorization"], format!("Bearer {KEY}"));
            assert_eq!(timeouts.attempt, Some(Duration::from_secs(5)));
            assert_silent(&[format!("{request:?}")]);
            let body = Body::from(bytes::Bytes::from_static(b"busy"));
            Ok(http::Response::builder().status(503).header("retry-after", "7").body(body).unwrap())
        });
        let mut policy = MockRetryPolicy::new();
        policy.expect_decide().times(1).returning(|failed| {
            assert_eq!((failed.attempt, failed.hint), (1, Some(Duration::from_secs(7))));
            Decision::Stop(StopReason::NotRetryable)
        });
        let client = builder().transport(transport).build().unwrap().with_retry_policy(policy);
        let error = client.with_timeout(Duration::from_secs(5)).models(&ListModels::new()).unwrap_err();
        assert_eq!(error.stop_reason(), Some(StopReason::NotRetryable));
    }
}

//! One attempt to deliver: sign, post, and see what comes back.

use super::store::Order;
use super::target::Target;
use crate::clock;
use axum::body::Body;
use axum::http::header::{CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use axum::http::{HeaderName, Method, Request, StatusCode};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use sha2::Sha256;
use std::fmt::Write;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpStream;

/// Documented.
const SIGNATURE: HeaderName = HeaderName::from_static("x-scaigrid-signature");

/// The name is assumed: the documentation has the header, in Unix seconds, without its name.
const TIMESTAMP: HeaderName = HeaderName::from_static("x-scaigrid-timestamp");

/// How much of an answer's body is read. It says nothing, but some receivers mind not getting rid of it.
const MAX_DRAINED: usize = 64 * 1024;
const DRAIN_LIMIT: Duration = Duration::from_secs(1);

/// What came of one attempt.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// `None` when there was no answer.
    pub(crate) status_code: Option<u16>,
    pub(crate) duration_ms: u64,
    /// `None` for a success.
    pub(crate) error: Option<String>,
}

/// Posts a body. Documented: anything but a 2xx within the limit is a failure. Redirects are not followed.
pub(crate) async fn post(order: &Order, body: Bytes, limit: Duration) -> Outcome {
    let started = clock::monotonic();
    let answer = match tokio::time::timeout(limit, exchange(order, body)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} ms", limit.as_millis())),
    };
    let elapsed = clock::monotonic().saturating_duration_since(started);
    let (status_code, error) = match answer {
        Ok(status) if status.is_success() => (Some(status.as_u16()), None),
        Ok(status) => (Some(status.as_u16()), Some(format!("the receiver answered {}", status.as_u16()))),
        Err(error) => (None, Some(error)),
    };
    Outcome { status_code, duration_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX), error }
}

async fn exchange(order: &Order, body: Bytes) -> Result<StatusCode, String> {
    let target = Target::parse(&order.url)?;
    if target.needs_tls {
        return Err("the emulator has no TLS and cannot deliver to an https URL".to_owned());
    }
    let request = request(&target, order.secret.as_deref(), body).map_err(|error| error.to_string())?;
    let stream = TcpStream::connect(target.addresses.as_slice()).await;
    let stream = stream.map_err(|error| format!("cannot connect: {error}"))?;
    let broken = |error: hyper::Error| format!("the connection broke: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let mut answer = pin!(async {
        let (head, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
        // Late or missing parts of the body change nothing.
        let _ = tokio::time::timeout(DRAIN_LIMIT, drain(body)).await;
        Ok(head.status)
    });
    // Both in one future, so that dropping it drops the connection: deleted webhooks get nothing more.
    let mut connection = pin!(connection);
    let mut is_open = true;
    poll_fn(|cx| {
        if is_open && connection.as_mut().poll(cx).is_ready() {
            is_open = false;
        }
        match answer.as_mut().poll(cx) {
            // What it has just sent still has to be written.
            Poll::Pending if is_open && connection.as_mut().poll(cx).is_ready() => {
                is_open = false;
                answer.as_mut().poll(cx)
            }
            polled => polled,
        }
    })
    .await
}

fn request(target: &Target, secret: Option<&str>, body: Bytes) -> Result<Request<Body>, axum::http::Error> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(target.path.as_str())
        .header(HOST, target.host.as_str())
        .header(CONNECTION, "close")
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("scaigrid-emulator/", env!("CARGO_PKG_VERSION")))
        .header(TIMESTAMP, clock::unix_seconds());
    if let Some(signature) = secret.and_then(|secret| signature(secret, &body)) {
        request = request.header(SIGNATURE, signature);
    }
    request.body(Body::from(body))
}

/// Documented: HMAC-SHA256 of the raw body, keyed with the whole secret as it is, in lower-case hex.
fn signature(secret: &str, body: &[u8]) -> Option<String> {
    // Keys of any length are fine for HMAC.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(body);
    let mut text = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        write!(text, "{byte:02x}").ok()?;
    }
    Some(text)
}

async fn drain(body: Incoming) {
    let mut body = pin!(body);
    let mut length = 0;
    while let Some(Ok(frame)) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        length += frame.data_ref().map_or(0, Bytes::len);
        if length > MAX_DRAINED {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_hmac_sha256_of_the_body() {
        // RFC 4231, test case 2.
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?").unwrap(),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}

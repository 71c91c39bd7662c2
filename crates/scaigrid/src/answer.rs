//! What an outcome means: a reply, or a failure with all that is known about it.

use crate::call::Outcome;
use crate::clock::Now;
use crate::reply::REQUEST_ID;
use crate::{AttemptReport, Error, ErrorKind, hint};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header};
use scaigrid_retry::{Failure, TransportFailure};
use scaigrid_transport::{Timeouts, TransportErrorKind};
use scaigrid_types::{
    DecodeError, DownloadEndpoint, Endpoint, ErrorCode, ErrorEnvelope, ReplyError, ResponseBody,
};
use serde_json::Value;
use std::time::Duration;

/// An answer that is a success.
pub(crate) struct Answer {
    pub(crate) head: http::response::Parts,
    pub(crate) body: Bytes,
    pub(crate) request_id: Option<String>,
}

/// An attempt that failed.
pub(crate) struct Failed {
    pub(crate) error: Error,
    pub(crate) hint: Option<Duration>,
}

impl Failed {
    pub(crate) fn code(&self) -> Option<&ErrorCode> {
        self.error.code()
    }

    pub(crate) fn status(&self) -> Option<StatusCode> {
        self.error.status()
    }

    /// The trace that it leaves.
    pub(crate) fn report(&self, endpoint: &'static str, number: u32, elapsed: Duration) -> AttemptReport {
        AttemptReport {
            endpoint,
            number,
            error: Some(self.error.kind()),
            status: self.status(),
            code: self.code().cloned(),
            transport: self.error.transport_kind(),
            request_id: self.error.request_id().map(str::to_owned),
            elapsed,
            wait: None,
            wait_source: None,
            stop_reason: None,
        }
    }

    /// What the retry policy sees. `None` when no policy could help.
    pub(crate) fn failure(&self) -> Option<Failure<'_>> {
        match (self.error.kind(), self.status()) {
            (ErrorKind::Api | ErrorKind::Http | ErrorKind::Proxy, Some(status)) => {
                Some(Failure::Response { status: status.as_u16(), code: self.code() })
            }
            _ => {
                let kind = self.error.transport_kind()?;
                Some(Failure::Transport { kind: transport_failure(kind), may_have_run: kind.may_have_run() })
            }
        }
    }
}

fn transport_failure(kind: TransportErrorKind) -> TransportFailure {
    use TransportErrorKind as Kind;
    match kind {
        Kind::InvalidRequest | Kind::RequestBody => TransportFailure::InvalidRequest,
        Kind::Dns => TransportFailure::Dns,
        Kind::Connect | Kind::ConnectTimeout => TransportFailure::Connect,
        Kind::Tls => TransportFailure::Tls,
        Kind::Proxy => TransportFailure::Proxy,
        Kind::Timeout | Kind::FirstByteTimeout | Kind::ReadTimeout => TransportFailure::Timeout,
        Kind::Cancelled => TransportFailure::Cancelled,
        Kind::Interrupted | Kind::Protocol => TransportFailure::Interrupted,
        Kind::BodyTooLarge => TransportFailure::BodyTooLarge,
    }
}

/// Sorts an outcome. `limits` are those that the attempt had.
pub(crate) fn judge<E: Endpoint>(
    endpoint: &E,
    outcome: Outcome,
    limits: Timeouts,
    now: Now,
) -> Result<(E::Reply, Answer), Failed> {
    let (head, body) = match outcome {
        Outcome::Answer(head, body) => (head, body),
        // The status says more than the broken body.
        Outcome::BrokenAnswer(head, error)
            if !endpoint.accepts_status(head.status.as_u16())
                && error.kind() != TransportErrorKind::Cancelled =>
        {
            (head, Bytes::new())
        }
        Outcome::BrokenAnswer(head, error) => {
            let request_id = header_text(&head.headers, &REQUEST_ID);
            return Err(failed(Error::transport(error, limits), head, Bytes::new(), request_id, None));
        }
        Outcome::NoAnswer(error) => {
            return Err(Failed { error: Error::transport(error, limits), hint: None });
        }
    };
    if !endpoint.accepts_status(head.status.as_u16()) {
        return Err(refused(head, body, now));
    }
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match endpoint.decode(ResponseBody::new(&body, content_type).with_status(head.status.as_u16())) {
        Ok(value) => {
            let request_id = request_id(&head.headers, &body);
            Ok((value, Answer { head, body, request_id }))
        }
        Err(ReplyError::Api(envelope)) => Err(api_failure(*envelope, head, body, now)),
        Err(ReplyError::Decode(error)) => Err(undecodable(error, head, body)),
        // The enum may grow.
        Err(error) => Err(undecodable(DecodeError::new("", error.to_string()), head, body)),
    }
}

/// Whether an answer is the file that was asked for.
pub(crate) fn is_file<E: DownloadEndpoint>(endpoint: &E, head: &http::response::Parts) -> bool {
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    endpoint.accepts_status(head.status.as_u16()) && endpoint.is_file(content_type)
}

fn refused(head: http::response::Parts, body: Bytes, now: Now) -> Failed {
    if let Some(envelope) = ErrorEnvelope::from_slice(&body) {
        return api_failure(envelope, head, body, now);
    }
    let hint = hint::retry_after(head.status, &head.headers, None, now.system);
    let kind = match head.status {
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => ErrorKind::Proxy,
        _ => ErrorKind::Http,
    };
    let message = match header_text(&head.headers, &header::LOCATION) {
        Some(location) if head.status.is_redirection() => format!(
            "redirected to {}; the client follows no redirects: set the base URL to the final address",
            without_query(&location)
        ),
        _ => snippet(&body).unwrap_or_else(|| {
            head.status.canonical_reason().unwrap_or("the server gave no reason").to_owned()
        }),
    };
    let request_id = request_id(&head.headers, &body);
    failed(Error::new(kind, message), head, body, request_id, hint)
}

pub(crate) fn api_failure(
    envelope: ErrorEnvelope,
    head: http::response::Parts,
    body: Bytes,
    now: Now,
) -> Failed {
    let hint = hint::retry_after(head.status, &head.headers, envelope.error.retry_after, now.system);
    let request_id = header_text(&head.headers, &REQUEST_ID)
        .or_else(|| envelope.request_id().filter(|id| !id.is_empty()).map(str::to_owned));
    let api = envelope.error;
    let message = match (&api.message, &api.code) {
        (Some(message), _) => message.clone(),
        (None, Some(code)) => code.to_string(),
        (None, None) => "the gateway gave no reason".to_owned(),
    };
    let mut failed = failed(Error::new(ErrorKind::Api, message), head, body, request_id, hint);
    failed.error.context_mut().api = Some(api);
    failed
}

fn undecodable(error: DecodeError, head: http::response::Parts, body: Bytes) -> Failed {
    let request_id = request_id(&head.headers, &body);
    let content_type = header_text(&head.headers, &header::CONTENT_TYPE);
    let body_form = ResponseBody::new(&body, content_type.as_deref());
    let error = match content_type {
        // A login page, say: the place of a JSON error in it helps nobody.
        Some(content_type) if !body_form.is_json() && !body_form.is_empty() => {
            let message =
                format!("the answer is `{content_type}` where JSON was expected: check the base URL");
            Error::new(ErrorKind::Decode, message).with_source(error)
        }
        _ => Error::decode(error),
    };
    failed(error, head, body, request_id, None)
}

fn failed(
    mut error: Error,
    head: http::response::Parts,
    body: Bytes,
    request_id: Option<String>,
    hint: Option<Duration>,
) -> Failed {
    let context = error.context_mut();
    // A refusal ran nothing. A gateway that fails, or fails behind a success, may have.
    context.may_have_run |= head.status.is_server_error() || head.status.is_success();
    context.status = Some(head.status);
    context.headers = head.headers;
    context.body = body;
    context.request_id = request_id;
    context.retry_after = hint;
    Failed { error, hint }
}

/// Header first, body second; both are optional.
pub(crate) fn request_id(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    header_text(headers, &REQUEST_ID).or_else(|| {
        #[derive(serde::Deserialize)]
        struct Body {
            meta: Option<Value>,
        }
        let body: Body = serde_json::from_slice(body).ok()?;
        let id = body.meta?.get("request_id")?.as_str()?.to_owned();
        (!id.is_empty()).then_some(id)
    })
}

fn header_text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A short piece of a body that is not the gateway's, on one line.
fn snippet(body: &[u8]) -> Option<String> {
    const LONGEST: usize = 200;
    // Enough bytes for that many characters, and no more, of a body that may be large.
    let start = body.get(..LONGEST * 8).unwrap_or(body);
    let text = String::from_utf8_lossy(start);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        return None;
    }
    let mut short: String = words.chars().take(LONGEST).collect();
    if short.len() < words.len() || start.len() < body.len() {
        short.push_str("...");
    }
    Some(short)
}

/// Queries of redirects hold tokens now and then.
fn without_query(location: &str) -> &str {
    location.split(['?', '#']).next().unwrap_or_default()
}

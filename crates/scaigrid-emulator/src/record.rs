//! What the emulator received.

use crate::sync::lock;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use bytes::Bytes;
use std::fmt;
use std::sync::Mutex;

/// One request that the emulator received, on any path, also when a fault answered it.
///
/// `Debug` leaves out what may be secret: values of the query, of headers that are not the client's own, and the body.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The method, such as `POST`.
    pub method: String,
    /// The path as sent, percent-encoded.
    pub path: String,
    /// The query as sent, without the `?`.
    pub query: Option<String>,
    /// All headers in order, names in lower case. The value of `Authorization` is `Bearer [redacted]`.
    pub headers: Vec<(String, String)>,
    /// The whole body. Empty when it was too large or broken.
    pub body: Bytes,
    /// The id that the emulator gave the request.
    pub request_id: String,
    /// The HTTP status of the answer. `None` while there is none, and when the connection was closed, reset,
    /// cut, or fed with raw bytes instead. A stream has one from its head on, however it ends.
    pub status: Option<u16>,
    /// Which TCP connection brought it, counted from 0.
    pub connection: u64,
    /// Whether the client closed the connection before the answer was complete: before it began, or in the
    /// middle of a stream. Known at once, also while the emulator waits or stalls. Closing only the writing
    /// side counts as leaving.
    pub client_left: bool,
}

impl RecordedRequest {
    /// The first value of a header; the name is compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When the body is not JSON.
    pub fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: [&str; 9] = [
            "accept",
            "accept-encoding",
            "connection",
            "content-length",
            "content-type",
            "expect",
            "host",
            "transfer-encoding",
            "user-agent",
        ];
        let shown = |name: &str, value: &str| match SHOWN.contains(&name) {
            true => format!("{name}: {value}"),
            false => format!("{name}: [redacted]"),
        };
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| shown(name, value)).collect();
        let names = self.query.as_ref().map(|query| {
            let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
            names.collect::<Vec<_>>()
        });
        f.debug_struct("RecordedRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &names)
            .field("headers", &headers)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("request_id", &self.request_id)
            .field("status", &self.status)
            .field("connection", &self.connection)
            .field("client_left", &self.client_left)
            .finish()
    }
}

/// The headers as text, without the credential.
pub(crate) fn headers_without_secrets(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        let value = match name {
            name if name == AUTHORIZATION => "Bearer [redacted]".to_owned(),
            _ => String::from_utf8_lossy(value.as_bytes()).into_owned(),
        };
        (name.as_str().to_owned(), value)
    };
    headers.iter().map(text).collect()
}

/// All requests in order.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    requests: Mutex<Vec<RecordedRequest>>,
    /// A server that runs for days must not keep every body.
    disabled: bool,
}

impl Recorder {
    pub(crate) fn disabled() -> Self {
        Self { disabled: true, ..Self::default() }
    }

    pub(crate) fn push(&self, request: RecordedRequest) {
        if !self.disabled {
            lock(&self.requests).push(request);
        }
    }

    pub(crate) fn set_status(&self, request_id: &str, status: u16) {
        self.change(request_id, |request| request.status = Some(status));
    }

    pub(crate) fn set_client_left(&self, request_id: &str) {
        self.change(request_id, |request| request.client_left = true);
    }

    fn change(&self, request_id: &str, change: impl FnOnce(&mut RecordedRequest)) {
        let mut requests = lock(&self.requests);
        // The newest first: it is nearly always the one.
        if let Some(request) = requests.iter_mut().rev().find(|request| request.request_id == request_id) {
            change(request);
        }
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        lock(&self.requests).clone()
    }
}

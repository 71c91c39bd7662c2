//! What comes back when a call succeeds.

use crate::{AttemptReport, RetryReport};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, SystemTime};

/// The response header with the request id. Documented.
pub(crate) static REQUEST_ID: HeaderName = HeaderName::from_static("x-scaigrid-request-id");

/// A decoded reply of type `T`, and all that came with it.
///
/// It derefs to `T`, so `reply.text()` works on the reply of a chat call.
///
/// ```
/// # #[cfg(feature = "blocking")] {
/// use scaigrid::ChatRequest;
/// use scaigrid::testing::{Answer, ScriptedTransport};
///
/// let gateway = ScriptedTransport::new().answer(Answer::chat("Hello").header("x-scaigrid-request-id", "req_1"));
/// let client = gateway.blocking_client_builder().build().unwrap();
/// let reply = client.chat(&ChatRequest::new("scailabs/poolnoodle-omni").user("Hi")).unwrap();
/// assert_eq!(reply.text(), "Hello");
/// assert_eq!((reply.request_id(), reply.attempts()), (Some("req_1"), 1));
/// let completion = reply.into_inner();
/// assert_eq!(completion.choices.len(), 1);
/// # }
/// ```
#[derive(Clone)]
pub struct Reply<T> {
    value: T,
    /// In a box: replies are handed on more often than their facts are looked at.
    pub(crate) facts: Box<Facts>,
}

/// What a reply carries beside its value.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) request_id: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) history: Vec<AttemptReport>,
    pub(crate) elapsed: Duration,
    pub(crate) endpoint: &'static str,
    /// When the reply had come.
    pub(crate) at: SystemTime,
}

impl<T> Reply<T> {
    pub(crate) fn new(value: T, facts: Facts) -> Self {
        Self { value, facts: Box::new(facts) }
    }

    /// The value without the facts around it.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The same facts around another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Reply<U> {
        Reply { value: f(self.value), facts: self.facts }
    }

    /// The gateway's id for this request, such as `req_abc123`. Log it: support finds the whole trace by it. From
    /// the `X-Scaigrid-Request-Id` header, else from the body. `None` when the server sent neither.
    pub fn request_id(&self) -> Option<&str> {
        self.facts.request_id.as_deref()
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.facts.status
    }

    /// The response headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.facts.headers
    }

    /// The state of the rate limit, as far as the server tells.
    pub fn rate_limit(&self) -> RateLimit {
        RateLimit::from_headers(&self.facts.headers)
    }

    /// How many requests were sent for this reply, at least 1.
    pub fn attempts(&self) -> u32 {
        self.facts.attempts
    }

    /// The attempts that failed before this reply came, oldest first. Usually empty.
    pub fn history(&self) -> &[AttemptReport] {
        &self.facts.history
    }

    /// How the call went, attempt by attempt: [`history`](Self::history) with a `Display` for logs.
    pub fn retry_report(&self) -> RetryReport<'_> {
        RetryReport { attempts: self.attempts(), failed: self.history(), elapsed: self.elapsed() }
    }

    /// Time from the begin of the call to this reply, waits included.
    pub fn elapsed(&self) -> Duration {
        self.facts.elapsed
    }

    /// One line for a support ticket, as [`Error::support_line`](crate::Error::support_line), for a reply that is not what
    /// it should be. Holds nothing of the reply's text.
    pub fn support_line(&self) -> String {
        crate::support::Line {
            endpoint: Some(self.facts.endpoint),
            outcome: "succeeded",
            error: None,
            status: Some(self.facts.status),
            request_id: self.request_id(),
            at: Some(self.facts.at),
            attempts: self.facts.attempts,
        }
        .to_string()
    }

    /// The body as it came, for fields that `T` does not name. Shared, not copied.
    pub fn body(&self) -> &Bytes {
        &self.facts.body
    }
}

impl<T> Deref for Reply<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Reply<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// Leaves out headers and body, which may hold secrets.
impl<T: fmt::Debug> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("value", &self.value)
            .field("request_id", &self.facts.request_id)
            .field("status", &self.facts.status)
            .field("attempts", &self.facts.attempts)
            .field("elapsed", &self.facts.elapsed)
            .finish_non_exhaustive()
    }
}

/// The state of the rate limit, from the `X-Scaigrid-Ratelimit-*` headers.
///
/// The headers are documented for a 429 and assumed for successes (docs: `advanced/rate-limiting`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// Requests allowed in the window, usually a minute.
    pub limit: Option<u64>,
    /// Requests that are left in the window.
    pub remaining: Option<u64>,
    /// When the window resets, in seconds since the Unix epoch.
    pub reset: Option<u64>,
}

impl RateLimit {
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse().ok();
        Self {
            limit: number("x-scaigrid-ratelimit-limit"),
            remaining: number("x-scaigrid-ratelimit-remaining"),
            reset: number("x-scaigrid-ratelimit-reset"),
        }
    }
}

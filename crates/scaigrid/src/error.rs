//! The one error type.

mod convert;
mod print;

use crate::one_line::Secrets;
use crate::{AttemptReport, BoxError, RateLimit, RetryReport};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use scaigrid_retry::StopReason;
use scaigrid_transport::{Timeouts, TransportError, TransportErrorKind};
use scaigrid_types::{ApiError, ChatCompletion, DecodeError, ErrorCode, FieldError};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// What kind of thing went wrong. Match on this first, then on [`Error::code`] for [`Api`](ErrorKind::Api).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client cannot be built with these settings. The message names the setting.
    Config,
    /// The request cannot be sent as it is. Nothing was sent.
    InvalidRequest,
    /// A file or reader of the caller's could not be read, or a file not be written. The source says why.
    File,
    /// The token provider failed. Its error is the source.
    TokenProvider,
    /// The gateway answered with an error: look at [`Error::code`].
    Api,
    /// An answer with a failure status that does not come from the gateway itself, such as a proxy's HTML page,
    /// or a redirect.
    Http,
    /// No connection: the host did not resolve, refused, or did not answer in time. Nothing was sent.
    Connect,
    /// No trusted TLS connection. Nothing was sent.
    Tls,
    /// The proxy refused, or wants to know who asks (HTTP 407). Nothing was sent to the gateway.
    Proxy,
    /// No complete answer in time. The call may have run.
    Timeout,
    /// The connection broke, or what came is not HTTP. The call may have run.
    Connection,
    /// The answer is larger than the client's limit.
    BodyTooLarge,
    /// The client's own [`BudgetGuard`](crate::BudgetGuard) holds the call back. Nothing was sent.
    BudgetGuard,
    /// Another thread ended the call. When it waited for another attempt, the failure before is the source.
    Cancelled,
    /// A stream ended without `[DONE]`: its end is missing. [`Error::partial`] has what came.
    StreamTruncated,
    /// A stream was silent for too long. [`Error::partial`] has what came.
    IdleTimeout,
    /// The call succeeded, but its answer does not have the expected form. [`Error::body`] has it.
    Decode,
}

/// Why a call failed. One pointer wide.
///
/// `Display` is one line that says what happened, the error code, the request id, and how often it was tried.
/// The cause, where there is one, is the [source](std::error::Error::source).
///
/// ```
/// use scaigrid::{Error, ErrorCode, ErrorKind};
///
/// fn advice(error: &Error) -> &'static str {
///     match error.code() {
///         Some(ErrorCode::BudgetExceeded) => "ask an administrator to raise the budget",
///         Some(ErrorCode::AuthTokenInvalid | ErrorCode::AuthTokenMissing) => "check SCAIGRID_API_KEY",
///         Some(ErrorCode::ValidationError) => "see error.field_errors()",
///         Some(_) => "see the error table of the README",
///         None if error.kind() == ErrorKind::Connect => "check SCAIGRID_BASE_URL and the network",
///         None => "try again later",
///     }
/// }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    source: Option<BoxError>,
    context: Context,
}

/// What is known about the call when it fails.
#[derive(Default)]
pub(crate) struct Context {
    pub(crate) endpoint: Option<&'static str>,
    pub(crate) api: Option<ApiError>,
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) may_have_run: bool,
    pub(crate) attempts: u32,
    pub(crate) history: Vec<AttemptReport>,
    pub(crate) stop_reason: Option<StopReason>,
    pub(crate) elapsed: Duration,
    /// When it was known.
    pub(crate) at: Option<SystemTime>,
    pub(crate) partial: Option<ChatCompletion>,
    /// The failure of the attempt before one that the deadline cut off.
    pub(crate) before: Option<Error>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), source: None, context: Context::default() }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    pub(crate) fn transport(error: TransportError, limits: Timeouts) -> Self {
        use TransportErrorKind as Transport;
        let kind = match error.kind() {
            Transport::InvalidRequest => ErrorKind::InvalidRequest,
            Transport::RequestBody => ErrorKind::File,
            Transport::Dns | Transport::Connect | Transport::ConnectTimeout => ErrorKind::Connect,
            Transport::Tls => ErrorKind::Tls,
            Transport::Proxy => ErrorKind::Proxy,
            Transport::Timeout | Transport::FirstByteTimeout | Transport::ReadTimeout => ErrorKind::Timeout,
            Transport::Cancelled => ErrorKind::Cancelled,
            Transport::Interrupted | Transport::Protocol => ErrorKind::Connection,
            Transport::BodyTooLarge => ErrorKind::BodyTooLarge,
        };
        let limit = match error.kind() {
            Transport::Timeout => limits.attempt,
            Transport::FirstByteTimeout => limits.first_byte,
            Transport::ReadTimeout => limits.read,
            _ => None,
        };
        let message = match limit {
            Some(limit) => format!("{error}: the limit was {limit:?}"),
            None => error.to_string(),
        };
        let mut this = Self::new(kind, message).with_source(error);
        this.0.context.may_have_run = this.transport_kind().is_some_and(TransportErrorKind::may_have_run);
        this
    }

    pub(crate) fn decode(error: DecodeError) -> Self {
        Self::new(ErrorKind::Decode, error.to_string()).with_source(error)
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Takes secrets out of everything that a server said and that is printed. The raw body keeps them.
    pub(crate) fn redact(&mut self, secrets: &Secrets) {
        let context = &mut self.0.context;
        let api = context.api.as_mut();
        let (message, details, code) = match api {
            Some(api) => (api.message.as_mut(), api.details.as_mut(), api.code.as_mut()),
            None => (None, None, None),
        };
        if let Some(ErrorCode::Unknown(code)) = code {
            secrets.redact(code);
        }
        if let Some(details) = details {
            redact_value(details, secrets);
        }
        let texts = [Some(&mut self.0.message), message, context.request_id.as_mut()];
        texts.into_iter().flatten().for_each(|text| secrets.redact(text));
    }

    /// Says more about the same failure.
    pub(crate) fn add_to_message(&mut self, more: &str) {
        self.0.message.push_str(more);
    }

    /// The deadline left too little time, after the failure before.
    pub(crate) fn tell_deadline(&mut self, deadline: Option<Duration>, before: Option<Error>) {
        if let Some(deadline) = deadline {
            self.add_to_message(&format!(", all that the deadline of {deadline:?} had left"));
        }
        self.0.context.before = before;
    }

    /// The same failure told as another kind, with its cause.
    pub(crate) fn retold(mut self, kind: ErrorKind, message: &str, source: BoxError) -> Self {
        (self.0.kind, self.0.message, self.0.source) = (kind, message.to_owned(), Some(source));
        self
    }

    pub(crate) fn context_mut(&mut self) -> &mut Context {
        &mut self.0.context
    }

    /// Without what a server said in its own words, because it may repeat the address that was asked for.
    pub(crate) fn without_server_text(mut self) -> Self {
        if self.0.kind == ErrorKind::Http {
            let reason = self.0.context.status.and_then(|status| status.canonical_reason());
            self.0.message = reason.unwrap_or("the server refused").to_owned();
        }
        self
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The gateway's error code: the thing to branch on. `None` unless the answer held one.
    pub fn code(&self) -> Option<&ErrorCode> {
        self.0.context.api.as_ref()?.code.as_ref()
    }

    /// What happened, for people, in one line. For [`ErrorKind::Api`] the gateway's own words.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The HTTP status. `None` when no answer came.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.context.status
    }

    /// The gateway's id for the last request. Support finds the whole trace by it.
    pub fn request_id(&self) -> Option<&str> {
        self.0.context.request_id.as_deref()
    }

    /// How long the server asks to wait. `None` when it does not say.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.context.retry_after
    }

    /// The invalid fields of a `VALIDATION_ERROR`. Empty otherwise.
    pub fn field_errors(&self) -> Vec<FieldError> {
        self.0.context.api.as_ref().map(ApiError::field_errors).unwrap_or_default()
    }

    /// The `error` object of the answer, with the details as they came. `None` unless the answer held one.
    pub fn api_error(&self) -> Option<&ApiError> {
        self.0.context.api.as_ref()
    }

    /// The state of the rate limit, as far as the server tells.
    pub fn rate_limit(&self) -> RateLimit {
        RateLimit::from_headers(&self.0.context.headers)
    }

    /// The response headers. Empty when no answer came.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.context.headers
    }

    /// The body of the answer as it came. Empty when none came whole.
    pub fn body(&self) -> &Bytes {
        &self.0.context.body
    }

    /// How the transport failed. `None` when a whole answer came. A stream without its end counts as interrupted.
    pub fn transport_kind(&self) -> Option<TransportErrorKind> {
        let source = self.0.source.as_deref()?;
        source.downcast_ref::<TransportError>().map(TransportError::kind)
    }

    /// What had come of a streamed reply when it failed, with the usage as far as it was known. `None` unless the
    /// answer was a stream.
    pub fn partial(&self) -> Option<&ChatCompletion> {
        self.0.context.partial.as_ref()
    }

    /// Where decoding failed. `None` for other kinds than [`Decode`](ErrorKind::Decode).
    pub fn decode_error(&self) -> Option<&DecodeError> {
        self.0.source.as_deref()?.downcast_ref()
    }

    /// Whether the gateway may have run the call, and charged for it, although it failed.
    pub fn may_have_run(&self) -> bool {
        self.0.context.may_have_run
    }

    /// How many requests were sent. 0 when the call failed before.
    pub fn attempts(&self) -> u32 {
        self.0.context.attempts
    }

    /// All failed attempts, oldest first, the last one included.
    pub fn history(&self) -> &[AttemptReport] {
        &self.0.context.history
    }

    /// How the call went, attempt by attempt: [`history`](Self::history) with a `Display` for logs.
    pub fn retry_report(&self) -> RetryReport<'_> {
        RetryReport { attempts: self.attempts(), failed: self.history(), elapsed: self.elapsed() }
    }

    /// Why there was no further attempt. `None` when no retry policy was asked.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.0.context.stop_reason
    }

    /// Time from the begin of the call to this error, waits included.
    pub fn elapsed(&self) -> Duration {
        self.0.context.elapsed
    }

    /// The endpoint's name, such as `chat`. `None` for errors without a call.
    pub fn endpoint(&self) -> Option<&'static str> {
        self.0.context.endpoint
    }

    /// One line for a support ticket: what was called, what came of it, the request id, the time in UTC, and how many
    /// attempts were made. Holds no text of the caller's or the server's, and no secret.
    ///
    /// ```
    /// # fn report(error: &scaigrid::Error) {
    /// // scaigrid 0.1.0: chat failed: BACKEND_ERROR, HTTP 502, request id req_1, 2026-01-31T12:00:00Z, 3 attempts
    /// eprintln!("{}", error.support_line());
    /// # }
    /// ```
    pub fn support_line(&self) -> String {
        let context = &self.0.context;
        let what = crate::observation::Failure::of(self).name();
        crate::support::Line {
            endpoint: context.endpoint,
            outcome: "failed",
            error: Some(&what),
            status: context.status,
            request_id: self.request_id(),
            at: context.at,
            attempts: context.attempts,
        }
        .to_string()
    }

    /// Whether the credential was missing, refused, or lacks a permission.
    ///
    /// # Troubleshooting
    /// Check that `SCAIGRID_API_KEY` holds the whole key and that it was not revoked. For
    /// `AUTHZ_PERMISSION_DENIED`, the key's user needs the permission; `models:use` for inference.
    pub fn is_auth(&self) -> bool {
        use ErrorCode as Code;
        match self.code() {
            Some(
                Code::AuthTokenMissing
                | Code::AuthTokenInvalid
                | Code::AuthInsufficientScope
                | Code::AuthzPermissionDenied
                | Code::SessionExpired
                | Code::ServiceTokenInvalid,
            ) => true,
            Some(Code::Unknown(_)) | None => {
                matches!(self.status(), Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN))
            }
            Some(_) => false,
        }
    }

    /// Whether a rate limit, the gateway's or the provider's, was hit and passes by itself.
    ///
    /// # Troubleshooting
    /// [`retry_after`](Self::retry_after) says when. Spread the work, or ask for a higher limit. A used-up budget is
    /// not a rate limit, although both are a 429.
    pub fn is_rate_limited(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::RateLimited | ErrorCode::BackendRateLimited))
    }

    /// Whether the budget or quota is used up.
    ///
    /// # Troubleshooting
    /// Waiting a little does not help: an administrator must act, or the next budget period must begin.
    pub fn is_budget_exceeded(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::BudgetExceeded | ErrorCode::QuotaExceeded))
    }
}

fn redact_value(value: &mut Value, secrets: &Secrets) {
    match value {
        Value::String(text) => secrets.redact(text),
        Value::Array(items) => items.iter_mut().for_each(|item| redact_value(item, secrets)),
        Value::Object(object) => {
            let pairs = std::mem::take(object).into_iter().map(|(mut key, mut item)| {
                secrets.redact(&mut key);
                redact_value(&mut item, secrets);
                (key, item)
            });
            *object = pairs.collect();
        }
        _ => {}
    }
}

//! Faults: what goes wrong, when, and for which requests.

use crate::faults::IncomingRequest;
use crate::stream_fault::StreamFault;
use bytes::Bytes;
use scaigrid_types::ErrorCode;
use std::time::Duration;

/// One thing that goes wrong with one request.
///
/// A fault is queued with [`Faults::push`](crate::Faults::push) or [`EmulatorBuilder::fault`](crate::EmulatorBuilder::fault) and
/// used up by the first request that it matches, after the whole request was read and before any other check.
/// Except for [`delay`](Self::delay), [`cut_after`](Self::cut_after), [`hang_up`](Self::hang_up), and
/// [`stream`](Self::stream), the request then reaches no handler: it counts neither for the rate limit nor as
/// usage. All faults but `stream` are for plain and streaming calls alike.
/// [`reset_before_request`](Self::reset_before_request) alone is used up by a new connection.
///
/// The setters apply to the kinds that their documentation names and leave the others as they are.
///
/// ```
/// use scaigrid_emulator::Fault;
/// use std::time::Duration;
///
/// let slow_and_busy = Fault::error("BACKEND_RATE_LIMITED")
///     .retry_after(1.5)
///     .after(Duration::from_millis(20))
///     .for_path("/v1/inference/");
/// # let _ = slow_and_busy;
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) after: Duration,
    path_prefix: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum FaultKind {
    Error(ErrorFault),
    Response(ResponseFault),
    Raw(Bytes),
    CutAfter(usize),
    /// These bytes, then nothing.
    Stall(Bytes),
    /// A normal answer, then the end of the connection.
    HangUp {
        reset: bool,
    },
    ResetBeforeRequest,
    Stream(Box<StreamFault>),
    Reset,
    Close,
    /// Answers normally; only the delay is the fault.
    Pass,
}

#[derive(Clone, Debug)]
pub(crate) struct ErrorFault {
    pub(crate) code: ErrorCode,
    pub(crate) status: Option<u16>,
    pub(crate) message: Option<String>,
    pub(crate) retry_after: Option<f64>,
    pub(crate) with_meta: bool,
    pub(crate) with_status_field: bool,
    pub(crate) headers: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub(crate) struct ResponseFault {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
    pub(crate) with_request_id: bool,
    pub(crate) headers: Vec<(String, String)>,
}

impl Fault {
    fn new(kind: FaultKind) -> Self {
        Self { kind, after: Duration::ZERO, path_prefix: None }
    }

    /// An error in the gateway's envelope, with the documented HTTP status of the code, or 500 for a code
    /// without one. The request id is in the header and in `meta`.
    pub fn error(code: impl Into<ErrorCode>) -> Self {
        Self::new(FaultKind::Error(ErrorFault {
            code: code.into(),
            status: None,
            message: None,
            retry_after: None,
            with_meta: true,
            with_status_field: true,
            headers: Vec::new(),
        }))
    }

    /// Any HTTP answer with this status, `Content-Type`, and body, and with the request id header. A status
    /// outside 200 to 999 is sent as 500; use [`raw`](Self::raw) for other answers.
    pub fn response(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self::new(FaultKind::Response(ResponseFault {
            status,
            content_type: content_type.to_owned(),
            body: body.into(),
            with_request_id: true,
            headers: Vec::new(),
        }))
    }

    /// These bytes on the socket instead of an HTTP answer, then the connection is closed.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::new(FaultKind::Raw(bytes.into()))
    }

    /// These bytes on the socket instead of an HTTP answer, maybe none, then silence until the client leaves.
    /// For the limits of a client: no bytes for the wait for a head, some of them for a body that stops.
    pub fn stall(bytes: impl Into<Bytes>) -> Self {
        Self::new(FaultKind::Stall(bytes.into()))
    }

    /// Answers normally, says nothing of closing, and closes the connection (FIN) behind the answer, as a server
    /// does that is tired of an idle connection. The client's next request on it finds it stale. A stream is
    /// closed behind its `[DONE]`, without the end of the chunked body.
    pub fn hang_up() -> Self {
        Self::new(FaultKind::HangUp { reset: false })
    }

    /// A TCP reset (RST) of the next new connection, a moment after it was made and before a request is read.
    /// Requests do not take it; [`for_path`](Self::for_path) and [`after`](Self::after) do not apply.
    pub fn reset_before_request() -> Self {
        Self::new(FaultKind::ResetBeforeRequest)
    }

    /// Resets the connection (RST) a moment later instead of closing it. For [`hang_up`](Self::hang_up).
    pub fn with_reset(mut self) -> Self {
        if let FaultKind::HangUp { reset } = &mut self.kind {
            *reset = true;
        }
        self
    }

    /// The head of the real answer with its full `Content-Length`, this many bytes of its body, then the
    /// connection is closed. A number above the body's length sends all of it. The request is handled and
    /// counted as any other. A stream has no `Content-Length`; it is cut as by [`StreamFault::cut`].
    pub fn cut_after(body_bytes: usize) -> Self {
        Self::new(FaultKind::CutAfter(body_bytes))
    }

    /// A stream that goes wrong. Matches only requests whose body has `"stream": true`. The request is checked,
    /// limited, and refused as any other; the fault is used up all the same.
    pub fn stream(fault: StreamFault) -> Self {
        Self::new(FaultKind::Stream(Box::new(fault)))
    }

    /// A TCP reset (RST) after the request was read. Nothing is answered.
    pub fn reset() -> Self {
        Self::new(FaultKind::Reset)
    }

    /// The connection is closed (FIN) after the request was read. Nothing is answered.
    pub fn close() -> Self {
        Self::new(FaultKind::Close)
    }

    /// Waits, then answers normally.
    pub fn delay(delay: Duration) -> Self {
        Self::new(FaultKind::Pass).after(delay)
    }

    /// Waits before the fault happens. Default: no wait. For all kinds but
    /// [`reset_before_request`](Self::reset_before_request).
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = delay;
        self
    }

    /// Matches only requests whose path, as sent, starts with `prefix`. Default: all requests. For all kinds but
    /// [`reset_before_request`](Self::reset_before_request).
    pub fn for_path(mut self, prefix: &str) -> Self {
        self.path_prefix = Some(prefix.to_owned());
        self
    }

    /// Says how long to wait, in seconds: in the body, and in a `Retry-After` header rounded up to whole
    /// seconds. A value that is negative, NaN, or infinite says nothing. For [`error`](Self::error).
    pub fn retry_after(self, seconds: f64) -> Self {
        if !seconds.is_finite() || seconds < 0.0 {
            return self;
        }
        self.retry_after_body(seconds).retry_after_header(format!("{:.0}", seconds.ceil()))
    }

    /// As [`retry_after`](Self::retry_after), but only in the body.
    pub fn retry_after_body(self, seconds: f64) -> Self {
        self.on_error(|error| error.retry_after = Some(seconds))
    }

    /// Sets the `Retry-After` header to any text. For [`error`](Self::error) and
    /// [`response`](Self::response).
    pub fn retry_after_header(self, value: impl Into<String>) -> Self {
        self.header("Retry-After", value)
    }

    /// Answers with another HTTP status than the documented one. A status outside 200 to 999 is sent as 500.
    /// For [`error`](Self::error) and [`response`](Self::response).
    pub fn status(mut self, status: u16) -> Self {
        match &mut self.kind {
            FaultKind::Error(error) => error.status = Some(status),
            FaultKind::Response(response) => response.status = status,
            _ => {}
        }
        self
    }

    /// Sets the message for people. Default: a short text that fits the code. For [`error`](Self::error).
    pub fn message(self, message: impl Into<String>) -> Self {
        self.on_error(|error| error.message = Some(message.into()))
    }

    /// Leaves out `meta`, as one documented example does. For [`error`](Self::error).
    pub fn without_meta(self) -> Self {
        self.on_error(|error| error.with_meta = false)
    }

    /// Leaves out `"status":"error"`, as documented fragments do. For [`error`](Self::error).
    pub fn without_status_field(self) -> Self {
        self.on_error(|error| error.with_status_field = false)
    }

    /// Adds a header. One that HTTP does not allow is left out. For [`error`](Self::error) and
    /// [`response`](Self::response).
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let header = (name.into(), value.into());
        match &mut self.kind {
            FaultKind::Error(error) => error.headers.push(header),
            FaultKind::Response(response) => response.headers.push(header),
            _ => {}
        }
        self
    }

    /// Leaves out the request id header. For [`response`](Self::response).
    pub fn without_request_id(mut self) -> Self {
        if let FaultKind::Response(response) = &mut self.kind {
            response.with_request_id = false;
        }
        self
    }

    fn on_error(mut self, change: impl FnOnce(&mut ErrorFault)) -> Self {
        if let FaultKind::Error(error) = &mut self.kind {
            change(error);
        }
        self
    }

    /// Whether it can happen to a request at all.
    pub(crate) fn suits(&self, request: &IncomingRequest<'_>) -> bool {
        match self.kind {
            FaultKind::ResetBeforeRequest => false,
            FaultKind::Stream(_) => request.is_stream(),
            _ => true,
        }
    }

    /// Whether it is meant for a request.
    pub(crate) fn matches(&self, request: &IncomingRequest<'_>) -> bool {
        self.path_prefix.as_deref().is_none_or(|prefix| request.path().starts_with(prefix))
            && self.suits(request)
    }
}

/// `BACKEND_RATE_LIMITED` becomes `Backend rate limited (injected fault).`
pub(crate) fn message_for(code: &str) -> String {
    let words = code.replace('_', " ").to_lowercase();
    let mut letters = words.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{} (injected fault).", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_made_from_codes() {
        assert_eq!(message_for("BACKEND_ERROR"), "Backend error (injected fault).");
        assert_eq!(message_for(""), " (injected fault).");
    }

    #[test]
    fn hints_that_mean_nothing_are_left_out() {
        for seconds in [-1.0, f64::NAN, f64::INFINITY] {
            let FaultKind::Error(error) = Fault::error("X").retry_after(seconds).kind else { unreachable!() };
            assert!(error.retry_after.is_none() && error.headers.is_empty());
        }
        let FaultKind::Error(error) = Fault::error("X").retry_after(1.2).kind else { unreachable!() };
        assert_eq!(error.headers, [("Retry-After".to_owned(), "2".to_owned())]);
    }
}

//! What can go wrong on the way, and what it says about the request.

use std::error::Error;
use std::fmt;

/// Why no complete answer came. Closed: a match over it is complete.
///
/// Each kind says whether the server may have run the request, and what the standard retry policy does.
///
/// ```
/// use scaigrid_transport::TransportErrorKind;
///
/// assert!(!TransportErrorKind::Connect.may_have_run(), "nothing was sent: any call can be repeated");
/// assert!(TransportErrorKind::Interrupted.may_have_run(), "a chat may have been charged");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransportErrorKind {
    /// The request cannot be sent as it is. Not run. Never retried.
    InvalidRequest,
    /// The request's body could not be read to its end. Not run, because it did not arrive whole. Never retried.
    RequestBody,
    /// The host name did not resolve. Not run. Retried.
    Dns,
    /// No connection: refused or unreachable. Not run. Retried.
    Connect,
    /// No connection in time. Not run. Retried.
    ConnectTimeout,
    /// No trusted TLS connection, for example because of a bad certificate. Not run. Never retried.
    Tls,
    /// The proxy refused or failed. Not run. Never retried.
    Proxy,
    /// The exchange took longer than [`Timeouts::attempt`](crate::Timeouts::attempt). May have run. Retried if
    /// idempotent.
    Timeout,
    /// No byte of the body came within [`Timeouts::first_byte`](crate::Timeouts::first_byte). May have run. Retried if
    /// idempotent.
    FirstByteTimeout,
    /// The server was silent for longer than [`Timeouts::read`](crate::Timeouts::read). May have run. Retried if
    /// idempotent.
    ReadTimeout,
    /// The connection broke after it was made: before, in, or after the response head. May have run. Retried if
    /// idempotent.
    Interrupted,
    /// What came is not HTTP. May have run. Retried if idempotent.
    Protocol,
    /// The body is larger than allowed. Has run. Never retried.
    BodyTooLarge,
    /// Another thread ended the exchange. May have run. Never retried.
    Cancelled,
}

impl TransportErrorKind {
    /// Whether the server may have run the request.
    pub fn may_have_run(self) -> bool {
        use TransportErrorKind as Kind;
        match self {
            Kind::InvalidRequest | Kind::RequestBody | Kind::Dns | Kind::Connect | Kind::ConnectTimeout => {
                false
            }
            Kind::Tls | Kind::Proxy => false,
            Kind::Timeout | Kind::FirstByteTimeout | Kind::ReadTimeout => true,
            Kind::Interrupted | Kind::Protocol | Kind::BodyTooLarge | Kind::Cancelled => true,
        }
    }

    fn describe(self) -> &'static str {
        use TransportErrorKind as Kind;
        match self {
            Kind::InvalidRequest => "the request cannot be sent",
            Kind::RequestBody => "the request's body could not be read",
            Kind::Dns => "the host name did not resolve",
            Kind::Connect => "no connection",
            Kind::ConnectTimeout => "no connection in time",
            Kind::Tls => "no trusted TLS connection",
            Kind::Proxy => "the proxy failed",
            Kind::Timeout => "the exchange took too long",
            Kind::FirstByteTimeout => "no answer began in time",
            Kind::ReadTimeout => "the server was silent for too long",
            Kind::Interrupted => "the connection broke",
            Kind::Protocol => "the answer is not valid HTTP",
            Kind::BodyTooLarge => "the answer is larger than allowed",
            Kind::Cancelled => "cancelled",
        }
    }
}

/// A failed exchange: its kind, the host, and the cause.
///
/// `Display` is one line and leaves out the cause, which [`source`](Error::source) gives.
///
/// ```
/// use scaigrid_transport::{TransportError, TransportErrorKind};
///
/// let cause = std::io::Error::other("no route to host");
/// let error = TransportError::new(TransportErrorKind::Connect).with_host("gateway.example").with_source(cause);
/// assert_eq!(error.host(), Some("gateway.example"));
/// assert!(!error.to_string().contains("route"), "the source tells the cause");
/// ```
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    message: Option<Box<str>>,
    host: Option<Box<str>>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl TransportError {
    /// An error of a kind, without further facts.
    pub fn new(kind: TransportErrorKind) -> Self {
        Self { kind, message: None, host: None, source: None }
    }

    /// Replaces the kind's own text. Must not hold secrets.
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into().into());
        self
    }

    /// Adds the host, with its port, that was talked to.
    pub fn with_host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into().into());
        self
    }

    /// Adds the cause.
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// The host, with its port, that was talked to, as far as known.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// Whether the server may have run the request.
    pub fn may_have_run(&self) -> bool {
        self.kind.may_have_run()
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message.as_deref().unwrap_or(self.kind.describe()))?;
        match &self.host {
            Some(host) => write!(f, " (host {host})"),
            None => Ok(()),
        }
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Looks for a cause of type `T` in an error and all below it, also inside `std::io::Error`.
#[cfg(any(feature = "reqwest", feature = "ureq"))]
pub(crate) fn find_cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        // `io::Error::source` skips the error that it wraps.
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// What a transport's HTTP client is told when a request body cannot be read, to be found again in its error.
#[cfg(any(feature = "reqwest", feature = "ureq"))]
#[derive(Debug)]
pub(crate) struct Unreadable(std::io::Error);

#[cfg(any(feature = "reqwest", feature = "ureq"))]
impl Unreadable {
    pub(crate) fn wrap(error: std::io::Error) -> std::io::Error {
        std::io::Error::new(error.kind(), Self(error))
    }
}

#[cfg(any(feature = "reqwest", feature = "ureq"))]
impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(any(feature = "reqwest", feature = "ureq"))]
impl Error for Unreadable {}

/// Bytes came, but not the right ones: broken framing, or what does not decompress.
#[cfg(any(feature = "reqwest", feature = "ureq"))]
pub(crate) fn is_malformed(error: &std::io::Error) -> bool {
    use std::io::ErrorKind as Io;
    matches!(error.kind(), Io::InvalidData | Io::InvalidInput)
}

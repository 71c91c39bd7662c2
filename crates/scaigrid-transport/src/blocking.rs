//! The blocking half of the seam: the same contract without async.

pub use crate::cancel::{Attached, CancelHandle};
use crate::collected::Collected;
use crate::{Timeouts, TransportError};
use bytes::Bytes;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

/// Carries one request and brings back one answer, blocking the thread. See the
/// [contract](crate#the-contract); the [crate's page](crate) has an example.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Transport: Send + Sync {
    /// Sends `request`, whose URI is absolute, and returns when the response head is there.
    ///
    /// # Errors
    /// When no response head came, by [kind](crate::TransportErrorKind). The body has errors of its own.
    fn send(
        &self,
        request: http::Request<RequestBody>,
        timeouts: Timeouts,
    ) -> Result<http::Response<Body>, TransportError>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(
        &self,
        request: http::Request<RequestBody>,
        timeouts: Timeouts,
    ) -> Result<http::Response<Body>, TransportError> {
        (**self).send(request, timeouts)
    }
}

/// A request body: bytes in memory, or a reader that is read while it is sent.
///
/// An exchange whose body breaks off fails with [`RequestBody`](crate::TransportErrorKind::RequestBody).
pub struct RequestBody(Outgoing);

enum Outgoing {
    Bytes(Bytes),
    Reader { reader: Box<dyn Read + Send>, len: Option<u64> },
}

impl RequestBody {
    /// A body that is read while it is sent. `len` is its length in bytes; `None` when that is not known, and it is then sent
    /// in chunks.
    pub fn new(reader: impl Read + Send + 'static, len: Option<u64>) -> Self {
        Self(Outgoing::Reader { reader: Box::new(reader), len })
    }

    /// The bytes, unless it is read while it is sent.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match &self.0 {
            Outgoing::Bytes(bytes) => Some(bytes),
            Outgoing::Reader { .. } => None,
        }
    }

    /// The length in bytes, as far as known.
    pub fn len(&self) -> Option<u64> {
        match &self.0 {
            Outgoing::Bytes(bytes) => Some(bytes.len() as u64),
            Outgoing::Reader { len, .. } => *len,
        }
    }

    /// Whether it is known to have no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }
}

/// No body.
impl Default for RequestBody {
    fn default() -> Self {
        Self::from(Bytes::new())
    }
}

impl<B: Into<Bytes>> From<B> for RequestBody {
    fn from(bytes: B) -> Self {
        Self(Outgoing::Bytes(bytes.into()))
    }
}

impl Read for RequestBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Outgoing::Bytes(bytes) => {
                let piece = bytes.split_to(bytes.len().min(buffer.len()));
                buffer.iter_mut().zip(&piece).for_each(|(to, from)| *to = *from);
                Ok(piece.len())
            }
            Outgoing::Reader { reader, .. } => reader.read(buffer),
        }
    }
}

/// Shows the length only: bodies hold prompts.
impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// A response body, read whole with [`collect`](Self::collect) or piece by piece with [`chunk`](Self::chunk) or
/// as an [`Iterator`].
///
/// Nothing is read ahead: bytes leave the socket when they are asked for.
pub struct Body {
    pieces: Box<dyn Iterator<Item = Result<Bytes, TransportError>> + Send>,
    control: Option<Arc<dyn Control>>,
}

/// Reaches into an exchange that may be waiting on another thread.
pub trait Control: Send + Sync {
    /// Ends the exchange: what waits gives [`Cancelled`](crate::TransportErrorKind::Cancelled) at once. Does nothing when
    /// the exchange is over.
    fn cancel(&self);

    /// Gives the body this much longer, counted from now, however lively it is. Sharpens the other limits, and never
    /// loosens them.
    fn end_within(&self, limit: Duration);
}

impl Body {
    /// From an iterator of pieces. After an error the iterator must end.
    pub fn new(pieces: impl Iterator<Item = Result<Bytes, TransportError>> + Send + 'static) -> Self {
        Self { pieces: Box::new(pieces), control: None }
    }

    /// Adds a way to reach into the body.
    pub fn with_control(mut self, control: impl Control + 'static) -> Self {
        self.control = Some(Arc::new(control));
        self
    }

    /// The way to reach into the body. `None` when the transport offers none.
    pub fn control(&self) -> Option<Arc<dyn Control>> {
        self.control.clone()
    }

    /// The next piece, `None` at the end.
    ///
    /// # Errors
    /// When the body breaks off, stalls, or takes too long.
    pub fn chunk(&mut self) -> Result<Option<Bytes>, TransportError> {
        self.pieces.next().transpose()
    }

    /// The whole body.
    ///
    /// # Errors
    /// As [`chunk`](Self::chunk), and [`BodyTooLarge`](crate::TransportErrorKind::BodyTooLarge) beyond
    /// `max_bytes`; the rest is then not read.
    pub fn collect(mut self, max_bytes: usize) -> Result<Bytes, TransportError> {
        let mut whole = Collected::new(max_bytes);
        while let Some(piece) = self.chunk()? {
            whole.push(piece)?;
        }
        Ok(whole.finish())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::new((!bytes.is_empty()).then_some(Ok(bytes)).into_iter())
    }
}

impl Iterator for Body {
    type Item = Result<Bytes, TransportError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pieces.next()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}

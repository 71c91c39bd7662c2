//! The blocking half of the seam: the same contract without async.

pub use crate::cancel::{Attached, CancelHandle};
use crate::collected::Collected;
use crate::{Timeouts, TransportError};
use bytes::Bytes;
use std::fmt;
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
        request: http::Request<Bytes>,
        timeouts: Timeouts,
    ) -> Result<http::Response<Body>, TransportError>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeouts: Timeouts,
    ) -> Result<http::Response<Body>, TransportError> {
        (**self).send(request, timeouts)
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

//! A request body, async.

use bytes::Bytes;
use futures_core::Stream;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// A request body: bytes in memory, or a [`Stream`] of pieces that is read while it is sent.
///
/// An exchange whose body breaks off fails with [`RequestBody`](crate::TransportErrorKind::RequestBody).
pub struct RequestBody(Inner);

enum Inner {
    Bytes(Bytes),
    Stream { pieces: Pieces, len: Option<u64> },
}

impl RequestBody {
    /// A body that is read while it is sent. `len` is its length in bytes; `None` when that is not known, and it is then sent
    /// in chunks.
    pub fn new(pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static, len: Option<u64>) -> Self {
        Self(Inner::Stream { pieces: Box::pin(pieces), len })
    }

    /// The bytes, unless it is read while it is sent.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match &self.0 {
            Inner::Bytes(bytes) => Some(bytes),
            Inner::Stream { .. } => None,
        }
    }

    /// The length in bytes, as far as known.
    pub fn len(&self) -> Option<u64> {
        match &self.0 {
            Inner::Bytes(bytes) => Some(bytes.len() as u64),
            Inner::Stream { len, .. } => *len,
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
        Self(Inner::Bytes(bytes.into()))
    }
}

impl Stream for RequestBody {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.0 {
            Inner::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Inner::Bytes(bytes) => Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            Inner::Stream { pieces, .. } => pieces.as_mut().poll_next(context),
        }
    }
}

/// Shows the length only: bodies hold prompts.
impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").field("len", &self.len()).finish_non_exhaustive()
    }
}

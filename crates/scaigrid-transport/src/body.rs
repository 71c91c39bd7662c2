//! A response body, async.

use crate::TransportError;
use crate::collected::Collected;
use bytes::Bytes;
use futures_core::Stream;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A response body, read whole with [`collect`](Self::collect) or piece by piece with [`chunk`](Self::chunk) or
/// as a [`Stream`].
///
/// Nothing is read ahead: bytes leave the socket when they are asked for.
pub struct Body(Pin<Box<dyn Stream<Item = Result<Bytes, TransportError>> + Send>>);

impl Body {
    /// From a stream of pieces. After an error the stream must end.
    pub fn new(pieces: impl Stream<Item = Result<Bytes, TransportError>> + Send + 'static) -> Self {
        Self(Box::pin(pieces))
    }

    /// The next piece, `None` at the end.
    ///
    /// # Errors
    /// When the body breaks off, stalls, or takes too long.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, TransportError> {
        std::future::poll_fn(|context| self.0.as_mut().poll_next(context)).await.transpose()
    }

    /// The whole body.
    ///
    /// # Errors
    /// As [`chunk`](Self::chunk), and [`BodyTooLarge`](crate::TransportErrorKind::BodyTooLarge) beyond `max_bytes`; the rest is then
    /// not read.
    pub async fn collect(mut self, max_bytes: usize) -> Result<Bytes, TransportError> {
        let mut whole = Collected::new(max_bytes);
        while let Some(piece) = self.chunk().await? {
            whole.push(piece)?;
        }
        Ok(whole.finish())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::new(Once((!bytes.is_empty()).then_some(bytes)))
    }
}

impl Stream for Body {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}

struct Once(Option<Bytes>);

impl Stream for Once {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.take().map(Ok))
    }
}

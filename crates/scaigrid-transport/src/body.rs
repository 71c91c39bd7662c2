//! A response body, async.

use crate::{TransportError, TransportErrorKind};
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
    /// As [`chunk`](Self::chunk), and [`TransportErrorKind::BodyTooLarge`] beyond `max_bytes`; the rest is then
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

/// Puts pieces together under a limit. A body of one piece is not copied.
pub(crate) struct Collected {
    first: Bytes,
    rest: Vec<u8>,
    max_bytes: usize,
}

impl Collected {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { first: Bytes::new(), rest: Vec::new(), max_bytes }
    }

    pub(crate) fn push(&mut self, piece: Bytes) -> Result<(), TransportError> {
        let len = self.first.len().max(self.rest.len());
        if piece.len() > self.max_bytes.saturating_sub(len) {
            let message = format!("the answer is larger than the allowed {} bytes", self.max_bytes);
            return Err(TransportError::new(TransportErrorKind::BodyTooLarge).with_message(message));
        }
        if len == 0 {
            self.first = piece;
            return Ok(());
        }
        if self.rest.is_empty() {
            self.rest.extend_from_slice(&self.first);
        }
        self.rest.extend_from_slice(&piece);
        Ok(())
    }

    pub(crate) fn finish(self) -> Bytes {
        if self.rest.is_empty() { self.first } else { Bytes::from(self.rest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(pieces: &[&'static str], max_bytes: usize) -> Result<Bytes, TransportError> {
        let mut whole = Collected::new(max_bytes);
        pieces.iter().try_for_each(|piece| whole.push(Bytes::from_static(piece.as_bytes())))?;
        Ok(whole.finish())
    }

    #[test]
    fn pieces_add_up_to_the_limit_and_no_further() {
        assert_eq!(collect(&[], 0).unwrap(), "");
        assert_eq!(collect(&["ab"], 2).unwrap(), "ab");
        assert_eq!(collect(&["", "ab", "", "c", "de"], 5).unwrap(), "abcde");
        let error = collect(&["ab", "c", "de"], 4).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::BodyTooLarge);
        assert_eq!(error.to_string(), "the answer is larger than the allowed 4 bytes");
    }
}

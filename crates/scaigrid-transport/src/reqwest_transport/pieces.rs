//! The body of an answer, piece by piece.

use super::failure;
use super::late::Late;
use crate::TransportError;
use bytes::Bytes;
use futures_core::Stream;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

/// The pieces of a body, each awaited for no longer than allowed.
pub(super) struct Pieces {
    /// Its head is empty: it was handed on.
    response: Option<reqwest::Response>,
    late: Late,
}

impl Pieces {
    pub(super) fn new(response: reqwest::Response, late: Late) -> Self {
        Self { response: Some(response), late }
    }

    /// The next piece, or what the end of the wait means.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, TransportError>>> {
        loop {
            let Some(response) = &mut self.response else { return Poll::Ready(None) };
            // Made anew each time: it holds nothing between two polls but the borrow.
            let Poll::Ready(piece) = pin!(response.chunk()).poll(context) else {
                return self.late.poll(context).map(|error| Some(Err(error)));
            };
            match piece {
                Ok(Some(piece)) if piece.is_empty() => {}
                Ok(Some(piece)) => {
                    self.late.piece_has_come();
                    // To a slow reader, everything comes at once: there is no wait that could be late.
                    return Poll::Ready(Some(self.late.check().map(|()| piece)));
                }
                Ok(None) => return Poll::Ready(None),
                Err(error) => return Poll::Ready(Some(Err(failure(error, self.late.host())))),
            }
        }
    }
}

impl Stream for Pieces {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let piece = ready!(this.poll_piece(context));
        if !matches!(piece, Some(Ok(_))) {
            // Closes the connection, ends the stream, and stops the timers.
            (this.response, this.late) = (None, Late::default());
        }
        Poll::Ready(piece)
    }
}

//! The body of an answer, piece by piece, and how long each may take.

use super::alarm::{Alarm, Deadline};
use super::failure;
use crate::timeouts::{ReadLimit, now};
use crate::{TransportError, TransportErrorKind as Kind};
use bytes::Bytes;
use futures_core::Stream;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// The pieces of a body, each awaited for no longer than allowed.
pub(super) struct Pieces {
    /// Its head is empty: it was handed on.
    response: Option<reqwest::Response>,
    /// When all of it must be over.
    end: Option<Deadline>,
    limit: Option<ReadLimit>,
    /// Counts only while a piece is awaited: time that the reader takes between pieces does not.
    silence: Silence,
    host: String,
}

impl Pieces {
    pub(super) fn new(
        response: reqwest::Response,
        end: Option<Deadline>,
        limit: Option<ReadLimit>,
        host: String,
    ) -> Self {
        Self { response: Some(response), end, limit, silence: Silence::default(), host }
    }

    /// The next piece, or what the end of the wait means.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, TransportError>>> {
        loop {
            let Some(response) = &mut self.response else { return Poll::Ready(None) };
            // Made anew each time: it holds nothing between two polls but the borrow.
            let piece = pin!(response.chunk()).poll(context);
            let Poll::Ready(piece) = piece else {
                return self.poll_late(context).map(|error| Some(Err(error)));
            };
            match piece {
                Ok(Some(piece)) if piece.is_empty() => {}
                Ok(Some(piece)) => {
                    self.silence.ends();
                    return Poll::Ready(Some(Ok(piece)));
                }
                Ok(None) => return Poll::Ready(None),
                Err(error) => return Poll::Ready(Some(Err(failure(error, &self.host)))),
            }
        }
    }

    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<TransportError> {
        let over = self.end.as_mut().map_or(Poll::Pending, |end| end.poll(context));
        let kind = match over {
            Poll::Ready(kind) => kind,
            Poll::Pending => ready!(self.silence.poll(self.limit.as_ref(), context)),
        };
        Poll::Ready(TransportError::new(kind).with_host(self.host.as_str()))
    }
}

/// Measures silence in ticks: a stream may wait a million times, and must not read the clock and move a timer each time.
#[derive(Default)]
struct Silence {
    ticking: Option<Ticking>,
    /// Pieces that have come.
    pieces: u64,
}

struct Ticking {
    alarm: Alarm,
    tick: Duration,
    /// How many silent ticks are too many.
    limit: u32,
    /// What the end of the wait means.
    kind: Kind,
    /// How many pieces had come when the tick began.
    pieces: u64,
    /// Ticks without a piece.
    silent: u32,
}

/// A silence is told from its limit to an eighth beyond it.
const TICKS: u32 = 8;

impl Silence {
    /// A piece has come.
    fn ends(&mut self) {
        self.pieces = self.pieces.wrapping_add(1);
        if self.ticking.as_ref().is_some_and(|ticking| ticking.kind == Kind::FirstByteTimeout) {
            self.first_has_come();
        }
    }

    /// The limit of the first byte is another one, and is over.
    #[cold]
    fn first_has_come(&mut self) {
        self.ticking = None;
    }

    /// Ready when a wait has taken too long.
    fn poll(&mut self, limit: Option<&ReadLimit>, context: &mut Context<'_>) -> Poll<Kind> {
        let Some(limit) = limit else { return Poll::Pending };
        let ticking = match &mut self.ticking {
            Some(ticking) => ticking,
            None => match Ticking::begin(limit, self.pieces) {
                Some(ticking) => self.ticking.insert(ticking),
                None => return Poll::Pending,
            },
        };
        loop {
            ready!(ticking.alarm.poll(context));
            let is_silent = ticking.pieces == self.pieces;
            (ticking.pieces, ticking.silent) = (self.pieces, if is_silent { ticking.silent + 1 } else { 0 });
            if ticking.silent >= ticking.limit {
                return Poll::Ready(ticking.kind);
            }
            if !ticking.alarm.again_after(ticking.tick) {
                return Poll::Pending;
            }
        }
    }
}

impl Ticking {
    /// `None` without a limit.
    #[cold]
    fn begin(limit: &ReadLimit, pieces: u64) -> Option<Self> {
        if pieces > 0 {
            limit.flows();
        }
        let (wait, kind) = limit.next(now())?;
        // The wait for the first byte is a single one.
        let limit = if kind == Kind::FirstByteTimeout { 1 } else { TICKS };
        let tick = wait / limit;
        let alarm = Alarm::after(tick)?;
        Some(Self { alarm, tick, limit, kind, pieces, silent: 0 })
    }
}

impl Stream for Pieces {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let piece = ready!(this.poll_piece(context));
        if !matches!(piece, Some(Ok(_))) {
            // Closes the connection, and ends the stream.
            this.response = None;
        }
        Poll::Ready(piece)
    }
}

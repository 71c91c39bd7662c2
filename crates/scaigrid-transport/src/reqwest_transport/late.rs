//! How long an exchange, and each wait in it, may take.

use super::alarm::{Alarm, Deadline};
use crate::timeouts::{ReadLimit, now};
use crate::{Timeouts, TransportError, TransportErrorKind as Kind};
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Tells when an exchange is late: with its head, with a piece of its body, or as a whole.
#[derive(Default)]
pub(super) struct Late {
    /// When all of it must be over.
    end: Option<Deadline>,
    /// In a box: only streams and files have such limits.
    silence: Option<Box<Silence>>,
    host: String,
}

impl Late {
    /// All limits count from now on.
    pub(super) fn new(timeouts: Timeouts, host: String) -> Self {
        // The clock is read only for what needs it.
        let silence = timeouts.limit_reads().then(|| {
            let limit = ReadLimit::new(timeouts, now());
            Box::new(Silence { limit, ticking: None, pieces: 0 })
        });
        let end = timeouts.attempt.and_then(Deadline::after);
        Self { end, silence, host }
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Whether the time for all of it is over, although something has come.
    pub(super) fn check(&self) -> Result<(), TransportError> {
        match &self.end {
            Some(end) if end.is_over() => Err(self.error(Kind::Timeout)),
            _ => Ok(()),
        }
    }

    /// Ready when it is late. Only asked while something is awaited.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<TransportError> {
        let kind = match self.end.as_mut().map(|end| end.poll(context)) {
            Some(Poll::Ready(over)) => over.map(|()| Kind::Timeout),
            _ => match &mut self.silence {
                Some(silence) => ready!(silence.poll(context)),
                None => return Poll::Pending,
            },
        };
        Poll::Ready(kind.map_or_else(|error| error.with_host(self.host.as_str()), |kind| self.error(kind)))
    }

    fn error(&self, kind: Kind) -> TransportError {
        TransportError::new(kind).with_host(self.host.as_str())
    }

    /// The head is there: what limits the wait for the first byte goes on, and a silence is over.
    pub(super) fn head_has_come(&mut self) {
        if let Some(silence) = self.silence.as_mut().filter(|silence| silence.is_counting(Kind::ReadTimeout))
        {
            silence.restart();
        }
    }

    pub(super) fn piece_has_come(&mut self) {
        if let Some(silence) = &mut self.silence {
            silence.ends();
        }
    }
}

/// Measures silence in ticks: a stream may wait a million times, and must not read the clock and move a timer each time.
/// Only while something is awaited: time that the reader takes between pieces does not count.
struct Silence {
    limit: ReadLimit,
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
        if self.is_counting(Kind::FirstByteTimeout) {
            self.restart();
        }
    }

    fn is_counting(&self, kind: Kind) -> bool {
        self.ticking.as_ref().is_some_and(|ticking| ticking.kind == kind)
    }

    /// From now on, another wait counts.
    #[cold]
    fn restart(&mut self) {
        self.ticking = None;
    }

    /// Ready when a wait has taken too long.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Kind, TransportError>> {
        let ticking = match &mut self.ticking {
            Some(ticking) => ticking,
            None => match Ticking::begin(&self.limit, self.pieces)? {
                Some(ticking) => self.ticking.insert(ticking),
                None => return Poll::Pending,
            },
        };
        loop {
            ready!(ticking.alarm.poll(context));
            let is_silent = ticking.pieces == self.pieces;
            (ticking.pieces, ticking.silent) = (self.pieces, if is_silent { ticking.silent + 1 } else { 0 });
            if ticking.silent >= ticking.limit {
                return Poll::Ready(Ok(ticking.kind));
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
    fn begin(limit: &ReadLimit, pieces: u64) -> Result<Option<Self>, TransportError> {
        if pieces > 0 {
            limit.flows();
        }
        let Some((wait, kind)) = limit.next(now()) else { return Ok(None) };
        // The wait for the first byte is a single one.
        let limit = if kind == Kind::FirstByteTimeout { 1 } else { TICKS };
        let tick = wait / limit;
        let alarm = Alarm::after(tick)?;
        Ok(alarm.map(|alarm| Self { alarm, tick, limit, kind, pieces, silent: 0 }))
    }
}

//! The body of a scripted answer, as it comes.

use super::VirtualClock;
use super::answer::Step;
use super::scripted::Steps;
use bytes::Bytes;
use scaigrid_transport::{Timeouts, TransportError, TransportErrorKind as Kind};
use std::time::Duration;

/// Plays the steps of a body, and keeps the time limits as a real transport does.
pub(super) struct Playback {
    steps: Steps,
    timeouts: Timeouts,
    clock: VirtualClock,
    started: Duration,
    /// Whether the first byte has come.
    flows: bool,
    is_over: bool,
}

impl Playback {
    /// The exchange begins now.
    pub(super) fn new(steps: Vec<Step>, timeouts: Timeouts, clock: VirtualClock) -> Self {
        let started = clock.passed();
        Self { steps: steps.into_iter(), timeouts, clock, started, flows: false, is_over: false }
    }

    /// Lets time pass, but not more than is allowed.
    pub(super) fn wait(&self, duration: Duration) -> Result<(), TransportError> {
        let passed = self.clock.passed().saturating_sub(self.started);
        let silence = match self.timeouts.first_byte.filter(|_| !self.flows) {
            Some(limit) => Some((limit.saturating_sub(passed), Kind::FirstByteTimeout)),
            None => self.timeouts.read.map(|limit| (limit, Kind::ReadTimeout)),
        };
        let attempt = self.timeouts.attempt.map(|limit| (limit.saturating_sub(passed), Kind::Timeout));
        match silence.into_iter().chain(attempt).min_by_key(|(limit, _)| *limit) {
            Some((limit, kind)) if limit < duration => {
                self.clock.advance(limit);
                Err(TransportError::new(kind))
            }
            _ => {
                self.clock.advance(duration);
                Ok(())
            }
        }
    }

    fn step(&mut self) -> Option<Result<Bytes, TransportError>> {
        let mut silence = Duration::ZERO;
        loop {
            let step = self.steps.next();
            if let Some(Step::Pause(pause)) = step {
                silence = silence.saturating_add(pause);
                continue;
            }
            if let Err(error) = self.wait(silence) {
                return Some(Err(error));
            }
            match step? {
                // HTTP has no pieces without bytes.
                Step::Piece(piece) if piece.is_empty() => silence = Duration::ZERO,
                Step::Piece(piece) => {
                    self.flows = true;
                    return Some(Ok(piece));
                }
                Step::Fail(kind) => return Some(Err(TransportError::new(kind))),
                Step::Pause(_) => {}
            }
        }
    }
}

/// Ends behind an error.
impl Iterator for Playback {
    type Item = Result<Bytes, TransportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let piece = self.step();
        self.is_over = !matches!(piece, Some(Ok(_)));
        piece
    }
}

//! Timers that are polled only when they must be: an exchange waits for several things in turn, and a stream a million times.

use super::require_runtime;
use crate::TransportError;
use crate::timeouts::timer_now;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep};

/// A timer, and whom it wakes.
pub(super) struct Alarm {
    timer: Pin<Box<Sleep>>,
    waker: Option<Waker>,
}

impl Alarm {
    /// # Errors
    /// Outside a runtime, where a body may be read that came in one.
    fn at(end: Instant) -> Result<Self, TransportError> {
        require_runtime()?;
        Ok(Self { timer: Box::pin(tokio::time::sleep_until(end)), waker: None })
    }

    /// `None` for a time that no clock can show: it never comes.
    ///
    /// # Errors
    /// As [`at`](Self::at).
    pub(super) fn after(limit: Duration) -> Result<Option<Self>, TransportError> {
        timer_now().checked_add(limit).map(Self::at).transpose()
    }

    /// Rings once more. False for a time that no clock can show.
    pub(super) fn again_after(&mut self, limit: Duration) -> bool {
        let end = timer_now().checked_add(limit);
        end.into_iter().for_each(|end| self.timer.as_mut().reset(end));
        self.waker = None;
        end.is_some()
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // It runs already, and is known to wake this task.
        let is_awaited = self.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker()));
        if is_awaited && !self.timer.is_elapsed() {
            return Poll::Pending;
        }
        self.register(context)
    }

    #[cold]
    fn register(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // Without the task's budget: where that is used up, the timer would not begin to run.
        let over = pin!(unconstrained(self.timer.as_mut())).poll(context);
        self.waker = over.is_pending().then(|| context.waker().clone());
        over
    }
}

/// When something must be over. The timer runs from the first wait on.
pub(super) struct Deadline {
    end: Instant,
    alarm: Option<Alarm>,
}

impl Deadline {
    /// From now on. `None` for a time that no clock can show: it never comes.
    pub(super) fn after(limit: Duration) -> Option<Self> {
        Some(Self { end: timer_now().checked_add(limit)?, alarm: None })
    }

    /// Whether it is over, for those who do not wait.
    pub(super) fn is_over(&self) -> bool {
        match &self.alarm {
            Some(alarm) => alarm.timer.is_elapsed(),
            None => timer_now() >= self.end,
        }
    }

    /// Ready when it is over.
    ///
    /// # Errors
    /// As [`Alarm::at`].
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        let alarm = match &mut self.alarm {
            Some(alarm) => alarm,
            None => self.alarm.insert(Alarm::at(self.end)?),
        };
        alarm.poll(context).map(Ok)
    }
}

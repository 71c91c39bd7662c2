//! Waiting for something that the gateway does in its own time.

use crate::clock::Now;
use crate::{Error, ErrorKind};
use std::fmt;
use std::time::{Duration, Instant};

/// How to wait for something that takes its time, such as a batch: how often to look, for how long, and whom to tell.
///
/// By default it looks every 5 seconds for 25 hours, one more than a batch may take.
///
/// ```
/// use scaigrid::{BatchJob, Polling};
/// use std::time::Duration;
///
/// let polling = Polling::new()
///     .interval(Duration::from_secs(30))
///     .deadline(Duration::from_secs(3600))
///     .on_progress(|job: &BatchJob| eprintln!("{:?}", job.progress()));
/// # let _ = polling;
/// ```
pub struct Polling<'a, T> {
    interval: Duration,
    deadline: Duration,
    on_progress: Option<OnProgress<'a, T>>,
}

/// The longest window of a batch is 24 hours.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(25 * 60 * 60);

/// A server that is asked more often does not answer other things.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

type OnProgress<'a, T> = Box<dyn FnMut(&T) + Send + 'a>;

impl<T> Default for Polling<'_, T> {
    fn default() -> Self {
        Self { interval: Duration::from_secs(5), deadline: DEFAULT_DEADLINE, on_progress: None }
    }
}

impl<'a, T> Polling<'a, T> {
    /// Looks every 5 seconds, for 25 hours.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the pause between two looks. Default: 5 seconds; at least 10 milliseconds.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(SHORTEST_INTERVAL);
        self
    }

    /// Gives up after this time, with [`ErrorKind::Timeout`]. Default: 25 hours. What is waited for
    /// goes on all the same. A look that is under way then is not cut off.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Calls `observer` after each look, also the last.
    pub fn on_progress(mut self, observer: impl FnMut(&T) + Send + 'a) -> Self {
        self.on_progress = Some(Box::new(observer));
        self
    }

    /// What was seen, and how long to wait before the next look. `None`: it is done.
    pub(crate) fn on_look(
        &mut self,
        seen: &T,
        is_final: bool,
        started: Instant,
        now: Now,
    ) -> Result<Option<Duration>, Error> {
        if let Some(observer) = &mut self.on_progress {
            observer(seen);
        }
        if is_final {
            return Ok(None);
        }
        let left = self.deadline.saturating_sub(now.instant.saturating_duration_since(started));
        if left.is_zero() {
            let message =
                format!("not done after {:?}; it goes on: wait for it again with its id", self.deadline);
            return Err(Error::new(ErrorKind::Timeout, message));
        }
        Ok(Some(self.interval.min(left)))
    }
}

impl<T> fmt::Debug for Polling<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Polling")
            .field("interval", &self.interval)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

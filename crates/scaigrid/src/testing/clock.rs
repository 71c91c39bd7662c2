//! Time that passes only when somebody waits.

use crate::clock::system_instant;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// A clock whose time passes only when somebody waits: at once, and as far as was asked for. Clones share the time.
///
/// A [`Clock`](crate::Clock) for the async client, and a [`blocking::Clock`](crate::blocking::Clock).
#[derive(Clone, Debug)]
pub struct VirtualClock(Arc<Mutex<Time>>);

#[derive(Debug)]
struct Time {
    started: Instant,
    today: SystemTime,
    passed: Duration,
    waits: Vec<Duration>,
}

/// The time of day at which virtual time begins, in seconds since the Unix epoch: midnight UTC of 1 January 2026.
const TODAY: Duration = Duration::from_secs(1_767_225_600);

impl VirtualClock {
    /// Begins at midnight UTC of 1 January 2026.
    pub fn new() -> Self {
        Self::starting_at(SystemTime::UNIX_EPOCH + TODAY)
    }

    /// Begins at this time of day, for dates that servers send.
    pub fn starting_at(today: SystemTime) -> Self {
        let time = Time { started: system_instant(), today, passed: Duration::ZERO, waits: Vec::new() };
        Self(Arc::new(Mutex::new(time)))
    }

    /// How much time has passed since the begin.
    pub fn passed(&self) -> Duration {
        self.time().passed
    }

    /// What was waited for, in order: the pauses before retries, and those between two looks of a poll.
    pub fn waits(&self) -> Vec<Duration> {
        self.time().waits.clone()
    }

    /// Lets time pass without a wait.
    pub fn advance(&self, by: Duration) {
        let mut time = self.time();
        time.passed = time.passed.saturating_add(by);
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn instant(&self) -> Instant {
        let time = self.time();
        // A wait beyond what the machine can count is as good as none.
        time.started.checked_add(time.passed).unwrap_or(time.started)
    }

    fn system(&self) -> SystemTime {
        let time = self.time();
        time.today.checked_add(time.passed).unwrap_or(time.today)
    }

    fn wait(&self, duration: Duration) {
        self.time().waits.push(duration);
        self.advance(duration);
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "async")]
#[async_trait::async_trait]
impl crate::Clock for VirtualClock {
    fn now(&self) -> Instant {
        self.instant()
    }

    fn system_time(&self) -> SystemTime {
        self.system()
    }

    async fn sleep(&self, duration: Duration) {
        self.wait(duration);
    }
}

#[cfg(feature = "blocking")]
impl crate::blocking::Clock for VirtualClock {
    fn now(&self) -> Instant {
        self.instant()
    }

    fn system_time(&self) -> SystemTime {
        self.system()
    }

    fn sleep(&self, duration: Duration) {
        self.wait(duration);
    }
}

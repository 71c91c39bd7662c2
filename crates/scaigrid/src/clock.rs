//! Time as a seam: the only module that reads a clock or sleeps.
#![allow(clippy::disallowed_methods, reason = "this is where the real clock is read")]

use std::time::{Duration, Instant, SystemTime};

/// The clock of the async client. Replace it in tests, so that nothing waits for real.
#[cfg(feature = "async")]
#[async_trait::async_trait]
pub trait Clock: Send + Sync {
    /// Time for measuring.
    fn now(&self) -> Instant;

    /// Time of day, for dates that servers send.
    fn system_time(&self) -> SystemTime;

    /// Waits.
    async fn sleep(&self, duration: Duration);
}

/// The machine's clock, and for the async client tokio's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[cfg(feature = "async")]
#[async_trait::async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[cfg(feature = "blocking")]
impl crate::blocking::Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn sleep_unless_cancelled(&self, duration: Duration, handle: &crate::blocking::CancelHandle) {
        handle.wait_timeout(duration);
    }
}

/// The machine's clock, where a client has no other.
pub(crate) fn system_instant() -> Instant {
    Instant::now()
}

/// Waits for real: sockets do not know virtual time.
#[cfg(feature = "testing")]
pub(crate) fn wait(duration: Duration) {
    std::thread::sleep(duration);
}

/// One reading of both clocks.
#[derive(Clone, Copy)]
pub(crate) struct Now {
    pub(crate) instant: Instant,
    pub(crate) system: SystemTime,
}

/// Something to count virtual time from.
#[cfg(test)]
pub(crate) fn any_instant() -> Instant {
    Instant::now()
}

//! A clock for real sockets: what is measured is real, what is waited for is skipped.

use crate::SystemClock;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The machine's clock, put forward by each wait.
#[derive(Clone, Default)]
pub(super) struct SkippingClock(Arc<Mutex<Vec<Duration>>>);

impl SkippingClock {
    pub(super) fn waits(&self) -> Vec<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn skip(&self, duration: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(duration);
    }

    fn skipped(&self) -> Duration {
        self.waits().iter().sum()
    }
}

#[cfg(feature = "async")]
#[async_trait::async_trait]
impl crate::Clock for SkippingClock {
    fn now(&self) -> Instant {
        crate::Clock::now(&SystemClock) + self.skipped()
    }

    fn system_time(&self) -> SystemTime {
        crate::Clock::system_time(&SystemClock) + self.skipped()
    }

    async fn sleep(&self, duration: Duration) {
        self.skip(duration);
    }
}

#[cfg(feature = "blocking")]
impl crate::blocking::Clock for SkippingClock {
    fn now(&self) -> Instant {
        crate::blocking::Clock::now(&SystemClock) + self.skipped()
    }

    fn system_time(&self) -> SystemTime {
        crate::blocking::Clock::system_time(&SystemClock) + self.skipped()
    }

    fn sleep(&self, duration: Duration) {
        self.skip(duration);
    }
}

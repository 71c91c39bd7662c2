//! A clock that jumps where others wait, and token providers.

use crate::secrets::{FRESH_TOKEN, TOKEN};
use scaigrid::{BearerToken, BoxError};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

pub(crate) struct Jumping {
    begin: Instant,
    millis: AtomicU64,
}

impl Jumping {
    pub(crate) fn new() -> Self {
        Self { begin: Instant::now(), millis: AtomicU64::new(0) }
    }

    fn time(&self) -> Instant {
        self.begin + Duration::from_millis(self.millis.load(Ordering::SeqCst))
    }

    fn jump(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).min(1 << 32);
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }
}

#[cfg(feature = "blocking")]
impl scaigrid::blocking::Clock for Jumping {
    fn now(&self) -> Instant {
        self.time()
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn sleep(&self, duration: Duration) {
        self.jump(duration);
    }
}

#[cfg(feature = "async")]
#[async_trait::async_trait]
impl scaigrid::Clock for Jumping {
    fn now(&self) -> Instant {
        self.time()
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    async fn sleep(&self, duration: Duration) {
        self.jump(duration);
    }
}

/// What a provider does when it is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Provider {
    Gives,
    FailsToRefresh,
    Panics,
}

impl Provider {
    fn first(self) -> Result<BearerToken, BoxError> {
        match self {
            Self::Panics => panic!("a callback panics"),
            _ => Ok(BearerToken::new(TOKEN)?),
        }
    }

    fn fresh(self, refused: &BearerToken) -> Result<BearerToken, BoxError> {
        match self {
            Self::FailsToRefresh => Err(format!("refused: {refused:?}").into()),
            _ => Ok(BearerToken::new(FRESH_TOKEN)?),
        }
    }
}

#[cfg(feature = "blocking")]
impl scaigrid::blocking::TokenProvider for Provider {
    fn current(&self) -> Result<BearerToken, BoxError> {
        self.first()
    }

    fn refreshed(&self, refused: &BearerToken) -> Result<BearerToken, BoxError> {
        self.fresh(refused)
    }
}

#[cfg(feature = "async")]
#[async_trait::async_trait]
impl scaigrid::TokenProvider for Provider {
    async fn current(&self) -> Result<BearerToken, BoxError> {
        self.first()
    }

    async fn refreshed(&self, refused: &BearerToken) -> Result<BearerToken, BoxError> {
        self.fresh(refused)
    }
}

//! A limit of requests in a sliding window of 60 seconds.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);

/// The requests of one key in the last 60 seconds.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    limit: u32,
    admitted: VecDeque<Instant>,
}

/// What the limiter says about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) admitted: bool,
    pub(crate) limit: u32,
    /// Requests that still fit into the window.
    pub(crate) remaining: u32,
    /// Whole seconds, at least 1, until the oldest request leaves the window, which then has room again.
    pub(crate) reset_after: u64,
}

impl RateLimiter {
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit, admitted: VecDeque::new() }
    }

    /// Counts a request, unless the window is full: refused requests do not count.
    pub(crate) fn check(&mut self, now: Instant) -> Verdict {
        while self.admitted.front().is_some_and(|oldest| now.duration_since(*oldest) >= WINDOW) {
            self.admitted.pop_front();
        }
        let used = u32::try_from(self.admitted.len()).unwrap_or(u32::MAX);
        let admitted = used < self.limit;
        if admitted {
            self.admitted.push_back(now);
        }
        let age = self.admitted.front().map_or(Duration::ZERO, |oldest| now.duration_since(*oldest));
        let left = WINDOW.saturating_sub(age);
        Verdict {
            admitted,
            limit: self.limit,
            remaining: self.limit.saturating_sub(used + u32::from(admitted)),
            reset_after: (left.as_secs() + u64::from(left.subsec_nanos() > 0)).max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn the_window_slides() {
        let start = clock::monotonic();
        let at = |millis| start + Duration::from_millis(millis);
        let mut limiter = RateLimiter::new(2);
        let first = limiter.check(at(0));
        assert_eq!((first.admitted, first.remaining, first.reset_after), (true, 1, 60));
        let second = limiter.check(at(30_500));
        assert_eq!((second.admitted, second.remaining, second.reset_after), (true, 0, 30));
        let third = limiter.check(at(59_999));
        assert_eq!((third.admitted, third.remaining, third.reset_after), (false, 0, 1));
        assert!(limiter.check(at(60_000)).admitted);
        assert!(!limiter.check(at(90_499)).admitted);
        assert!(limiter.check(at(90_500)).admitted);
    }

    #[test]
    fn a_limit_of_zero_refuses_everything() {
        let verdict = RateLimiter::new(0).check(clock::monotonic());
        assert_eq!((verdict.admitted, verdict.reset_after), (false, 60));
    }
}

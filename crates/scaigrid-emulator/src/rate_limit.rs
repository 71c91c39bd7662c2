//! A limit of requests in a sliding window of 60 seconds.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);

/// The requests of one key in the last 60 seconds.
#[derive(Debug, Default)]
pub(crate) struct RateLimiter {
    admitted: VecDeque<Instant>,
}

/// What the limiter says about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) admitted: bool,
    pub(crate) limit: u32,
    /// Requests that still fit into the window.
    pub(crate) remaining: u32,
    /// Whole seconds, at least 1, until a request leaves the window and leaves it with room.
    pub(crate) reset_after: u64,
}

impl RateLimiter {
    /// Counts a request, unless the window has `limit` of them: refused requests do not count. The limit may
    /// change from call to call.
    pub(crate) fn check(&mut self, now: Instant, limit: u32) -> Verdict {
        while self.admitted.front().is_some_and(|oldest| now.duration_since(*oldest) >= WINDOW) {
            self.admitted.pop_front();
        }
        let used = u32::try_from(self.admitted.len()).unwrap_or(u32::MAX);
        let admitted = used < limit;
        if admitted {
            self.admitted.push_back(now);
        }
        // Of a lowered limit, more requests than the oldest have to leave.
        let surplus = usize::try_from(used.saturating_sub(limit)).unwrap_or(usize::MAX);
        let age = self.admitted.get(surplus).map_or(Duration::ZERO, |oldest| now.duration_since(*oldest));
        let left = WINDOW.saturating_sub(age);
        Verdict {
            admitted,
            limit,
            remaining: limit.saturating_sub(used + u32::from(admitted)),
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
        let mut limiter = RateLimiter::default();
        let first = limiter.check(at(0), 2);
        assert_eq!((first.admitted, first.remaining, first.reset_after), (true, 1, 60));
        let second = limiter.check(at(30_500), 2);
        assert_eq!((second.admitted, second.remaining, second.reset_after), (true, 0, 30));
        let third = limiter.check(at(59_999), 2);
        assert_eq!((third.admitted, third.remaining, third.reset_after), (false, 0, 1));
        assert!(limiter.check(at(60_000), 2).admitted);
        assert!(!limiter.check(at(90_499), 2).admitted);
        assert!(limiter.check(at(90_500), 2).admitted);
    }

    #[test]
    fn a_limit_of_zero_refuses_everything() {
        let verdict = RateLimiter::default().check(clock::monotonic(), 0);
        assert_eq!((verdict.admitted, verdict.reset_after), (false, 60));
    }

    #[test]
    fn a_lowered_limit_waits_for_more_requests_to_leave() {
        let start = clock::monotonic();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut limiter = RateLimiter::default();
        for seconds in [0, 10, 20] {
            assert!(limiter.check(at(seconds), 10).admitted);
        }
        let refused = limiter.check(at(30), 2);
        assert_eq!((refused.admitted, refused.remaining, refused.reset_after), (false, 0, 40));
        assert!(!limiter.check(at(69), 2).admitted);
        assert!(limiter.check(at(70), 2).admitted);
    }
}

//! A retry policy of one's own, for programs that run at night and have time.

use scaigrid_retry::{Decision, FailedAttempt, Failure, RetryPolicy, StandardPolicy, StopReason, WaitSource};
use scaigrid_types::ErrorCode;
use std::time::Duration;

/// Waits out rate limits, however many attempts that takes, and judges everything else as the standard policy does.
#[derive(Clone, Debug)]
pub struct NightShift {
    /// How long a call may last with all its waits.
    pub patience: Duration,
    /// The wait when the gateway does not say how long.
    pub pause: Duration,
    pub otherwise: StandardPolicy,
}

impl Default for NightShift {
    /// An hour, in steps of half a minute.
    fn default() -> Self {
        let pause = Duration::from_secs(30);
        Self { patience: Duration::from_secs(3600), pause, otherwise: StandardPolicy::new() }
    }
}

impl RetryPolicy for NightShift {
    fn decide(&self, failed: &FailedAttempt<'_>) -> Decision {
        let Failure::Response { code: Some(ErrorCode::RateLimited), .. } = failed.failure else {
            return self.otherwise.decide(failed);
        };
        let (delay, source) = match failed.hint {
            Some(hint) if !hint.is_zero() => (hint, WaitSource::Hint),
            _ => (self.pause, WaitSource::Backoff),
        };
        let limit = failed.deadline.unwrap_or(self.patience).min(self.patience);
        if failed.elapsed + delay > limit {
            return Decision::Stop(StopReason::DeadlineTooClose);
        }
        Decision::RetryAfter { delay, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scaigrid::testing::{Answer, ScriptedTransport};
    use scaigrid::{ChatRequest, RetryBudget, blocking};

    fn client(gateway: &ScriptedTransport) -> blocking::Client {
        let builder = gateway.blocking_client_builder().retry_policy(NightShift::default());
        builder.retry_budget(RetryBudget::new(1000)).build().unwrap()
    }

    fn chat() -> ChatRequest {
        ChatRequest::new("scailabs/poolnoodle-omni").user("Hello")
    }

    #[test]
    fn half_an_hour_of_refusals_is_waited_out_in_no_time() {
        let gateway = ScriptedTransport::new()
            .answer(Answer::error(ErrorCode::RateLimited).times(59))
            .answer(Answer::error(ErrorCode::RateLimited).retry_after(Duration::from_secs(45)))
            .answer(Answer::chat("Good morning."));
        let reply = client(&gateway).chat(&chat()).unwrap();
        assert_eq!((reply.text().as_ref(), reply.attempts()), ("Good morning.", 61));
        assert_eq!(gateway.clock().passed(), Duration::from_secs(59 * 30 + 45));
        assert_eq!(gateway.answers_left(), 0);
    }

    #[test]
    fn patience_ends() {
        let gateway = ScriptedTransport::new().otherwise(|_| Answer::error(ErrorCode::RateLimited));
        let error = client(&gateway).chat(&chat()).unwrap_err();
        assert_eq!(error.stop_reason(), Some(StopReason::DeadlineTooClose));
        assert_eq!(gateway.clock().passed(), NightShift::default().patience);
        assert_eq!(gateway.requests().len(), 121);
    }

    #[test]
    fn everything_else_is_judged_as_usual() {
        let gateway = ScriptedTransport::new().answer(Answer::error(ErrorCode::BudgetExceeded));
        let error = client(&gateway).chat(&chat()).unwrap_err();
        assert_eq!(error.stop_reason(), Some(StopReason::NotRetryable));
        assert_eq!(gateway.clock().waits(), []);
    }
}

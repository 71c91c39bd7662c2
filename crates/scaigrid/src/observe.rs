//! Tells of each attempt while the call goes on.

use crate::AttemptReport;
use crate::observation::Failure;
use std::sync::Arc;

/// What the caller wants to be told of each attempt.
pub(crate) type Observer = Arc<dyn Fn(&AttemptReport) + Send + Sync>;

/// Each attempt is one event: of the target `scaigrid::retry` if another follows, else of `scaigrid::attempt`.
pub(crate) fn log(attempt: &AttemptReport) {
    macro_rules! tell {
        ($level:ident, $target:literal $(, $field:ident = $value:expr)*) => {
            tracing::$level!(
                target: $target,
                endpoint = attempt.endpoint,
                attempt = attempt.number,
                "error.type" = Failure::of_attempt(attempt).map(|failure| failure.name()),
                "http.response.status_code" = attempt.status.map(|status| status.as_u16()),
                "scaigrid.request_id" = attempt.request_id,
                elapsed_seconds = attempt.elapsed.as_secs_f64(),
                $($field = $value,)*
                "{attempt}"
            )
        };
    }
    match (attempt.wait, attempt.error) {
        (Some(wait), _) => tell!(
            info,
            "scaigrid::retry",
            wait_seconds = wait.as_secs_f64(),
            wait_source = attempt.wait_source.map(display)
        ),
        (None, Some(_)) => tell!(info, "scaigrid::attempt", stop_reason = attempt.stop_reason.map(display)),
        (None, None) => tell!(debug, "scaigrid::attempt"),
    }
}

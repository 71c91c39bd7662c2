//! Tells of each attempt while the call goes on.

use crate::AttemptReport;
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
                "error.type" = attempt.error.map(|_| error_type(attempt)),
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

/// The error code, else the transport's kind, else the status.
pub(crate) fn error_type(attempt: &AttemptReport) -> String {
    match (&attempt.code, attempt.transport, attempt.status) {
        (Some(code), _, _) => code.as_str().to_owned(),
        (None, Some(kind), _) => format!("{kind:?}"),
        (None, None, Some(status)) => status.as_str().to_owned(),
        (None, None, None) => "_OTHER".to_owned(),
    }
}

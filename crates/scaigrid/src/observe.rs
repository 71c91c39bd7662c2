//! Tells of each attempt while the call goes on.

use crate::AttemptReport;
use std::sync::Arc;

/// What the caller wants to be told of each attempt.
pub(crate) type Observer = Arc<dyn Fn(&AttemptReport) + Send + Sync>;

/// Tells the observer of an attempt, and the log of a retry.
pub(crate) fn observe(observer: Option<&Observer>, attempt: &AttemptReport) {
    if let Some(observer) = observer {
        observer(attempt);
    }
    let Some(wait) = attempt.wait else { return };
    tracing::info!(
        target: "scaigrid::retry",
        endpoint = attempt.endpoint,
        attempt = attempt.number,
        "error.type" = error_type(attempt),
        "http.response.status_code" = attempt.status.map(|status| status.as_u16()),
        "scaigrid.request_id" = attempt.request_id,
        wait_seconds = wait.as_secs_f64(),
        wait_source = attempt.wait_source.map(tracing::field::display),
        "{attempt}"
    );
}

/// The error code, else the transport's kind, else the status.
fn error_type(attempt: &AttemptReport) -> String {
    match (&attempt.code, attempt.transport, attempt.status) {
        (Some(code), _, _) => code.as_str().to_owned(),
        (None, Some(kind), _) => format!("{kind:?}"),
        (None, None, Some(status)) => status.as_str().to_owned(),
        (None, None, None) => "_OTHER".to_owned(),
    }
}

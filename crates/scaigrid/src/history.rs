//! The trace that failed attempts leave.

use crate::one_line::OneLine;
use http::StatusCode;
use scaigrid_retry::WaitSource;
use scaigrid_transport::TransportErrorKind;
use scaigrid_types::ErrorCode;
use std::fmt;
use std::time::Duration;

/// One failed attempt of a call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AttemptReport {
    /// Its number, from 1.
    pub number: u32,
    /// The HTTP status, if an answer came.
    pub status: Option<StatusCode>,
    /// The error code, if the answer had one.
    pub code: Option<ErrorCode>,
    /// How the transport failed, if no complete answer came.
    pub transport: Option<TransportErrorKind>,
    /// The gateway's id for this request.
    pub request_id: Option<String>,
    /// Time from the begin of the call to this failure.
    pub elapsed: Duration,
    /// The wait that followed. `None` when none did.
    pub wait: Option<Duration>,
    /// Where the wait came from. `None` when there was none.
    pub wait_source: Option<WaitSource>,
}

/// One line, such as `attempt 1: BACKEND_ERROR (HTTP 502), request id req_1, then 0.43 s (backoff)`.
impl fmt::Display for AttemptReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt {}: ", self.number)?;
        match (&self.code, self.status, self.transport) {
            (Some(code), Some(status), _) => {
                write!(f, "{} (HTTP {})", OneLine(code.as_str()), status.as_u16())?
            }
            (Some(code), None, _) => write!(f, "{}", OneLine(code.as_str()))?,
            (None, _, Some(kind)) => write!(f, "{kind:?}")?,
            (None, Some(status), None) => write!(f, "HTTP {}", status.as_u16())?,
            (None, None, None) => f.write_str("failed")?,
        }
        if let Some(request_id) = &self.request_id {
            write!(f, ", request id {}", OneLine(request_id))?;
        }
        if let (Some(wait), Some(source)) = (self.wait, self.wait_source) {
            write!(f, ", then {:.2} s ({source})", wait.as_secs_f64())?;
        }
        Ok(())
    }
}

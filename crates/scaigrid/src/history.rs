//! The trace that attempts leave.

use crate::ErrorKind;
use crate::one_line::OneLine;
use http::StatusCode;
use scaigrid_retry::{StopReason, WaitSource};
use scaigrid_transport::TransportErrorKind;
use scaigrid_types::ErrorCode;
use std::fmt;
use std::time::Duration;

/// One attempt of a call: what became of it, and what followed.
///
/// The histories of errors and replies hold the failed ones; an observer set with
/// [`on_attempt`](crate::GenericClientBuilder::on_attempt) sees all. Holds no secret.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AttemptReport {
    /// The endpoint's name, such as `chat`.
    pub endpoint: &'static str,
    /// Its number, from 1.
    pub number: u32,
    /// What kind of failure it was. `None`: it succeeded.
    pub error: Option<ErrorKind>,
    /// The HTTP status, if an answer came.
    pub status: Option<StatusCode>,
    /// The error code, if the answer had one.
    pub code: Option<ErrorCode>,
    /// How the transport failed, if no complete answer came.
    pub transport: Option<TransportErrorKind>,
    /// The gateway's id for this request.
    pub request_id: Option<String>,
    /// Time from the begin of the call to the end of this attempt.
    pub elapsed: Duration,
    /// The wait that followed. `None` when none did.
    pub wait: Option<Duration>,
    /// Where the wait came from. `None` when there was none.
    pub wait_source: Option<WaitSource>,
    /// Why no further attempt followed. `None` when one did, when it succeeded, and when no retry policy was asked.
    pub stop_reason: Option<StopReason>,
}

/// One line, such as `attempt 1: BACKEND_ERROR (HTTP 502), request id req_1, then 0.43 s (backoff)`.
impl fmt::Display for AttemptReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt {}: ", self.number)?;
        match (&self.code, self.status, self.transport) {
            _ if self.error.is_none() => f.write_str("succeeded")?,
            (Some(code), Some(status), _) => {
                write!(f, "{} (HTTP {})", OneLine(code.as_str()), status.as_u16())?;
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
        match self.stop_reason {
            Some(reason) => write!(f, ", stopped: {reason}"),
            None => Ok(()),
        }
    }
}

/// How a call went, attempt by attempt. From [`Error::retry_report`](crate::Error::retry_report),
/// [`Reply::retry_report`](crate::Reply::retry_report), and the streams. `Display` is one line for a log.
///
/// ```
/// # fn tell(error: &scaigrid::Error) {
/// // 3 attempts in 1.61 s: attempt 1: BACKEND_ERROR (HTTP 502), request id req_1, then 0.43 s (backoff); attempt 2: ...
/// eprintln!("{}", error.retry_report());
/// for failed in error.retry_report().failed {
///     eprintln!("{:?} after {:?}", failed.code, failed.elapsed);
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetryReport<'a> {
    /// Requests that were sent.
    pub attempts: u32,
    /// The attempts that failed, oldest first.
    pub failed: &'a [AttemptReport],
    /// Time from the begin of the call to its end, or to the first chunk of a stream; waits included.
    pub elapsed: Duration,
}

impl RetryReport<'_> {
    /// The sum of all waits.
    pub fn waited(&self) -> Duration {
        self.failed.iter().filter_map(|attempt| attempt.wait).sum()
    }

    /// Why there was no further attempt. `None` for a success, and when no retry policy was asked.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.failed.last()?.stop_reason
    }
}

/// Such as `2 attempts in 0.61 s: attempt 1: BACKEND_ERROR (HTTP 502), request id req_1, then 0.43 s (backoff)`.
impl fmt::Display for RetryReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.attempts == 1 { "" } else { "s" };
        write!(f, "{} attempt{plural} in {:.2} s", self.attempts, self.elapsed.as_secs_f64())?;
        for (index, attempt) in self.failed.iter().enumerate() {
            write!(f, "{} {attempt}", if index == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

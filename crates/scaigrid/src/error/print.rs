//! How errors are printed, and what lies below them.

use super::Error;
use crate::one_line::OneLine;
use scaigrid_retry::StopReason;
use scaigrid_transport::TransportError;
use scaigrid_types::DecodeError;
use std::fmt;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = &self.0.context;
        if let Some(endpoint) = context.endpoint {
            write!(f, "{endpoint}: ")?;
        }
        match (self.code(), context.status) {
            (Some(code), Some(status)) => {
                write!(f, "{} (HTTP {}): ", OneLine(code.as_str()), status.as_u16())?;
            }
            (None, Some(status)) => write!(f, "HTTP {}: ", status.as_u16())?,
            _ => {}
        }
        write!(f, "{}", OneLine(&self.0.message))?;
        for field in self.field_errors() {
            write!(f, "; {}: {}", OneLine(&field.field), OneLine(&field.message))?;
        }
        if let Some(wait) = context.retry_after {
            write!(f, "; the server asks to wait {} s", wait.as_secs_f64())?;
        }
        if let Some(request_id) = &context.request_id {
            write!(f, "; request id {}", OneLine(request_id))?;
        }
        if context.attempts > 1 {
            write!(f, "; {} attempts", context.attempts)?;
        }
        match context.stop_reason {
            Some(
                reason @ (StopReason::HintTooLong
                | StopReason::DeadlineTooClose
                | StopReason::MayHaveRun
                | StopReason::BodyNotRepeatable
                | StopReason::RetryBudgetEmpty),
            ) => {
                write!(f, "; not repeated: {reason}")
            }
            _ => Ok(()),
        }
    }
}

/// Leaves out headers and body, which may hold secrets.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = &self.0.context;
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("endpoint", &context.endpoint)
            .field("code", &self.code())
            .field("status", &context.status)
            .field("request_id", &context.request_id)
            .field("retry_after", &context.retry_after)
            .field("history", &context.history)
            .field("stop_reason", &context.stop_reason)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    /// What lies below; for an attempt that the deadline cut off, the failure of the one before. Errors whose text is
    /// this error's own message are skipped.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Some(before) = &self.0.context.before {
            return Some(before);
        }
        let source = self.0.source.as_deref()?;
        if source.is::<TransportError>()
            || (source.is::<DecodeError>() && source.to_string() == self.0.message)
        {
            return source.source();
        }
        Some(source)
    }
}

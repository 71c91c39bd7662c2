//! How calls end, and what may be told of their errors.

use crate::{AttemptReport, Error, ErrorCode, ErrorKind};
use http::StatusCode;
use scaigrid_transport::TransportErrorKind;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome<'a> {
    Succeeded,
    Failed(Failure<'a>),
    /// A stream or a file broke off after its begin.
    CutShort(Failure<'a>),
    /// Its future, stream, or download was dropped, or another thread cancelled it, which leaves an error.
    Abandoned(Option<Failure<'a>>),
}

/// What may be told of an error: nothing of what a server said in its own words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Failure<'a> {
    pub(crate) kind: ErrorKind,
    pub(crate) code: Option<&'a ErrorCode>,
    pub(crate) transport: Option<TransportErrorKind>,
    pub(crate) status: Option<StatusCode>,
    pub(crate) request_id: Option<&'a str>,
}

impl<'a> Failure<'a> {
    pub(crate) fn of(error: &'a Error) -> Self {
        Self {
            kind: error.kind(),
            code: error.code(),
            transport: error.transport_kind(),
            status: error.status(),
            request_id: error.request_id(),
        }
    }

    /// Of an attempt; `None` if it succeeded.
    pub(crate) fn of_attempt(report: &'a AttemptReport) -> Option<Self> {
        Some(Self {
            kind: report.error?,
            code: report.code.as_ref(),
            transport: report.transport,
            status: report.status,
            request_id: report.request_id.as_deref(),
        })
    }

    /// The `error.type` of spans and logs: the gateway's code, else how the transport failed, else a status that is no
    /// success, else the kind of the error.
    pub(crate) fn name(&self) -> String {
        match (self.code, self.transport, self.status) {
            (Some(code), _, _) => code.as_str().to_owned(),
            (None, Some(kind), _) => format!("{kind:?}"),
            (None, None, Some(status)) if !status.is_success() => status.as_str().to_owned(),
            _ => format!("{:?}", self.kind),
        }
    }

    /// As [`name`](Self::name), of a few values only: codes that this version does not know are one.
    #[cfg(feature = "opentelemetry")]
    pub(crate) fn metric_name(&self) -> String {
        match self.code {
            Some(ErrorCode::Unknown(_)) => "_OTHER".to_owned(),
            _ => self.name(),
        }
    }
}

impl<'a> Outcome<'a> {
    /// Of a call whose answer had not begun.
    pub(crate) fn failed(error: &'a Error) -> Self {
        match error.kind() {
            ErrorKind::Cancelled => Self::Abandoned(Some(Failure::of(error))),
            _ => Self::Failed(Failure::of(error)),
        }
    }

    /// Of a call whose answer had begun.
    pub(crate) fn cut_short(error: &'a Error) -> Self {
        match error.kind() {
            ErrorKind::Cancelled => Self::Abandoned(Some(Failure::of(error))),
            _ => Self::CutShort(Failure::of(error)),
        }
    }

    /// The error that ended it.
    pub(crate) fn cause(&self) -> Option<Failure<'a>> {
        match self {
            Self::Failed(failure) | Self::CutShort(failure) | Self::Abandoned(Some(failure)) => {
                Some(*failure)
            }
            Self::Succeeded | Self::Abandoned(None) => None,
        }
    }

    /// As [`cause`](Self::cause), but for what the caller has ended, which is no failure.
    pub(crate) fn failure(&self) -> Option<Failure<'a>> {
        self.cause().filter(|_| !matches!(self, Self::Abandoned(_)))
    }
}

//! One call as those see it who watch calls: from its begin to its very end, streams and downloads included.
//!
//! ```text
//! Call::with_request ──▶ sending ─▶ attempted ─▶ ... ─▶ answered ─▶ first_chunk ─▶ finish ──▶ CallEnd
//!                           ▲           │                   │
//!                           └───────────┘                   └─ Opened carries it into StreamCore, DownloadCore
//! ```
//!
//! Whoever holds it tells it; it tells [`Watch`] once. Dropped without an end, the call was abandoned.

use crate::usage::{BudgetGuard, UsageTable};
use crate::{AttemptReport, Error, ErrorCode, ErrorKind};
use http::StatusCode;
use scaigrid_types::{Endpoint, ReplyFacts, Usage};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Gives the time of the client's clock, whatever its colour.
pub(crate) type InstantSource = Arc<dyn Fn() -> Instant + Send + Sync>;

/// Those who watch the calls of a client. Shared by its clones; a clone with another label has its own.
#[derive(Clone)]
pub(crate) struct Watch {
    pub(crate) now: InstantSource,
    pub(crate) label: Option<Arc<str>>,
    pub(crate) usage: UsageTable,
    pub(crate) budget_guard: Option<BudgetGuard>,
}

impl Watch {
    pub(crate) fn new(now: InstantSource) -> Self {
        Self { now, label: None, usage: UsageTable::default(), budget_guard: None }
    }

    /// Hands the end of a call to all who watch. New observers are added here, and in the other `tell_` methods.
    fn tell_end(&self, end: &CallEnd<'_>) {
        self.usage.count(end);
        if let Some(guard) = &self.budget_guard {
            guard.count(end);
        }
    }

    /// A request is about to be sent.
    fn tell_sending(&self, _: &Live) {}

    /// An attempt has ended.
    fn tell_attempt(&self, _: &Live, _: &AttemptReport) {}

    /// The first chunk of a stream, or the first bytes of a file, are there.
    fn tell_first_chunk(&self, _: &Live) {}
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("label", &self.label).finish_non_exhaustive()
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome<'a> {
    Succeeded,
    Failed(Failure<'a>),
    /// A stream or a file broke off after its first chunk.
    CutShort(Failure<'a>),
    /// Its future, stream, or download was dropped, or another thread cancelled it.
    Abandoned,
}

/// What may be told of an error: nothing of what a server said in its own words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Failure<'a> {
    pub(crate) kind: ErrorKind,
    pub(crate) code: Option<&'a ErrorCode>,
    pub(crate) status: Option<StatusCode>,
    pub(crate) request_id: Option<&'a str>,
}

impl<'a> Failure<'a> {
    fn of(error: &'a Error) -> Self {
        Self {
            kind: error.kind(),
            code: error.code(),
            status: error.status(),
            request_id: error.request_id(),
        }
    }
}

impl<'a> Outcome<'a> {
    /// Of a call whose answer had not begun.
    pub(crate) fn failed(error: &'a Error) -> Self {
        match error.kind() {
            ErrorKind::Cancelled => Self::Abandoned,
            _ => Self::Failed(Failure::of(error)),
        }
    }

    /// Of a call whose answer had begun.
    pub(crate) fn cut_short(error: &'a Error) -> Self {
        match error.kind() {
            ErrorKind::Cancelled => Self::Abandoned,
            _ => Self::CutShort(Failure::of(error)),
        }
    }

    pub(crate) fn failure(&self) -> Option<Failure<'a>> {
        match self {
            Self::Failed(failure) | Self::CutShort(failure) => Some(*failure),
            Self::Succeeded | Self::Abandoned => None,
        }
    }
}

/// All that is known of a call when it has ended. Told once a call.
#[derive(Clone, Debug)]
#[allow(dead_code, reason = "not every observer reads every field")]
pub(crate) struct CallEnd<'a> {
    pub(crate) endpoint: &'static str,
    /// `None` for calls that ask no model.
    pub(crate) operation: Option<&'static str>,
    pub(crate) requested_model: Option<&'a str>,
    pub(crate) response_model: Option<&'a str>,
    pub(crate) response_id: Option<&'a str>,
    pub(crate) finish_reasons: &'a [&'a str],
    /// From the reply or from any chunk of a stream.
    pub(crate) usage: Option<Usage>,
    pub(crate) label: Option<&'a Arc<str>>,
    /// Requests that were sent.
    pub(crate) attempts: u32,
    /// Requests that may have run, and whose tokens are not known.
    pub(crate) without_usage: u32,
    pub(crate) status: Option<StatusCode>,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) elapsed: Duration,
    pub(crate) time_to_first_chunk: Option<Duration>,
    pub(crate) outcome: Outcome<'a>,
}

/// A call under way. Empty once it has ended, or has been handed on.
pub(crate) struct Observation(Option<Live>);

/// What is known of a call under way.
pub(crate) struct Live {
    watch: Arc<Watch>,
    endpoint: &'static str,
    operation: Option<&'static str>,
    requested_model: Option<Box<str>>,
    started: Instant,
    attempts: u32,
    /// Earlier attempts that failed and may have run.
    without_usage: u32,
    /// The last request may have run, and did not fail.
    is_open: bool,
    status: Option<StatusCode>,
    request_id: Option<String>,
    time_to_first_chunk: Option<Duration>,
}

impl Observation {
    pub(crate) fn begin<E: Endpoint>(endpoint: &E, watch: &Arc<Watch>, started: Instant) -> Self {
        Self(Some(Live {
            watch: Arc::clone(watch),
            endpoint: endpoint.name(),
            operation: endpoint.operation(),
            requested_model: endpoint.requested_model().map(Box::from),
            started,
            attempts: 0,
            without_usage: 0,
            is_open: false,
            status: None,
            request_id: None,
            time_to_first_chunk: None,
        }))
    }

    /// Hands the call on to what lives longer.
    pub(crate) fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    pub(crate) fn sending(&mut self) {
        if let Some(live) = &mut self.0 {
            live.attempts = live.attempts.saturating_add(1);
            live.is_open = true;
            live.watch.tell_sending(live);
        }
    }

    /// An attempt has ended. `may_have_run` counts for one that failed.
    pub(crate) fn attempted(&mut self, report: &AttemptReport, may_have_run: bool) {
        if let Some(live) = &mut self.0 {
            if report.error.is_some() {
                live.is_open = false;
                live.without_usage = live.without_usage.saturating_add(u32::from(may_have_run));
            }
            live.watch.tell_attempt(live, report);
        }
    }

    /// The head of the answer that counts is there. The id is redacted.
    pub(crate) fn answered(&mut self, status: Option<StatusCode>, request_id: Option<String>) {
        if let Some(live) = &mut self.0 {
            (live.status, live.request_id) = (status, request_id);
        }
    }

    /// The first chunk of a stream, or the first bytes of a file, are there. Later ones do not count.
    pub(crate) fn first_chunk(&mut self) {
        if let Some(live) = self.0.as_mut().filter(|live| live.time_to_first_chunk.is_none()) {
            live.time_to_first_chunk = Some(live.elapsed());
            live.watch.tell_first_chunk(live);
        }
    }

    /// The call has ended. Only the first end counts.
    pub(crate) fn finish(&mut self, outcome: Outcome<'_>, facts: &ReplyFacts<'_>) {
        let Some(live) = self.0.take() else { return };
        let failure = outcome.failure();
        let is_unknown = live.is_open && facts.usage.is_none();
        live.watch.tell_end(&CallEnd {
            endpoint: live.endpoint,
            operation: live.operation,
            requested_model: live.requested_model.as_deref(),
            response_model: facts.model,
            response_id: facts.id,
            finish_reasons: &facts.finish_reasons,
            usage: facts.usage,
            label: live.watch.label.as_ref(),
            attempts: live.attempts,
            without_usage: live.without_usage.saturating_add(u32::from(is_unknown)),
            status: failure.map_or(live.status, |failure| failure.status),
            request_id: failure.map_or(live.request_id.as_deref(), |failure| failure.request_id),
            elapsed: live.elapsed(),
            time_to_first_chunk: live.time_to_first_chunk,
            outcome,
        });
    }

    /// The time since the call's begin. `None` once it has ended.
    pub(crate) fn elapsed(&self) -> Option<Duration> {
        self.0.as_ref().map(Live::elapsed)
    }

    /// Whether an end is still to come.
    pub(crate) fn is_live(&self) -> bool {
        self.0.is_some()
    }
}

impl Live {
    fn elapsed(&self) -> Duration {
        (self.watch.now)().saturating_duration_since(self.started)
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        self.finish(Outcome::Abandoned, &ReplyFacts::default());
    }
}

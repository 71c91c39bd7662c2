//! One call as those see it who watch calls: from its begin to its very end, streams and downloads included.
//!
//! ```text
//! Call::with_outline ──▶ sending ─▶ attempted ─▶ ... ─▶ first_chunk ─▶ finish ──▶ CallEnd
//!                           ▲           │            │
//!                           └───────────┘            └─ Opened carries it into StreamCore, DownloadCore
//! ```
//!
//! Whoever holds it tells it, also when it is dropped itself: the call was abandoned. It tells [`Watch`] once.

mod outcome;

pub(crate) use outcome::{Failure, Outcome};

use crate::AttemptReport;
use crate::call::Outline;
use crate::one_line::Secrets;
use crate::payload::Payload;
use crate::settings::Settings;
use crate::trace::{CallSpan, shortened};
use crate::usage::{BudgetGuard, UsageTable};
use http::StatusCode;
use scaigrid_types::{Endpoint, ReplyFacts, Usage};
use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::Span;

/// Gives the time of the client's clock, whatever its colour.
pub(crate) type InstantSource = Arc<dyn Fn() -> Instant + Send + Sync>;

/// Those who watch the calls of a client. Shared by its clones; a clone with another label has its own.
#[derive(Clone)]
pub(crate) struct Watch {
    pub(crate) now: InstantSource,
    pub(crate) label: Option<Arc<str>>,
    pub(crate) usage: UsageTable,
    pub(crate) budget_guard: Option<BudgetGuard>,
    #[cfg(feature = "opentelemetry")]
    pub(crate) instruments: crate::trace::Instruments,
}

impl Watch {
    /// Hands the end of a call to all who watch. New observers are added here, and in the other `tell_` methods.
    fn tell_end(&self, span: &CallSpan, end: &CallEnd<'_>) {
        self.usage.count(end);
        if let Some(guard) = &self.budget_guard {
            guard.count(end);
        }
        #[cfg(feature = "opentelemetry")]
        self.instruments.ended(end);
        span.end(end);
    }

    /// An attempt has ended.
    #[cfg_attr(
        not(feature = "opentelemetry"),
        allow(unused_variables, clippy::unused_self, reason = "used by that feature")
    )]
    fn tell_attempt(&self, live: &Live, requested_model: Option<&str>, report: &AttemptReport) {
        live.span.attempt(report);
        #[cfg(feature = "opentelemetry")]
        self.instruments.attempted(live.operation, requested_model, report);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("label", &self.label).finish_non_exhaustive()
    }
}

/// What those who hold a call know of its end.
#[derive(Default)]
pub(crate) struct Ending<'a> {
    /// `None`: the clock is asked.
    pub(crate) at: Option<Instant>,
    /// `None`: as it was told when the call was handed on.
    pub(crate) requested_model: Option<&'a str>,
    pub(crate) status: Option<StatusCode>,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) facts: ReplyFacts<'a>,
    /// The reply's text as JSON, made only where it is recorded.
    pub(crate) content: Option<&'a dyn Fn() -> Option<String>>,
    /// What must not be printed, whoever says it; made only where something is.
    pub(crate) secrets: Option<&'a dyn Fn() -> Secrets>,
}

/// All that is known of a call when it has ended. Told once a call.
#[cfg_attr(not(feature = "opentelemetry"), allow(dead_code, reason = "not every observer reads every field"))]
pub(crate) struct CallEnd<'a> {
    /// `None` for calls that ask no model.
    pub(crate) operation: Option<&'static str>,
    pub(crate) requested_model: Option<&'a str>,
    /// What the reply says, or as much of it as has come.
    pub(crate) facts: ReplyFacts<'a>,
    pub(crate) label: Option<&'a Arc<str>>,
    /// Requests that were sent.
    pub(crate) attempts: u32,
    /// Requests that may have run, and whose tokens are not known.
    pub(crate) without_usage: u32,
    /// Of the latest answer.
    pub(crate) status: Option<StatusCode>,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) elapsed: Duration,
    /// Of a stream.
    pub(crate) time_to_first_chunk: Option<Duration>,
    pub(crate) outcome: Outcome<'a>,
    pub(crate) content: Option<&'a dyn Fn() -> Option<String>>,
    make_secrets: Option<&'a dyn Fn() -> Secrets>,
    secrets: OnceCell<Secrets>,
}

impl CallEnd<'_> {
    /// From the reply or from any chunk of a stream.
    pub(crate) fn usage(&self) -> Option<Usage> {
        self.facts.usage
    }

    /// The model that the request names, else the one that the reply names.
    pub(crate) fn model(&self) -> Option<&str> {
        self.requested_model.or(self.facts.model)
    }

    /// A server's text as it may be printed.
    pub(crate) fn safe(&self, text: &str) -> String {
        let mut text = shortened(text);
        self.secrets
            .get_or_init(|| self.make_secrets.map(|make| make()).unwrap_or_default())
            .redact(&mut text);
        text
    }
}

/// A call under way. Empty once it has ended, or has been handed on.
#[derive(Default)]
pub(crate) struct Observation(Option<Live>);

/// What is known of a call under way.
struct Live {
    watch: Arc<Watch>,
    span: CallSpan,
    operation: Option<&'static str>,
    /// Copied only for what outlives the endpoint.
    requested_model: Option<Box<str>>,
    started: Instant,
    attempts: u32,
    /// Earlier attempts that failed and may have run.
    without_usage: u32,
    /// The last request may have run, and did not fail.
    is_open: bool,
    time_to_first_chunk: Option<Duration>,
}

impl Observation {
    pub(crate) fn begin<E: Endpoint>(
        endpoint: &E,
        outline: &Outline,
        settings: &Settings,
        started: Instant,
    ) -> Self {
        Self(Some(Live {
            watch: Arc::clone(&settings.watch),
            span: CallSpan::begin(endpoint, outline, settings.record_content),
            operation: endpoint.operation(),
            requested_model: None,
            started,
            attempts: 0,
            without_usage: 0,
            is_open: false,
            time_to_first_chunk: None,
        }))
    }

    /// Takes it away from who held it.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// As [`take`](Self::take), for what outlives the endpoint.
    pub(crate) fn hand_on(&mut self, requested_model: Option<&str>) -> Self {
        let mut taken = self.take();
        taken.0.iter_mut().for_each(|live| live.requested_model = requested_model.map(Box::from));
        taken
    }

    /// The answer is read as a stream.
    pub(crate) fn streaming(&self) {
        self.0.iter().for_each(|live| live.span.streaming());
    }

    /// A request is about to be sent.
    pub(crate) fn sending(&mut self) {
        if let Some(live) = &mut self.0 {
            live.attempts = live.attempts.saturating_add(1);
            live.is_open = true;
        }
    }

    /// The request carries the trace, and the span for what the transport tells.
    pub(crate) fn enter_request(&self, settings: &Settings, request: &mut http::Request<Payload>) {
        if let Some(live) = &self.0 {
            live.span.enter_request(settings, request);
        }
    }

    /// An attempt has ended. `may_have_run` counts for one that failed.
    pub(crate) fn attempted(
        &mut self,
        requested_model: Option<&str>,
        report: &AttemptReport,
        may_have_run: bool,
    ) {
        if let Some(live) = &mut self.0 {
            if report.error.is_some() {
                live.is_open = false;
                live.without_usage = live.without_usage.saturating_add(u32::from(may_have_run));
            }
            live.watch.tell_attempt(live, requested_model, report);
        }
    }

    /// The first chunk of a stream is there.
    pub(crate) fn first_chunk(&mut self, now: Instant) {
        if let Some(live) = &mut self.0 {
            let elapsed = now.saturating_duration_since(live.started);
            live.time_to_first_chunk = Some(elapsed);
            live.span.first_chunk(elapsed);
        }
    }

    /// The call has ended. Only the first end counts.
    pub(crate) fn finish(&mut self, outcome: Outcome<'_>, ending: Ending<'_>) {
        let Some(live) = self.0.take() else { return };
        let cause = outcome.cause();
        let is_unknown = live.is_open && ending.facts.usage.is_none();
        let elapsed = match ending.at {
            Some(at) => at.saturating_duration_since(live.started),
            None => live.elapsed(),
        };
        let end = CallEnd {
            operation: live.operation,
            requested_model: ending.requested_model.or(live.requested_model.as_deref()),
            facts: ending.facts,
            label: live.watch.label.as_ref(),
            attempts: live.attempts,
            without_usage: live.without_usage.saturating_add(u32::from(is_unknown)),
            status: cause.map_or(ending.status, |cause| cause.status),
            request_id: cause.map_or(ending.request_id, |cause| cause.request_id),
            elapsed,
            time_to_first_chunk: live.time_to_first_chunk,
            outcome,
            content: ending.content.filter(|_| live.span.wants_content()),
            make_secrets: ending.secrets,
            secrets: OnceCell::new(),
        };
        live.watch.tell_end(&live.span, &end);
    }

    /// The time since the call's begin. `None` once it has ended.
    pub(crate) fn elapsed(&self) -> Option<Duration> {
        self.0.as_ref().map(Live::elapsed)
    }

    /// Whether an end is still to come.
    pub(crate) fn is_live(&self) -> bool {
        self.0.is_some()
    }

    /// Whether a span is recorded.
    pub(crate) fn is_traced(&self) -> bool {
        self.span().is_some()
    }

    /// The call's span, if somebody records it and until it has ended.
    pub(crate) fn span(&self) -> Option<Span> {
        let span = self.0.as_ref()?.span.span();
        (!span.is_disabled()).then(|| span.clone())
    }
}

impl Live {
    fn elapsed(&self) -> Duration {
        (self.watch.now)().saturating_duration_since(self.started)
    }
}

//! What a call tells of itself to `tracing`: one span, from its begin to its very end, streams included.
//!
//! Without a subscriber nothing is parsed, copied, or allocated. Names are those of the OpenTelemetry semantic
//! conventions for generative AI; `scaigrid.*` is ours.

mod content;
mod facts;
#[cfg(feature = "opentelemetry")]
mod otel;

pub(crate) use facts::Told;
#[cfg(feature = "opentelemetry")]
pub(crate) use otel::Instruments;

use crate::one_line::{OneLine, Secrets};
use crate::payload::Payload;
use crate::settings::Settings;
use crate::{AttemptReport, Error, ErrorKind};
use facts::RequestFacts;
use http::StatusCode;
use scaigrid_types::Endpoint;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tracing::Span;
use tracing::field::Empty;

/// Longest text from a server that a span holds, in characters.
const LONGEST: usize = 256;

/// The span of one call. Ends it as abandoned when it is dropped before.
pub(crate) struct Trace {
    span: Span,
    operation: Option<&'static str>,
    with_content: bool,
    #[cfg(feature = "opentelemetry")]
    meter: Option<otel::Meter>,
    /// The first chunk, or the head of a file, has come.
    has_begun: AtomicBool,
    ended: AtomicBool,
}

/// What is known when a call ends.
pub(crate) struct End<'a> {
    pub(crate) status: Option<StatusCode>,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) attempts: u32,
    /// `None`: the caller has dropped it.
    pub(crate) elapsed: Option<Duration>,
    pub(crate) error: Option<&'a Error>,
    pub(crate) reply: Option<Told>,
    /// What must not be printed, whoever says it.
    pub(crate) secrets: &'a Secrets,
}

impl Trace {
    /// A call begins, below the caller's current span.
    pub(crate) fn begin<E: Endpoint>(
        endpoint: &E,
        request: &http::Request<Payload>,
        settings: &Settings,
    ) -> Self {
        let span = tracing::info_span!(
            target: "scaigrid::call",
            "scaigrid.call",
            otel.name = Empty,
            otel.kind = "client",
            otel.status_code = Empty,
            otel.status_description = Empty,
            gen_ai.operation.name = Empty,
            gen_ai.provider.name = "scaigrid",
            gen_ai.request.model = Empty,
            gen_ai.request.stream = Empty,
            gen_ai.request.max_tokens = Empty,
            gen_ai.request.temperature = Empty,
            gen_ai.request.top_p = Empty,
            gen_ai.request.seed = Empty,
            gen_ai.conversation.id = Empty,
            gen_ai.response.id = Empty,
            gen_ai.response.model = Empty,
            gen_ai.response.finish_reasons = Empty,
            gen_ai.response.time_to_first_chunk = Empty,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
            gen_ai.system_instructions = Empty,
            gen_ai.input.messages = Empty,
            gen_ai.output.messages = Empty,
            server.address = Empty,
            server.port = Empty,
            error.r#type = Empty,
            http.response.status_code = Empty,
            http.request.resend_count = Empty,
            scaigrid.endpoint = endpoint.name(),
            scaigrid.request_id = Empty,
            scaigrid.outcome = Empty,
            scaigrid.duration = Empty,
        );
        let this = Self {
            span,
            operation: endpoint.operation(),
            with_content: settings.record_content,
            #[cfg(feature = "opentelemetry")]
            meter: None,
            has_begun: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        };
        this.described(endpoint, request, settings)
    }

    /// Everything that costs, if anybody listens.
    #[cfg_attr(
        not(feature = "opentelemetry"),
        allow(unused_mut, unused_variables, reason = "used by that feature")
    )]
    fn described<E: Endpoint>(
        mut self,
        endpoint: &E,
        request: &http::Request<Payload>,
        settings: &Settings,
    ) -> Self {
        let is_measured = cfg!(feature = "opentelemetry") && self.operation.is_some();
        if self.span.is_disabled() && !is_measured {
            return self;
        }
        let uri = request.uri();
        let model = endpoint.requested_model().map(shortened);
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        #[cfg(feature = "opentelemetry")]
        if let Some(operation) = self.operation {
            let server = uri.host().unwrap_or_default();
            self.meter = Some(settings.instruments.meter(operation, model.clone(), server, port));
        }
        let span = &self.span;
        if span.is_disabled() {
            return self;
        }
        let facts = match (self.operation, request.body()) {
            (Some(_), Payload::Bytes(body)) => RequestFacts::read(body, self.with_content),
            _ => RequestFacts::default(),
        };
        let what = self.operation.unwrap_or(endpoint.name());
        match &model {
            Some(model) => span.record("otel.name", format!("{what} {model}")),
            None => span.record("otel.name", what),
        };
        record(span, "gen_ai.operation.name", self.operation);
        record(span, "gen_ai.request.model", model.as_deref());
        record_int(span, "gen_ai.request.max_tokens", facts.max_tokens);
        record(span, "gen_ai.request.temperature", facts.temperature);
        record(span, "gen_ai.request.top_p", facts.top_p);
        record_int(span, "gen_ai.request.seed", facts.seed);
        record(span, "server.address", uri.host());
        record_int(span, "server.port", Some(port));
        if endpoint.name() == "sessions.send_message" {
            // The id is the last segment but one: `/v1/sessions/{id}/messages`.
            record(span, "gen_ai.conversation.id", uri.path().rsplit('/').nth(1).map(shortened).as_deref());
        }
        record(span, "gen_ai.system_instructions", facts.instructions.as_deref());
        record(span, "gen_ai.input.messages", facts.messages.as_deref());
        self
    }

    /// The answer is read as a stream.
    pub(crate) fn streaming(&self) {
        self.span.record("gen_ai.request.stream", true);
    }

    /// What nests below the call.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Lets the gateway's spans become part of the caller's trace.
    #[cfg_attr(
        not(feature = "opentelemetry"),
        allow(unused_variables, clippy::unused_self, reason = "used by that feature")
    )]
    pub(crate) fn propagate(&self, settings: &Settings, request: &mut http::Request<Payload>) {
        #[cfg(feature = "opentelemetry")]
        otel::propagate(&self.span, settings, request);
    }

    /// Whether somebody wants the facts of the reply.
    pub(crate) fn wants_reply(&self) -> bool {
        let is_measured = cfg!(feature = "opentelemetry");
        self.operation.is_some() && (is_measured || !self.span.is_disabled())
    }

    pub(crate) fn wants_content(&self) -> bool {
        self.with_content && !self.span.is_disabled()
    }

    /// An attempt is over: one event, within the span.
    pub(crate) fn attempt(&self, report: &AttemptReport) {
        self.span.in_scope(|| crate::observe::log(report));
        #[cfg(feature = "opentelemetry")]
        if let (Some(meter), Some(_)) = (&self.meter, report.wait) {
            meter.retried(metric_error_type(report));
        }
    }

    /// What fails from now on is cut short.
    pub(crate) fn begun(&self) {
        self.has_begun.store(true, Ordering::Relaxed);
    }

    /// The first chunk of a stream has come.
    pub(crate) fn first_chunk(&self, elapsed: Duration) {
        self.begun();
        self.span.record("gen_ai.response.time_to_first_chunk", elapsed.as_secs_f64());
    }

    /// The call is over. Only the first of several ends counts.
    pub(crate) fn end(&self, end: End<'_>) {
        if self.ended.swap(true, Ordering::Relaxed) {
            return;
        }
        let safe = |text: &str| {
            let mut text = shortened(text);
            end.secrets.redact(&mut text);
            text
        };
        let error_type = end.error.map(type_of);
        let reply = end.reply.unwrap_or_default();
        let model = reply.model.as_deref().map(safe);
        #[cfg(feature = "opentelemetry")]
        if let Some(meter) = &self.meter {
            meter.ended(model.clone(), end.error.map(metric_type), end.elapsed, reply.usage);
        }
        let span = &self.span;
        if span.is_disabled() {
            return;
        }
        record(span, "gen_ai.response.id", reply.id.as_deref().map(safe).as_deref());
        record(span, "gen_ai.response.model", model.as_deref());
        if !reply.finish_reasons.is_empty() {
            self.finish_reasons(reply.finish_reasons.iter().map(|reason| safe(reason)).collect());
        }
        if let Some(usage) = reply.usage {
            record_int(span, "gen_ai.usage.input_tokens", usage.prompt_tokens);
            record_int(span, "gen_ai.usage.output_tokens", usage.completion_tokens);
        }
        record(span, "gen_ai.output.messages", reply.messages.as_deref());
        record_int(span, "http.response.status_code", end.status.map(|status| status.as_u16()));
        record_int(
            span,
            "http.request.resend_count",
            Some(end.attempts.saturating_sub(1)).filter(|&count| count > 0),
        );
        record(span, "scaigrid.request_id", end.request_id.map(safe).as_deref());
        record(span, "scaigrid.duration", end.elapsed.map(|elapsed| elapsed.as_secs_f64()));
        let has_begun = self.has_begun.load(Ordering::Relaxed);
        let outcome = match end.error.map(Error::kind) {
            None if end.elapsed.is_some() => "succeeded",
            None | Some(ErrorKind::Cancelled) => "abandoned",
            Some(_) if has_begun => "cut_short",
            Some(_) => "failed",
        };
        span.record("scaigrid.outcome", outcome);
        let Some(error) = error_type.as_deref().map(safe) else { return };
        span.record("error.type", &error);
        // What the caller has ended is no error. The server's own words may repeat a prompt: they are not recorded.
        if outcome != "abandoned" {
            span.record("otel.status_description", description(&error, end.status));
            span.record("otel.status_code", "ERROR");
        }
    }

    /// The call has failed.
    pub(crate) fn failed(&self, error: &Error, secrets: &Secrets) {
        let reply = match error.partial() {
            Some(partial) if self.wants_reply() => Some(Told::of_completion(partial, self.wants_content())),
            _ => None,
        };
        self.end(End {
            status: error.status(),
            request_id: error.request_id(),
            attempts: error.attempts(),
            elapsed: Some(error.elapsed()),
            error: Some(error),
            reply,
            secrets,
        });
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// A list where the subscriber takes one, else its JSON text.
    fn finish_reasons(&self, reasons: Vec<String>) {
        #[cfg(feature = "opentelemetry")]
        let Err(reasons) = otel::set_list(&self.span, "gen_ai.response.finish_reasons", reasons) else {
            return;
        };
        if let Ok(text) = serde_json::to_string(&reasons) {
            self.span.record("gen_ai.response.finish_reasons", text);
        }
    }
}

/// Dropped by the caller, at any point.
impl Drop for Trace {
    fn drop(&mut self) {
        if !self.ended.swap(true, Ordering::Relaxed) {
            self.span.record("scaigrid.outcome", "abandoned");
        }
    }
}

/// What sort of failure an error is: the gateway's code, else how the transport failed, else the status, else the
/// kind of the error.
pub(crate) fn type_of(error: &Error) -> String {
    match (error.code(), error.transport_kind(), error.status()) {
        (Some(code), _, _) => code.as_str().to_owned(),
        (None, Some(kind), _) => format!("{kind:?}"),
        (None, None, Some(status)) if !status.is_success() => status.as_str().to_owned(),
        _ => format!("{:?}", error.kind()),
    }
}

/// As [`type_of`], of a few values only: codes that this version does not know are one.
#[cfg(feature = "opentelemetry")]
fn metric_type(error: &Error) -> String {
    match error.code() {
        Some(scaigrid_types::ErrorCode::Unknown(_)) => "_OTHER".to_owned(),
        _ => type_of(error),
    }
}

#[cfg(feature = "opentelemetry")]
fn metric_error_type(report: &AttemptReport) -> String {
    match report.code {
        Some(scaigrid_types::ErrorCode::Unknown(_)) => "_OTHER".to_owned(),
        _ => crate::observe::error_type(report),
    }
}

fn description(error: &str, status: Option<StatusCode>) -> String {
    match status {
        Some(status) => format!("{error} (HTTP {})", status.as_u16()),
        None => error.to_owned(),
    }
}

fn record(span: &Span, field: &'static str, value: Option<impl tracing::Value>) {
    if let Some(value) = value {
        span.record(field, value);
    }
}

/// As a signed number: OpenTelemetry has no other, and its layer makes texts of unsigned ones.
fn record_int(span: &Span, field: &'static str, value: Option<impl TryInto<i64>>) {
    record(span, field, value.and_then(|value| value.try_into().ok()));
}

/// On one line, and not endless.
fn shortened(text: &str) -> String {
    OneLine(text).to_string().chars().take(LONGEST).collect()
}

//! What a call tells of itself to `tracing`: one span, from its begin to its very end, streams included.
//!
//! Without a subscriber nothing is parsed, copied, or allocated. Names are those of the OpenTelemetry semantic
//! conventions for generative AI, in their development state of 2026; `scaigrid.*` is ours.
//!
//! | attribute | when |
//! |---|---|
//! | `gen_ai.operation.name`, `gen_ai.request.model`, `gen_ai.provider.name`, `server.address`, `server.port` | at the begin, so that samplers see them |
//! | `gen_ai.request.{max_tokens, temperature, top_p, top_k, seed, frequency_penalty, presence_penalty}`, `gen_ai.request.choice.count` (unless 1), `gen_ai.embeddings.dimension.count` | if the request has them |
//! | `gen_ai.output.type` | `image`, `speech`; `json` or `text` if the request has a response format |
//! | `gen_ai.conversation.id` | the session, for messages of sessions |
//! | `gen_ai.request.stream`, `gen_ai.response.time_to_first_chunk` (seconds) | streams |
//! | `gen_ai.response.{id, model, finish_reasons}`, `gen_ai.usage.{input_tokens, output_tokens}` | as far as they have come |
//! | `error.type` | see [`Failure::name`](crate::observation::Failure::name); also for what another thread has cancelled, which is no error in the status |
//! | `http.response.status_code`, `scaigrid.request_id` | of the latest answer; a call that was dropped may have had an earlier one |
//! | `http.request.resend_count` | if more than one request was sent |
//! | `scaigrid.endpoint`, `scaigrid.outcome`, `scaigrid.duration` (seconds) | always |
//! | `gen_ai.input.messages`, `gen_ai.output.messages` | only after `record_content`; instructions are messages here, so there is no `gen_ai.system_instructions` |
//!
//! Left out: `gen_ai.request.stop_sequences` and `gen_ai.tool.definitions` are texts of the caller's;
//! `gen_ai.request.encoding_formats` is a list, which `tracing` does not have; the gateway does not tell what
//! `gen_ai.usage.cache_read.*`, `.reasoning.*`, and the counts by modality would hold.

mod content;
mod facts;
#[cfg(feature = "opentelemetry")]
mod otel;

pub(crate) use content::{of_body, of_reply};
#[cfg(feature = "opentelemetry")]
pub(crate) use otel::Instruments;

use crate::AttemptReport;
use crate::call::Outline;
use crate::observation::{CallEnd, Outcome};
use crate::one_line::OneLine;
use crate::payload::Payload;
use crate::settings::Settings;
use facts::RequestFacts;
use http::Uri;
use scaigrid_types::Endpoint;
use std::time::Duration;
use tracing::Span;
use tracing::field::Empty;

/// Longest text from a server that a span holds, in characters.
const LONGEST: usize = 256;

/// The span of one call.
pub(crate) struct CallSpan {
    span: Span,
    with_content: bool,
}

impl CallSpan {
    /// A call begins, below the caller's current span.
    pub(crate) fn begin<E: Endpoint>(endpoint: &E, outline: &Outline, with_content: bool) -> Self {
        let span = tracing::info_span!(
            target: "scaigrid::call",
            "scaigrid.call",
            otel.name = name_of(endpoint),
            otel.kind = "client",
            otel.status_code = Empty,
            otel.status_description = Empty,
            gen_ai.operation.name = endpoint.operation(),
            gen_ai.provider.name = "scaigrid",
            gen_ai.request.model = endpoint.requested_model().map(shortened),
            gen_ai.request.stream = Empty,
            gen_ai.request.max_tokens = Empty,
            gen_ai.request.temperature = Empty,
            gen_ai.request.top_p = Empty,
            gen_ai.request.top_k = Empty,
            gen_ai.request.seed = Empty,
            gen_ai.request.frequency_penalty = Empty,
            gen_ai.request.presence_penalty = Empty,
            gen_ai.request.choice.count = Empty,
            gen_ai.embeddings.dimension.count = Empty,
            gen_ai.output.r#type = Empty,
            gen_ai.conversation.id = Empty,
            gen_ai.response.id = Empty,
            gen_ai.response.model = Empty,
            gen_ai.response.finish_reasons = Empty,
            gen_ai.response.time_to_first_chunk = Empty,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
            gen_ai.input.messages = Empty,
            gen_ai.output.messages = Empty,
            server.address = address_of(&outline.uri),
            server.port = port_of(&outline.uri),
            error.r#type = Empty,
            http.response.status_code = Empty,
            http.request.resend_count = Empty,
            scaigrid.endpoint = endpoint.name(),
            scaigrid.request_id = Empty,
            scaigrid.outcome = Empty,
            scaigrid.duration = Empty,
        );
        let this = Self { span, with_content };
        if !this.span.is_disabled() {
            this.describe(endpoint, outline);
        }
        this
    }

    /// What has to be read out of the request.
    fn describe<E: Endpoint>(&self, endpoint: &E, outline: &Outline) {
        let span = &self.span;
        let facts = match (endpoint.operation(), &outline.body) {
            (Some(_), Payload::Bytes(body)) => RequestFacts::read(body, self.with_content),
            _ => RequestFacts::default(),
        };
        record_int(span, "gen_ai.request.max_tokens", facts.max_tokens);
        record(span, "gen_ai.request.temperature", facts.temperature);
        record(span, "gen_ai.request.top_p", facts.top_p);
        record(span, "gen_ai.request.top_k", facts.top_k);
        record_int(span, "gen_ai.request.seed", facts.seed);
        record(span, "gen_ai.request.frequency_penalty", facts.frequency_penalty);
        record(span, "gen_ai.request.presence_penalty", facts.presence_penalty);
        record_int(span, "gen_ai.request.choice.count", facts.choices.filter(|&count| count != 1));
        record_int(span, "gen_ai.embeddings.dimension.count", facts.dimensions);
        let made = match endpoint.name() {
            "images.generate" => Some("image"),
            "audio.synthesize" => Some("speech"),
            _ => facts.output_type,
        };
        record(span, "gen_ai.output.type", made);
        if matches!(endpoint.name(), "sessions.send_message" | "sessions.stream_message") {
            // The id is the last segment but one: `/v1/sessions/{id}/messages`.
            let id = outline.uri.path().rsplit('/').nth(1).map(shortened);
            record(span, "gen_ai.conversation.id", id.as_deref());
        }
        record(span, "gen_ai.input.messages", facts.messages.as_deref());
    }

    /// The answer is read as a stream.
    pub(crate) fn streaming(&self) {
        self.span.record("gen_ai.request.stream", true);
    }

    /// What nests below the call.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Lets the gateway's spans become part of the caller's trace, and the transport's part of the call.
    #[cfg_attr(not(feature = "opentelemetry"), allow(unused_variables, reason = "used by that feature"))]
    pub(crate) fn enter_request(&self, settings: &Settings, request: &mut http::Request<Payload>) {
        #[cfg(feature = "opentelemetry")]
        otel::propagate(&self.span, settings, request);
        if !self.span.is_disabled() {
            request.extensions_mut().insert(self.span.clone());
        }
    }

    pub(crate) fn wants_content(&self) -> bool {
        self.with_content && !self.span.is_disabled()
    }

    /// An attempt is over: one event, within the span.
    pub(crate) fn attempt(&self, report: &AttemptReport) {
        self.span.in_scope(|| crate::observe::log(report));
    }

    /// The first chunk of a stream has come.
    pub(crate) fn first_chunk(&self, elapsed: Duration) {
        self.span.record("gen_ai.response.time_to_first_chunk", elapsed.as_secs_f64());
    }

    /// The call is over.
    pub(crate) fn end(&self, end: &CallEnd<'_>) {
        let span = &self.span;
        if span.is_disabled() {
            return;
        }
        let safe = |text: Option<&str>| text.map(|text| end.safe(text));
        let facts = &end.facts;
        if end.operation.is_some() {
            record(span, "gen_ai.response.id", safe(facts.id).as_deref());
            record(span, "gen_ai.response.model", safe(facts.model).as_deref());
            if !facts.finish_reasons.is_empty() {
                self.finish_reasons(facts.finish_reasons.iter().map(|reason| end.safe(reason)).collect());
            }
            record_int(span, "gen_ai.usage.input_tokens", facts.usage.and_then(|usage| usage.prompt_tokens));
            let output = facts.usage.and_then(|usage| usage.completion_tokens);
            record_int(span, "gen_ai.usage.output_tokens", output);
        }
        record(span, "gen_ai.output.messages", end.content.and_then(|content| content()).as_deref());
        record_int(span, "http.response.status_code", end.status.map(|status| status.as_u16()));
        let resent = end.attempts.saturating_sub(1);
        record_int(span, "http.request.resend_count", Some(resent).filter(|&count| count > 0));
        record(span, "scaigrid.request_id", safe(end.request_id).as_deref());
        span.record("scaigrid.duration", end.elapsed.as_secs_f64());
        let outcome = match end.outcome {
            Outcome::Succeeded => "succeeded",
            Outcome::Failed(_) => "failed",
            Outcome::CutShort(_) => "cut_short",
            Outcome::Abandoned(_) => "abandoned",
        };
        span.record("scaigrid.outcome", outcome);
        let Some(cause) = end.outcome.cause() else { return };
        let error = end.safe(&cause.name());
        span.record("error.type", &error);
        // What the caller has ended is no error. The server's own words may repeat a prompt: they are not recorded.
        if end.outcome.failure().is_some() {
            let description = match end.status {
                Some(status) => format!("{error} (HTTP {})", status.as_u16()),
                None => error,
            };
            span.record("otel.status_description", description);
            span.record("otel.status_code", "ERROR");
        }
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

/// `chat some/model`, or the endpoint's name.
fn name_of<E: Endpoint>(endpoint: &E) -> String {
    let what = endpoint.operation().unwrap_or(endpoint.name());
    match endpoint.requested_model() {
        Some(model) => format!("{what} {}", shortened(model)),
        None => what.to_owned(),
    }
}

/// The host, an IPv6 address without its brackets.
pub(crate) fn address_of(uri: &Uri) -> &str {
    uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
}

pub(crate) fn port_of(uri: &Uri) -> i64 {
    uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 }).into()
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
pub(crate) fn shortened(text: &str) -> String {
    OneLine(text).to_string().chars().take(LONGEST).collect()
}

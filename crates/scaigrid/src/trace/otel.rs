//! OpenTelemetry: the trace context that goes to the gateway, and the metrics of the conventions.

use super::shortened;
use crate::AttemptReport;
use crate::observation::{CallEnd, Failure, Outcome};
use crate::payload::Payload;
use crate::settings::Settings;
use http::{HeaderName, HeaderValue};
use opentelemetry::metrics::{Counter, Histogram};
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Array, Context, KeyValue, StringValue, Value, global};
use std::sync::{Arc, OnceLock};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Writes W3C trace context, of the call's span or, where no layer turns spans into OpenTelemetry's, of the caller's
/// context. Only to the gateway itself, and not over a header that the caller has set.
pub(super) fn propagate(span: &Span, settings: &Settings, request: &mut http::Request<Payload>) {
    if request.headers().contains_key(&TRACEPARENT) {
        return;
    }
    let mut context = span.context();
    if !context.span().span_context().is_valid() {
        context = Context::current();
    }
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() || !settings.base_url.has_origin_of(request.uri()) {
        return;
    }
    let flags = span.trace_flags().to_u8();
    let parent = format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id());
    if let Ok(parent) = HeaderValue::from_str(&parent) {
        request.headers_mut().insert(TRACEPARENT, parent);
    }
    let state = span.trace_state().header();
    if let (false, Ok(state)) = (state.is_empty(), HeaderValue::from_str(&state)) {
        request.headers_mut().insert(TRACESTATE, state);
    }
}

/// Sets a list, or gives it back where no layer takes it.
pub(super) fn set_list(span: &Span, key: &'static str, values: Vec<String>) -> Result<(), Vec<String>> {
    if !span.context().span().span_context().is_valid() {
        return Err(values);
    }
    let values = values.into_iter().map(StringValue::from).collect();
    span.set_attribute(key, Value::Array(Array::String(values)));
    Ok(())
}

/// The instruments of one client, made when its first call ends from the meter provider that is global then.
#[derive(Clone)]
pub(crate) struct Instruments(Arc<Lazy>);

struct Lazy {
    address: String,
    port: i64,
    made: OnceLock<Made>,
}

struct Made {
    tokens: Histogram<u64>,
    duration: Histogram<f64>,
    first_chunk: Histogram<f64>,
    retries: Counter<u64>,
    /// What all measurements have.
    common: [KeyValue; 3],
}

/// The bounds that the conventions ask for.
const TOKEN_BOUNDS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
const SECOND_BOUNDS: [f64; 14] =
    [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

impl Instruments {
    pub(crate) fn new(base_url: &str) -> Self {
        let uri = base_url.parse().unwrap_or_default();
        let (address, port) = (super::address_of(&uri).to_owned(), super::port_of(&uri));
        Self(Arc::new(Lazy { address, port, made: OnceLock::new() }))
    }

    fn made(&self) -> &Made {
        self.0.made.get_or_init(|| {
            let meter = global::meter("scaigrid");
            let seconds = |name, description| {
                let made = meter.f64_histogram(name).with_unit("s").with_description(description);
                made.with_boundaries(SECOND_BOUNDS.to_vec()).build()
            };
            Made {
                tokens: meter
                    .u64_histogram("gen_ai.client.token.usage")
                    .with_unit("{token}")
                    .with_description("Number of input and output tokens used.")
                    .with_boundaries(TOKEN_BOUNDS.to_vec())
                    .build(),
                duration: seconds("gen_ai.client.operation.duration", "GenAI operation duration."),
                first_chunk: seconds(
                    "gen_ai.client.operation.time_to_first_chunk",
                    "Time to receive the first chunk of a stream.",
                ),
                retries: meter
                    .u64_counter("scaigrid.client.retries")
                    .with_unit("{retry}")
                    .with_description("Attempts that were followed by another.")
                    .build(),
                common: [
                    KeyValue::new("gen_ai.provider.name", "scaigrid"),
                    KeyValue::new("server.address", self.0.address.clone()),
                    KeyValue::new("server.port", self.0.port),
                ],
            }
        })
    }

    /// Counts an attempt that is followed by another.
    pub(crate) fn attempted(
        &self,
        operation: Option<&'static str>,
        model: Option<&str>,
        report: &AttemptReport,
    ) {
        let (Some(operation), Some(_)) = (operation, report.wait) else { return };
        let Some(failure) = Failure::of_attempt(report) else { return };
        let made = self.made();
        let mut attributes = attributes(made, operation, model);
        attributes.push(KeyValue::new("error.type", failure.metric_name()));
        made.retries.add(1, &attributes);
    }

    /// Measures a call that asked a model. One that the caller has ended has the error type `Cancelled`, so
    /// that it is not taken for a success.
    pub(crate) fn ended(&self, end: &CallEnd<'_>) {
        let Some(operation) = end.operation else { return };
        let made = self.made();
        let mut attributes = attributes(made, operation, end.requested_model);
        let model = end.facts.model.map(|model| end.safe(model));
        attributes.extend(model.map(|model| KeyValue::new("gen_ai.response.model", model)));
        if let Some(elapsed) = end.time_to_first_chunk {
            made.first_chunk.record(elapsed.as_secs_f64(), &attributes);
        }
        if let Some(usage) = end.facts.usage {
            for (sort, tokens) in [("input", usage.prompt_tokens), ("output", usage.completion_tokens)] {
                let Some(tokens) = tokens else { continue };
                attributes.push(KeyValue::new("gen_ai.token.type", sort));
                made.tokens.record(tokens, &attributes);
                attributes.pop();
            }
        }
        let error = match end.outcome {
            Outcome::Succeeded => None,
            Outcome::Failed(failure) | Outcome::CutShort(failure) => Some(failure.metric_name()),
            Outcome::Abandoned(_) => Some("Cancelled".to_owned()),
        };
        attributes.extend(error.map(|error| KeyValue::new("error.type", error)));
        made.duration.record(end.elapsed.as_secs_f64(), &attributes);
    }
}

fn attributes(made: &Made, operation: &'static str, model: Option<&str>) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(8);
    attributes.extend(made.common.iter().cloned());
    attributes.push(KeyValue::new("gen_ai.operation.name", operation));
    attributes.extend(model.map(|model| KeyValue::new("gen_ai.request.model", shortened(model))));
    attributes
}

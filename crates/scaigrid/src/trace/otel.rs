//! OpenTelemetry: the trace context that goes to the gateway, and the metrics of the conventions.

use crate::payload::Payload;
use crate::settings::Settings;
use http::{HeaderName, HeaderValue};
use opentelemetry::metrics::{Counter, Histogram};
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Array, Context, KeyValue, StringValue, Value, global};
use scaigrid_types::Usage;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
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

/// The instruments of one client, made with its first call from the meter provider that is global then.
#[derive(Clone, Default)]
pub(crate) struct Instruments(Arc<OnceLock<Made>>);

#[derive(Clone)]
struct Made {
    tokens: Histogram<u64>,
    duration: Histogram<f64>,
    retries: Counter<u64>,
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
    pub(super) fn meter(
        &self,
        operation: &'static str,
        model: Option<String>,
        server: &str,
        port: u16,
    ) -> Meter {
        let made = self.0.get_or_init(|| {
            let meter = global::meter("scaigrid");
            Made {
                tokens: meter
                    .u64_histogram("gen_ai.client.token.usage")
                    .with_unit("{token}")
                    .with_description("Number of input and output tokens used.")
                    .with_boundaries(TOKEN_BOUNDS.to_vec())
                    .build(),
                duration: meter
                    .f64_histogram("gen_ai.client.operation.duration")
                    .with_unit("s")
                    .with_description("GenAI operation duration.")
                    .with_boundaries(SECOND_BOUNDS.to_vec())
                    .build(),
                retries: meter
                    .u64_counter("scaigrid.client.retries")
                    .with_unit("{retry}")
                    .with_description("Attempts that were followed by another.")
                    .build(),
            }
        });
        let mut attributes = vec![
            KeyValue::new("gen_ai.operation.name", operation),
            KeyValue::new("gen_ai.provider.name", "scaigrid"),
            KeyValue::new("server.address", server.to_owned()),
            KeyValue::new("server.port", i64::from(port)),
        ];
        attributes.extend(model.map(|model| KeyValue::new("gen_ai.request.model", model)));
        Meter { made: made.clone(), attributes }
    }
}

/// Measures one call.
pub(super) struct Meter {
    made: Made,
    attributes: Vec<KeyValue>,
}

impl Meter {
    fn with(&self, more: impl IntoIterator<Item = KeyValue>) -> Vec<KeyValue> {
        self.attributes.iter().cloned().chain(more).collect()
    }

    pub(super) fn retried(&self, error: String) {
        self.made.retries.add(1, &self.with([KeyValue::new("error.type", error)]));
    }

    pub(super) fn ended(
        &self,
        model: Option<String>,
        error: Option<String>,
        elapsed: Option<Duration>,
        usage: Option<Usage>,
    ) {
        let model = model.map(|model| KeyValue::new("gen_ai.response.model", model));
        let error = error.map(|error| KeyValue::new("error.type", error));
        if let Some(elapsed) = elapsed {
            self.made
                .duration
                .record(elapsed.as_secs_f64(), &self.with(model.clone().into_iter().chain(error)));
        }
        let Some(usage) = usage else { return };
        for (sort, tokens) in [("input", usage.prompt_tokens), ("output", usage.completion_tokens)] {
            let sort = KeyValue::new("gen_ai.token.type", sort);
            if let Some(tokens) = tokens {
                self.made.tokens.record(tokens, &self.with(model.clone().into_iter().chain([sort])));
            }
        }
    }
}

//! Spans and metrics of a few calls, for an OpenTelemetry collector, with the blocking client.
//!
//! OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 cargo run -p scaigrid-examples --features otel --bin otel_export
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "replies go to stdout, all else to stderr")]

use opentelemetry::global;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{MetricExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};
use scaigrid::ChatRequest;
use scaigrid::blocking::Client;
use scaigrid_examples::{Arguments, emulator_without_key, exit_code, with_gateway};
use std::error::Error;
use std::process::ExitCode;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

const COLLECTOR: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// What has to be flushed at the end.
struct Telemetry(SdkTracerProvider, Option<SdkMeterProvider>);

impl Telemetry {
    /// Exports to the collector that the environment names, else prints spans. The exporters read the endpoint, and
    /// headers such as a token, from the usual `OTEL_EXPORTER_OTLP_*` variables.
    fn start() -> Result<Self, Box<dyn Error>> {
        let resource = Resource::builder().with_service_name("otel_export").build();
        let spans = SdkTracerProvider::builder().with_resource(resource.clone());
        // The exporter's reqwest is the client's, and is built without a provider: it needs one for the whole process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let telemetry = if std::env::var_os(COLLECTOR).is_some() {
            let spans = spans.with_batch_exporter(SpanExporter::builder().with_http().build()?);
            let metrics = MetricExporter::builder().with_http().build()?;
            let metrics = SdkMeterProvider::builder().with_resource(resource).with_periodic_exporter(metrics);
            Self(spans.build(), Some(metrics.build()))
        } else {
            eprintln!("{COLLECTOR} is not set: printing spans instead");
            Self(spans.with_simple_exporter(Printed).build(), None)
        };
        // The client's metrics go to the provider that is global with its first call.
        if let Some(metrics) = &telemetry.1 {
            global::set_meter_provider(metrics.clone());
        }
        // The exporter's own HTTP client logs, too: without a filter, exports would be exported.
        let ours = Targets::new()
            .with_targets([("scaigrid", LevelFilter::INFO), ("otel_export", LevelFilter::INFO)]);
        let layer = tracing_opentelemetry::layer().with_tracer(telemetry.0.tracer("otel_export"));
        tracing::subscriber::set_global_default(
            tracing_subscriber::registry().with(layer.with_filter(ours)),
        )?;
        Ok(telemetry)
    }

    /// Sends what is left.
    fn end(self) -> OTelSdkResult {
        let Self(spans, metrics) = self;
        let sent = metrics.map_or(Ok(()), |metrics| metrics.shutdown());
        spans.shutdown().and(sent)
    }
}

/// Prints spans, one a line.
#[derive(Debug)]
struct Printed;

impl opentelemetry_sdk::trace::SpanExporter for Printed {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        for span in batch {
            let facts = span.attributes.iter().filter(|fact| !fact.key.as_str().starts_with("code."));
            let facts: Vec<_> = facts.map(|fact| format!("{}={}", fact.key, fact.value)).collect();
            eprintln!("span: {}: {}", span.name, facts.join(" "));
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    exit_code(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::read()?;
    let telemetry = Telemetry::start()?;
    let emulator = emulator_without_key(arguments.fail_twice)?;
    let client = with_gateway(Client::builder(), &emulator).build()?;
    let asked = ask(&client, &arguments.snippets);
    // Also after a failure: that is when traces are wanted.
    telemetry.end()?;
    asked
}

/// Asks twice, plainly and as a stream. The calls' spans nest below this one.
fn ask(client: &Client, snippets: &[String]) -> Result<(), Box<dyn Error>> {
    let span = tracing::info_span!(target: "otel_export", "ask");
    let _entered = span.enter();
    for snippet in snippets {
        let request = ChatRequest::new("scailabs/poolnoodle-omni").user(snippet.as_str()).max_tokens(60);
        println!("{}", client.chat(&request)?.text());
        println!("{}", client.chat_stream(&request)?.finish()?.text());
    }
    Ok(())
}

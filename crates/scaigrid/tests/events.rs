//! What goes to `tracing`. A program of its own: tracing remembers for the whole process who is interested.
#![cfg(any(feature = "async", feature = "blocking"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use scaigrid::{ChatRequest, GenericClientBuilder, RetryBudget, StandardPolicy};
use scaigrid_emulator::{Emulator, Fault};
use std::sync::{Arc, Mutex};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Events as text.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Text(String);
        impl tracing::field::Visit for Text {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0 += &format!(" {field}={value:?}");
            }
        }
        let mut text = Text(format!("{} {}", event.metadata().level(), event.metadata().target()));
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }
}

fn settings<C>(builder: GenericClientBuilder<C>, emulator: &Emulator) -> GenericClientBuilder<C> {
    builder
        .base_url(emulator.base_url())
        .api_key(emulator.api_key())
        .retry_policy(StandardPolicy::new())
        .retry_budget(RetryBudget::unlimited())
}

/// One retry, and then a failure that is final.
fn emulator() -> Emulator {
    let first = Fault::error("BACKEND_RATE_LIMITED").retry_after_body(0.01);
    Emulator::builder().fault(first).fault(Fault::error("BUDGET_EXCEEDED")).start().unwrap()
}

fn check(emulator: &Emulator, lines: &Lines) {
    let request_id = emulator.requests().first().unwrap().request_id.clone();
    let mut lines = std::mem::take(&mut *lines.0.lock().unwrap());
    lines.retain(|line| line.contains(" scaigrid"));
    let [line, last] = &lines[..] else { panic!("{lines:?}") };
    assert!(last.starts_with("INFO scaigrid::attempt"), "{last}");
    assert!(last.contains(r#" error.type="BUDGET_EXCEEDED""#) && last.contains(" attempt=2"), "{last}");
    for part in [
        "INFO scaigrid::retry",
        "message=attempt 1: BACKEND_RATE_LIMITED (HTTP 429), request id req_",
        r#" endpoint="chat""#,
        " attempt=1",
        r#" error.type="BACKEND_RATE_LIMITED""#,
        " http.response.status_code=429",
        &format!("scaigrid.request_id={request_id:?}"),
        " wait_seconds=0.01",
        " wait_source=hint",
    ] {
        assert!(line.contains(part), "{part} not in {line}");
    }
    assert!(!line.contains(emulator.api_key()));
}

#[test]
fn each_attempt_is_one_event() {
    let lines = Lines::default();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines.clone())).unwrap();
    let request = ChatRequest::new("scailabs/poolnoodle-omni").user("Hello");
    #[cfg(feature = "async")]
    {
        let emulator = emulator();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = settings(scaigrid::Client::builder(), &emulator).build().unwrap();
        assert!(runtime.block_on(client.chat(&request)).is_err());
        check(&emulator, &lines);
    }
    #[cfg(feature = "blocking")]
    {
        let emulator = emulator();
        let client = settings(scaigrid::blocking::Client::builder(), &emulator).build().unwrap();
        assert!(client.chat(&request).is_err());
        check(&emulator, &lines);
    }
}

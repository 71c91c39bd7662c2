//! A receiver of webhooks, async. It takes signed events at `/webhooks` and prints them. Without an API key it registers
//! itself at an embedded emulator, and asks that something, so that there is an event.
//!
//! cargo run --bin webhook_receiver -- --once
//! SCAIGRID_API_KEY=sgk_... SCAIGRID_WEBHOOK_SECRET=whsec_... cargo run --bin webhook_receiver -- --listen 127.0.0.1:8080
#![allow(clippy::print_stderr, reason = "the events go to stdout, all else to stderr")]

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use scaigrid::{ChatRequest, Client, Clock, CreateWebhook, DecodeError, EventType, RequestCompleted};
use scaigrid::{SIGNATURE_HEADER, SystemClock, TIMESTAMP_HEADER, VerifyError, WebhookEvent, WebhookVerifier};
use scaigrid_examples::{Options, emulator_without_key, exit_code, print_now, with_gateway};
use std::collections::{HashSet, VecDeque};
use std::error::Error;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// What every delivery needs.
#[derive(Clone)]
struct Receiver {
    verifier: WebhookVerifier,
    seen: Arc<Mutex<Seen>>,
    events: mpsc::Sender<WebhookEvent>,
}

/// Takes a delivery: the body as it came, before anything has parsed it. The gateway waits 10 seconds for the answer, so
/// nothing is done here but to look at the event and to hand it on. Any answer but a 2xx brings it again.
async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let (now, allowed) = (SystemClock.system_time(), Duration::from_secs(300));
    let verified = receiver
        .verifier
        .check_timestamp(header(TIMESTAMP_HEADER), now, allowed)
        .and_then(|()| receiver.verifier.verify(&body, header(SIGNATURE_HEADER)));
    let event = match verified {
        Ok(event) => event,
        Err(error) => {
            eprintln!("refused: {error}");
            let is_signed = matches!(error, VerifyError::Decode(_));
            return if is_signed { StatusCode::BAD_REQUEST } else { StatusCode::UNAUTHORIZED };
        }
    };
    // Its place comes first: an event that is remembered, but has no place, would be lost.
    let Ok(place) = receiver.events.try_reserve() else { return StatusCode::SERVICE_UNAVAILABLE };
    match receiver.seen.lock().unwrap_or_else(PoisonError::into_inner).is_new(&event.event_id) {
        true => place.send(event),
        false => eprintln!("repeated: {}", event.event_id),
    }
    StatusCode::NO_CONTENT
}

/// The newest event ids. Events come at least once, and again for hours when an answer was lost. A service keeps the ids
/// of two weeks in its database.
#[derive(Default)]
struct Seen {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Seen {
    fn is_new(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > 100_000 {
            self.order.pop_front().map(|oldest| self.ids.remove(&oldest));
        }
        true
    }
}

/// What happened, in one line. Payloads are typed where they are documented.
fn describe(event: &WebhookEvent) -> Result<String, DecodeError> {
    let what = match event.event_type {
        EventType::RequestCompleted => {
            let RequestCompleted { model, tokens, latency_ms, .. } = event.payload_as()?;
            let model = model.unwrap_or_default();
            format!("{model}, {} tokens, {} ms", tokens.unwrap_or_default(), latency_ms.unwrap_or_default())
        }
        _ => event.payload.to_string(),
    };
    Ok(format!("{} {}: {what}", event.event_type, event.event_id))
}

/// Prints events as they come.
async fn tell(mut events: mpsc::Receiver<WebhookEvent>, once: bool) -> Result<(), Box<dyn Error>> {
    while let Some(event) = events.recv().await {
        match describe(&event) {
            Ok(line) => print_now(&format!("{line}\n"))?,
            Err(error) => eprintln!("{} {}: {error}", event.event_type, event.event_id),
        }
        if once {
            break;
        }
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let options = Options::read("webhook_receiver [--listen ADDRESS] [--register URL] [--once]")?;
    let emulator = emulator_without_key(false)?;
    let secret = match std::env::var("SCAIGRID_WEBHOOK_SECRET") {
        Ok(secret) => secret,
        // Good enough for an emulator; else use `openssl rand -hex 32`.
        Err(_) if emulator.is_some() => format!("whsec_{:032x}", fastrand::u128(..)),
        Err(_) => {
            return Err("set SCAIGRID_WEBHOOK_SECRET to the secret that the webhook was made with".into());
        }
    };
    let (sender, events) = mpsc::channel(1000);
    let verifier = WebhookVerifier::new(secret.as_str());
    let receiver = Receiver { verifier, seen: Arc::default(), events: sender };
    let router = Router::new().route("/webhooks", post(receive)).with_state(receiver);
    let listener = TcpListener::bind(options.value("listen").unwrap_or("127.0.0.1:0")).await?;
    let own_url = format!("http://{}/webhooks", listener.local_addr()?);
    eprintln!("listening at {own_url}");
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, router).with_graceful_shutdown(async { stopped.await.unwrap_or(()) });
    let server = tokio::spawn(server.into_future());

    let client = with_gateway(Client::builder(), &emulator).build()?;
    let url = options.value("register").or(emulator.as_ref().map(|_| own_url.as_str()));
    let webhook = match url {
        Some(url) => {
            let events = [EventType::RequestCompleted, EventType::RequestFailed];
            let webhook = client.create_webhook(&CreateWebhook::new(url, events).secret(secret)).await?;
            eprintln!("registered at the gateway: {}", webhook.id);
            Some(webhook.into_inner())
        }
        None => None,
    };
    if emulator.is_some() {
        client.chat(&ChatRequest::new("scailabs/poolnoodle-omni").user("Hello there.")).await?;
    }

    let told = tokio::select! {
        told = tell(events, options.has("once")) => told,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    if let Some(webhook) = webhook {
        client.delete_webhook(webhook.id).await?;
    }
    // Deliveries that are being taken get their answer.
    drop(stop);
    server.await??;
    told
}

//! Events become deliveries: one task for each, with the retries of the documented schedule.

use super::send;
use super::store::Errand;
use crate::clock;
use crate::events::Event;
use crate::gateway::{Gateway, PARTNER, TENANT};
use crate::ids;
use crate::sync::lock;
use crate::times;
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

/// Deliveries that are under way or wait for a retry. More than these fail at once.
const MAX_IN_FLIGHT: usize = 1000;

/// Attempts at the same time. The others wait their turn, so that a burst of events does not use up the file
/// descriptors of the process.
const MAX_CONNECTIONS: usize = 64;

/// Documented: the waits before the attempts after the first, in seconds.
const SCHEDULE: [u64; 5] = [30, 2 * 60, 10 * 60, 30 * 60, 2 * 60 * 60];

/// The documented waits, this many times shorter, are the default: 30 ms to 7.2 s.
const DEFAULT_TIME_SCALE: u32 = 1000;

/// Documented.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How deliveries wait.
#[derive(Clone, Debug)]
pub(crate) struct DeliverySettings {
    /// Before the second attempt, the third, and so on. The last one is for all that follow (assumed).
    pub(crate) schedule: Vec<Duration>,
    pub(crate) answer_limit: Duration,
}

impl Default for DeliverySettings {
    fn default() -> Self {
        Self { schedule: scaled_schedule(DEFAULT_TIME_SCALE), answer_limit: ANSWER_LIMIT }
    }
}

impl DeliverySettings {
    fn wait(&self, retries: u64) -> Duration {
        let position = usize::try_from(retries).unwrap_or(usize::MAX);
        self.schedule.get(position).or(self.schedule.last()).copied().unwrap_or_default()
    }
}

/// The documented schedule, so many times faster; 0 counts as 1.
pub(crate) fn scaled_schedule(divisor: u32) -> Vec<Duration> {
    SCHEDULE.iter().map(|seconds| Duration::from_secs(*seconds) / divisor.max(1)).collect()
}

/// An event as it is posted, the same for all webhooks and all attempts.
pub(crate) struct Parcel {
    pub(crate) event_id: String,
    pub(crate) event_type: String,
    pub(crate) body: Bytes,
}

/// The documented envelope of events.
#[derive(Serialize)]
struct Envelope<'a> {
    event_type: &'a str,
    event_id: &'a str,
    source: &'a str,
    tenant_id: &'a str,
    partner_id: &'a str,
    payload: &'a Value,
    timestamp: String,
}

impl Parcel {
    pub(crate) fn new(event: Event) -> Self {
        let event_id = ids::with_prefix("evt_");
        let envelope = Envelope {
            event_type: &event.event_type,
            event_id: &event_id,
            source: event.source,
            tenant_id: TENANT,
            partner_id: PARTNER,
            payload: &event.payload,
            timestamp: times::with_millis(clock::unix_millis()),
        };
        // Not reached: the envelope has no map with keys that are not strings.
        let body = serde_json::to_vec(&envelope).unwrap_or_default();
        Self { event_id, event_type: event.event_type, body: Bytes::from(body) }
    }
}

/// The deliveries under way.
pub(crate) struct InFlight {
    /// By the deliveries' ids.
    tasks: Mutex<HashMap<String, Task>>,
    connections: Semaphore,
}

impl Default for InFlight {
    fn default() -> Self {
        Self { tasks: Mutex::default(), connections: Semaphore::new(MAX_CONNECTIONS) }
    }
}

struct Task {
    webhook_id: String,
    handle: AbortHandle,
}

impl InFlight {
    /// Drops all deliveries of a webhook, and the connections that they have open.
    pub(crate) fn drop_all(&self, webhook_id: &str) {
        lock(&self.tasks).retain(|_, task| {
            let is_other = task.webhook_id != webhook_id;
            if !is_other {
                task.handle.abort();
            }
            is_other
        });
    }
}

/// Delivers events for ever.
pub(crate) async fn dispatch(gateway: Arc<Gateway>) {
    loop {
        gateway.events.news().await;
        for event in gateway.events.take() {
            for errand in begin(&gateway, event) {
                start(&gateway, errand);
            }
        }
    }
}

/// Takes up what is to be delivered, in state that was loaded. Needs a runtime.
pub(crate) fn resume(gateway: &Arc<Gateway>) {
    let errands = lock(&gateway.webhooks).errands();
    errands.into_iter().for_each(|errand| start(gateway, errand));
}

/// Makes deliveries of the events that wait, for an emulator that takes them up later.
pub(crate) fn enter(gateway: &Gateway) {
    for event in gateway.events.take() {
        begin(gateway, event);
    }
}

/// The deliveries of an event, one for each webhook that wants it.
fn begin(gateway: &Gateway, event: Event) -> Vec<Errand> {
    let mut webhooks = lock(&gateway.webhooks);
    if webhooks.subscribers(&event.event_type).next().is_none() {
        return Vec::new();
    }
    let parcel = Parcel::new(event);
    webhooks.subscribers(&parcel.event_type).map(|webhook| webhook.begin(&parcel)).collect()
}

fn start(gateway: &Arc<Gateway>, errand: Errand) {
    // Locked all the time, so that the task finds itself in the list when it ends.
    let mut tasks = lock(&gateway.in_flight.tasks);
    if tasks.len() >= MAX_IN_FLIGHT {
        drop(tasks);
        if let Ok(webhook) = lock(&gateway.webhooks).find_mut(&errand.webhook_id) {
            webhook.give_up(&errand.delivery_id, "dropped: too many deliveries are under way");
        }
        return;
    }
    let (webhook_id, delivery_id) = (errand.webhook_id.clone(), errand.delivery_id.clone());
    let owner = Arc::clone(gateway);
    let task = tokio::spawn(async move {
        deliver(&owner, &errand).await;
        lock(&owner.in_flight.tasks).remove(&errand.delivery_id);
    });
    tasks.insert(delivery_id, Task { webhook_id, handle: task.abort_handle() });
}

/// All attempts of one delivery that are left.
async fn deliver(gateway: &Gateway, errand: &Errand) {
    let Errand { webhook_id, delivery_id, body, .. } = errand;
    let settings = &gateway.settings.webhooks;
    let mut wait = Duration::from_millis(millis_until(errand.due_ms));
    for retries in errand.attempts.. {
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        // Never closed, so there is always a turn.
        let turn = gateway.in_flight.connections.acquire().await;
        let order = match lock(&gateway.webhooks).find_mut(webhook_id) {
            Ok(webhook) => {
                let order = webhook.order();
                if !order.is_active {
                    // Assumed: it gets no more attempts.
                    webhook.give_up(delivery_id, "the webhook is inactive");
                    return;
                }
                order
            }
            Err(_) => return,
        };
        let outcome = send::post(&order, body.clone(), settings.answer_limit).await;
        drop(turn);
        let is_retried = outcome.error.is_some() && retries < order.max_retries;
        wait = settings.wait(retries);
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        let next_ms = is_retried.then(|| clock::unix_millis().saturating_add(wait_ms));
        let disabled_url = match lock(&gateway.webhooks).find_mut(webhook_id) {
            Ok(webhook) => {
                webhook.record(delivery_id, &outcome, next_ms);
                webhook.count(&outcome).then(|| webhook.url().to_owned())
            }
            Err(_) => return,
        };
        if let Some(url) = disabled_url {
            // The payload is assumed.
            gateway.events.emit(Event {
                event_type: "webhook.auto_disabled".to_owned(),
                source: "webhook_service",
                payload: json!({"webhook_id": webhook_id, "url": url}),
            });
        }
        if !is_retried {
            return;
        }
    }
}

fn millis_until(unix_ms: i64) -> u64 {
    u64::try_from(unix_ms.saturating_sub(clock::unix_millis())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_is_the_documented_one_but_faster() {
        let seconds =
            |schedule: Vec<Duration>| -> Vec<f64> { schedule.iter().map(Duration::as_secs_f64).collect() };
        assert_eq!(seconds(scaled_schedule(1)), [30.0, 120.0, 600.0, 1800.0, 7200.0]);
        assert_eq!(seconds(scaled_schedule(0)), seconds(scaled_schedule(1)));
        let settings = DeliverySettings::default();
        assert_eq!(settings.wait(0), Duration::from_millis(30));
        assert_eq!(settings.wait(4), Duration::from_millis(7200));
        assert_eq!(settings.wait(99), Duration::from_millis(7200));
        let none = DeliverySettings { schedule: Vec::new(), ..settings };
        assert_eq!(none.wait(0), Duration::ZERO);
    }

    #[test]
    fn the_envelope_is_the_documented_one() {
        let event = Event {
            event_type: "request.completed".to_owned(),
            source: "inference_service",
            payload: json!({"tokens": 156}),
        };
        let parcel = Parcel::new(event);
        let body: Value = serde_json::from_slice(&parcel.body).unwrap();
        assert!(parcel.event_id.starts_with("evt_"));
        assert_eq!(body["event_id"], parcel.event_id.as_str());
        assert_eq!(
            (&body["event_type"], &body["payload"]["tokens"]),
            (&json!("request.completed"), &json!(156))
        );
        for key in ["source", "tenant_id", "partner_id"] {
            assert!(body[key].is_string(), "{key}");
        }
        let timestamp = body["timestamp"].as_str().unwrap();
        assert_eq!((timestamp.len(), timestamp.ends_with('Z')), ("2026-04-22T14:30:00.000Z".len(), true));
    }
}

//! `/v1/webhooks`: who is told about events, and what became of each delivery.

mod delivery;
mod send;
mod store;
mod target;

pub(crate) use delivery::{DeliverySettings, InFlight, dispatch, scaled_schedule};
pub(crate) use store::Webhooks;

use crate::events::Event;
use crate::gateway::Gateway;
use crate::ids::RequestId;
use crate::json_body::{Fields, into_text};
use crate::listing::{self, Items};
use crate::query::{Parameters, RawQuery};
use crate::reply::{Failure, Reply, seal, seal_created, seal_empty};
use crate::sync::lock;
use crate::times::instant_ms;
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;
use store::{Changes, Delivery, DeliveryStatus, MASK, Status, Webhook};

/// All routes of webhooks.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/v1/webhooks", get(list_webhooks).post(create_webhook))
        .route("/v1/webhooks/{id}", get(get_webhook).put(put_webhook).delete(delete_webhook))
        .route("/v1/webhooks/{id}/test", post(test_webhook))
        .route("/v1/webhooks/{id}/deliveries", get(list_deliveries))
}

/// The most event types that one webhook subscribes to. The emulator's own limit.
const MAX_EVENTS: usize = 100;

/// The most retries (assumed: only the default of 5 is documented).
const MAX_RETRIES: u64 = 100;

type Id = Result<Path<String>, PathRejection>;

fn id_of(id: Id) -> Result<String, Failure> {
    id.map(|Path(id)| id).map_err(|_| no_webhook())
}

fn no_webhook() -> Failure {
    Failure::not_found("No webhook has this id.")
}

async fn create_webhook(
    State(gateway): State<Arc<Gateway>>,
    Extension(id): Extension<RequestId>,
    body: Bytes,
) -> Response {
    let created = Fields::read(&body).and_then(|mut fields| {
        fields.require("url");
        fields.require("events");
        let changes = read(fields)?;
        let webhook = Webhook::new(changes);
        let view = webhook.view();
        lock(&gateway.webhooks).add(webhook)?;
        Ok(Reply::new(view))
    });
    seal_created(&id, created)
}

/// What a body asks for. What is absent, or null, stays as it is; whether a `PUT` may be partial is not
/// documented.
fn read(mut fields: Fields) -> Result<Changes, Failure> {
    let url = fields.text("url");
    if let Some(Err(message)) = url.as_deref().map(target::Target::parse) {
        fields.problem("url", message);
    }
    let message = "must be a list of event types, which is neither empty nor longer than 100";
    let changes = Changes {
        url,
        events: fields.parsed("events", event_types, message),
        // A client that sends back what it was shown changes nothing.
        secret: fields.filled_text("secret").filter(|secret| secret != MASK),
        status: fields.choice("status", &[("active", Status::Active), ("inactive", Status::Inactive)]),
        max_retries: fields.whole("max_retries", 0..=MAX_RETRIES),
    };
    fields.finish()?;
    Ok(changes)
}

/// Any words: the list of event types is open.
fn event_types(value: Value) -> Option<Vec<String>> {
    let Value::Array(list) = value else { return None };
    let mut events: Vec<String> = Vec::new();
    for event in list {
        let event = into_text(event).filter(|event| !event.is_empty())?;
        if !events.contains(&event) {
            events.push(event);
        }
        if events.len() > MAX_EVENTS {
            return None;
        }
    }
    Some(events).filter(|events| !events.is_empty())
}

async fn list_webhooks(
    State(gateway): State<Arc<Gateway>>,
    Extension(id): Extension<RequestId>,
    Query(pairs): RawQuery,
) -> Response {
    let mut query = Parameters::new(pairs);
    let window = listing::window(&mut query);
    let problems = query.into_problems();
    if !problems.is_empty() {
        return Failure::invalid(&problems).into_response(&id);
    }
    let views: Vec<Value> = lock(&gateway.webhooks).all().map(Webhook::view).collect();
    seal(&id, Ok(listing::reply(&views, window)))
}

async fn get_webhook(
    State(gateway): State<Arc<Gateway>>,
    Extension(id): Extension<RequestId>,
    webhook: Id,
) -> Response {
    let view = id_of(webhook).and_then(|webhook| {
        let webhooks = lock(&gateway.webhooks);
        webhooks.find(&webhook).map(|webhook| Reply::new(webhook.view()))
    });
    seal(&id, view)
}

async fn put_webhook(
    State(gateway): State<Arc<Gateway>>,
    Extension(id): Extension<RequestId>,
    webhook: Id,
    body: Bytes,
) -> Response {
    let changed = id_of(webhook).and_then(|webhook| {
        let mut webhooks = lock(&gateway.webhooks);
        let webhook = webhooks.find_mut(&webhook)?;
        webhook.apply(read(Fields::read(&body)?)?);
        Ok(Reply::new(webhook.view()))
    });
    seal(&id, changed)
}

/// Documented: works at once, and drops deliveries in flight.
async fn delete_webhook(
    State(gateway): State<Arc<Gateway>>,
    Extension(id): Extension<RequestId>,
    webhook: Id,
) -> Response {
    let deleted = id_of(webhook).and_then(|webhook| {
        lock(&gateway.webhooks).remove(&webhook)?;
        gateway.in_flight.drop_all(&webhook);
        Ok(())
    });
    seal_empty(&id, deleted)
}

/// One delivery without retries, whose outcome is the answer. Assumed: it also goes to an inactive webhook, and
/// counts neither for nor against it. The event type is not documented.
async fn test_webhook(
    State(gateway): State<Arc<Gateway>>,
    Extension(id): Extension<RequestId>,
    webhook: Id,
) -> Response {
    let order = id_of(webhook).and_then(|webhook| {
        let event = Event {
            event_type: "webhook.test".to_owned(),
            source: "webhook_service",
            payload: json!({"webhook_id": webhook}),
        };
        let parcel = delivery::Parcel::new(event);
        let mut webhooks = lock(&gateway.webhooks);
        let found = webhooks.find_mut(&webhook)?;
        let delivery = found.begin(&parcel);
        Ok((webhook, delivery, found.order(), parcel))
    });
    let (webhook, delivery, order, parcel) = match order {
        Ok(order) => order,
        Err(failure) => return failure.into_response(&id),
    };
    let outcome = send::post(&order, parcel.body, gateway.settings.services.webhooks.answer_limit).await;
    if let Ok(webhook) = lock(&gateway.webhooks).find_mut(&webhook) {
        webhook.record(&delivery, &outcome, false);
    }
    let data = json!({
        "delivery_id": delivery,
        // Assumed: null when there was no answer.
        "status_code": outcome.status_code,
        "duration_ms": outcome.duration_ms,
        "error": outcome.error,
    });
    seal(&id, Ok(Reply::new(data)))
}

async fn list_deliveries(
    State(gateway): State<Arc<Gateway>>,
    Extension(id): Extension<RequestId>,
    webhook: Id,
    Query(pairs): RawQuery,
) -> Response {
    seal(&id, id_of(webhook).and_then(|webhook| deliveries(&gateway, &webhook, pairs)))
}

/// The newest first (assumed).
fn deliveries(
    gateway: &Gateway,
    webhook: &str,
    pairs: Vec<(String, String)>,
) -> Result<Reply<Items<Value>>, Failure> {
    let webhooks = lock(&gateway.webhooks);
    let webhook = webhooks.find(webhook)?;
    let mut query = Parameters::new(pairs);
    let window = listing::window(&mut query);
    let status = query.parsed("status", delivery_status, "must be one of success, failed, pending");
    let since = "must be an RFC 3339 time or a date, such as 2026-04-22T14:30:00Z or 2026-04-22";
    let since = query.parsed("since", |text| instant_ms(text, false), since);
    let problems = query.into_problems();
    if !problems.is_empty() {
        return Err(Failure::invalid(&problems));
    }
    let wanted = |delivery: &&Delivery| {
        status.is_none_or(|status| delivery.status == status)
            && since.is_none_or(|since| delivery.created_ms >= since)
    };
    let views: Vec<Value> =
        webhook.deliveries().rev().filter(wanted).map(|delivery| delivery.view(webhook.id())).collect();
    Ok(listing::reply(&views, window))
}

fn delivery_status(text: &str) -> Option<DeliveryStatus> {
    match text {
        "success" => Some(DeliveryStatus::Success),
        "failed" => Some(DeliveryStatus::Failed),
        "pending" => Some(DeliveryStatus::Pending),
        _ => None,
    }
}

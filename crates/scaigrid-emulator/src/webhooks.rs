//! `/v1/webhooks`: who is told about events, and what became of each delivery.

mod delivery;
mod send;
mod store;
mod target;

pub(crate) use delivery::{DeliverySettings, InFlight, dispatch, enter, resume, scaled_schedule};
pub(crate) use store::Webhooks;

use crate::call::Call;
use crate::events::Event;
use crate::fields::{Fields, into_text};
use crate::gateway::Gateway;
use crate::listing::{self, Items};
use crate::path::Param;
use crate::query::{Pairs, Parameters, RawQuery};
use crate::reply::{Failure, Reply};
use crate::sync::lock;
use crate::times::{TIME_PROBLEM, instant_ms};
use axum::Router;
use axum::extract::Query;
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use delivery::Parcel;
use serde_json::{Value, json};
use std::sync::Arc;
use store::{Changes, Delivery, DeliveryStatus, MASK, Order, Status, Webhook};

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

fn no_webhook() -> Failure {
    Failure::not_found("No webhook has this id.")
}

async fn create_webhook(call: Call, body: Bytes) -> Response {
    let created = Fields::read(&body).and_then(|mut fields| {
        fields.require("url");
        fields.require("events");
        let changes = read(fields)?;
        let webhook = Webhook::new(changes);
        let view = webhook.view();
        lock(&call.gateway.webhooks).add(webhook)?;
        Ok(Reply::new(view))
    });
    call.created(created)
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

async fn list_webhooks(call: Call, Query(pairs): RawQuery) -> Response {
    let webhooks = lock(&call.gateway.webhooks);
    let window = listing::only_window(pairs);
    call.answer(window.map(|window| listing::reply(webhooks.all().map(Webhook::view), window)))
}

async fn get_webhook(call: Call, Param(webhook): Param<String>) -> Response {
    let found = lock(&call.gateway.webhooks).find(&webhook).map(|webhook| Reply::new(webhook.view()));
    call.answer(found)
}

async fn put_webhook(call: Call, Param(webhook): Param<String>, body: Bytes) -> Response {
    call.answer(change(&call.gateway, &webhook, &body).map(Reply::new))
}

fn change(gateway: &Gateway, webhook: &str, body: &[u8]) -> Result<Value, Failure> {
    let mut webhooks = lock(&gateway.webhooks);
    let webhook = webhooks.find_mut(webhook)?;
    webhook.apply(read(Fields::read(body)?)?);
    Ok(webhook.view())
}

/// Documented: works at once, and drops deliveries in flight.
async fn delete_webhook(call: Call, Param(webhook): Param<String>) -> Response {
    let removed = lock(&call.gateway.webhooks).remove(&webhook);
    if removed.is_ok() {
        call.gateway.in_flight.drop_all(&webhook);
    }
    call.done(removed)
}

/// One delivery without retries, whose outcome is the answer. Assumed: it also goes to an inactive webhook, and
/// counts neither for nor against it. The event type is not documented.
async fn test_webhook(call: Call, Param(webhook): Param<String>) -> Response {
    let begun = begin_test(&call.gateway, &webhook);
    let (delivery, order, parcel) = match begun {
        Ok(begun) => begun,
        Err(failure) => return call.failed(failure),
    };
    let outcome = send::post(&order, parcel.body, call.gateway.settings.webhooks.answer_limit).await;
    if let Ok(webhook) = lock(&call.gateway.webhooks).find_mut(&webhook) {
        webhook.record(&delivery, &outcome, None);
    }
    let data = json!({
        "delivery_id": delivery,
        // Assumed: null when there was no answer.
        "status_code": outcome.status_code,
        "duration_ms": outcome.duration_ms,
        "error": outcome.error,
    });
    call.answer(Ok(Reply::new(data)))
}

fn begin_test(gateway: &Gateway, id: &str) -> Result<(String, Order, Parcel), Failure> {
    let event = Event {
        event_type: "webhook.test".to_owned(),
        source: "webhook_service",
        payload: json!({"webhook_id": id}),
    };
    let parcel = Parcel::new(event);
    let mut webhooks = lock(&gateway.webhooks);
    let webhook = webhooks.find_mut(id)?;
    Ok((webhook.begin_test(&parcel), webhook.order(), parcel))
}

async fn list_deliveries(call: Call, Param(webhook): Param<String>, Query(pairs): RawQuery) -> Response {
    call.answer(deliveries(&call.gateway, &webhook, pairs))
}

/// The newest first (assumed).
fn deliveries(gateway: &Gateway, webhook: &str, pairs: Pairs) -> Result<Reply<Items<Value>>, Failure> {
    let webhooks = lock(&gateway.webhooks);
    let webhook = webhooks.find(webhook)?;
    let mut query = Parameters::new(pairs);
    let window = listing::window(&mut query);
    let status = query.parsed("status", delivery_status, "must be one of success, failed, pending");
    let since = query.parsed("since", |text| instant_ms(text, false), TIME_PROBLEM);
    query.finish()?;
    let wanted = |delivery: &&Delivery| {
        status.is_none_or(|status| delivery.status == status)
            && since.is_none_or(|since| delivery.created_ms >= since)
    };
    let views = webhook.deliveries().rev().filter(wanted).map(|delivery| delivery.view(webhook.id()));
    Ok(listing::reply(views, window))
}

fn delivery_status(text: &str) -> Option<DeliveryStatus> {
    match text {
        "success" => Some(DeliveryStatus::Success),
        "failed" => Some(DeliveryStatus::Failed),
        "pending" => Some(DeliveryStatus::Pending),
        _ => None,
    }
}

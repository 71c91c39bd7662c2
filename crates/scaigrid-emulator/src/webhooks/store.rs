//! All webhooks and their deliveries.

use super::delivery::Parcel;
use super::no_webhook;
use super::send::Outcome;
use crate::clock;
use crate::ids;
use crate::reply::Failure;
use crate::times;
use bytes::Bytes;
use scaigrid_types::ErrorCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// The most webhooks that are kept.
pub(crate) const MAX_WEBHOOKS: usize = 100;

/// The newest deliveries of a webhook that are kept.
pub(crate) const MAX_DELIVERIES: usize = 1000;

/// Documented default.
const MAX_RETRIES: u64 = 5;

/// Documented: so many failures in a row disable a webhook. Assumed: each attempt counts.
const MAX_FAILURES: u64 = 50;

/// What clients see of a secret.
pub(crate) const MASK: &str = "********";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Active,
    Inactive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeliveryStatus {
    Success,
    Failed,
    /// Under way, or waiting for a retry.
    Pending,
}

/// One event on its way to one webhook, all attempts together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Delivery {
    id: String,
    event_id: String,
    event_type: String,
    pub(crate) status: DeliveryStatus,
    attempts: u64,
    /// Of the newest attempt, as the two after it.
    status_code: Option<u16>,
    error_message: Option<String>,
    duration_ms: Option<u64>,
    pub(crate) created_ms: i64,
    /// What is posted, for an emulator that takes it up again. Empty once it is over, and for tests.
    #[serde(default, with = "crate::base64_text")]
    body: Bytes,
    /// When the next attempt is due.
    due_ms: i64,
}

impl Delivery {
    fn end(&mut self, status: DeliveryStatus) {
        self.status = status;
        self.body = Bytes::new();
    }

    /// As clients see it. `id`, `status_code`, `error_message`, and `duration_ms` are documented.
    pub(crate) fn view(&self, webhook_id: &str) -> Value {
        json!({
            "id": self.id,
            "webhook_id": webhook_id,
            "event_id": self.event_id,
            "event_type": self.event_type,
            "status": self.status,
            "attempts": self.attempts,
            "status_code": self.status_code,
            "error_message": self.error_message,
            "duration_ms": self.duration_ms,
            "created_at": times::rfc3339(self.created_ms),
        })
    }
}

/// What a client can set. `None` leaves it as it is.
pub(crate) struct Changes {
    pub(crate) url: Option<String>,
    pub(crate) events: Option<Vec<String>>,
    pub(crate) secret: Option<String>,
    pub(crate) status: Option<Status>,
    pub(crate) max_retries: Option<u64>,
}

/// What one attempt needs to know. Asked for anew each time, because a webhook may change between attempts.
pub(crate) struct Order {
    pub(crate) url: String,
    pub(crate) secret: Option<String>,
    pub(crate) is_active: bool,
    pub(crate) max_retries: u64,
}

/// A delivery that is to be made.
pub(crate) struct Errand {
    pub(crate) webhook_id: String,
    pub(crate) delivery_id: String,
    pub(crate) body: Bytes,
    /// That were made before.
    pub(crate) attempts: u64,
    pub(crate) due_ms: i64,
}

/// No `Debug`: it holds a secret.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Webhook {
    id: String,
    url: String,
    events: Vec<String>,
    secret: Option<String>,
    status: Status,
    max_retries: u64,
    failures_in_a_row: u64,
    deliveries: VecDeque<Delivery>,
    created_at: String,
    updated_at: String,
}

impl Webhook {
    pub(crate) fn new(changes: Changes) -> Self {
        let now = times::now();
        let mut webhook = Self {
            id: ids::with_prefix("wh_"),
            url: String::new(),
            events: Vec::new(),
            secret: None,
            status: Status::Active,
            max_retries: MAX_RETRIES,
            failures_in_a_row: 0,
            deliveries: VecDeque::new(),
            created_at: now.clone(),
            updated_at: now,
        };
        webhook.apply(changes);
        webhook
    }

    pub(crate) fn apply(&mut self, changes: Changes) {
        let Changes { url, events, secret, status, max_retries } = changes;
        self.url = url.unwrap_or_else(|| std::mem::take(&mut self.url));
        self.events = events.unwrap_or_else(|| std::mem::take(&mut self.events));
        self.secret = secret.or(self.secret.take());
        self.max_retries = max_retries.unwrap_or(self.max_retries);
        if let Some(status) = status {
            if (self.status, status) == (Status::Inactive, Status::Active) {
                self.failures_in_a_row = 0;
            }
            self.status = status;
        }
        self.updated_at = times::now();
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Oldest first.
    pub(crate) fn deliveries(&self) -> impl DoubleEndedIterator<Item = &Delivery> {
        self.deliveries.iter()
    }

    /// As clients see it.
    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id,
            "url": self.url,
            "events": self.events,
            "secret": self.secret.as_ref().map(|_| MASK),
            "status": self.status,
            "max_retries": self.max_retries,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        })
    }

    pub(crate) fn order(&self) -> Order {
        Order {
            url: self.url.clone(),
            secret: self.secret.clone(),
            is_active: self.status == Status::Active,
            max_retries: self.max_retries,
        }
    }

    /// A new delivery, which pushes out the oldest.
    pub(crate) fn begin(&mut self, parcel: &Parcel) -> Errand {
        let now_ms = clock::unix_millis();
        if self.deliveries.len() >= MAX_DELIVERIES {
            self.deliveries.pop_front();
        }
        let id = ids::with_prefix("del_");
        self.deliveries.push_back(Delivery {
            id: id.clone(),
            event_id: parcel.event_id.clone(),
            event_type: parcel.event_type.clone(),
            status: DeliveryStatus::Pending,
            attempts: 0,
            status_code: None,
            error_message: None,
            duration_ms: None,
            created_ms: now_ms,
            body: parcel.body.clone(),
            due_ms: now_ms,
        });
        let webhook_id = self.id.clone();
        Errand { webhook_id, delivery_id: id, body: parcel.body.clone(), attempts: 0, due_ms: now_ms }
    }

    /// A new delivery of a test. Its id.
    pub(crate) fn begin_test(&mut self, parcel: &Parcel) -> String {
        let Errand { delivery_id, .. } = self.begin(parcel);
        if let Some(delivery) = self.delivery(&delivery_id) {
            delivery.body = Bytes::new();
        }
        delivery_id
    }

    /// The deliveries that are still to be made, in state that was loaded. Tests are not: they have no retries,
    /// and whoever asked for one has gone.
    pub(crate) fn errands(&mut self) -> Vec<Errand> {
        let mut errands = Vec::new();
        for delivery in self.deliveries.iter_mut().filter(|one| one.status == DeliveryStatus::Pending) {
            if delivery.body.is_empty() {
                delivery.end(DeliveryStatus::Failed);
                delivery.error_message = Some("the emulator was stopped".to_owned());
                continue;
            }
            errands.push(Errand {
                webhook_id: self.id.clone(),
                delivery_id: delivery.id.clone(),
                body: delivery.body.clone(),
                attempts: delivery.attempts,
                due_ms: delivery.due_ms,
            });
        }
        errands
    }

    /// The outcome of an attempt, and when the next one is due, if there is one.
    pub(crate) fn record(&mut self, delivery_id: &str, outcome: &Outcome, next_ms: Option<i64>) {
        if let Some(delivery) = self.delivery(delivery_id) {
            delivery.attempts += 1;
            delivery.status_code = outcome.status_code;
            delivery.error_message.clone_from(&outcome.error);
            delivery.duration_ms = Some(outcome.duration_ms);
            match (next_ms, &outcome.error) {
                (Some(due_ms), _) => delivery.due_ms = due_ms,
                (None, None) => delivery.end(DeliveryStatus::Success),
                (None, Some(_)) => delivery.end(DeliveryStatus::Failed),
            }
        }
    }

    /// Ends a delivery without another attempt.
    pub(crate) fn give_up(&mut self, delivery_id: &str, reason: &str) {
        if let Some(delivery) = self.delivery(delivery_id) {
            delivery.end(DeliveryStatus::Failed);
            delivery.error_message = Some(reason.to_owned());
        }
    }

    /// Counts an attempt of an event. Whether it was the failure that disables the webhook.
    pub(crate) fn count(&mut self, outcome: &Outcome) -> bool {
        if outcome.error.is_none() {
            self.failures_in_a_row = 0;
            return false;
        }
        self.failures_in_a_row += 1;
        let disables = self.failures_in_a_row >= MAX_FAILURES && self.status == Status::Active;
        if disables {
            self.status = Status::Inactive;
            self.updated_at = times::now();
        }
        disables
    }

    fn delivery(&mut self, id: &str) -> Option<&mut Delivery> {
        // The newest first: it is nearly always among them.
        self.deliveries.iter_mut().rev().find(|delivery| delivery.id == id)
    }
}

/// All webhooks, oldest first.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Webhooks {
    webhooks: Vec<Webhook>,
}

impl Webhooks {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Webhook> {
        self.webhooks.iter()
    }

    pub(crate) fn find(&self, id: &str) -> Result<&Webhook, Failure> {
        self.webhooks.iter().find(|webhook| webhook.id == id).ok_or_else(no_webhook)
    }

    pub(crate) fn find_mut(&mut self, id: &str) -> Result<&mut Webhook, Failure> {
        self.webhooks.iter_mut().find(|webhook| webhook.id == id).ok_or_else(no_webhook)
    }

    /// What is still to be delivered, in state that was loaded.
    pub(crate) fn errands(&mut self) -> Vec<Errand> {
        self.webhooks.iter_mut().flat_map(Webhook::errands).collect()
    }

    /// The active webhooks that want an event.
    pub(crate) fn subscribers(&mut self, event_type: &str) -> impl Iterator<Item = &mut Webhook> {
        self.webhooks.iter_mut().filter(move |webhook| {
            webhook.status == Status::Active && webhook.events.iter().any(|event| event == event_type)
        })
    }

    pub(crate) fn add(&mut self, webhook: Webhook) -> Result<(), Failure> {
        if self.webhooks.len() >= MAX_WEBHOOKS {
            let message = "The emulator keeps no more than 100 webhooks: delete some.";
            return Err(Failure::new(ErrorCode::QuotaExceeded, message));
        }
        self.webhooks.push(webhook);
        Ok(())
    }

    pub(crate) fn remove(&mut self, id: &str) -> Result<(), Failure> {
        self.find(id)?;
        self.webhooks.retain(|webhook| webhook.id != id);
        Ok(())
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;

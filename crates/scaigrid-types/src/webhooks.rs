//! Webhooks: what the gateway tells, and to whom.
//!
//! Source: docs `reference/webhooks`, `core-concepts/events-and-webhooks`, `advanced/webhooks-deep-dive`.

mod event;
#[cfg(feature = "webhook-signatures")]
mod signature;

pub use event::{EventType, RequestCompleted, WebhookEvent};
#[cfg(feature = "webhook-signatures")]
pub use signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER, VerifyError, WebhookVerifier};

use crate::macros::{by_id, endpoint, object, paginated, query, request};
use crate::open_enum::open_enum;
use crate::{Page, Secret, lenient};
use serde_json::Value;

open_enum! {
    /// Whether a webhook is told anything. Documented.
    WebhookStatus {
        /// It is.
        Active = "active",
        /// It is not.
        Inactive = "inactive",
    }
}

open_enum! {
    /// What became of a delivery. Documented.
    DeliveryStatus {
        /// The receiver took it.
        Success = "success",
        /// It failed for good.
        Failed = "failed",
        /// It will be tried again.
        Pending = "pending",
    }
}

request! {
    /// Makes a webhook: `POST /v1/webhooks`. The fields are documented; that address and events are required is assumed.
    ///
    /// ```
    /// use scaigrid_types::{CreateWebhook, EventType};
    ///
    /// let webhook = CreateWebhook::new("https://your-service.example/webhooks", [EventType::RequestFailed])
    ///     .secret("whsec_random_32_chars_or_more");
    /// # let _ = webhook;
    /// ```
    CreateWebhook {
        /// Where to deliver: public and `https`.
        url: String,
        /// What to tell.
        events: Vec<EventType>,
        ;
        /// What deliveries are signed with; chosen by the caller, 32 random characters or more. Not shown by `Debug`.
        #[serde(serialize_with = "Secret::serialize_exposed")]
        secret: Secret,
        /// Whether it is told anything.
        status: WebhookStatus,
        /// How often a delivery is repeated. 5 by default.
        max_retries: u32,
    }
}

endpoint! {
    CreateWebhook => Webhook, "webhooks.create", Post "/v1/webhooks", data + json {
        fn secrets(&self) -> Vec<&str> {
            self.secret.iter().map(Secret::expose).collect()
        }
    }
}

query! {
    /// Lists webhooks: `GET /v1/webhooks`. Documented; the parameters are assumed.
    ListWebhooks {
        /// Most items of one page. Assumed.
        limit: u32,
        /// Where to go on: [`Page::next_cursor`] of the page before. Assumed.
        cursor: String,
    }
}

endpoint! {
    ListWebhooks => Page<Webhook>, "webhooks.list", Get "/v1/webhooks", page + query
}

paginated!(ListWebhooks => Webhook);

by_id! {
    /// One webhook: `GET /v1/webhooks/{webhook_id}`.
    GetWebhook(webhook_id) => Webhook, "webhooks.get", Get "/v1/webhooks" / webhook_id, data
}

request! {
    /// Replaces a webhook: `PUT /v1/webhooks/{webhook_id}`. Whether some fields alone may be sent is not documented: send
    /// all, for example those of [`Webhook::to_update`].
    UpdateWebhook(webhook_id) {
        /// Where to deliver: public and `https`.
        url: String,
        /// What to tell.
        events: Vec<EventType>,
        ;
        /// What deliveries are signed with. Not shown by `Debug`. Whether leaving it out keeps the old one is not
        /// documented.
        #[serde(serialize_with = "Secret::serialize_exposed")]
        secret: Secret,
        /// Whether it is told anything.
        status: WebhookStatus,
        /// How often a delivery is repeated.
        max_retries: u32,
    }
}

endpoint! {
    UpdateWebhook => Webhook, "webhooks.update", Put "/v1/webhooks" / webhook_id, data or webhook_id + json {
        fn secrets(&self) -> Vec<&str> {
            self.secret.iter().map(Secret::expose).collect()
        }
    }
}

by_id! {
    /// Deletes a webhook, at once; deliveries on their way are dropped: `DELETE /v1/webhooks/{webhook_id}`. The answer's
    /// body is assumed.
    DeleteWebhook(webhook_id) => (), "webhooks.delete", Delete "/v1/webhooks" / webhook_id, empty
}

by_id! {
    /// Delivers a test event and waits for the receiver: `POST /v1/webhooks/{webhook_id}/test`.
    TestWebhook(webhook_id) => WebhookTest, "webhooks.test", Post "/v1/webhooks" / webhook_id / "test", data
}

object! {
    /// How a test went. Documented.
    WebhookTest {
        ;
        /// Names the delivery, such as `del_...`.
        delivery_id: String,
        /// The receiver's HTTP status.
        status_code: u64,
        /// How long it took, in milliseconds.
        duration_ms: u64,
        /// What went wrong, if anything.
        error: String,
    }
}

query! {
    /// Lists a webhook's deliveries: `GET /v1/webhooks/{webhook_id}/deliveries`. All parameters but the cursor are documented.
    ListDeliveries(webhook_id) {
        /// Only those of this status.
        status: DeliveryStatus,
        /// Only those since this time, in ISO 8601.
        since: String,
        /// Most items of one page.
        limit: u32,
        /// Where to go on: [`Page::next_cursor`] of the page before. Assumed.
        cursor: String,
    }
}

endpoint! {
    ListDeliveries => Page<Delivery>, "webhooks.deliveries", Get "/v1/webhooks" / webhook_id / "deliveries", page + query
}

paginated!(ListDeliveries => Delivery);

object! {
    /// One delivery. Documented; more fields are not.
    Delivery {
        /// Names it, such as `del_...`.
        id: String,
        ;
        /// The receiver's HTTP status.
        status_code: u64,
        /// What went wrong, if anything.
        error_message: String,
        /// How long it took, in milliseconds.
        duration_ms: u64,
    }
}

object! {
    /// A webhook. The fields are documented for creating one and assumed in answers. The secret is not among them: a server
    /// that sends it, masked or not, finds it dropped.
    Webhook {
        /// Names it.
        id: String,
        ;
        /// Where to deliver.
        url: String,
        /// What to tell.
        events: Vec<EventType>,
        /// Whether it is told anything.
        status: WebhookStatus,
        /// How often a delivery is repeated.
        max_retries: u32,
        /// The secret, if the server sends it. Never kept and never sent.
        #[serde(deserialize_with = "lenient::dropped", skip_serializing)]
        secret: (),
    }
}

impl Webhook {
    /// The full set of fields, to change some and send all. Without the secret, which the gateway does not give. `None` when
    /// the address or the events are not known: sending it would lose them.
    ///
    /// Fields that this version does not know go along, but for the times; take out of `extra` what the gateway refuses.
    pub fn to_update(&self) -> Option<UpdateWebhook> {
        let mut update = UpdateWebhook::new(self.id.as_str(), self.url.clone()?, self.events.clone()?);
        update.status.clone_from(&self.status);
        update.max_retries = self.max_retries;
        let answers_only = ["created_at", "updated_at"];
        let kept = self.extra.iter().filter(|(key, _)| !answers_only.contains(&key.as_str()));
        update.extra = kept.map(|(key, value)| (key.clone(), Value::clone(value))).collect();
        Some(update)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Endpoint;

    #[test]
    fn secrets_are_sent_and_not_printed() {
        let create =
            CreateWebhook::new("https://x.example", [EventType::RequestFailed]).secret("whsec_hidden");
        assert!(!format!("{create:?}").contains("hidden"));
        let body = create.body().unwrap().unwrap();
        assert!(String::from_utf8_lossy(body.as_bytes().unwrap()).contains(r#""secret":"whsec_hidden""#));
        let webhook: Webhook = serde_json::from_str(r#"{"id":"w","secret":"whsec_hidden"}"#).unwrap();
        let shown = format!("{webhook:?} {}", serde_json::to_string(&webhook).unwrap());
        assert!(!shown.contains("hidden"), "{shown}");
    }

    #[test]
    fn what_is_not_known_survives_an_update() {
        let body = r#"{"id":"w","url":"u","events":["request.completed","new.event"],"status":"paused","max_retries":3.0,"region":"eu","created_at":"x"}"#;
        let webhook: Webhook = serde_json::from_str(body).unwrap();
        let update = webhook.to_update().unwrap().body().unwrap().unwrap();
        let expected = r#"{"url":"u","events":["request.completed","new.event"],"status":"paused","max_retries":3,"region":"eu"}"#;
        assert_eq!(update.as_bytes(), Some(expected.as_bytes()));
    }

    #[test]
    fn deliveries_keep_their_filter_from_page_to_page() {
        use crate::Paginated as _;
        let list = ListDeliveries::new("w/1").status(DeliveryStatus::Failed).limit(5);
        let next = list.after("c");
        assert_eq!(
            next.query().pairs().collect::<Vec<_>>(),
            [("status", "failed"), ("limit", "5"), ("cursor", "c")]
        );
        assert_eq!(next.path().segments().nth(2), Some("w/1"));
    }
}

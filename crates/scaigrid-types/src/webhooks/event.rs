//! What receivers get.

use crate::DecodeError;
use crate::macros::object;
use crate::open_enum::open_enum;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

open_enum! {
    /// What happened. Documented, open set.
    EventType {
        /// An inference call succeeded; see [`RequestCompleted`](crate::RequestCompleted).
        RequestCompleted = "request.completed",
        /// An inference call failed.
        RequestFailed = "request.failed",
        /// A budget is nearly used up.
        BudgetSoftLimitReached = "budget.soft_limit_reached",
        /// A budget is used up.
        BudgetHardLimitReached = "budget.hard_limit_reached",
        /// A user came.
        ScaikeyUserCreated = "scaikey.user.created",
        /// A user changed.
        ScaikeyUserUpdated = "scaikey.user.updated",
        /// A webhook failed 50 times in a row and is told nothing any more.
        WebhookAutoDisabled = "webhook.auto_disabled",
        /// A core was started (ScaiCore).
        ScaicoreActivated = "scaicore.activated",
        /// A core was put to rest (ScaiCore).
        ScaicorePassivated = "scaicore.passivated",
        /// A core was deleted (ScaiCore).
        ScaicoreDeleted = "scaicore.deleted",
        /// A checkpoint waits for somebody (ScaiCore).
        ScaicoreCheckpointPending = "scaicore.checkpoint_pending",
        /// A checkpoint was answered (ScaiCore).
        ScaicoreCheckpointResolved = "scaicore.checkpoint_resolved",
        /// A message was published (ScaiQueue).
        ScaiqueueMessagePublished = "scaiqueue.message.published",
        /// A message was claimed (ScaiQueue).
        ScaiqueueMessageClaimed = "scaiqueue.message.claimed",
        /// A message was dealt with (ScaiQueue).
        ScaiqueueMessageCompleted = "scaiqueue.message.completed",
        /// A message failed for good (ScaiQueue).
        ScaiqueueMessageDeadLettered = "scaiqueue.message.dead_lettered",
        /// What sandboxes used, each minute (ScaiBunker).
        ScaibunkerUsage = "scaibunker.usage",
        /// A conversation began (ScaiBot).
        ScaibotConversationStarted = "scaibot.conversation.started",
        /// A bot asked for a person (ScaiBot).
        ScaibotEscalationTriggered = "scaibot.escalation.triggered",
        /// A document can be found (ScaiMatrix).
        ScaimatrixDocumentIndexed = "scaimatrix.document.indexed",
        /// A crawl is done (ScaiMatrix).
        ScaimatrixCrawlCompleted = "scaimatrix.crawl.completed",
    }
}

/// An event as it is delivered. The envelope is documented; that it is what is posted is assumed.
///
/// Events may be delivered more than once: remember each [`event_id`](Self::event_id) for one or two weeks.
///
/// ```
/// use scaigrid_types::{EventType, RequestCompleted, WebhookEvent};
///
/// let body = br#"{"event_type":"request.completed","event_id":"evt_abc123",
///     "payload":{"model":"scailabs/poolnoodle-omni","latency_ms":842,"tokens":156}}"#;
/// let event = WebhookEvent::from_body(body)?;
/// if event.event_type == EventType::RequestCompleted {
///     let completed: RequestCompleted = event.payload_as()?;
///     assert_eq!(completed.tokens, Some(156));
/// }
/// # Ok::<(), scaigrid_types::DecodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WebhookEvent {
    /// What happened.
    pub event_type: EventType,
    /// Names the event, such as `evt_abc123`; the same in each delivery of it.
    pub event_id: String,
    /// Which part of the gateway tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// For which tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// For which partner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner_id: Option<String>,
    /// What there is to tell, by type: see [`payload_as`](Self::payload_as). Documented for [`RequestCompleted`] only.
    #[serde(default)]
    pub payload: Value,
    /// When it happened, in RFC 3339 and UTC. Deliveries may come hours later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    /// Fields that this version does not know, kept as they came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl WebhookEvent {
    /// From the body of a delivery. Verify the signature first.
    ///
    /// # Errors
    /// When it is not JSON, or lacks its type or id.
    pub fn from_body(body: &[u8]) -> Result<Self, DecodeError> {
        serde_json::from_slice(body).map_err(|error| DecodeError::from_json(body, &error))
    }

    /// The payload as a type, such as [`RequestCompleted`] or one of your own.
    ///
    /// # Errors
    /// When the payload has another form.
    pub fn payload_as<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        serde_json::from_value(self.payload.clone())
            .map_err(|error| DecodeError::from_value("payload".to_owned(), &error))
    }
}

object! {
    /// The payload of `request.completed`. Documented.
    RequestCompleted {
        ;
        /// The frontend slug.
        model: String,
        /// The backend that answered.
        backend_id: String,
        /// How long it took, in milliseconds.
        latency_ms: u64,
        /// All tokens.
        tokens: u64,
    }
}

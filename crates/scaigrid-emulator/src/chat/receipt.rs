//! What follows an answer: it is booked, and whoever wants to know is told.

use crate::catalog::Entry;
use crate::clock;
use crate::events::{Event, Events};
use crate::gateway::{Account, Gateway};
use scaigrid_types::Usage;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;

/// Told how much of the answer the client was sent.
type Then = Box<dyn FnOnce(&Usage) + Send>;

/// The open bill of one answer.
pub(crate) struct Receipt {
    pub(crate) entry: Entry,
    account: Arc<Account>,
    events: Arc<Events>,
    started: Instant,
    then: Option<Then>,
}

impl Receipt {
    pub(crate) fn new(gateway: &Gateway, account: &Arc<Account>, entry: &Entry) -> Self {
        Self {
            entry: entry.clone(),
            account: Arc::clone(account),
            events: Arc::clone(&gateway.events),
            started: clock::monotonic(),
            then: None,
        }
    }

    /// Does this as well.
    pub(crate) fn then(&mut self, then: impl FnOnce(&Usage) + Send + 'static) {
        self.then = Some(Box::new(then));
    }

    /// Books what was sent.
    pub(crate) fn settle(self, usage: &Usage) {
        self.account.book(&self.entry, usage);
        if let Some(then) = self.then {
            then(usage);
        }
        let latency = clock::monotonic().saturating_duration_since(self.started);
        // The documented payload.
        self.events.emit(Event {
            event_type: "request.completed".to_owned(),
            source: "inference_service",
            payload: json!({
                "model": self.entry.model.slug,
                "backend_id": self.entry.backend_id,
                "latency_ms": u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
                "tokens": usage.prompt().saturating_add(usage.completion()),
            }),
        });
    }
}

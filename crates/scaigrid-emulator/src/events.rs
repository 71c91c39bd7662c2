//! What happened that somebody may want to be told of. The webhook part takes the events from here.

use crate::sync::lock;
use std::collections::VecDeque;
use std::sync::Mutex;

/// How many events wait at most. Then the oldest are dropped.
const MAX_WAITING: usize = 256;

/// One event, before it has an id and a time.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(test), allow(dead_code, reason = "read by whoever drains the queue"))]
pub(crate) struct Event {
    /// Such as `request.completed`.
    pub event_type: String,
    /// The service that it comes from, such as `inference_service`.
    pub source: &'static str,
    /// What is told, by type.
    pub payload: serde_json::Value,
}

/// The hook that everything reports to.
#[derive(Debug, Default)]
pub(crate) struct Events {
    waiting: Mutex<VecDeque<Event>>,
}

impl Events {
    /// Reports an event. Never waits.
    pub(crate) fn emit(&self, event: Event) {
        let mut waiting = lock(&self.waiting);
        if waiting.len() >= MAX_WAITING {
            waiting.pop_front();
        }
        waiting.push_back(event);
    }

    /// Takes all waiting events, oldest first.
    #[cfg_attr(not(test), allow(dead_code, reason = "for the webhook part"))]
    pub(crate) fn drain(&self) -> Vec<Event> {
        lock(&self.waiting).drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_newest_events_are_kept() {
        let events = Events::default();
        for number in 0..MAX_WAITING + 3 {
            let payload = json!(number);
            events.emit(Event { event_type: "x".into(), source: "test", payload });
        }
        let drained = events.drain();
        assert_eq!(drained.len(), MAX_WAITING);
        assert_eq!(drained.first().unwrap().payload, 3);
        assert!(events.drain().is_empty());
    }
}

//! Things that happened, on their way to webhooks.

use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// Events that wait for the delivery task. It only looks up webhooks, so more than a few wait rarely.
const CAPACITY: usize = 1024;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    /// Such as `request.completed`.
    pub(crate) event_type: String,
    /// The part of the gateway that it happened in.
    pub(crate) source: &'static str,
    pub(crate) payload: Value,
}

/// Takes events from anywhere, and never waits.
pub(crate) struct Events {
    queue: mpsc::Sender<Event>,
    dropped: AtomicU64,
}

impl Events {
    /// The sending end, and the end that the delivery task reads.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Event>) {
        let (queue, events) = mpsc::channel(CAPACITY);
        (Self { queue, dropped: AtomicU64::new(0) }, events)
    }

    /// Hands an event over. It is dropped and counted when too many wait.
    pub(crate) fn emit(&self, event: Event) {
        if self.queue.try_send(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many events found the queue full.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let (events, mut queue) = Events::new();
        for _ in 0..CAPACITY + 3 {
            events.emit(Event { event_type: "x".to_owned(), source: "test", payload: Value::Null });
        }
        assert_eq!(events.dropped(), 3);
        assert!(queue.try_recv().is_ok());
        events.emit(Event { event_type: "y".to_owned(), source: "test", payload: Value::Null });
        assert_eq!(events.dropped(), 3);
    }
}

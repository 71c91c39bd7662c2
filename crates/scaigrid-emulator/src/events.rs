//! Things that happened, on their way to webhooks.

use crate::sync::lock;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;

/// How many events wait at most. The delivery task only looks up webhooks, so more than a few wait rarely.
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
#[derive(Debug, Default)]
pub(crate) struct Events {
    waiting: Mutex<VecDeque<Event>>,
    news: Notify,
    dropped: AtomicU64,
}

impl Events {
    /// Hands an event over. It is dropped and counted when too many wait.
    pub(crate) fn emit(&self, event: Event) {
        let mut waiting = lock(&self.waiting);
        if waiting.len() < CAPACITY {
            waiting.push_back(event);
            self.news.notify_one();
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Ready once something may have been emitted since the last time. For one task at a time.
    pub(crate) async fn news(&self) {
        self.news.notified().await;
    }

    /// Takes all that wait, oldest first.
    pub(crate) fn take(&self) -> VecDeque<Event> {
        std::mem::take(&mut *lock(&self.waiting))
    }

    /// How many events found too many waiting.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let events = Events::default();
        let emit = |number: usize| {
            events.emit(Event { event_type: "x".to_owned(), source: "test", payload: number.into() });
        };
        (0..CAPACITY + 3).for_each(emit);
        assert_eq!(events.dropped(), 3);
        let taken = events.take();
        assert_eq!((taken.len(), &taken[0].payload), (CAPACITY, &Value::from(0)));
        emit(0);
        assert_eq!((events.take().len(), events.dropped()), (1, 3));
    }

    #[test]
    fn news_of_the_past_is_news() {
        let events = Events::default();
        events.emit(Event { event_type: "x".to_owned(), source: "test", payload: Value::Null });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(events.news());
        assert_eq!(events.take().len(), 1);
    }
}

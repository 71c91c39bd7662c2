//! Events of a stream that are no chunks.

use std::collections::VecDeque;

/// An event of a stream that is no chunk, such as a status message of a persona. Its form is not documented.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamEvent {
    /// The event's name; `message` when it has none.
    pub name: String,
    /// Its data, as it came.
    pub data: String,
}

/// The latest events, within limits.
#[derive(Default)]
pub(super) struct Events {
    events: VecDeque<StreamEvent>,
    bytes: usize,
}

const MAX_EVENTS: usize = 256;
const MAX_BYTES: usize = 1024 * 1024;

impl Events {
    pub(super) fn push(&mut self, name: &str, data: &str) {
        self.bytes += name.len() + data.len();
        self.events.push_back(StreamEvent { name: name.to_owned(), data: data.to_owned() });
        while self.events.len() > MAX_EVENTS || self.bytes > MAX_BYTES {
            let Some(dropped) = self.events.pop_front() else { break };
            self.bytes -= dropped.name.len() + dropped.data.len();
        }
    }

    pub(super) fn take(&mut self) -> Vec<StreamEvent> {
        self.bytes = 0;
        std::mem::take(&mut self.events).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_kept_within_limits() {
        let mut events = Events::default();
        for number in 0..300 {
            events.push("status", &number.to_string());
        }
        let kept = events.take();
        assert_eq!((kept.len(), kept[0].data.as_str(), kept[255].data.as_str()), (256, "44", "299"));
        events.push("a", &"x".repeat(MAX_BYTES / 2));
        events.push("b", &"x".repeat(MAX_BYTES / 2));
        assert_eq!(events.take().len(), 1);
        events.push("c", &"x".repeat(2 * MAX_BYTES));
        assert!(events.take().is_empty());
    }
}

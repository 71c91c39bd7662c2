//! Which fault happens to which request.

use crate::fault::{Fault, FaultKind};
use crate::sync::lock;
use serde_json::Value;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

/// The queue of faults of an emulator: a cheap handle that can be cloned and kept.
///
/// Each request takes the first queued fault that matches it. Faults that do not match stay queued, in order.
#[derive(Clone, Default)]
pub struct Faults {
    queue: Arc<Mutex<VecDeque<Fault>>>,
    source: Option<FaultSource>,
}

/// Draws faults. From [`EmulatorBuilder::fault_source`](crate::EmulatorBuilder::fault_source).
pub(crate) type FaultSource = Arc<Mutex<dyn FnMut(&IncomingRequest<'_>) -> Option<Fault> + Send>>;

/// Shows how many faults are queued.
impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Faults {
    pub(crate) fn with_source(source: Option<FaultSource>) -> Self {
        Self { queue: Arc::default(), source }
    }

    /// Appends a fault for one request.
    pub fn push(&self, fault: Fault) {
        lock(&self.queue).push_back(fault);
    }

    /// Appends the same fault for this many requests.
    pub fn repeat(&self, fault: Fault, times: usize) {
        lock(&self.queue).extend(std::iter::repeat_n(fault, times));
    }

    /// How many faults have not happened yet.
    pub fn len(&self) -> usize {
        lock(&self.queue).len()
    }

    /// Whether all faults have happened.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops all faults that have not happened yet.
    pub fn clear(&self) {
        lock(&self.queue).clear();
    }

    /// Takes the first fault that matches a request, else asks the source.
    pub(crate) fn take(&self, request: &IncomingRequest<'_>) -> Option<Fault> {
        self.take_first(|fault| fault.matches(request)).or_else(|| {
            let source = self.source.as_ref()?;
            let draw = &mut *lock(source);
            draw(request).filter(|fault| fault.suits(request))
        })
    }

    /// Whether a new connection is to be reset.
    pub(crate) fn take_reset_before_request(&self) -> bool {
        self.take_first(|fault| matches!(fault.kind, FaultKind::ResetBeforeRequest)).is_some()
    }

    fn take_first(&self, is_meant: impl FnMut(&Fault) -> bool) -> Option<Fault> {
        let mut queue = lock(&self.queue);
        let position = queue.iter().position(is_meant)?;
        queue.remove(position)
    }
}

/// A request that has just been read, for whoever draws a fault for it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct IncomingRequest<'a> {
    method: &'a str,
    path: &'a str,
    body: &'a [u8],
}

impl<'a> IncomingRequest<'a> {
    pub(crate) fn new(method: &'a str, path: &'a str, body: &'a [u8]) -> Self {
        Self { method, path, body }
    }

    /// The HTTP method, such as `POST`.
    pub fn method(&self) -> &'a str {
        self.method
    }

    /// The path as sent, without the query.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// The body. Empty when there is none.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// Whether the body has `"stream": true`.
    pub fn is_stream(&self) -> bool {
        let body: Result<Value, _> = serde_json::from_slice(self.body);
        body.is_ok_and(|body| body.get("stream") == Some(&Value::Bool(true)))
    }
}

/// Leaves out the body, which may hold what people said.
impl fmt::Debug for IncomingRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingRequest").field("method", &self.method).field("path", &self.path).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StreamFault;

    fn request<'a>(path: &'a str, body: &'a str) -> IncomingRequest<'a> {
        IncomingRequest::new("POST", path, body.as_bytes())
    }

    #[test]
    fn the_first_match_is_taken_and_the_others_stay() {
        let faults = Faults::default();
        faults.push(Fault::close().for_path("/v1/models"));
        faults.repeat(Fault::reset(), 2);
        let take = |path| faults.take(&request(path, "")).map(|fault| fault.kind);
        assert!(matches!(take("/v1/inference/chat"), Some(FaultKind::Reset)));
        assert!(matches!(take("/v1/models/x"), Some(FaultKind::Close)));
        assert_eq!(faults.len(), 1);
        faults.clear();
        assert!(faults.is_empty() && take("/").is_none());
    }

    #[test]
    fn stream_faults_wait_for_a_stream() {
        let faults = Faults::default();
        faults.push(Fault::stream(StreamFault::new()));
        for body in ["", "{", "[true]", "{}", r#"{"stream":null}"#, r#"{"stream":false}"#, r#"{"stream":1}"#]
        {
            assert!(faults.take(&request("/", body)).is_none(), "{body}");
        }
        assert!(faults.take(&request("/", r#"{"a":[{}],"stream":true}"#)).is_some());
    }

    #[test]
    fn faults_of_connections_wait_for_one() {
        let faults = Faults::default();
        faults.push(Fault::reset_before_request());
        assert!(faults.take(&request("/", "")).is_none());
        assert!(faults.take_reset_before_request() && !faults.take_reset_before_request());
    }

    #[test]
    fn the_source_is_asked_when_nothing_is_queued() {
        let mut left = 2;
        let faults = Faults::with_source(Some(Arc::new(Mutex::new(move |_: &IncomingRequest<'_>| {
            left -= 1;
            (left >= 0).then(|| if left > 0 { Fault::reset() } else { Fault::stream(StreamFault::new()) })
        }))));
        faults.push(Fault::close());
        let take = || faults.take(&request("/", "{}")).map(|fault| fault.kind);
        assert!(matches!(take(), Some(FaultKind::Close)));
        assert!(matches!(take(), Some(FaultKind::Reset)));
        assert!(take().is_none(), "no stream");
        assert!(take().is_none());
    }
}

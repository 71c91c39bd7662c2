//! What is known of a stream while it flows, and behind its end.

use super::{StreamCore, StreamEvent};
use crate::{AttemptReport, RetryReport};
use http::{HeaderMap, StatusCode};
use scaigrid_types::{ChatCompletion, Usage};

impl StreamCore {
    pub(crate) fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.head.status
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.opened.as_ref().map_or(0, |opened| opened.attempts)
    }

    pub(crate) fn history(&self) -> &[AttemptReport] {
        self.opened.as_ref().map(|opened| opened.history.as_slice()).unwrap_or_default()
    }

    pub(crate) fn retry_report(&self) -> RetryReport<'_> {
        let elapsed = self.opened.as_ref().map(|opened| opened.elapsed).unwrap_or_default();
        RetryReport { attempts: self.attempts(), failed: self.history(), elapsed }
    }

    pub(crate) fn support_line(&self) -> String {
        let opened = self.opened.as_ref();
        opened.map(|opened| opened.support_line(self.head.status, self.request_id())).unwrap_or_default()
    }

    pub(crate) fn snapshot(&self) -> ChatCompletion {
        self.reply.snapshot()
    }

    pub(crate) fn usage(&self) -> Option<Usage> {
        self.reply.usage()
    }

    pub(crate) fn take_events(&mut self) -> Vec<StreamEvent> {
        self.events.take()
    }
}

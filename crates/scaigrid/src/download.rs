//! Files that come from the gateway, handed out while they come.

#[cfg(feature = "async")]
mod async_download;
#[cfg(feature = "blocking")]
mod blocking_download;
mod partial_file;

#[cfg(feature = "async")]
pub use async_download::Download;
#[cfg(feature = "blocking")]
pub use blocking_download::Download as BlockingDownload;

use crate::observation::Outcome;
use crate::reply::Facts;
use crate::stream::Opened;
use crate::trace::End;
use crate::{AttemptReport, Error, ErrorKind, Reply, RetryReport};
use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, StatusCode, header};
use scaigrid_retry::StopReason;
use scaigrid_transport::{Timeouts, TransportError};
use scaigrid_types::ReplyFacts;
use std::io;
use std::path::Path;

/// What is known of a file whose head has come.
pub(crate) struct DownloadCore {
    head: Parts,
    request_id: Option<String>,
    limits: Timeouts,
    opened: Opened,
    received: u64,
}

impl DownloadCore {
    pub(crate) fn new(head: Parts, request_id: Option<String>, limits: Timeouts, opened: Opened) -> Self {
        Self { head, request_id, limits, opened, received: 0 }
    }

    /// An answer that was read whole.
    pub(crate) fn of_reply<T>(reply: Reply<T>, opened: Opened) -> (Self, Bytes) {
        let Facts { status, headers, body, request_id, attempts, history, elapsed, .. } = reply.facts;
        let (mut head, ()) = http::Response::new(()).into_parts();
        (head.status, head.headers) = (status, headers);
        let opened = Opened { attempts, history, elapsed, ..opened };
        (Self::new(head, request_id, Timeouts::none(), opened), body)
    }

    pub(crate) fn on_piece(&mut self, piece: &Bytes) {
        self.received = self.received.saturating_add(piece.len() as u64);
        self.opened.observation.first_chunk();
    }

    /// The file is whole.
    pub(crate) fn ended(&mut self) {
        if let Some(trace) = &self.opened.trace {
            trace.end(End {
                status: Some(self.head.status),
                request_id: self.request_id.as_deref(),
                attempts: self.opened.attempts,
                elapsed: self.opened.observation.elapsed().or(Some(self.opened.elapsed)),
                error: None,
                reply: None,
                secrets: &self.opened.secrets,
            });
        }
        self.opened.observation.finish(Outcome::Succeeded, &ReplyFacts::default());
    }

    /// The file breaks off. It is not asked for again: what came is in the caller's hands already.
    pub(crate) fn failed(&mut self, error: TransportError) -> Error {
        let mut error = Error::transport(error, self.limits);
        error.add_to_message(&format!(", after {} bytes of the file", self.received));
        let error = self.explained(error);
        self.opened.observation.finish(Outcome::cut_short(&error), &ReplyFacts::default());
        error
    }

    /// More came than the caller wanted to keep.
    pub(crate) fn too_large(&mut self, max_bytes: usize) -> Error {
        let message =
            format!("the file is larger than the allowed {max_bytes} bytes: save it, or read it in pieces");
        let error = self.explained(Error::new(ErrorKind::BodyTooLarge, message));
        self.opened.observation.finish(Outcome::failed(&error), &ReplyFacts::default());
        error
    }

    /// The file cannot be written.
    pub(crate) fn unwritable(&mut self, path: &Path, cause: io::Error) -> Error {
        let message = format!("the file {} cannot be written", path.display());
        let mut error = self.explained(Error::new(ErrorKind::File, message).with_source(cause));
        // The exchange did not fail.
        (error.context_mut().status, error.context_mut().stop_reason) = (None, None);
        self.opened.observation.finish(Outcome::failed(&error), &ReplyFacts::default());
        error
    }

    fn explained(&self, mut error: Error) -> Error {
        error.redact(&self.opened.secrets);
        let context = error.context_mut();
        context.endpoint = Some(self.opened.endpoint);
        context.status = Some(self.head.status);
        context.headers = self.head.headers.clone();
        context.request_id.clone_from(&self.request_id);
        context.may_have_run = true;
        context.attempts = self.opened.attempts;
        context.history.clone_from(&self.opened.history);
        context.elapsed = self.opened.elapsed;
        context.stop_reason = Some(StopReason::MayHaveRun);
        if let Some(trace) = &self.opened.trace {
            trace.failed(&error, &self.opened.secrets);
        }
        error
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.head.status
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    pub(crate) fn content_type(&self) -> Option<&str> {
        self.head.headers.get(header::CONTENT_TYPE)?.to_str().ok()
    }

    pub(crate) fn content_length(&self) -> Option<u64> {
        self.head.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
    }

    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.opened.attempts
    }

    pub(crate) fn history(&self) -> &[AttemptReport] {
        &self.opened.history
    }

    pub(crate) fn retry_report(&self) -> RetryReport<'_> {
        RetryReport { attempts: self.attempts(), failed: self.history(), elapsed: self.opened.elapsed }
    }
}

/// What can be asked of a download at any time, the same for both colours.
macro_rules! accessors {
    () => {
        /// The gateway's id for this request. `None` when the server sent none.
        pub fn request_id(&self) -> Option<&str> {
            self.core.request_id()
        }

        /// The HTTP status.
        pub fn status(&self) -> http::StatusCode {
            self.core.status()
        }

        /// The response headers.
        pub fn headers(&self) -> &http::HeaderMap {
            self.core.headers()
        }

        /// The `Content-Type`, such as `audio/mpeg`.
        pub fn content_type(&self) -> Option<&str> {
            self.core.content_type()
        }

        /// The length of the file in bytes, if the server told it. Of a compressed answer it is the compressed length.
        pub fn content_length(&self) -> Option<u64> {
            self.core.content_length()
        }

        /// How many bytes have come so far.
        pub fn received(&self) -> u64 {
            self.core.received()
        }

        /// How many requests were sent until the file came, at least 1.
        pub fn attempts(&self) -> u32 {
            self.core.attempts()
        }

        /// The attempts that failed before the file came, oldest first. Usually empty.
        pub fn history(&self) -> &[crate::AttemptReport] {
            self.core.history()
        }

        /// How the call went until the file came: [`history`](Self::history) with a `Display` for logs.
        pub fn retry_report(&self) -> crate::RetryReport<'_> {
            self.core.retry_report()
        }
    };
}

pub(crate) use accessors;

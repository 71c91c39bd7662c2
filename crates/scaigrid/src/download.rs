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

use crate::observation::{Ending, Outcome};
use crate::reply::Facts;
use crate::stream::Opened;
use crate::{AttemptReport, Error, ErrorKind, Reply, RetryReport};
use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, StatusCode, header};
use scaigrid_retry::StopReason;
use scaigrid_transport::{Timeouts, TransportError};
use std::io;
use std::path::Path;
use std::time::Duration;

/// What is known of a file whose head has come.
pub(crate) struct DownloadCore {
    head: Parts,
    request_id: Option<String>,
    limits: Timeouts,
    opened: Opened,
    received: u64,
    /// From the begin of the call to the end of the file.
    total: Option<Duration>,
}

impl DownloadCore {
    pub(crate) fn new(head: Parts, request_id: Option<String>, limits: Timeouts, opened: Opened) -> Self {
        Self { head, request_id, limits, opened, received: 0, total: None }
    }

    /// An answer that was read whole.
    pub(crate) fn of_reply<T>(reply: Reply<T>, opened: Opened) -> (Self, Bytes) {
        let Facts { status, headers, body, request_id, attempts, history, elapsed, .. } = *reply.facts;
        let (mut head, ()) = http::Response::new(()).into_parts();
        (head.status, head.headers) = (status, headers);
        let opened = Opened { attempts, history, elapsed, ..opened };
        (Self::new(head, request_id, Timeouts::none(), opened), body)
    }

    pub(crate) fn on_piece(&mut self, piece: &Bytes) {
        self.received = self.received.saturating_add(piece.len() as u64);
    }

    /// The file is whole.
    pub(crate) fn ended(&mut self) {
        self.total = self.opened.observation.elapsed();
        self.conclude(Outcome::Succeeded);
    }

    /// The file breaks off. It is not asked for again: what came is in the caller's hands already.
    pub(crate) fn failed(&mut self, error: TransportError) -> Error {
        let mut error = Error::transport(error, self.limits);
        error.add_to_message(&format!(", after {} bytes of the file", self.received));
        let error = self.explained(error);
        self.conclude(Outcome::cut_short(&error));
        error
    }

    /// More came than the caller wanted to keep.
    pub(crate) fn too_large(&mut self, max_bytes: usize) -> Error {
        let message =
            format!("the file is larger than the allowed {max_bytes} bytes: save it, or read it in pieces");
        let error = self.explained(Error::new(ErrorKind::BodyTooLarge, message));
        self.conclude(Outcome::cut_short(&error));
        error
    }

    /// The file cannot be written.
    pub(crate) fn unwritable(&mut self, path: &Path, cause: io::Error) -> Error {
        let message = format!("the file {} cannot be written", path.display());
        let mut error = self.explained(Error::new(ErrorKind::File, message).with_source(cause));
        // The exchange did not fail.
        (error.context_mut().status, error.context_mut().stop_reason) = (None, None);
        self.conclude(Outcome::cut_short(&error));
        error
    }

    fn explained(&self, mut error: Error) -> Error {
        error.redact(&self.opened.secrets);
        let elapsed = self.opened.observation.elapsed().or(self.total).unwrap_or(self.opened.elapsed);
        let context = error.context_mut();
        context.endpoint = Some(self.opened.endpoint);
        context.status = Some(self.head.status);
        context.headers = self.head.headers.clone();
        context.request_id.clone_from(&self.request_id);
        context.may_have_run = true;
        context.attempts = self.opened.attempts;
        context.history.clone_from(&self.opened.history);
        context.elapsed = elapsed;
        context.at = self.opened.at.checked_add(elapsed.saturating_sub(self.opened.elapsed));
        context.stop_reason = Some(StopReason::MayHaveRun);
        error
    }

    /// Tells those who watch of the end, unless that was done.
    fn conclude(&mut self, outcome: Outcome<'_>) {
        let mut observation = self.opened.observation.take();
        observation.finish(
            outcome,
            Ending {
                status: Some(self.head.status),
                request_id: self.request_id.as_deref(),
                secrets: Some(&|| self.opened.secrets.clone()),
                ..Ending::default()
            },
        );
    }

    pub(crate) fn support_line(&self) -> String {
        self.opened.support_line(self.head.status, self.request_id())
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

/// Dropped before its end.
impl Drop for DownloadCore {
    fn drop(&mut self) {
        self.conclude(Outcome::Abandoned(None));
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

        /// One line for a support ticket, as [`Error::support_line`](crate::Error::support_line), for a file that is not what
        /// it should be. The time is when the answer began. Holds nothing of the file.
        pub fn support_line(&self) -> String {
            self.core.support_line()
        }
    };
}

pub(crate) use accessors;

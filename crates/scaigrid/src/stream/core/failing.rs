//! How a stream fails: what is said, and what had come.

use super::{Item, State, StreamCore, Trouble};
use crate::answer::{self, Failed};
use crate::clock::Now;
use crate::{Error, ErrorKind, observation};
use bytes::Bytes;
use scaigrid_transport::{TransportError, TransportErrorKind};
use scaigrid_types::ErrorEnvelope;
use std::fmt::Write as _;

impl StreamCore {
    #[cold]
    pub(super) fn in_trouble(&mut self, trouble: Trouble, now: Now) -> Item {
        match trouble {
            Trouble::Failure(envelope, data) => self.refused(envelope, data, now),
            Trouble::Undecodable(error, data) => {
                let mut error = Error::decode(error);
                error.context_mut().body = data;
                self.failed(error, now)
            }
            Trouble::TooLarge(error) => {
                self.failed(Error::new(ErrorKind::BodyTooLarge, error.to_string()), now)
            }
        }
    }

    /// The reply is larger than allowed.
    #[cold]
    pub(super) fn too_much(&mut self, now: Now) -> Item {
        let message = format!("the reply is larger than the allowed {} bytes", self.max_bytes);
        self.failed(Error::new(ErrorKind::BodyTooLarge, message), now)
    }

    /// The body is over before its time.
    pub(super) fn over(&self, cause: Option<TransportError>, cut: Option<Bytes>, now: Now) -> Error {
        let progress = self.progress(now);
        let Some(cause) = cause else {
            let cause = TransportError::new(TransportErrorKind::Interrupted);
            let within = cut.as_ref().map(|data| format!(", within an event of {} bytes so far", data.len()));
            let within = within.unwrap_or_default();
            let message = format!("the stream ended without [DONE], {progress}{within}");
            let mut error = Error::new(ErrorKind::StreamTruncated, message).with_source(cause);
            error.context_mut().body = cut.unwrap_or_default();
            return error;
        };
        match (cause.kind(), self.limits.read) {
            (TransportErrorKind::ReadTimeout, Some(limit)) => {
                let message = format!("the stream was silent for longer than {limit:?}, {progress}");
                Error::new(ErrorKind::IdleTimeout, message).with_source(cause)
            }
            _ => {
                let mut error = Error::transport(cause, self.limits);
                error.add_to_message(&format!(", {progress}"));
                error
            }
        }
    }

    pub(super) fn refused(&mut self, envelope: ErrorEnvelope, data: Bytes, now: Now) -> Item {
        let failed = answer::api_failure(envelope, self.head.clone(), data, now);
        self.hand_out(failed, now)
    }

    /// Such as `after 12 chunks, the last one 3.2 s ago`.
    fn progress(&self, now: Now) -> String {
        if self.reply.chunks() == 0 {
            return "before its first chunk".to_owned();
        }
        let silence = self.waits_since.map(|since| now.instant.saturating_duration_since(since));
        let ago = silence.unwrap_or_default().as_secs_f64();
        let chunks = self.reply.chunks();
        let mut text = format!("after {chunks} chunk");
        // Writing to a String cannot fail.
        let _ = write!(text, "{}, the last one {ago:.1} s ago", if chunks == 1 { "" } else { "s" });
        text
    }

    pub(super) fn failed(&mut self, mut error: Error, now: Now) -> Item {
        let context = error.context_mut();
        context.status = Some(self.head.status);
        context.headers = self.head.headers.clone();
        context.request_id.clone_from(&self.request_id);
        self.hand_out(Failed { error, hint: None }, now)
    }

    fn hand_out(&mut self, mut failed: Failed, now: Now) -> Item {
        self.state = State::Failed;
        let context = failed.error.context_mut();
        context.may_have_run = true;
        context.partial = Some(self.reply.snapshot());
        if let Some(opened) = &self.opened {
            let elapsed = now.instant.saturating_duration_since(opened.started);
            // Before the report copies anything.
            failed.error.redact(&opened.secrets);
            let report = failed.report(opened.endpoint, opened.attempts, elapsed);
            let context = failed.error.context_mut();
            context.endpoint = Some(opened.endpoint);
            context.attempts = opened.attempts;
            context.elapsed = elapsed;
            context.history.clone_from(&opened.history);
            context.history.push(report);
            context.at = Some(now.system);
        }
        self.conclude(observation::Outcome::cut_short(&failed.error), Some(now.instant));
        Item::Failed(failed)
    }
}

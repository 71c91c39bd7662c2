//! One request on its way, and the head of its answer.

use super::alarm::Deadline;
use super::pieces::Pieces;
use super::{failure, require_runtime};
use crate::timeouts::{ReadLimit, now};
use crate::{Body, Timeouts, TransportError, TransportErrorKind as Kind};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What becomes of a request.
pub(super) type Answered = Result<http::Response<Body>, TransportError>;

/// Waits for the head of an answer. No `async fn`: its future would hold much of this twice.
pub(super) struct Exchange<F> {
    head: Pin<Box<F>>,
    /// It was made in a runtime, and may be awaited outside.
    is_in_runtime: bool,
    /// When the whole answer must be over.
    end: Option<Deadline>,
    /// When the head must be there.
    first: Option<Deadline>,
    limit: Option<ReadLimit>,
    host: String,
}

impl<F> Exchange<F> {
    /// All limits count from now on.
    pub(super) fn new(head: F, timeouts: Timeouts, host: String) -> Self {
        // The clock is read only for what needs it.
        let limit = timeouts.limit_reads().then(|| ReadLimit::new(timeouts, now()));
        let first = limit.as_ref().and_then(|limit| limit.next(now()));
        Self {
            head: Box::pin(head),
            is_in_runtime: false,
            end: timeouts.attempt.and_then(|limit| Deadline::after(limit, Kind::Timeout)),
            first: first.and_then(|(limit, kind)| Deadline::after(limit, kind)),
            limit,
            host,
        }
    }

    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<Kind> {
        for deadline in self.end.iter_mut().chain(&mut self.first) {
            if let Poll::Ready(kind) = deadline.poll(context) {
                return Poll::Ready(kind);
            }
        }
        Poll::Pending
    }
}

impl<F: Future<Output = reqwest::Result<reqwest::Response>>> Future for Exchange<F> {
    type Output = Answered;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answered> {
        let this = self.get_mut();
        if !this.is_in_runtime {
            require_runtime()?;
            this.is_in_runtime = true;
        }
        let Poll::Ready(answer) = this.head.as_mut().poll(context) else {
            let late = this.poll_late(context);
            return late.map(|kind| Err(TransportError::new(kind).with_host(this.host.as_str())));
        };
        let mut answer = answer.map_err(|error| failure(error, &this.host))?;
        let mut response = http::Response::new(());
        *response.status_mut() = answer.status();
        *response.version_mut() = answer.version();
        std::mem::swap(response.headers_mut(), answer.headers_mut());
        std::mem::swap(response.extensions_mut(), answer.extensions_mut());
        let host = std::mem::take(&mut this.host);
        let pieces = Pieces::new(answer, this.end.take(), this.limit.take(), host);
        Poll::Ready(Ok(response.map(|()| Body::new(pieces))))
    }
}

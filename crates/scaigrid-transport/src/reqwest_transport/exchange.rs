//! One request on its way, and the head of its answer.

use super::late::Late;
use super::pieces::Pieces;
use super::{failure, require_runtime};
use crate::{Body, TransportError};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What becomes of a request.
pub(super) type Answered = Result<http::Response<Body>, TransportError>;

/// Waits for the head of an answer. No `async fn`: its future would hold much of this twice.
pub(super) struct Exchange<F> {
    head: Pin<Box<F>>,
    late: Late,
    /// It was made in a runtime, and may be awaited outside.
    is_in_runtime: bool,
}

impl<F> Exchange<F> {
    pub(super) fn new(head: F, late: Late) -> Self {
        Self { head: Box::pin(head), late, is_in_runtime: false }
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
            return this.late.poll(context).map(Err);
        };
        let mut answer = answer.map_err(|error| failure(error, this.late.host()))?;
        this.late.head_has_come();
        let mut response = http::Response::new(());
        *response.status_mut() = answer.status();
        *response.version_mut() = answer.version();
        std::mem::swap(response.headers_mut(), answer.headers_mut());
        std::mem::swap(response.extensions_mut(), answer.extensions_mut());
        let pieces = Pieces::new(answer, std::mem::take(&mut this.late));
        Poll::Ready(Ok(response.map(|()| Body::new(pieces))))
    }
}

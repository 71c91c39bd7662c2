//! Bodies, between hyper's type and the contract's, and how long they may take.

use crate::{Kept, failure};
use bytes::Bytes;
use futures_core::Stream;
use http_body::{Body, Frame, SizeHint};
use scaigrid_transport::{RequestBody, Timeouts, TransportError, TransportErrorKind as Kind};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::time::{Instant, Sleep};

/// A request's body. hyper asks for its pieces when it can send them.
pub(crate) struct Outgoing(pub(crate) RequestBody);

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Pin::new(&mut self.0).poll_next(context).map_ok(Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_bytes().is_some_and(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.len().map(SizeHint::with_exact).unwrap_or_default()
    }
}

/// When an exchange, or the next piece of its answer, is late.
pub(crate) struct Limits {
    pub(crate) timeouts: Timeouts,
    pub(crate) started: Instant,
    /// Whether the first byte of the body has come.
    pub(crate) flows: bool,
}

impl Limits {
    /// For what is waited for from now on: when it is late, and what that means. `None`: never.
    pub(crate) fn next(&self) -> Option<(Instant, Kind)> {
        let silence = match self.timeouts.first_byte.filter(|_| !self.flows) {
            Some(limit) => Some((self.started + limit, Kind::FirstByteTimeout)),
            None => self.timeouts.read.map(|limit| (Instant::now() + limit, Kind::ReadTimeout)),
        };
        let attempt = self.timeouts.attempt.map(|limit| (self.started + limit, Kind::Timeout));
        silence.into_iter().chain(attempt).min_by_key(|(end, _)| *end)
    }
}

/// An answer's body. At its end, the connection goes back to the others; when it fails or is dropped, it is closed.
pub(crate) struct Incoming {
    /// `None` behind the end.
    pub(crate) open: Option<(hyper::body::Incoming, Kept)>,
    pub(crate) limits: Limits,
    /// When the piece that is waited for is late.
    pub(crate) late: Option<(Instant, Kind)>,
    /// Kept for the next wait: it may end too early, and is then set anew.
    pub(crate) timer: Option<Pin<Box<Sleep>>>,
}

impl Incoming {
    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<TransportError> {
        if self.late.is_none() {
            self.late = self.limits.next();
        }
        let Some((late, kind)) = self.late else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(late)));
        if timer.deadline() > late {
            timer.as_mut().reset(late);
        }
        loop {
            ready!(timer.as_mut().poll(context));
            if timer.deadline() >= late {
                return Poll::Ready(TransportError::new(kind));
            }
            timer.as_mut().reset(late);
        }
    }
}

impl Stream for Incoming {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            let Some((body, _)) = &mut this.open else { return Poll::Ready(None) };
            let failed = match Pin::new(&mut *body).poll_frame(context) {
                Poll::Pending => ready!(this.poll_late(context)),
                Poll::Ready(Some(Err(error))) => failure(error),
                Poll::Ready(frame) => {
                    this.late = None;
                    if frame.is_none() || body.is_end_stream() {
                        this.open.take().into_iter().for_each(|(_, kept)| kept.give_back());
                    }
                    // Trailers say nothing that matters here.
                    match frame.and_then(Result::ok).and_then(|frame| frame.into_data().ok()) {
                        Some(data) if !data.is_empty() => {
                            this.limits.flows = true;
                            return Poll::Ready(Some(Ok(data)));
                        }
                        _ => continue,
                    }
                }
            };
            let host = this.open.take().map(|(_, kept)| kept.host);
            return Poll::Ready(host.map(|host| Err(failed.with_host(host.as_str()))));
        }
    }
}

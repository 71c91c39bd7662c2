//! The answer as a stream.

use super::Chat;
use super::chunks;
use super::receipt::Receipt;
use super::script::{self, Step, Steps};
use crate::ids::RequestId;
use crate::reply;
use crate::settings::StreamSettings;
use crate::stream_fault::{CutsItself, StreamFault};
use crate::wire::{Breakage, Connection, End};
use axum::body::{Body, HttpBody};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use axum::response::Response;
use bytes::Bytes;
use http_body::Frame;
use scaigrid_types::Usage;
use std::convert::Infallible;
use std::future::Future;
use std::iter::Peekable;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::time::Sleep;

/// `200` with an event stream that is made as the client takes it.
pub(crate) fn respond(
    id: &RequestId,
    chat: Chat,
    connection: Arc<Connection>,
    settings: StreamSettings,
    fault: StreamFault,
) -> Response {
    let content_type = fault.content_type.as_deref().unwrap_or("text/event-stream");
    let content_type = HeaderValue::from_str(content_type).ok();
    let gzip = fault.gzip.then_some(HeaderValue::from_static("gzip"));

    let Chat { answer, receipt, .. } = chat;
    let prompt_tokens = answer.usage.prompt();
    let model = Arc::from(receipt.entry.model.slug.as_str());
    let pieces = chunks::pieces(model, answer, settings.chunk_tokens);
    let bill = Bill { receipt: Some(receipt), prompt_tokens, completion_tokens: 0 };
    let body = StreamBody::new(script::steps(pieces, fault, settings.pace), connection, bill);

    let mut response = body.into_response();
    let headers = response.headers_mut();
    let named = [(CONTENT_TYPE, content_type), (CONTENT_ENCODING, gzip)];
    headers.extend(named.into_iter().filter_map(|(name, value)| Some((name, value?))));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    reply::set_request_id(headers, id);
    response
}

/// What the stream costs so far. Booked when it is dropped.
pub(crate) struct Bill {
    /// Taken when it is settled.
    pub(crate) receipt: Option<Receipt>,
    pub(crate) prompt_tokens: u64,
    pub(crate) completion_tokens: u64,
}

impl Drop for Bill {
    fn drop(&mut self) {
        if let Some(receipt) = self.receipt.take() {
            receipt.settle(&Usage::new(self.prompt_tokens, self.completion_tokens));
        }
    }
}

enum State {
    Next,
    Waiting(Pin<Box<Sleep>>),
    Stalled,
    Broken,
    Ended,
}

/// The body. A step is taken only when the socket has all bytes of the one before: each is a write of its own,
/// and nothing waits in memory for a slow client.
pub(crate) struct StreamBody {
    steps: Peekable<Steps>,
    state: State,
    /// The connection's count when the last bytes were handed over. `None` before the first poll.
    flushes: Option<u64>,
    connection: Arc<Connection>,
    /// Dropped before the bytes that tell the client the end, so that a summary asked for then has it; else
    /// with the body, which the HTTP server drops as soon as the client leaves.
    bill: Option<Bill>,
}

impl StreamBody {
    pub(crate) fn new(steps: Steps, connection: Arc<Connection>, bill: Bill) -> Self {
        Self { steps: steps.peekable(), state: State::Next, flushes: None, connection, bill: Some(bill) }
    }

    /// `200`, without a content type.
    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(Body::new(self));
        response.extensions_mut().insert(CutsItself);
        response
    }
}

impl HttpBody for StreamBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        loop {
            // At first, this lets the head go out.
            let flushes = *this.flushes.get_or_insert_with(|| this.connection.flushes());
            ready!(this.connection.poll_flushed_since(flushes, cx));
            match &mut this.state {
                State::Next => {}
                State::Waiting(sleep) => {
                    ready!(sleep.as_mut().poll(cx));
                    this.state = State::Next;
                }
                // Polled again only because the connection has something to do.
                State::Stalled | State::Broken => return Poll::Pending,
                State::Ended => return Poll::Ready(None),
            }
            match this.steps.next() {
                Some(Step::Wait(pause)) if pause.is_zero() => {}
                Some(Step::Wait(pause)) => this.state = State::Waiting(Box::pin(tokio::time::sleep(pause))),
                // An empty frame would not be flushed.
                Some(Step::Send { bytes, .. }) if bytes.is_empty() => {}
                Some(Step::Send { bytes, tokens, settles }) => {
                    if let Some(bill) = &mut this.bill {
                        bill.completion_tokens = bill.completion_tokens.saturating_add(tokens);
                    }
                    if settles {
                        this.bill = None;
                    }
                    if this.steps.peek().is_none() {
                        // The body's end goes out with its last bytes: many clients leave at `[DONE]`.
                        this.bill = None;
                        this.state = State::Ended;
                    }
                    this.flushes = Some(this.connection.flushes());
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Step::Stall) => this.state = State::Stalled,
                Some(Step::Break { reset }) => {
                    this.bill = None;
                    this.state = State::Broken;
                    this.connection.break_with(Breakage {
                        bytes: Bytes::new(),
                        end: if reset { End::Reset } else { End::Close },
                        presence: None,
                    });
                    // The HTTP server flushes next, and finds the connection broken.
                    return Poll::Pending;
                }
                None => {
                    this.bill = None;
                    this.state = State::Ended;
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Broken | State::Ended)
    }
}

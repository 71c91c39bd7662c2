//! Notices clients that leave.

use crate::gateway::Gateway;
use crate::ids::RequestId;
use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// A request that is being answered.
///
/// The HTTP server reads from the socket while it waits for an answer. When the client closes the connection,
/// the server drops whatever it waits for, and this with it.
pub(crate) struct Presence {
    gateway: Arc<Gateway>,
    request_id: String,
    complete: bool,
}

impl Presence {
    pub(crate) fn new(gateway: &Arc<Gateway>, id: &RequestId) -> Self {
        Self { gateway: Arc::clone(gateway), request_id: id.0.clone(), complete: false }
    }

    /// The client stayed as long as it matters.
    pub(crate) fn complete(mut self, response: Response) -> Response {
        self.complete = true;
        response
    }

    /// The client has to stay until the body's end.
    pub(crate) fn watch(self, response: Response) -> Response {
        response.map(|body| Body::new(Watched { body, presence: self }))
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if !self.complete {
            self.gateway.recorder.set_client_left(&self.request_id);
        }
    }
}

struct Watched {
    body: Body,
    presence: Presence,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        // A body may also end by breaking the connection, which is never ready.
        self.presence.complete = self.body.is_end_stream();
        let frame = ready!(polled);
        self.presence.complete |= frame.is_none();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

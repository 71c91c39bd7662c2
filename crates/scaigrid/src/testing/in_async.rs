//! The scripted gateway, async.

use super::ScriptedTransport;
use super::playback::Playback;
use super::scripted::unreadable;
use bytes::Bytes;
use futures_core::Stream;
use scaigrid_transport::{Body, RequestBody, Timeouts, Transport, TransportError};
use std::pin::Pin;
use std::task::{Context, Poll};

#[async_trait::async_trait]
impl Transport for ScriptedTransport {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        timeouts: Timeouts,
    ) -> Result<http::Response<Body>, TransportError> {
        let (head, body) = request.into_parts();
        let next = self.next(&head)?;
        let body = match body.as_bytes() {
            Some(bytes) => bytes.clone(),
            None if next.connects() => read(body).await?,
            None => Bytes::new(),
        };
        Ok(self.perform(next, head, body, timeouts)?.map(|playback| Body::new(Ready(playback))))
    }
}

async fn read(mut body: RequestBody) -> Result<Bytes, TransportError> {
    let mut whole = Vec::new();
    while let Some(piece) = std::future::poll_fn(|context| Pin::new(&mut body).poll_next(context)).await {
        whole.extend_from_slice(&piece.map_err(unreadable)?);
    }
    Ok(whole.into())
}

/// Pieces that are there at once, because virtual time is quick.
struct Ready(Playback);

impl Stream for Ready {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next())
    }
}

//! The scripted gateway, blocking.

use super::ScriptedTransport;
use super::scripted::unreadable;
use bytes::Bytes;
use scaigrid_transport::blocking::{Body, CancelHandle, RequestBody, Transport};
use scaigrid_transport::{Timeouts, TransportError, TransportErrorKind};
use std::io::Read;

impl Transport for ScriptedTransport {
    fn send(
        &self,
        request: http::Request<RequestBody>,
        timeouts: Timeouts,
    ) -> Result<http::Response<Body>, TransportError> {
        let (head, mut body) = request.into_parts();
        if head.extensions.get::<CancelHandle>().is_some_and(CancelHandle::is_cancelled) {
            return Err(TransportError::new(TransportErrorKind::Cancelled));
        }
        let next = self.next(&head)?;
        let body = match body.as_bytes().cloned() {
            Some(bytes) => bytes,
            None if next.connects() => {
                let mut whole = Vec::new();
                body.read_to_end(&mut whole).map_err(unreadable)?;
                whole.into()
            }
            None => Bytes::new(),
        };
        Ok(self.perform(next, head, body, timeouts)?.map(Body::new))
    }
}

//! What happens to every request before any route: id, body, record, fault.

use crate::fault::{ErrorFault, FaultKind, ResponseFault, message_for};
use crate::faults::IncomingRequest;
use crate::gateway::Gateway;
use crate::ids::RequestId;
use crate::inference;
use crate::listing;
use crate::presence::Presence;
use crate::record::{RecordedRequest, headers_without_secrets};
use crate::reply::{self, Failure, FailureCode};
use crate::reshape::Asked;
use crate::stream_fault::{CutsItself, StreamFault};
use crate::wire::{Breakage, ConnectionHandle, End};
use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use scaigrid_types::{ApiError, ErrorEnvelope, Meta};
use serde_json::Value;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The largest body, in bytes. Assumed: the gateway documents none.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// A body that is too large is read up to here, so that most senders get the answer instead of a reset.
const MAX_DRAINED: usize = 2 * MAX_BODY;

/// Gives the request its id, reads its body, records it, and lets a queued fault happen.
pub(crate) async fn receive(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(ConnectionHandle(connection)): ConnectInfo<ConnectionHandle>,
    request: Request,
    next: Next,
) -> Response {
    let id = RequestId::next();
    let (mut parts, body) = request.into_parts();
    let body = read(body).await;
    gateway.received.fetch_add(1, Ordering::Relaxed);
    gateway.recorder.push(RecordedRequest {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: headers_without_secrets(&parts.headers),
        body: body.as_ref().map(Bytes::clone).unwrap_or_default(),
        request_id: id.0.clone(),
        status: None,
        connection: connection.number,
        client_left: false,
    });
    let presence = Presence::new(&gateway, &id);
    let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
    let route = parts.extensions.get::<MatchedPath>().cloned();
    let start = page_start(parts.uri.query().unwrap_or_default());

    let incoming =
        IncomingRequest::new(parts.method.as_str(), parts.uri.path(), body.as_deref().unwrap_or_default());
    let fault = gateway.faults.take(&incoming);
    if let Some(delay) = fault.as_ref().map(|fault| fault.after).filter(|delay| !delay.is_zero()) {
        tokio::time::sleep(delay).await;
    }
    parts.extensions.insert(id.clone());
    let fault = fault.map_or(FaultKind::Pass, |fault| fault.kind);
    match &fault {
        FaultKind::Stream(fault) => drop(parts.extensions.insert(StreamFault::clone(fault))),
        FaultKind::CutAfter(length) => drop(parts.extensions.insert(StreamFault::cut(*length))),
        FaultKind::HangUp { reset } => {
            let whole = StreamFault::cut(usize::MAX);
            parts.extensions.insert(if *reset { whole.with_reset() } else { whole });
        }
        _ => {}
    }
    let normal = async {
        let mut response = match body {
            Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
            Err(failure) => failure.into_response(&id),
        };
        // Answers that come from the router itself have none yet.
        reply::set_request_id(response.headers_mut(), &id);
        reply::vary(response, &gateway.variants, Asked { path: &path, start }).await
    };

    let answer = match fault {
        FaultKind::Pass | FaultKind::Stream(_) => Answer::Http(normal.await),
        FaultKind::Error(fault) => Answer::Http(error(&id, fault)),
        FaultKind::Response(fault) => Answer::Http(response(&id, fault)),
        FaultKind::CutAfter(length) => match normal.await {
            // It cuts itself.
            stream if cuts_itself(&stream) => Answer::Http(stream),
            response => broken(cut(response, length).await, End::Close),
        },
        FaultKind::HangUp { reset } => match normal.await {
            stream if cuts_itself(&stream) => Answer::Http(stream),
            response => {
                // The client gets all of it.
                gateway.recorder.set_status(&id.0, response.status().as_u16());
                let end = if reset { End::ResetLater } else { End::Close };
                broken(cut(response, usize::MAX).await, end)
            }
        },
        FaultKind::Raw(bytes) => broken(bytes, End::Close),
        FaultKind::Stall(bytes) => broken(bytes, End::Silence),
        FaultKind::Reset => broken(Bytes::new(), End::Reset),
        FaultKind::Close => broken(Bytes::new(), End::Close),
        // For connections, and never for requests.
        FaultKind::ResetBeforeRequest => Answer::Http(normal.await),
    };
    let status = match &answer {
        Answer::Http(response) => Some(response.status().as_u16()),
        Answer::Broken(_) => None,
    };
    gateway.metrics.count(route.as_ref().map(MatchedPath::as_str), method.as_str(), status);
    match answer {
        Answer::Http(response) => {
            gateway.recorder.set_status(&id.0, response.status().as_u16());
            if route.is_some_and(|route| inference::is_call(&method, route.as_str())) {
                gateway.tell_of_failure(&path, &id, &response);
            }
            match is_stream(&response) {
                true => presence.watch(response),
                false => presence.complete(response),
            }
        }
        Answer::Broken(mut breakage) => {
            // Never sent: the connection writes the breakage instead.
            let mut response = Response::new(Body::empty());
            match breakage.end {
                End::Silence => breakage.presence = Some(presence),
                _ => response = presence.complete(response),
            }
            connection.break_with(breakage);
            response
        }
    }
}

/// Where the page of a list begins.
fn page_start(query: &str) -> usize {
    let cursors = query.split('&').filter_map(|pair| pair.strip_prefix("cursor="));
    cursors.filter_map(listing::position).next().unwrap_or(0)
}

fn broken(bytes: Bytes, end: End) -> Answer {
    Answer::Broken(Breakage { bytes, end, presence: None })
}

enum Answer {
    Http(Response),
    Broken(Breakage),
}

/// Whether the handler has seen to the fault.
fn cuts_itself(response: &Response) -> bool {
    response.extensions().get::<CutsItself>().is_some()
}

/// Only streams do not know their length from the start.
fn is_stream(response: &Response) -> bool {
    response.body().size_hint().exact().is_none()
}

/// The whole body.
async fn read(body: Body) -> Result<Bytes, Failure> {
    let mut body = pin!(body);
    let mut bytes = BytesMut::new();
    let mut length = 0_usize;
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let frame = frame.map_err(|_| {
            // Assumed, as all codes for cases that the documentation does not know.
            Failure::undocumented(StatusCode::BAD_REQUEST, "BAD_REQUEST", "The body cannot be read.")
        })?;
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length > MAX_DRAINED {
            break;
        }
        if length <= MAX_BODY {
            bytes.extend_from_slice(&data);
        } else {
            bytes = BytesMut::new();
        }
    }
    if length > MAX_BODY {
        let message = "The body is larger than 32 MiB.";
        return Err(Failure::undocumented(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message));
    }
    Ok(bytes.freeze())
}

/// The answer of an error fault.
fn error(id: &RequestId, fault: ErrorFault) -> Response {
    let status = reply::status_of(fault.status.or(fault.code.http_status()).unwrap_or(500));
    let message = fault.message.unwrap_or_else(|| message_for(fault.code.as_str()));
    let code = FailureCode(Some(fault.code.clone()));
    let mut error = ApiError::new(fault.code, message);
    if let Some(seconds) = fault.retry_after {
        error = error.retry_after(seconds);
    }
    let mut envelope = ErrorEnvelope::new(error, Meta::with_request_id(&id.0));
    if !fault.with_meta {
        envelope.meta = None;
    }
    let mut body = serde_json::to_value(&envelope).unwrap_or_default();
    if let (false, Value::Object(body)) = (fault.with_status_field, &mut body) {
        body.remove("status");
    }
    let mut response = reply::json(status, id, &body);
    response.extensions_mut().insert(code);
    add_headers(response.headers_mut(), &fault.headers);
    response
}

/// The answer of a response fault.
fn response(id: &RequestId, fault: ResponseFault) -> Response {
    let mut response = Response::new(Body::from(fault.body));
    *response.status_mut() = reply::status_of(fault.status);
    if let Ok(content_type) = HeaderValue::from_str(&fault.content_type) {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    if fault.with_request_id {
        reply::set_request_id(response.headers_mut(), id);
    }
    add_headers(response.headers_mut(), &fault.headers);
    response
}

fn add_headers(headers: &mut HeaderMap, added: &[(String, String)]) {
    for (name, value) in added {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(value.as_bytes());
        // The HTTP server frames the body itself. Wrong lengths are what `raw` and `cut_after` are for.
        let framing = |name: &HeaderName| *name == CONTENT_LENGTH || *name == TRANSFER_ENCODING;
        match (name, value) {
            (Ok(name), Ok(value)) if !framing(&name) => {
                headers.append(name, value);
            }
            _ => {}
        }
    }
}

/// The head of an answer with its full length, and the first `length` bytes of its body.
async fn cut(response: Response, length: usize) -> Bytes {
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let reason = parts.status.canonical_reason().unwrap_or_default();
    let mut bytes = Vec::from(format!("HTTP/1.1 {} {reason}\r\n", parts.status.as_str()));
    // The router may have set the length already; it is written once, below.
    for (name, value) in parts.headers.iter().filter(|(name, _)| *name != CONTENT_LENGTH) {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body.get(..length).unwrap_or(&body));
    Bytes::from(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_keeps_the_full_length() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let cut = |length| runtime.block_on(cut(Response::new(Body::from("hello")), length));
        assert_eq!(cut(2), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe");
        assert!(cut(9).ends_with(b"\r\n\r\nhello"));
    }
}

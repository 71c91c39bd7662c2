//! Answers in the gateway's envelope.

use crate::ids::RequestId;
use crate::reshape::{Asked, reshape};
use crate::variant::{Variants, WireVariant};
use axum::body::{Body, HttpBody};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use scaigrid_types::{ApiError, ErrorCode, ErrorEnvelope, FieldError, Meta, Pagination};
use serde::Serialize;
use serde_json::Value;

/// On every answer, in the spelling of the documentation.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-scaigrid-request-id");

/// What a handler returns on success.
#[derive(Debug)]
pub(crate) struct Reply<T> {
    pub(crate) data: T,
    pub(crate) pagination: Option<Pagination>,
}

impl<T> Reply<T> {
    pub(crate) fn new(data: T) -> Self {
        Self { data, pagination: None }
    }
}

/// The code of a failure, in the extensions of its answer, for those who only see the answer.
#[derive(Clone, Debug)]
pub(crate) struct FailureCode(pub(crate) Option<ErrorCode>);

/// What a handler returns on failure.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    error: ApiError,
}

impl Failure {
    /// With the documented status of the code, or 500.
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { status: status_of(code.http_status().unwrap_or(500)), error: ApiError::new(code, message) }
    }

    /// With a code that the documentation does not know. Assumed: it names none for these cases.
    pub(crate) fn undocumented(status: StatusCode, code: &str, message: &str) -> Self {
        Self { status, error: ApiError::new(ErrorCode::from(code), message) }
    }

    /// A `VALIDATION_ERROR` that names every invalid field.
    pub(crate) fn invalid(fields: &[FieldError]) -> Self {
        let mut failure = Self::new(ErrorCode::ValidationError, "The request is invalid; see `details`.");
        failure.error = failure.error.with_field_errors(fields);
        failure
    }

    /// There is nothing with this id. The code is assumed, as for an unknown route.
    pub(crate) fn not_found(message: &str) -> Self {
        Self::undocumented(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.error = self.error.retry_after(seconds as f64);
        self
    }

    /// The HTTP answer.
    pub(crate) fn into_response(self, id: &RequestId) -> Response {
        let code = FailureCode(self.error.code.clone());
        let mut response =
            json(self.status, id, &ErrorEnvelope::new(self.error, Meta::with_request_id(&id.0)));
        response.extensions_mut().insert(code);
        response
    }
}

/// A JSON answer with the request id header.
pub(crate) fn json(status: StatusCode, id: &RequestId, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            *response.status_mut() = status;
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            set_request_id(response.headers_mut(), id);
            response
        }
        // Not reached: no type here has a map with keys that are not strings.
        Err(_) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

/// Success without an envelope.
pub(crate) fn raw(id: &RequestId, content_type: &str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    set_request_id(response.headers_mut(), id);
    response
}

/// The answer in the form that the [variants](crate::WireVariant) ask for. Streams and raw answers keep their
/// form.
pub(crate) async fn vary(mut response: Response, variants: &Variants, asked: Asked<'_>) -> Response {
    if variants.are_default() {
        return response;
    }
    if variants.has(WireVariant::WithoutRequestIdHeader) {
        response.headers_mut().remove(REQUEST_ID);
    }
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|value| value == "application/json");
    if !is_json || response.body().size_hint().exact().is_none() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // The router may have set it already; the new body may have another one.
    parts.headers.remove(CONTENT_LENGTH);
    // The body is in memory already: reading it does not fail.
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let Ok(body) = serde_json::from_slice::<Value>(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    let is_error = body.get("error").is_some_and(Value::is_object);
    if is_error {
        let is_invalid = body.pointer("/error/code") == Some(&Value::from("VALIDATION_ERROR"));
        if is_invalid && variants.has(WireVariant::Validation400) {
            parts.status = StatusCode::BAD_REQUEST;
        }
        if variants.has(WireVariant::RetryAfterAbsent) {
            parts.headers.remove(RETRY_AFTER);
        }
        if variants.has(WireVariant::RetryAfterZero) && parts.headers.contains_key(RETRY_AFTER) {
            parts.headers.insert(RETRY_AFTER, HeaderValue::from(0));
        }
        if variants.has(WireVariant::ErrorsNotJson) {
            parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
            let page = format!("<html><body><h1>{}</h1></body></html>", parts.status);
            return Response::from_parts(parts, Body::from(page));
        }
    }
    let body = reshape(body, asked, |variant| variants.has(variant));
    let bytes = serde_json::to_vec(&body).map_or(bytes, Into::into);
    Response::from_parts(parts, Body::from(bytes))
}

/// Adds the request id header.
pub(crate) fn set_request_id(headers: &mut HeaderMap, id: &RequestId) {
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, value);
    }
}

/// The status, or 500 for a number that no final answer can have.
pub(crate) fn status_of(number: u16) -> StatusCode {
    let status = StatusCode::from_u16(number).ok().filter(|status| !status.is_informational());
    status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

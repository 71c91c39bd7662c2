//! The envelope around every JSON answer, in both directions.
//!
//! Source: docs `core-concepts/errors`. A success is `{"status":"ok","data":…,"meta":{…}}`, a failure
//! `{"status":"error","error":{…},"meta":{…}}`. Decoding never compares `status` with `"ok"`, because several
//! documented examples leave it out.

use crate::page::Pagination;
use crate::{ErrorCode, lenient};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Facts about a response, beside its payload.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Meta {
    /// The request id, such as `req_abc123`. Documented for every response; one documented 429 lacks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Keys that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Meta {
    /// Facts with a request id only.
    pub fn with_request_id(request_id: impl Into<String>) -> Self {
        Self { request_id: Some(request_id.into()), ..Self::default() }
    }
}

/// A success as a server sends it. To decode one, use [`ResponseBody`](crate::ResponseBody).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SuccessEnvelope<T> {
    /// Always `"ok"`.
    pub status: &'static str,
    /// The payload.
    pub data: T,
    /// Where the next page begins, for lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
    /// Request id and other facts.
    pub meta: Meta,
}

impl<T> SuccessEnvelope<T> {
    /// A success without pagination.
    pub fn new(data: T, meta: Meta) -> Self {
        Self { status: "ok", data, pagination: None, meta }
    }

    /// Adds pagination.
    pub fn with_pagination(mut self, pagination: Pagination) -> Self {
        self.pagination = Some(pagination);
        self
    }
}

/// One invalid field of a request, from `error.details` of a `VALIDATION_ERROR`. Documented.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FieldError {
    /// The field, such as `messages`.
    #[serde(default, deserialize_with = "lenient::null_as_default")]
    pub field: String,
    /// What is wrong with it, for people.
    #[serde(default, deserialize_with = "lenient::null_as_default")]
    pub message: String,
}

impl FieldError {
    /// One invalid field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// The `error` object of a failure.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ApiError {
    /// What to branch on. Absent in errors that do not come from the gateway itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
    /// A text for people; do not parse it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Seconds to wait before another try, whole or fractional. Never negative, NaN, or infinite.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "seconds")]
    pub retry_after: Option<f64>,
    /// Details as they came. The documented form is an array of `{field, message}`, see
    /// [`field_errors`](Self::field_errors); a sibling product uses an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

/// Whole seconds are written without a fraction, as in the documented examples.
#[allow(clippy::cast_possible_truncation, reason = "whole, and below 1e15")]
fn seconds<S: serde::Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match *value {
        Some(value) if value.fract() == 0.0 && value.abs() < 1e15 => serializer.serialize_i64(value as i64),
        Some(value) => serializer.serialize_f64(value),
        None => serializer.serialize_none(),
    }
}

impl ApiError {
    /// An error with a code and a message.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code: Some(code), message: Some(message.into()), ..Self::default() }
    }

    /// Adds a wait in seconds.
    pub fn retry_after(mut self, seconds: f64) -> Self {
        self.retry_after = Some(seconds).filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
        self
    }

    /// Adds the invalid fields.
    pub fn with_field_errors(mut self, fields: &[FieldError]) -> Self {
        self.details = serde_json::to_value(fields).ok();
        self
    }

    /// The invalid fields of a `VALIDATION_ERROR`. Empty when `details` is absent or has another form.
    pub fn field_errors(&self) -> Vec<FieldError> {
        let Some(Value::Array(details)) = &self.details else { return Vec::new() };
        details.iter().filter_map(|detail| FieldError::deserialize(detail).ok()).collect()
    }

    /// From the value below `error`: an object, or a plain string, which is then the message. Values of an
    /// unexpected type are left out, because a malformed part must not hide the rest of an error.
    pub fn from_value(error: &Value) -> Self {
        let object = match error {
            Value::Object(object) => object,
            Value::String(message) => return Self { message: Some(message.clone()), ..Self::default() },
            _ => return Self::default(),
        };
        let text = |key: &str| match object.get(key) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let retry_after = match object.get("retry_after") {
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            _ => None,
        };
        Self {
            code: text("code").map(ErrorCode::from),
            message: text("message"),
            retry_after: retry_after.filter(|seconds| seconds.is_finite() && *seconds >= 0.0),
            details: object.get("details").filter(|details| !details.is_null()).cloned(),
        }
    }
}

/// A failure: the `error` object and the facts beside it.
///
/// ```
/// use scaigrid_types::{ErrorCode, ErrorEnvelope};
///
/// let body = br#"{"error":{"code":"AUTH_TOKEN_INVALID"}}"#;
/// let failure = ErrorEnvelope::from_slice(body).unwrap();
/// assert_eq!(failure.error.code, Some(ErrorCode::AuthTokenInvalid));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ErrorEnvelope {
    /// Always `"error"`.
    pub status: ErrorStatus,
    /// What went wrong.
    pub error: ApiError,
    /// Request id and other facts. Absent in one documented example.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

/// The literal `"error"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorStatus;

impl Serialize for ErrorStatus {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("error")
    }
}

impl ErrorEnvelope {
    /// A failure as a server sends it.
    pub fn new(error: ApiError, meta: Meta) -> Self {
        Self { status: ErrorStatus, error, meta: Some(meta) }
    }

    /// Finds the failure in a body: an object with an `error` that is an object or a text, or with `"status":"error"`. `None` when
    /// the body is not JSON or holds no failure.
    pub fn from_slice(body: &[u8]) -> Option<Self> {
        let Value::Object(body) = serde_json::from_slice(body).ok()? else { return None };
        let is_error =
            |error: &&Value| error.is_object() || error.as_str().is_some_and(|text| !text.is_empty());
        let error = body.get("error").filter(is_error);
        if error.is_none() && body.get("status").and_then(Value::as_str) != Some("error") {
            return None;
        }
        let mut error = error.map(ApiError::from_value).unwrap_or_default();
        if error.message.is_none() {
            error.message = body.get("message").and_then(Value::as_str).map(str::to_owned);
        }
        let meta = body.get("meta").and_then(|meta| Meta::deserialize(meta).ok());
        Some(Self { status: ErrorStatus, error, meta })
    }

    /// From the data of an `error` event of a stream. Documented: the bare object `{"code","message"}`. An envelope, an
    /// `error` object inside, and plain text, which is then the message, are understood too.
    pub fn from_event(data: &str) -> Self {
        if let Some(envelope) = Self::from_slice(data.as_bytes()) {
            return envelope;
        }
        let (error, request_id) = match serde_json::from_str::<Value>(data) {
            Ok(error @ (Value::Object(_) | Value::String(_))) => {
                let request_id = error.get("request_id").and_then(Value::as_str).map(str::to_owned);
                (ApiError::from_value(&error), request_id)
            }
            _ => {
                let message = Some(data.to_owned()).filter(|text| !text.is_empty());
                (ApiError { message, ..ApiError::default() }, None)
            }
        };
        Self { status: ErrorStatus, error, meta: request_id.map(Meta::with_request_id) }
    }

    /// The request id in the body.
    pub fn request_id(&self) -> Option<&str> {
        self.meta.as_ref()?.request_id.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_documented_error_round_trips() {
        let text = r#"{"status":"error","error":{"code":"BACKEND_RATE_LIMITED","message":"Backend rate limit exceeded — please retry later","retry_after":30},"meta":{"request_id":"req_abc123"}}"#;
        let failure = ErrorEnvelope::from_slice(text.as_bytes()).unwrap();
        assert_eq!(failure.request_id(), Some("req_abc123"));
        assert_eq!(failure.error.retry_after, Some(30.0));
        assert_eq!(serde_json::to_string(&failure).unwrap(), text);
    }

    #[test]
    fn fragments_and_odd_errors_decode() {
        let from = |value: Value| ErrorEnvelope::from_slice(value.to_string().as_bytes());
        assert_eq!(from(json!({"error": "boom"})).unwrap().error.message.as_deref(), Some("boom"));
        assert_eq!(from(json!({"status": "error"})).unwrap().error, ApiError::default());
        assert_eq!(
            from(json!({"status": "error", "message": "m"})).unwrap().error.message.as_deref(),
            Some("m")
        );
        let odd =
            from(json!({"error": {"code": 7, "message": [], "retry_after": "1.5", "details": {"a": 1}}}));
        let odd = odd.unwrap().error;
        assert_eq!(odd.code, Some(ErrorCode::Unknown("7".into())));
        assert_eq!((odd.retry_after, odd.field_errors().len()), (Some(1.5), 0));
        assert_eq!(odd.details, Some(json!({"a": 1})));
        for hint in [json!(-1), json!("NaN"), json!("inf"), json!(null)] {
            assert_eq!(from(json!({"error": {"retry_after": hint}})).unwrap().error.retry_after, None);
        }
        for fine in [
            json!({"error": null, "data": 1}),
            json!({"error": false}),
            json!({"error": ""}),
            json!({"status": "ok"}),
            json!([1]),
            json!("error"),
        ] {
            assert_eq!(from(fine), None);
        }
    }

    #[test]
    fn error_events_have_several_forms() {
        let from = |data: &str| {
            let error = ErrorEnvelope::from_event(data).error;
            (error.code.map(|code| code.to_string()), error.message)
        };
        let both = (Some("BACKEND_ERROR".to_owned()), Some("died".to_owned()));
        assert_eq!(from(r#"{"code":"BACKEND_ERROR","message":"died"}"#), both);
        assert_eq!(from(r#"{"error":{"code":"BACKEND_ERROR","message":"died"}}"#), both);
        assert_eq!(from("upstream died"), (None, Some("upstream died".to_owned())));
        assert_eq!(from(r#""quoted""#), (None, Some("quoted".to_owned())));
        assert_eq!(from(""), (None, None));
        let with_id = ErrorEnvelope::from_event(r#"{"code":"X","message":"m","request_id":"req_1"}"#);
        assert_eq!(with_id.request_id(), Some("req_1"));
    }

    #[test]
    fn field_errors_have_a_typed_view() {
        let error = ApiError::new(ErrorCode::ValidationError, "invalid")
            .with_field_errors(&[FieldError::new("model", "is required")]);
        assert_eq!(error.field_errors(), [FieldError::new("model", "is required")]);
        assert_eq!(error.details, Some(json!([{"field": "model", "message": "is required"}])));
    }
}

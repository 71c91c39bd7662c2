//! The escape hatch: any call, without types.

use crate::{DownloadEndpoint, Multipart, RequestBody, ResponseBody};
use crate::{Endpoint, InvalidRequest, Method, Path, Query, ReplaySafety, ReplyError};
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;

/// A call that this crate has no type for, with the same retries, envelope handling, and errors as any other.
///
/// The reply is the value below `data`, or the whole body where there is no `data`. It is `null` for an empty
/// body and for a body that is not JSON; the client's reply holds the raw bytes.
///
/// ```
/// use scaigrid_types::{Endpoint, RawRequest};
/// use serde_json::json;
///
/// let request = RawRequest::put("/v1/users").segment("user_alice").segment("roles")
///     .json(&json!({"roles": ["tenant_user"]}));
/// assert_eq!(request.path().segments().last(), Some("roles"));
/// ```
#[derive(Clone, Debug)]
pub struct RawRequest {
    method: Method,
    path: Path,
    query: Query,
    body: Option<Result<RequestBody, InvalidRequest>>,
    replay_safety: Option<ReplaySafety>,
    /// Encoding it once more would call something else than was meant.
    is_path_encoded: bool,
}

impl RawRequest {
    /// A call of a path below the base URL, such as `/v1/users`. It must not be percent-encoded, and must not hold a
    /// query: add ids with [`segment`](Self::segment) and parameters with [`query`](Self::query), which encode them.
    /// Otherwise the call fails before it is sent.
    pub fn new(method: Method, path: &str) -> Self {
        Self {
            method,
            path: Path::new(path),
            query: Query::new(),
            body: None,
            replay_safety: None,
            is_path_encoded: path.contains(['?', '#', '%']),
        }
    }

    /// A `GET`.
    pub fn get(path: &str) -> Self {
        Self::new(Method::Get, path)
    }

    /// A `POST`.
    pub fn post(path: &str) -> Self {
        Self::new(Method::Post, path)
    }

    /// A `PUT`.
    pub fn put(path: &str) -> Self {
        Self::new(Method::Put, path)
    }

    /// A `PATCH`.
    pub fn patch(path: &str) -> Self {
        Self::new(Method::Patch, path)
    }

    /// A `DELETE`.
    pub fn delete(path: &str) -> Self {
        Self::new(Method::Delete, path)
    }

    /// Appends one path segment, whatever characters it holds.
    pub fn segment(mut self, segment: impl Into<String>) -> Self {
        self.path = self.path.segment(segment);
        self
    }

    /// Adds a query parameter.
    pub fn query(mut self, name: impl Into<Cow<'static, str>>, value: impl ToString) -> Self {
        self.query = self.query.with(name, value);
        self
    }

    /// Sets a JSON body. A value that does not serialise makes the call fail before it is sent.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        self.body = Some(RequestBody::json(value));
        self
    }

    /// Sets a body of any content type.
    pub fn body(mut self, content_type: impl Into<Cow<'static, str>>, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Some(Ok(RequestBody::bytes(content_type, bytes)));
        self
    }

    /// Sets a form with files as the body. One that cannot be sent makes the call fail before it is sent.
    pub fn multipart(mut self, form: Multipart) -> Self {
        self.body = Some(form.into_body());
        self
    }

    /// Says what happens when the call runs twice. Default: from the method.
    pub fn replay_safety(mut self, replay_safety: ReplaySafety) -> Self {
        self.replay_safety = Some(replay_safety);
        self
    }
}

impl Endpoint for RawRequest {
    type Reply = Value;

    fn name(&self) -> &'static str {
        "raw"
    }

    fn method(&self) -> Method {
        self.method
    }

    fn path(&self) -> Path {
        self.path.clone()
    }

    fn query(&self) -> Query {
        self.query.clone()
    }

    fn body(&self) -> Result<Option<RequestBody>, InvalidRequest> {
        if self.is_path_encoded {
            return Err(InvalidRequest::new(
                "the path of a raw request holds `?`, `#`, or `%`: give parameters with `.query(..)` and ids with `.segment(..)`",
            ));
        }
        self.body.clone().transpose()
    }

    fn accept(&self) -> &'static str {
        "application/json, */*;q=0.5"
    }

    fn replay_safety(&self) -> ReplaySafety {
        self.replay_safety.unwrap_or(self.method.replay_safety())
    }

    fn decode(&self, body: ResponseBody<'_>) -> Result<Value, ReplyError> {
        if body.is_empty() || !body.is_json() {
            return Ok(Value::Null);
        }
        let whole: Value = body.json()?;
        match whole {
            Value::Object(mut object) => Ok(match object.remove("data") {
                Some(data) => data,
                None => Value::Object(object),
            }),
            whole => Ok(whole),
        }
    }

    /// Whatever looks like a model's reply.
    fn facts<'a>(&self, reply: &'a Value) -> crate::ReplyFacts<'a> {
        reply.as_object().map(crate::ReplyFacts::from_fields).unwrap_or_default()
    }
}

/// For calls that answer with a file: `client.download(&RawRequest::get(..))`.
impl DownloadEndpoint for RawRequest {}

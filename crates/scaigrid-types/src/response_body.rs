//! Unwrapping a success answer.

use crate::{DecodeError, ErrorCode, ErrorEnvelope, Page, lenient, page};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

/// Why a 2xx answer is not a reply.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// The body is an error envelope, although the HTTP status says success.
    #[error("{}", told(.0))]
    Api(Box<ErrorEnvelope>),
    /// The body does not have the expected form.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Code and message, as far as there are any.
fn told(envelope: &ErrorEnvelope) -> String {
    let code = envelope.error.code.as_ref().map(ErrorCode::as_str);
    match (code, envelope.error.message.as_deref()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(text), None) | (None, Some(text)) => text.to_owned(),
        (None, None) => "the gateway gave no reason".to_owned(),
    }
}

/// The body of a 2xx answer, and the ways to unwrap it.
///
/// Each [`Endpoint::decode`](crate::Endpoint::decode) picks one: [`data`](Self::data) and
/// [`page`](Self::page) for answers in an envelope, [`json`](Self::json), [`bytes`](Self::bytes), and
/// [`text`](Self::text) for routes documented without one, [`empty`](Self::empty) where the answer does not
/// matter.
#[derive(Clone, Copy, Debug)]
pub struct ResponseBody<'a> {
    bytes: &'a [u8],
    content_type: Option<&'a str>,
    status: u16,
}

impl<'a> ResponseBody<'a> {
    /// A body and its `Content-Type` header.
    pub fn new(bytes: &'a [u8], content_type: Option<&'a str>) -> Self {
        Self { bytes, content_type, status: 200 }
    }

    /// Sets the HTTP status. Default: 200.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The `Content-Type` header, as it came.
    pub fn content_type(&self) -> Option<&'a str> {
        self.content_type
    }

    /// The payload below `data` of the envelope.
    ///
    /// # Errors
    /// [`ReplyError::Api`] when the body is an error envelope, [`ReplyError::Decode`] when it is empty, not
    /// JSON, has no `data`, or `data` does not decode.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, ReplyError> {
        self.require_body()?;
        match self.parse::<Success<T>>() {
            Ok(success) if !success.failed() => {
                let missing = || DecodeError::new("", "`data` is missing or null");
                Ok(success.data.ok_or_else(missing)?)
            }
            Ok(_) => Err(self.failure()),
            // `data` beside an error need not have the success form.
            Err(_) if self.is_failure() => Err(self.failure()),
            Err(error) => Err(DecodeError::from_json(self.bytes, &error).into()),
        }
    }

    /// As [`data`](Self::data), where an empty body is a success about which nothing is known.
    ///
    /// # Errors
    /// As [`data`](Self::data), but not for an empty body.
    pub fn data_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, ReplyError> {
        if self.is_empty() { Ok(T::default()) } else { self.data() }
    }

    /// As [`data`](Self::data), for calls whose answer is not documented: where it has no id, it gets this one.
    pub(crate) fn data_or_id<T: DeserializeOwned>(&self, id: &str) -> Result<T, ReplyError> {
        let data = match self.is_empty() {
            true => None,
            false => self.json::<Success<Value>>()?.data,
        };
        let mut data = match data.unwrap_or_default() {
            Value::Object(data) => data,
            Value::Null => Map::new(),
            _ => return Err(DecodeError::new("data", "expected an object").into()),
        };
        if !["id", "batch_id"].iter().any(|key| data.get(*key).is_some_and(|id| !id.is_null())) {
            data.insert("id".to_owned(), id.into());
        }
        let failed = |error| DecodeError::from_value("data".to_owned(), &error);
        Ok(serde_json::from_value(Value::Object(data)).map_err(failed)?)
    }

    /// A page of a list, whichever of the documented list shapes the server uses.
    ///
    /// # Errors
    /// As [`data`](Self::data).
    pub fn page<T: DeserializeOwned>(&self) -> Result<Page<T>, ReplyError> {
        self.require_body()?;
        if self.is_failure() {
            return Err(self.failure());
        }
        let body =
            serde_json::from_slice(self.bytes).map_err(|error| DecodeError::from_json(self.bytes, &error))?;
        Ok(page::decode(body)?)
    }

    /// The whole body as JSON, for routes documented without an envelope, such as `/health`.
    ///
    /// # Errors
    /// As [`data`](Self::data).
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ReplyError> {
        self.require_body()?;
        match serde_json::from_slice(self.bytes) {
            _ if self.is_failure() => Err(self.failure()),
            Ok(reply) => Ok(reply),
            Err(error) => Err(DecodeError::from_json(self.bytes, &error).into()),
        }
    }

    /// The whole body as JSON, an error envelope like anything else. `None` when it has another form.
    pub(crate) fn any_json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(self.bytes).ok()
    }

    /// The body as it is, for routes that answer with a file. An error envelope in a JSON body is still an
    /// error.
    ///
    /// # Errors
    /// [`ReplyError::Api`].
    pub fn bytes(&self) -> Result<&'a [u8], ReplyError> {
        if self.is_json() && self.is_failure() { Err(self.failure()) } else { Ok(self.bytes) }
    }

    /// The body as text; bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes).
    pub fn text(&self) -> Result<String, ReplyError> {
        Ok(String::from_utf8_lossy(self.bytes()?).into_owned())
    }

    /// The body of a file that is handed out whole. JSON in its place is an error.
    ///
    /// # Errors
    /// [`ReplyError::Api`] for an error envelope, [`ReplyError::Decode`] for any other JSON.
    pub fn file(&self) -> Result<Vec<u8>, ReplyError> {
        let bytes = self.bytes()?;
        if self.is_json() {
            return Err(DecodeError::new("", "the answer is JSON where a file was expected").into());
        }
        if self.is_html() {
            return Err(DecodeError::new("", "the answer is a web page where a file was expected").into());
        }
        Ok(bytes.to_vec())
    }

    /// Nothing: accepts an empty body (204) and any success envelope.
    ///
    /// # Errors
    /// [`ReplyError::Api`].
    pub fn empty(&self) -> Result<(), ReplyError> {
        self.bytes().map(|_| ())
    }

    /// Whether the body has no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether the `Content-Type` is JSON: `application/json` or a `+json` type, whatever its case and
    /// parameters.
    pub fn is_json(&self) -> bool {
        let essence = self.content_type.unwrap_or_default().split(';').next().unwrap_or_default();
        let essence = essence.trim().to_ascii_lowercase();
        essence == "application/json" || essence.ends_with("+json")
    }

    /// Whether the `Content-Type` is that of a web page, such as the login page of a proxy.
    pub fn is_html(&self) -> bool {
        let essence = self.content_type.unwrap_or_default().split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("text/html")
    }

    /// Checks the encoding once for all texts in it, which is faster than text by text.
    fn parse<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        match std::str::from_utf8(self.bytes) {
            Ok(text) => serde_json::from_str(text),
            // Bytes that are no text may stand where nobody looks.
            Err(_) => serde_json::from_slice(self.bytes),
        }
    }

    fn require_body(&self) -> Result<(), ReplyError> {
        if self.bytes.is_empty() {
            return Err(DecodeError::new("", "the body is empty").into());
        }
        Ok(())
    }

    fn is_failure(&self) -> bool {
        serde_json::from_slice::<Success<IgnoredAny>>(self.bytes).is_ok_and(|success| success.failed())
    }

    fn failure(&self) -> ReplyError {
        ReplyError::Api(Box::new(ErrorEnvelope::from_slice(self.bytes).unwrap_or_default()))
    }
}

/// One pass over a success: the payload, and whether it is a failure after all.
#[derive(serde::Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Success<T> {
    /// Compared with `"error"` and with nothing else; any other value, of any type, is fine.
    #[serde(rename = "status", default, deserialize_with = "lenient::says_error")]
    says_error: bool,
    #[serde(default, deserialize_with = "lenient::is_error")]
    error: bool,
    data: Option<T>,
}

impl<T> Success<T> {
    fn failed(&self) -> bool {
        self.says_error || self.error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn body(text: &str) -> ResponseBody<'_> {
        ResponseBody::new(text.as_bytes(), Some("application/json"))
    }

    #[test]
    fn a_success_needs_no_status_and_any_status_but_error_is_fine() {
        for text in [
            r#"{"data":1}"#,
            r#"{"status":"ok","data":1}"#,
            r#"{"status":"success","data":1,"error":null}"#,
            r#"{"status":200,"data":1}"#,
            r#"{"status":{"a":[1]},"data":1}"#,
            r#"{"status":["x"],"data":1}"#,
            r#"{"status":null,"data":1}"#,
        ] {
            assert_eq!(body(text).data::<u8>(), Ok(1), "{text}");
        }
    }

    #[test]
    fn an_error_in_a_success_is_an_error() {
        let text = r#"{"status":"error","error":{"code":"BACKEND_ERROR"},"data":{"x":1}}"#;
        for reply in
            [body(text).data::<u8>().map(|_| ()), body(text).json::<u8>().map(|_| ()), body(text).empty()]
        {
            let Err(ReplyError::Api(failure)) = reply else { panic!("{reply:?}") };
            assert_eq!(failure.error.code, Some(ErrorCode::BackendError));
        }
        assert!(matches!(body(r#"{"error":"x"}"#).page::<u8>(), Err(ReplyError::Api(_))));
    }

    #[test]
    fn a_missing_payload_is_named() {
        for text in ["{}", r#"{"status":"ok"}"#, r#"{"data":null}"#] {
            let error = body(text).data::<u8>().unwrap_err();
            assert_eq!(error.to_string(), "`data` is missing or null", "{text}");
        }
        assert_eq!(body("").data::<u8>().unwrap_err().to_string(), "the body is empty");
    }

    #[test]
    fn files_are_errors_only_when_they_are_json_error_envelopes() {
        let failure = br#"{"error":{"code":"X"}}"#;
        assert!(ResponseBody::new(failure, Some("Application/JSON; charset=utf-8")).bytes().is_err());
        assert!(ResponseBody::new(failure, Some("application/problem+json")).bytes().is_err());
        assert!(ResponseBody::new(failure, Some("text/csv")).bytes().is_ok());
        assert_eq!(ResponseBody::new(b"a\xff", None).text().unwrap(), "a\u{fffd}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let body = ResponseBody::new(&bytes, None);
            let _ = body.data::<crate::ChatCompletion>();
            let _ = body.page::<crate::Model>();
            let _ = body.json::<serde_json::Value>();
            let _ = ErrorEnvelope::from_slice(&bytes);
        }

        /// JSON-like text reaches deeper than random bytes.
        #[test]
        fn no_json_makes_it_panic(text in r#"[{}\[\]",:a-z0-9.\\ -]{0,80}"#, inner in r#"[{}\[\]",:a-z0-9 -]{0,40}"#) {
            let text = format!(r#"{{"data":{{"choices":[{inner}]}},{text}"#);
            let _ = body(&text).data::<crate::ChatCompletion>();
            let _ = body(&text).page::<crate::Model>();
        }
    }
}

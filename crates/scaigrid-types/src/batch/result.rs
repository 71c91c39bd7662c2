//! The lines that come back.

use crate::macros::object;
use crate::{DecodeError, ErrorEnvelope, ReplyError, ReplyFacts};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

object! {
    /// One line of the results. Its form is not documented: all is assumed.
    BatchResult {
        /// The id that the line was given.
        custom_id: String,
        ;
        /// The answer. Absent when the line did not run.
        response: BatchResponse,
        /// Why the line failed.
        error: Value,
    }
}

object! {
    /// The answer to one line. Assumed.
    BatchResponse {
        ;
        /// The HTTP status.
        status_code: u64,
        /// The body: an envelope, or the payload alone.
        body: Value,
    }
}

impl BatchResult {
    /// From one line of the results.
    ///
    /// # Errors
    /// When the line is not JSON, or has no `custom_id`.
    pub fn from_line(line: &[u8]) -> Result<Self, DecodeError> {
        serde_json::from_slice(line).map_err(|error| DecodeError::from_json(line, &error))
    }

    /// The reply to the line, such as a [`ChatCompletion`](crate::ChatCompletion). Takes the payload out of its envelope if
    /// there is one.
    ///
    /// # Errors
    /// [`ReplyError::Api`] when the line failed, [`ReplyError::Decode`] when the answer has another form.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, ReplyError> {
        let body = self.body()?;
        let payload = |value: &Value| {
            let failed = |error| DecodeError::from_value("response.body".to_owned(), &error);
            serde_json::from_value(value.clone()).map_err(failed)
        };
        match body.get("data").filter(|_| is_envelope(body)) {
            // A payload may consist of `data` alone, too.
            Some(data) => payload(data).or_else(|error| payload(body).map_err(|_| error.into())),
            None => Ok(payload(body)?),
        }
    }

    /// What the reply to the line tells of itself: its model and its tokens, as far as it names them.
    ///
    /// # Errors
    /// As [`data`](Self::data).
    pub fn facts(&self) -> Result<ReplyFacts<'_>, ReplyError> {
        let body = self.body()?;
        let payload = body.get("data").filter(|data| data.is_object() && is_envelope(body)).unwrap_or(body);
        Ok(payload.as_object().map(ReplyFacts::from_fields).unwrap_or_default())
    }

    /// The body of the answer of a line that has not failed.
    fn body(&self) -> Result<&Value, ReplyError> {
        if let Some(error) = self.error.as_ref().filter(|error| is_error(error)) {
            return Err(failure(&json!({ "error": error })));
        }
        let missing = || DecodeError::new("response", "missing, and no `error` in its place");
        let response = self.response.as_ref().ok_or_else(missing)?;
        let body = response.body.as_ref().unwrap_or(&Value::Null);
        let is_failure =
            body.get("error").is_some_and(is_error) || body.get("status") == Some(&json!("error"));
        if is_failure || response.status_code.is_some_and(|status| !(200..300).contains(&status)) {
            return Err(failure(body));
        }
        Ok(body)
    }

    /// Whether the line ran and succeeded.
    pub fn is_success(&self) -> bool {
        self.body().is_ok()
    }
}

/// As everywhere: an object, or a text that is not empty.
fn is_error(error: &Value) -> bool {
    error.is_object() || error.as_str().is_some_and(|text| !text.is_empty())
}

/// Whether nothing is in it that an envelope does not have.
fn is_envelope(body: &Value) -> bool {
    const KEYS: [&str; 7] = ["status", "data", "error", "meta", "pagination", "has_more", "next_cursor"];
    body.as_object().is_some_and(|body| body.keys().all(|key| KEYS.contains(&key.as_str())))
}

fn failure(body: &Value) -> ReplyError {
    let envelope = ErrorEnvelope::from_slice(body.to_string().as_bytes());
    ReplyError::Api(Box::new(envelope.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChatCompletion, ErrorCode};

    fn result(line: &str) -> Result<String, ReplyError> {
        BatchResult::from_line(line.as_bytes())
            .unwrap()
            .data()
            .map(|chat: ChatCompletion| chat.text().into_owned())
    }

    #[test]
    fn replies_come_with_and_without_their_envelope() {
        let chat = r#"{"choices":[{"message":{"role":"assistant","content":"hi"}}]}"#;
        for body in [chat.to_owned(), format!(r#"{{"status":"ok","data":{chat}}}"#)] {
            let line =
                format!(r#"{{"custom_id":"1","response":{{"status_code":200,"body":{body}}},"error":null}}"#);
            assert_eq!(result(&line).unwrap(), "hi", "{line}");
        }
    }

    #[test]
    fn payloads_that_have_data_of_their_own_are_told_from_envelopes() {
        use crate::{Embeddings, GeneratedImages};
        let result = |body: Value| {
            let line = json!({"custom_id": "1", "response": {"status_code": 200, "body": body}, "error": ""});
            BatchResult::from_line(line.to_string().as_bytes()).unwrap()
        };
        let vectors = json!([{"index": 0, "embedding": [1.0]}]);
        for body in [
            json!({"data": vectors, "model": "m", "object": "list"}),
            json!({"data": vectors}),
            json!({"status": "ok", "data": {"data": vectors}}),
        ] {
            let embeddings: Embeddings = result(body.clone()).data().unwrap();
            assert_eq!(embeddings.data.len(), 1, "{body}");
        }
        let images: GeneratedImages = result(json!({"data": [{"url": "u"}], "created": 1})).data().unwrap();
        assert_eq!(images.data.len(), 1);
        let chat = json!({"choices": [{"message": {"content": "hi"}}], "error": null});
        assert_eq!(result(chat).data::<ChatCompletion>().unwrap().text(), "hi");
    }

    #[test]
    fn a_line_tells_its_model_and_its_tokens() {
        let facts = |body: Value| {
            let line = json!({"custom_id": "1", "response": {"status_code": 200, "body": body}});
            let line = BatchResult::from_line(line.to_string().as_bytes()).unwrap();
            let facts = line.facts().unwrap();
            (facts.model.map(str::to_owned), facts.usage.map(|usage| usage.total()))
        };
        let chat =
            json!({"model": "m", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}});
        let vectors = json!({"model": "m", "data": [], "usage": {"prompt_tokens": 7}});
        for payload in [chat, vectors] {
            assert_eq!(facts(payload.clone()), (Some("m".into()), Some(7)), "{payload}");
            assert_eq!(facts(json!({"status": "ok", "data": payload})), (Some("m".into()), Some(7)));
        }
        assert_eq!(facts(json!("text")), (None, None));
        let failed = br#"{"custom_id":"1","error":{"code":"MODEL_NOT_FOUND"}}"#;
        assert!(matches!(BatchResult::from_line(failed).unwrap().facts(), Err(ReplyError::Api(_))));
    }

    #[test]
    fn failures_keep_their_code() {
        let failure = r#"{"code":"MODEL_NOT_FOUND","message":"m"}"#;
        for line in [
            format!(r#"{{"custom_id":"1","error":{failure}}}"#),
            format!(r#"{{"custom_id":"1","response":{{"status_code":404,"body":{{"error":{failure}}}}}}}"#),
            format!(r#"{{"custom_id":"1","response":{{"body":{{"status":"error","error":{failure}}}}}}}"#),
        ] {
            let Err(ReplyError::Api(envelope)) = result(&line) else { panic!("{line}") };
            assert_eq!(envelope.error.code, Some(ErrorCode::ModelNotFound));
        }
        assert!(matches!(result(r#"{"custom_id":"1"}"#), Err(ReplyError::Decode(_))));
        assert!(matches!(
            result(r#"{"custom_id":"1","response":{"status_code":500}}"#),
            Err(ReplyError::Api(_))
        ));
        assert!(BatchResult::from_line(b"{}").unwrap_err().to_string().contains("custom_id"));
    }
}

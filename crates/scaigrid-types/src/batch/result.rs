//! The lines that come back.

use crate::macros::object;
use crate::{DecodeError, ErrorEnvelope, ReplyError, ResponseBody, lenient};
use serde::de::DeserializeOwned;
use serde_json::Value;

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
        #[serde(deserialize_with = "lenient::opt_u64")]
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
        if let Some(error) = self.error.as_ref().filter(|error| !error.is_null()) {
            return Err(failure(serde_json::json!({ "error": error })));
        }
        let missing = || DecodeError::new("response", "missing, and no `error` in its place");
        let response = self.response.as_ref().ok_or_else(missing)?;
        let body = response.body.as_ref().unwrap_or(&Value::Null);
        if response.status_code.is_some_and(|status| !(200..300).contains(&status)) {
            return Err(failure(body.clone()));
        }
        let text = body.to_string();
        match body.get("data").is_some() || body.get("error").is_some() {
            true => ResponseBody::new(text.as_bytes(), None).data(),
            false => ResponseBody::new(text.as_bytes(), None).json(),
        }
    }

    /// Whether the line ran and succeeded.
    pub fn is_success(&self) -> bool {
        self.data::<Value>().is_ok()
    }
}

fn failure(body: Value) -> ReplyError {
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

//! What a line of a batch came to, and how it is written into the result files.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;

/// The most that the output file of a job holds, in bytes, apart from lines without a response. Assumed: the
/// documentation names no limit.
const MAX_OUTPUT: usize = 32 * 1024 * 1024;

/// The answer to one line.
#[derive(Debug)]
pub(super) enum Outcome {
    Answered {
        status: StatusCode,
        body: Value,
    },
    /// It never got to a handler.
    Refused(LineError),
}

#[derive(Debug, Serialize)]
pub(super) struct LineError {
    code: String,
    message: String,
}

impl LineError {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }

    /// From the envelope of a failed call.
    fn of(body: &Value) -> Self {
        let text = |name: &str| body.pointer(&format!("/error/{name}")).and_then(Value::as_str).unwrap_or("");
        Self::new(text("code"), text("message"))
    }
}

/// A line of the result files. All names are assumed.
#[derive(Serialize)]
struct ResultLine<'a> {
    custom_id: &'a str,
    response: Option<Response<'a>>,
    error: Option<LineError>,
}

#[derive(Serialize)]
struct Response<'a> {
    status_code: u16,
    body: &'a Value,
}

/// What is written for a line.
pub(super) struct Written {
    /// With its line end.
    pub(super) text: String,
    pub(super) failed: bool,
}

/// Writes a line behind `so_far` bytes of the output file.
pub(super) fn write(custom_id: &str, outcome: Outcome, so_far: usize) -> Written {
    let written = match outcome {
        Outcome::Refused(error) => refused(custom_id, error),
        Outcome::Answered { status, body } => {
            let error = (!status.is_success()).then(|| LineError::of(&body));
            let failed = error.is_some();
            let response = Some(Response { status_code: status.as_u16(), body: &body });
            Written { text: text(&ResultLine { custom_id, response, error }), failed }
        }
    };
    if so_far.saturating_add(written.text.len()) > MAX_OUTPUT {
        // The code is assumed.
        let message = "The results of the job are larger than 32 MiB. The call was made, and is booked.";
        return refused(custom_id, LineError::new("OUTPUT_TOO_LARGE", message));
    }
    written
}

fn refused(custom_id: &str, error: LineError) -> Written {
    Written { text: text(&ResultLine { custom_id, response: None, error: Some(error) }), failed: true }
}

fn text(line: &ResultLine<'_>) -> String {
    // Not reached: nothing here has a map with keys that are not strings.
    let json = serde_json::to_string(line).unwrap_or_default();
    json + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_outcome_has_its_line() {
        let written = |outcome, so_far| {
            let Written { text, failed } = write("a", outcome, so_far);
            (text, failed)
        };
        let good = || Outcome::Answered { status: StatusCode::OK, body: json!({"data": 1}) };
        let expected = r#"{"custom_id":"a","response":{"status_code":200,"body":{"data":1}},"error":null}"#;
        assert_eq!(written(good(), 0), (format!("{expected}\n"), false));
        let body = json!({"error": {"code": "MODEL_NOT_FOUND", "message": "None."}});
        let (text, failed) = written(Outcome::Answered { status: StatusCode::NOT_FOUND, body }, 0);
        assert!(failed && text.contains(r#""status_code":404"#));
        assert!(text.ends_with("\"error\":{\"code\":\"MODEL_NOT_FOUND\",\"message\":\"None.\"}}\n"));
        let (text, failed) = written(Outcome::Refused(LineError::new("X", "y")), 0);
        let expected = r#"{"custom_id":"a","response":null,"error":{"code":"X","message":"y"}}"#;
        assert_eq!((text, failed), (format!("{expected}\n"), true));
        assert!(written(good(), MAX_OUTPUT).0.contains("OUTPUT_TOO_LARGE"));
    }
}

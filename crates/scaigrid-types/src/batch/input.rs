//! The lines of a batch.

use crate::{Endpoint, InvalidRequest};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::fmt;

/// The largest batch that can be sent inline, in bytes before base64. Under 10 MB is documented; that it
/// counts before base64 is assumed.
pub(crate) const MAX_INLINE: usize = 10_000_000;

/// The input of a batch: JSON lines, one call each.
///
/// Any endpoint with a JSON body can be a line; chats, embeddings, and images may be mixed.
///
/// ```
/// use scaigrid_types::{BatchInput, ChatRequest, EmbedRequest};
///
/// let mut input = BatchInput::new();
/// input.push("req-1", &ChatRequest::new("scailabs/poolnoodle-omni").user("Summarize: ..."))?;
/// input.push("req-2", &EmbedRequest::new("openai/text-embedding-3-small", ["First text", "Second text"]))?;
/// assert_eq!(input.len(), 2);
/// assert!(input.as_str().starts_with(r#"{"custom_id":"req-1","method":"POST","url":"/v1/inference/chat","body":{"#));
/// # Ok::<(), scaigrid_types::BatchInputError>(())
/// ```
#[derive(Clone, Default)]
pub struct BatchInput {
    lines: String,
    ids: HashSet<String>,
}

/// Shows the sizes only: the lines hold prompts.
impl fmt::Debug for BatchInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchInput")
            .field("lines", &self.ids.len())
            .field("bytes", &self.lines.len())
            .finish_non_exhaustive()
    }
}

/// A call cannot be a line of a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchInputError {
    /// The request is not valid as it is.
    #[error(transparent)]
    Invalid(#[from] InvalidRequest),
    /// The endpoint has no JSON body, is not a `POST`, has a query or odd characters in its path, or asks for a stream.
    #[error(
        "`{0}` cannot be a line of a batch: only a POST with a JSON body, a plain path, and no stream can"
    )]
    NotPlainJsonPost(&'static str),
    /// Another line has the same id, so that the results could not be told apart.
    #[error("two lines have the custom id `{0}`: give each line its own")]
    DuplicateId(String),
    /// The id is empty.
    #[error("the custom id is empty: give each line its own")]
    EmptyId,
}

#[derive(Serialize)]
struct Line<'a> {
    custom_id: &'a str,
    method: &'static str,
    url: String,
    body: &'a RawValue,
}

impl BatchInput {
    /// Without lines.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a call. The result comes back with the same `custom_id`.
    ///
    /// # Errors
    /// See [`BatchInputError`]; nothing is appended then.
    pub fn push<E: Endpoint>(
        &mut self,
        custom_id: impl Into<String>,
        call: &E,
    ) -> Result<(), BatchInputError> {
        let custom_id = custom_id.into();
        if custom_id.is_empty() {
            return Err(BatchInputError::EmptyId);
        }
        if self.ids.contains(&custom_id) {
            return Err(BatchInputError::DuplicateId(custom_id));
        }
        let refused = || BatchInputError::NotPlainJsonPost(call.name());
        let is_plain = |segment: &str| {
            let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~.".contains(&byte);
            !matches!(segment, "" | "." | "..") && segment.bytes().all(is_unreserved)
        };
        // A line has no headers, no query, and no escapes.
        if call.method().as_str() != "POST"
            || call.accept() == "text/event-stream"
            || call.query().pairs().next().is_some()
            || !call.path().segments().all(is_plain)
        {
            return Err(refused());
        }
        let body = call.body()?;
        let json = body.as_ref().filter(|body| body.content_type == "application/json");
        let bytes = json.and_then(|body| body.as_bytes()).ok_or_else(refused)?;
        let body: &RawValue = serde_json::from_slice(bytes).map_err(|_| refused())?;
        let url = call.path().segments().fold(String::new(), |url, segment| url + "/" + segment);
        let line = Line { custom_id: &custom_id, method: "POST", url, body };
        let line = serde_json::to_string(&line).map_err(|error| InvalidRequest::new(error.to_string()))?;
        self.lines.push_str(&line);
        self.lines.push('\n');
        self.ids.insert(custom_id);
        Ok(())
    }

    /// The JSON lines, to store where the gateway can fetch them when they are too large to be sent inline.
    pub fn as_str(&self) -> &str {
        &self.lines
    }

    /// The number of lines.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Whether it is small enough to be sent inline: under 10 MB.
    pub fn fits_inline(&self) -> bool {
        self.lines.len() < MAX_INLINE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChatRequest, GetModel, TranscribeRequest, Upload};

    #[test]
    fn what_cannot_be_a_line_is_refused() {
        let mut input = BatchInput::new();
        let chat = ChatRequest::new("m").user("a\nb");
        input.push("1", &chat).unwrap();
        assert_eq!(input.push("1", &chat), Err(BatchInputError::DuplicateId("1".into())));
        assert_eq!(input.push("", &chat), Err(BatchInputError::EmptyId));
        assert_eq!(
            input.push("2", &GetModel::new("m")),
            Err(BatchInputError::NotPlainJsonPost("models.get"))
        );
        let upload = TranscribeRequest::new("m", Upload::bytes("a", b""));
        assert_eq!(input.push("2", &upload), Err(BatchInputError::NotPlainJsonPost("audio.transcribe")));
        assert_eq!(
            input.push("2", &crate::ChatStreamRequest(&chat)),
            Err(BatchInputError::NotPlainJsonPost("chat_stream"))
        );
        let raw = || crate::RawRequest::post("/v1/x").json(&1);
        for odd in [raw().query("k", "v"), raw().segment("a/b"), raw().segment(".."), raw().segment("ä")] {
            assert_eq!(input.push("2", &odd), Err(BatchInputError::NotPlainJsonPost("raw")));
        }
        assert!(!format!("{input:?}").contains("a\\nb"), "no prompt is shown");
        let wrong = ChatRequest::new("m").temperature(f64::INFINITY);
        assert!(matches!(input.push("2", &wrong), Err(BatchInputError::Invalid(_))));
        assert_eq!((input.len(), input.as_str().lines().count()), (1, 1));
    }
}

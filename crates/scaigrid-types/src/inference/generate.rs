//! Text completion: `POST /v1/inference/generate`.
//!
//! Source: docs `reference/inference`.

use crate::lenient;
use crate::macros::{endpoint, object, request};
use crate::request_body::refuse_not_finite;
use crate::{FinishReason, InvalidRequest, RequestBody, Usage};
use serde_json::Value;

request! {
    /// Continues a text: `POST /v1/inference/generate`. All fields are documented; that model and prompt are required is
    /// assumed. For conversations use a [`ChatRequest`](crate::ChatRequest).
    ///
    /// ```
    /// use scaigrid_types::GenerateRequest;
    ///
    /// let request = GenerateRequest::new("scailabs/poolnoodle-omni", "Once upon a time")
    ///     .max_tokens(200)
    ///     .stop(["THE END"]);
    /// # let _ = request;
    /// ```
    GenerateRequest {
        /// The frontend slug.
        model: String,
        /// The text to continue.
        prompt: String,
        ;
        /// At most this many tokens are produced.
        max_tokens: u64,
        /// Randomness, from 0.0 to 2.0.
        temperature: f64,
        /// Texts that end the output.
        stop: Vec<String>,
        /// Asks for repeatable output.
        seed: i64,
    }
}

endpoint! {
    GenerateRequest => Generation, "generate", Post "/v1/inference/generate", data + inference {
        fn body(&self) -> Result<Option<RequestBody>, InvalidRequest> {
            refuse_not_finite([("temperature", self.temperature)])?;
            self.json().map(Some)
        }

        fn operation(&self) -> Option<&'static str> {
            Some("text_completion")
        }

        fn requested_model(&self) -> Option<&str> {
            Some(&self.model)
        }

        fn facts<'a>(&self, reply: &'a Generation) -> crate::ReplyFacts<'a> {
            reply.into()
        }
    }
}

object! {
    /// A continued text. The body is not documented: all of it is assumed, and every field is optional. Use
    /// [`text`](Self::text).
    Generation {
        /// The continuations, usually one.
        #[serde(default, deserialize_with = "lenient::null_as_default")]
        choices: Vec<GeneratedChoice>,
        ;
        /// Names the completion.
        id: String,
        /// The frontend slug that answered.
        model: String,
        /// The text, where it does not lie in `choices`.
        #[serde(rename = "text")]
        top_level_text: String,
        /// The text, where it lies here.
        content: String,
        /// Token counts.
        usage: Usage,
    }
}

object! {
    /// One continuation. Assumed.
    GeneratedChoice {
        ;
        /// Its number, from 0.
        index: u64,
        /// The text.
        text: String,
        /// Why it ended.
        finish_reason: FinishReason,
    }
}

impl Generation {
    /// The text: the first of `choices[0].text`, `choices[0].message.content`, `text`, and `content` that is there. Empty
    /// when none is.
    pub fn text(&self) -> &str {
        let first = self.choices.first();
        let message = || first?.extra.get("message")?.get("content").and_then(Value::as_str);
        first
            .and_then(|choice| choice.text.as_deref())
            .or_else(message)
            .or(self.top_level_text.as_deref())
            .or(self.content.as_deref())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_found_in_every_assumed_place() {
        for body in [
            r#"{"choices":[{"index":0,"text":"x","finish_reason":"stop"}],"text":"other"}"#,
            r#"{"choices":[{"message":{"role":"assistant","content":"x"}}],"content":"other"}"#,
            r#"{"text":"x","content":"other"}"#,
            r#"{"content":"x","choices":null}"#,
        ] {
            assert_eq!(serde_json::from_str::<Generation>(body).unwrap().text(), "x", "{body}");
        }
        assert_eq!(Generation::default().text(), "");
    }
}

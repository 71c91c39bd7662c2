//! The chat reply.

use super::{Content, Message, Role, ToolCall};
use crate::open_enum::open_enum;
use crate::{Usage, lenient};
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::fmt;

/// A complete chat reply.
///
/// `choices` with `message.role` and `message.content`, and `usage`, are documented (docs:
/// `getting-started/your-first-integration`); everything else is assumed and optional. Keys that this type
/// does not name stay reachable through the reply's raw body.
///
/// ```
/// use scaigrid_types::ChatCompletion;
///
/// let reply: ChatCompletion = serde_json::from_str(
///     r#"{"choices":[{"message":{"role":"assistant","content":"Carbonara Recipe"}}]}"#,
/// ).unwrap();
/// assert_eq!(reply.text(), "Carbonara Recipe");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatCompletion {
    /// Names the completion. Assumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `chat.completion`. Assumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// When it was made, in seconds since the Unix epoch. Assumed.
    #[serde(default, deserialize_with = "lenient::opt_seconds", skip_serializing_if = "Option::is_none")]
    pub created: Option<u64>,
    /// The frontend slug that answered. Assumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The answers, usually one.
    #[serde(default, deserialize_with = "choices")]
    pub choices: Vec<Choice>,
    /// Token counts. Documented for every reply; optional here all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

impl ChatCompletion {
    /// The text of the first choice. Empty when there is none, or when it only calls tools.
    pub fn text(&self) -> Cow<'_, str> {
        self.choices.first().map(|choice| choice.message.text()).unwrap_or_default()
    }

    /// The tool calls of the first choice.
    pub fn tool_calls(&self) -> &[ToolCall] {
        self.choices.first().map(|choice| choice.message.tool_calls.as_slice()).unwrap_or_default()
    }

    /// What the first choice says, to go back into the conversation with `request.message(..)`.
    pub fn message(&self) -> Option<&AssistantMessage> {
        self.choices.first().map(|choice| &choice.message)
    }

    /// Why the first choice ended.
    pub fn finish_reason(&self) -> Option<&FinishReason> {
        self.choices.first()?.finish_reason.as_ref()
    }
}

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Choice {
    /// Its number, from 0; its position when the server sent none. Assumed.
    #[serde(default)]
    pub index: u32,
    /// What the model said.
    #[serde(default, deserialize_with = "lenient::null_as_default")]
    pub message: AssistantMessage,
    /// Why it ended. Assumed; null and absent are `None`.
    #[serde(default)]
    pub finish_reason: Option<FinishReason>,
}

/// Fills missing indexes with the position.
fn choices<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Choice>, D::Error> {
    #[derive(Deserialize)]
    struct Numbered {
        #[serde(default, deserialize_with = "lenient::opt_u32")]
        index: Option<u32>,
        #[serde(default, deserialize_with = "lenient::null_as_default")]
        message: AssistantMessage,
        #[serde(default)]
        finish_reason: Option<FinishReason>,
    }
    struct Choices;
    impl<'de> Visitor<'de> for Choices {
        type Value = Vec<Choice>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of choices")
        }
        fn visit_unit<E: de::Error>(self) -> Result<Vec<Choice>, E> {
            Ok(Vec::new())
        }
        fn visit_none<E: de::Error>(self) -> Result<Vec<Choice>, E> {
            self.visit_unit()
        }
        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Choice>, D::Error> {
            deserializer.deserialize_any(self)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Choice>, A::Error> {
            let mut choices = Vec::new();
            while let Some(Numbered { index, message, finish_reason }) = seq.next_element()? {
                if choices.is_empty() {
                    // Usually it stays the only one.
                    choices.reserve_exact(1);
                }
                let position = u32::try_from(choices.len()).unwrap_or(u32::MAX);
                choices.push(Choice { index: index.unwrap_or(position), message, finish_reason });
            }
            Ok(choices)
        }
    }
    deserializer.deserialize_any(Choices)
}

open_enum! {
    /// Why an answer ended. The values are not documented; OpenAI's are assumed.
    FinishReason {
        /// The model was done, or a stop text came.
        Stop = "stop",
        /// `max_tokens` or the context window was reached.
        Length = "length",
        /// The model wants tools called.
        ToolCalls = "tool_calls",
        /// A content filter cut the answer.
        ContentFilter = "content_filter",
    }
}

/// What the model said.
///
/// Goes back into a conversation with `Message::from(&message)`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AssistantMessage {
    /// `assistant`.
    pub role: Role,
    /// The text. `None` when the model only calls tools. A list of parts is accepted too (assumed).
    pub content: Option<Content>,
    /// Calls that the model wants made. Assumed shape.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// The model's reasoning, from `reasoning_content`, else from `reasoning`. That it exists is documented
    /// (docs: `introduction/philosophy`); both names are assumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
}

impl Default for AssistantMessage {
    fn default() -> Self {
        Self { role: Role::Assistant, content: None, tool_calls: Vec::new(), reasoning_content: None }
    }
}

impl AssistantMessage {
    /// A text answer.
    pub fn new(content: impl Into<Content>) -> Self {
        Self { content: Some(content.into()), ..Self::default() }
    }

    /// The text: the string, or all text parts joined. Empty without content.
    pub fn text(&self) -> Cow<'_, str> {
        self.content.as_ref().map(Content::text).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for AssistantMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Two names for one field: an alias would refuse a message that has both.
        #[derive(Deserialize)]
        struct Wire {
            role: Option<Role>,
            content: Option<Content>,
            #[serde(default, deserialize_with = "lenient::null_as_default")]
            tool_calls: Vec<ToolCall>,
            #[serde(default, deserialize_with = "lenient::opt_string_or_ignore")]
            reasoning_content: Option<String>,
            #[serde(default, deserialize_with = "lenient::opt_string_or_ignore")]
            reasoning: Option<String>,
        }
        let wire = Wire::deserialize(deserializer)?;
        Ok(Self {
            role: wire.role.unwrap_or(Role::Assistant),
            content: wire.content,
            tool_calls: wire.tool_calls,
            reasoning_content: wire.reasoning_content.filter(|text| !text.is_empty()).or(wire.reasoning),
        })
    }
}

/// Keeps role, content, and tool calls; reasoning does not go back.
impl From<&AssistantMessage> for Message {
    fn from(message: &AssistantMessage) -> Self {
        Message {
            role: message.role.clone(),
            content: message.content.clone(),
            tool_calls: message.tool_calls.clone(),
            ..Message::assistant("")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn decode(value: serde_json::Value) -> ChatCompletion {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn everything_is_optional() {
        assert_eq!(decode(json!({})), ChatCompletion::default());
        assert_eq!(decode(json!({"choices": null, "usage": null})), ChatCompletion::default());
        let bare = decode(json!({"choices": [{}, {"message": null}]}));
        assert_eq!(bare.choices[1].index, 1);
        assert_eq!((bare.text(), bare.tool_calls(), bare.finish_reason()), ("".into(), &[][..], None));
    }

    #[test]
    fn content_may_be_null_or_parts() {
        let reply = decode(json!({"choices": [{"index": 2.0, "message": {"content": [
            {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "finish_reason": "moderated"}]}));
        assert_eq!(reply.text(), "ab");
        assert_eq!(reply.choices[0].index, 2);
        assert_eq!(reply.finish_reason(), Some(&FinishReason::Other("moderated".into())));
    }

    #[test]
    fn reasoning_has_two_names_and_may_be_something_else() {
        let reasoning = |message: serde_json::Value| {
            decode(json!({"choices": [{"message": message}]})).choices[0].message.reasoning_content.clone()
        };
        assert_eq!(reasoning(json!({"reasoning_content": "a", "reasoning": "b"})).as_deref(), Some("a"));
        assert_eq!(reasoning(json!({"reasoning": "b"})).as_deref(), Some("b"));
        assert_eq!(reasoning(json!({"reasoning": {"effort": 1}})), None);
    }

    #[test]
    fn a_reply_goes_back_without_its_reasoning() {
        let reply = decode(json!({"choices": [{"message": {"role": "assistant", "content": null,
            "reasoning": "because", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {}}}]}}]}));
        let turn = Message::from(&reply.choices[0].message);
        assert_eq!(
            serde_json::to_value(turn).unwrap(),
            json!({"role": "assistant", "content": null, "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]})
        );
    }

    #[test]
    fn replies_serialise_for_servers() {
        let value = json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}});
        assert_eq!(serde_json::to_value(decode(value.clone())).unwrap(), value);
    }
}

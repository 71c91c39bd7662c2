//! Messages of a request.

use super::{Content, ToolCall};
use crate::lenient;
use crate::open_enum::open_enum;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

open_enum! {
    /// Who speaks. `system` and `user` are documented, the others assumed.
    Role {
        /// Instructions for the model.
        System = "system",
        /// The person.
        User = "user",
        /// The model.
        Assistant = "assistant",
        /// The result of a tool call.
        Tool = "tool",
    }
}

/// One message of a conversation.
///
/// ```
/// use scaigrid_types::{ContentPart, Message};
///
/// let messages = [
///     Message::system("Be brief."),
///     Message::user([ContentPart::text("What is this?"), ContentPart::image_url("https://example.com/a.png")]),
/// ];
/// assert_eq!(messages[1].text(), "What is this?");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said. `None` for an assistant turn that only calls tools; such a turn is sent with
    /// `"content": null`.
    #[serde(default)]
    pub content: Option<Content>,
    /// Calls that the assistant made in this turn. Assumed shape.
    #[serde(default, deserialize_with = "lenient::null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// The call that a `tool` message answers. Assumed shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
    /// Keys that this version does not know, such as `name` (not documented).
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Message {
    /// A message of any role.
    pub fn new(role: impl Into<Role>, content: impl Into<Content>) -> Self {
        Self {
            role: role.into(),
            content: Some(content.into()),
            tool_calls: Vec::new(),
            tool_call_id: None,
            extra: Map::new(),
        }
    }

    /// Instructions for the model.
    pub fn system(content: impl Into<Content>) -> Self {
        Self::new(Role::System, content)
    }

    /// What the person says: text, or a list of parts.
    pub fn user(content: impl Into<Content>) -> Self {
        Self::new(Role::User, content)
    }

    /// What the model said earlier.
    pub fn assistant(content: impl Into<Content>) -> Self {
        Self::new(Role::Assistant, content)
    }

    /// The calls that the model made earlier. [`AssistantMessage`](crate::AssistantMessage) converts into
    /// such a message with `Message::from`.
    pub fn assistant_tool_calls(calls: Vec<ToolCall>) -> Self {
        Self { content: None, tool_calls: calls, ..Self::assistant("") }
    }

    /// The result of the call with this id.
    pub fn tool_result(tool_call_id: impl Into<String>, content: impl Into<Content>) -> Self {
        Self { tool_call_id: Some(tool_call_id.into()), ..Self::new(Role::Tool, content) }
    }

    /// The text of the content: the string, or all text parts joined. Empty without content.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        self.content.as_ref().map(Content::text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_turn_has_its_documented_or_assumed_form() {
        for (message, value) in [
            (Message::system("a"), json!({"role": "system", "content": "a"})),
            (
                Message::assistant_tool_calls(vec![ToolCall::function("c1", "f", "{}")]),
                json!({"role": "assistant", "content": null, "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}),
            ),
            (
                Message::tool_result("c1", "42"),
                json!({"role": "tool", "content": "42", "tool_call_id": "c1"}),
            ),
        ] {
            assert_eq!(serde_json::to_value(&message).unwrap(), value);
            assert_eq!(serde_json::from_value::<Message>(value).unwrap(), message);
        }
    }

    #[test]
    fn unknown_roles_and_keys_survive() {
        let value = json!({"role": "developer", "content": "a", "name": "n"});
        let message: Message = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(message.role, Role::Other("developer".into()));
        assert_eq!(serde_json::to_value(message).unwrap(), value);
    }
}

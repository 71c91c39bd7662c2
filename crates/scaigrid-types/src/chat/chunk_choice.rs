//! What is new of one answer in a chunk.

use super::chunk_wire::Place;
use super::{FinishReason, Role};
use crate::lenient;
use serde::de::{DeserializeSeed as _, Deserializer};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use std::ops::Deref;

/// What is new of one answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ChunkChoice {
    /// The answer's number, from 0; its position in the chunk when the server sent none.
    pub index: u32,
    /// What is new.
    pub delta: Delta,
    /// Why the answer ended; in its last chunk only.
    pub finish_reason: Option<FinishReason>,
}

impl ChunkChoice {
    /// What is new of the answer with this number.
    pub fn new(index: u32, delta: Delta) -> Self {
        Self { index, delta, finish_reason: None }
    }
}

impl<'de> Deserialize<'de> for ChunkChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut choice = Self::default();
        Place::Choice(&mut choice).deserialize(deserializer)?;
        Ok(choice)
    }
}

/// What is new of a message. All names are assumed to be OpenAI's, but for `content`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Delta {
    /// Who speaks; in the first chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// New text. A list of parts is accepted too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// New reasoning text, from `reasoning_content`, else from `reasoning`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    /// New pieces of tool calls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCallDelta>,
}

impl Delta {
    /// New text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: Some(text.into()), ..Self::default() }
    }
}

impl<'de> Deserialize<'de> for Delta {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut delta = Self::default();
        Place::Delta(&mut delta).deserialize(deserializer)?;
        Ok(delta)
    }
}

/// A piece of a tool call. Pieces with the same index belong together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolCallDelta {
    /// The call's number, from 0. Some servers leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::opt_u32")]
    pub index: Option<u32>,
    /// Names the call; in its first piece.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::opt_string_or_ignore"
    )]
    pub id: Option<String>,
    /// The kind of tool; in its first piece.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The function.
    #[serde(default, deserialize_with = "lenient::null_as_default")]
    pub function: FunctionCallDelta,
}

impl ToolCallDelta {
    /// The first piece of a call of a function.
    pub fn begin(index: u32, id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            index: Some(index),
            id: Some(id.into()),
            kind: Some("function".to_owned()),
            function: FunctionCallDelta { name: Some(name.into()), arguments: Some(String::new()) },
        }
    }

    /// A further piece of its arguments.
    pub fn arguments(index: u32, arguments: impl Into<String>) -> Self {
        let function = FunctionCallDelta { name: None, arguments: Some(arguments.into()) };
        Self { index: Some(index), function, ..Self::default() }
    }
}

/// A piece of a function call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FunctionCallDelta {
    /// The name; whole, in the first piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A piece of the JSON text of the arguments. An object is accepted too.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "opt_text_of_arguments")]
    pub arguments: Option<String>,
}

fn opt_text_of_arguments<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Null => None,
        other => Some(other.to_string()),
    })
}

/// A list of choices. The usual single one needs no memory of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChunkChoices(Choices);

#[derive(Clone, Debug, Default)]
enum Choices {
    #[default]
    None,
    One(ChunkChoice),
    Many(Vec<ChunkChoice>),
}

impl PartialEq for Choices {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Choices {
    fn as_slice(&self) -> &[ChunkChoice] {
        match self {
            Choices::None => &[],
            Choices::One(choice) => std::slice::from_ref(choice),
            Choices::Many(choices) => choices,
        }
    }
}

impl ChunkChoices {
    /// Becomes a single empty choice, which is to be read into its place. `None` when there are choices already.
    pub(super) fn begin(&mut self) -> Option<&mut ChunkChoice> {
        let Choices::None = self.0 else { return None };
        self.0 = Choices::One(ChunkChoice::default());
        match &mut self.0 {
            Choices::One(choice) => Some(choice),
            _ => None,
        }
    }

    pub(super) fn push(&mut self, choice: ChunkChoice) {
        match &mut self.0 {
            Choices::None => self.0 = Choices::One(choice),
            Choices::One(first) => self.0 = Choices::Many(vec![std::mem::take(first), choice]),
            Choices::Many(choices) => choices.push(choice),
        }
    }
}

impl Deref for ChunkChoices {
    type Target = [ChunkChoice];

    fn deref(&self) -> &[ChunkChoice] {
        self.0.as_slice()
    }
}

impl FromIterator<ChunkChoice> for ChunkChoices {
    fn from_iter<I: IntoIterator<Item = ChunkChoice>>(choices: I) -> Self {
        let mut choices = choices.into_iter();
        Self(match (choices.next(), choices.next()) {
            (None, _) => Choices::None,
            (Some(only), None) => Choices::One(only),
            (Some(first), Some(second)) => {
                Choices::Many([first, second].into_iter().chain(choices).collect())
            }
        })
    }
}

impl From<ChunkChoice> for ChunkChoices {
    fn from(choice: ChunkChoice) -> Self {
        Self(Choices::One(choice))
    }
}

impl<'a> IntoIterator for &'a ChunkChoices {
    type Item = &'a ChunkChoice;
    type IntoIter = std::slice::Iter<'a, ChunkChoice>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Serialize for ChunkChoices {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for ChunkChoices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut choices = Self::default();
        Place::Choices(&mut choices, &mut false).deserialize(deserializer)?;
        Ok(choices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_choice_and_many_are_lists_alike() {
        for count in 0..4 {
            let value: Value = (0..count).map(|_| json!({"delta": {"content": "a"}})).collect();
            let choices: ChunkChoices = serde_json::from_value(value).unwrap();
            assert_eq!(choices.len(), count);
            assert!(choices.iter().enumerate().all(|(position, choice)| choice.index == position as u32));
            assert_eq!(choices, choices.iter().cloned().collect());
        }
        assert!(serde_json::from_value::<ChunkChoices>(json!(null)).unwrap().is_empty());
    }

    #[test]
    fn deltas_are_read_leniently() {
        let delta = |value: Value| serde_json::from_value::<Delta>(value).unwrap();
        assert_eq!(delta(json!({"role": "", "content": null, "tool_calls": null})), Delta::default());
        assert_eq!(delta(json!({"content": [{"type": "text", "text": "a"}]})), Delta::text("a"));
        assert_eq!(
            delta(json!({"reasoning_content": "", "reasoning": "r"})).reasoning_content.as_deref(),
            Some("r")
        );
        for (first, second) in [
            (r#""reasoning":"r""#, r#""reasoning_content":"c""#),
            (r#""reasoning_content":"c""#, r#""reasoning":"r""#),
        ] {
            let both: Delta = serde_json::from_str(&format!("{{{first},{second}}}")).unwrap();
            assert_eq!(both.reasoning_content.as_deref(), Some("c"), "{first}");
        }
        for nothing in [r#""""#, "null", "7"] {
            let json = format!(r#"{{"reasoning":"r","reasoning_content":{nothing}}}"#);
            let delta: Delta = serde_json::from_str(&json).unwrap();
            assert_eq!(delta.reasoning_content.as_deref(), Some("r"), "{nothing}");
        }
        assert_eq!(delta(json!({"tool_calls": [{"index": 1.0, "id": 7}]})).tool_calls[0].index, Some(1));
        assert_eq!(delta(json!({"reasoning": "r"})).reasoning_content.as_deref(), Some("r"));
        let call =
            &delta(json!({"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]})).tool_calls[0];
        assert_eq!(call.function.arguments.as_deref(), Some(r#"{"a":1}"#));
    }
}

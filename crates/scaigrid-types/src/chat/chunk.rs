//! Chunks of a streamed chat reply.

use super::chunk_choice::{ChunkChoice, ChunkChoices, Delta, FunctionCallDelta, ToolCallDelta};
use super::chunk_wire::{Place, Seen, Shared};
use super::{ChatCompletion, Content};
use crate::{DecodeError, ErrorEnvelope, Usage};
use serde::de::{DeserializeSeed as _, Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize, Serializer};
use std::sync::Arc;

/// One piece of a streamed chat reply.
///
/// That text comes at `choices[0].delta.content` is documented (docs: `reference/inference`); every other name is
/// assumed to be OpenAI's, and optional. Keys that this type does not name stay reachable through
/// [`raw`](Self::raw).
///
/// ```
/// use scaigrid_types::ChatChunk;
///
/// let chunk: ChatChunk = serde_json::from_str(r#"{"choices":[{"index":0,"delta":{"content":"Hel"}}]}"#).unwrap();
/// assert_eq!(chunk.text(), "Hel");
/// ```
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct ChatChunk {
    /// Names the reply; the same in all its chunks.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "shared_text")]
    pub id: Option<Arc<str>>,
    /// `chat.completion.chunk`.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "shared_text")]
    pub object: Option<Arc<str>>,
    /// When the reply was begun, in seconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<u64>,
    /// The frontend slug that answers; the same in all chunks.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "shared_text")]
    pub model: Option<Arc<str>>,
    /// What is new of each answer. Usually one; none in a chunk that only carries usage.
    pub choices: ChunkChoices,
    /// Token counts so far. Usually in the last chunk only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    #[serde(skip)]
    raw: Option<Arc<str>>,
}

fn shared_text<S: Serializer>(text: &Option<Arc<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_deref().serialize(serializer)
}

impl ChatChunk {
    /// The new text of the answer with index 0. Empty when there is none.
    pub fn text(&self) -> &str {
        let first = self.choices.iter().find(|choice| choice.index == 0);
        first.and_then(|choice| choice.delta.content.as_deref()).unwrap_or_default()
    }

    /// The JSON text that the chunk was decoded from. `None` for a chunk that came otherwise.
    pub fn raw(&self) -> Option<&str> {
        self.raw.as_deref()
    }
}

/// The raw text does not count.
impl PartialEq for ChatChunk {
    fn eq(&self, other: &Self) -> bool {
        let fields =
            |chunk: &Self| (chunk.id.clone(), chunk.object.clone(), chunk.created, chunk.model.clone());
        fields(self) == fields(other) && self.choices == other.choices && self.usage == other.usage
    }
}

impl<'de> Deserialize<'de> for ChatChunk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut chunk = Self::default();
        Place::Chunk(&mut chunk, &mut Shared::default(), &mut Seen::default()).deserialize(deserializer)?;
        Ok(chunk)
    }
}

/// A whole reply as a stream of one chunk, for a gateway that answers a streaming call with a plain reply.
impl From<ChatCompletion> for ChatChunk {
    fn from(completion: ChatCompletion) -> Self {
        let calls = |calls: Vec<super::ToolCall>| {
            let call = |(index, call): (usize, super::ToolCall)| ToolCallDelta {
                index: u32::try_from(index).ok(),
                id: Some(call.id),
                kind: Some(call.kind),
                function: FunctionCallDelta {
                    name: Some(call.function.name),
                    arguments: Some(call.function.arguments),
                },
            };
            calls.into_iter().enumerate().map(call).collect()
        };
        let choice = |choice: super::Choice| ChunkChoice {
            index: choice.index,
            delta: Delta {
                role: Some(choice.message.role),
                content: choice.message.content.as_ref().map(|content| Content::text(content).into_owned()),
                reasoning_content: choice.message.reasoning_content,
                tool_calls: calls(choice.message.tool_calls),
            },
            finish_reason: choice.finish_reason,
        };
        Self {
            id: completion.id.map(Arc::from),
            object: completion.object.map(Arc::from),
            created: completion.created,
            model: completion.model.map(Arc::from),
            choices: completion.choices.into_iter().map(choice).collect(),
            usage: completion.usage,
            raw: None,
        }
    }
}

/// What a `data` field of a chat stream holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "nearly all are chunks; a box would cost each an allocation")]
pub enum ChatStreamData {
    /// A piece of the reply.
    Chunk(ChatChunk),
    /// A failure, in place of a piece.
    Error(Box<ErrorEnvelope>),
    /// JSON that is neither, such as a status message of a persona.
    Other,
}

/// Decodes the chunks of one stream. Texts that repeat in every chunk are shared between them.
#[derive(Clone, Debug, Default)]
pub struct ChunkDecoder(Shared);

/// What [`ChunkDecoder::decode_into`] has found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DecodedData {
    /// The chunk was read into its place.
    Chunk,
    /// A failure, in place of a piece.
    Error(Box<ErrorEnvelope>),
    /// JSON that is neither.
    Other,
}

impl ChunkDecoder {
    /// For a new stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes one `data` field.
    ///
    /// # Errors
    /// When it is not JSON, or a chunk of another form.
    pub fn decode(&mut self, json: &str) -> Result<ChatStreamData, DecodeError> {
        let mut chunk = None;
        Ok(match (self.decode_into(json, &mut chunk)?, chunk) {
            (DecodedData::Chunk, Some(chunk)) => ChatStreamData::Chunk(chunk),
            (DecodedData::Error(error), _) => ChatStreamData::Error(error),
            (DecodedData::Chunk | DecodedData::Other, _) => ChatStreamData::Other,
        })
    }

    /// As [`decode`](Self::decode), into a place that is there already: chunks are large, and moving them takes time. What
    /// was in it is lost, also when there is no chunk.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_into(
        &mut self,
        json: &str,
        place: &mut Option<ChatChunk>,
    ) -> Result<DecodedData, DecodeError> {
        let chunk = place.insert(ChatChunk::default());
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let mut seen = Seen::default();
        let read = Place::Chunk(chunk, &mut self.0, &mut seen).deserialize(&mut deserializer);
        let read = read.and_then(|()| deserializer.end());
        if read.is_ok() && !seen.error && (seen.choices || chunk.usage.is_some()) {
            chunk.raw = Some(Arc::from(json));
            return Ok(DecodedData::Chunk);
        }
        *place = None;
        no_chunk(json, read, seen)
    }
}

#[cold]
fn no_chunk(json: &str, read: serde_json::Result<()>, seen: Seen) -> Result<DecodedData, DecodeError> {
    match read {
        Ok(()) if seen.error => {
            let error = ErrorEnvelope::from_slice(json.as_bytes()).unwrap_or_default();
            Ok(DecodedData::Error(Box::new(error)))
        }
        Ok(()) => Ok(DecodedData::Other),
        // Valid JSON that is no object, such as a status text.
        Err(_) if !json.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(json).is_ok() => {
            Ok(DecodedData::Other)
        }
        Err(error) => Err(DecodeError::from_json(json.as_bytes(), &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn chunk(json: &str) -> ChatChunk {
        match ChunkDecoder::new().decode(json).unwrap() {
            ChatStreamData::Chunk(chunk) => chunk,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_chunk_round_trips_and_keeps_its_text() {
        let value = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [
            {"index": 0, "delta": {"role": "assistant", "content": "Hel"}, "finish_reason": null}]});
        let json = value.to_string();
        let decoded = chunk(&json);
        assert_eq!((decoded.text(), decoded.raw()), ("Hel", Some(json.as_str())));
        assert_eq!(serde_json::to_value(&decoded).unwrap(), value);
        assert_eq!(serde_json::from_str::<ChatChunk>(&json).unwrap(), decoded);
        assert_eq!(serde_json::from_value::<ChatChunk>(value).unwrap(), decoded);
    }

    #[test]
    fn repeated_texts_are_shared() {
        let mut decoder = ChunkDecoder::new();
        let mut id = |text: &str| match decoder.decode(&format!(r#"{{"id":"{text}","choices":[]}}"#)).unwrap()
        {
            ChatStreamData::Chunk(chunk) => chunk.id.unwrap(),
            other => panic!("{other:?}"),
        };
        let (first, second, third) = (id("a\\u0062"), id("ab"), id("c"));
        assert!(Arc::ptr_eq(&first, &second) && !Arc::ptr_eq(&second, &third));
    }

    #[test]
    fn a_key_counts_in_its_place_only_and_once() {
        let read = chunk(
            r#"{"content": 1, "delta": [], "index": "x", "choices": [{"id": {"a": [1]}, "content": "no", "usage": 7,
                "delta": {"choices": {}, "content": "yes", "error": "no", "index": -1}}]}"#,
        );
        assert_eq!((read.text(), read.choices.len(), read.id.as_deref()), ("yes", 1, None));
        for twice in [
            r#"{"id": "a", "id": "a", "choices": []}"#,
            r#"{"choices": [{"index": 0, "index": 0}]}"#,
            r#"{"choices": [{"delta": {"content": "a", "content": "b"}}]}"#,
        ] {
            assert!(ChunkDecoder::new().decode(twice).is_err(), "{twice}");
        }
        let twice =
            r#"{"x": 1, "x": 2, "choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}}]}"#;
        assert_eq!(chunk(twice).choices.len(), 2);
    }

    #[test]
    fn values_of_other_types_are_passed_over_where_nothing_is_lost() {
        for other in ["7", "-7", "0.5", "true", "null", "[{}]", r#"{"a": [1]}"#] {
            let json = format!(
                r#"{{"id": {other}, "model": {other}, "choices": [{{"delta": {{"reasoning": {other}, "reasoning_content": {other}}}}}]}}"#
            );
            let read = chunk(&json);
            assert_eq!((read.id, read.model, read.choices[0].delta.clone()), (None, None, Delta::default()));
        }
        for (number, seconds) in
            [("7", Some(7)), ("7.9", Some(7)), ("-1", None), ("\"7\"", None), ("{}", None)]
        {
            assert_eq!(
                chunk(&format!(r#"{{"created": {number}, "choices": []}}"#)).created,
                seconds,
                "{number}"
            );
        }
        for (index, number) in [("3", 3), ("3.0", 3), ("null", 0), ("99999999999", u32::MAX)] {
            assert_eq!(chunk(&format!(r#"{{"choices": [{{"index": {index}}}]}}"#)).choices[0].index, number);
        }
        for wrong in [
            r#"{"choices": {}}"#,
            r#"{"choices": [null]}"#,
            r#"{"choices": [7]}"#,
            r#"{"choices": [{"index": -1}]}"#,
            r#"{"choices": [{"index": 0.5}]}"#,
            r#"{"choices": [{"index": "0"}]}"#,
            r#"{"choices": [{"delta": "a"}]}"#,
            r#"{"choices": [{"finish_reason": 7}]}"#,
            r#"{"choices": [{"delta": {"role": {}}}]}"#,
            r#"{"choices": [{"delta": {"content": 7}}]}"#,
            r#"{"choices": [{"delta": {"tool_calls": {}}}]}"#,
            r#"{"usage": "many"}"#,
        ] {
            let error = ChunkDecoder::new().decode(wrong).unwrap_err().to_string();
            assert!(error.contains("expected "), "{wrong}: {error}");
        }
    }

    #[test]
    fn errors_and_other_objects_are_told_apart() {
        let decode = |json: &str| ChunkDecoder::new().decode(json);
        let Ok(ChatStreamData::Error(error)) = decode(r#"{"error":{"code":"x","message":"boom"}}"#) else {
            panic!()
        };
        assert_eq!(error.error.message.as_deref(), Some("boom"));
        assert_eq!(decode(r#"{"id":"x"}"#), Ok(ChatStreamData::Other));
        assert_eq!(chunk(r#"{"choices":[{"delta":{"content":"Hi"}}],"error":null}"#).text(), "Hi");
        assert_eq!(chunk(r#"{"usage":{"total_tokens":3}}"#).usage.unwrap().total(), 3);
        for other in ["7", "\"searching\"", "[1]"] {
            assert_eq!(decode(other), Ok(ChatStreamData::Other), "{other}");
        }
        assert_eq!(chunk(r#"{"id":7,"choices":[{"delta":{"content":"Hi"}}],"error":false}"#).text(), "Hi");
        for wrong in ["[DONE]", "[DONE]x", "{\"choices\":[", "{}\n{}", "", r#"{"choices":7}"#] {
            assert!(decode(wrong).is_err(), "{wrong}");
        }
        let error = decode(r#"{"choices":[{"delta":{"content":{"secret":1}}}]}"#).unwrap_err();
        assert!(error.path().starts_with("choices[0].delta.content"), "{error}");
        assert!(!error.to_string().contains("secret`: "), "{error}");
    }
}

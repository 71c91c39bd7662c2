//! Reads chunks from JSON, each value where it belongs: a chunk is large, and handed from function to function by value it would
//! cost more than its decoding.

use super::chunk_choice::{ChunkChoice, ChunkChoices, Delta};
use super::{ChatChunk, Content};
use crate::lenient;
use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::sync::Arc;

/// The last texts of a stream that repeat in every chunk.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    id: Option<Arc<str>>,
    object: Option<Arc<str>>,
    model: Option<Arc<str>>,
}

/// What the JSON of a chunk held.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) choices: bool,
    pub(super) usage: bool,
    pub(super) error: bool,
}

/// Reads an object into an empty chunk.
pub(super) struct ReadChunk<'a> {
    pub(super) shared: &'a mut Shared,
    pub(super) chunk: &'a mut ChatChunk,
}

/// Refuses a key that has come before.
#[derive(Default)]
struct Once(u32);

impl Once {
    fn check<E: de::Error>(&mut self, key: u32, name: &'static str) -> Result<(), E> {
        if self.0 & (1 << key) != 0 {
            return Err(E::duplicate_field(name));
        }
        self.0 |= 1 << key;
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for ReadChunk<'_> {
    type Value = Seen;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Seen, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ReadChunk<'_> {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a chunk")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Seen, A::Error> {
        #[derive(Clone, Copy, Deserialize)]
        #[serde(field_identifier, rename_all = "snake_case")]
        enum Key {
            Id,
            Object,
            Created,
            Model,
            Choices,
            Usage,
            Error,
            #[serde(other)]
            Other,
        }
        let Self { shared, chunk } = self;
        let (mut seen, mut once) = (Seen::default(), Once::default());
        while let Some(key) = map.next_key::<Key>()? {
            let mut check = |name| once.check(key as u32, name);
            match key {
                Key::Id => {
                    check("id")?;
                    chunk.id = map.next_value_seed(ReadShared(&mut shared.id))?;
                }
                Key::Object => {
                    check("object")?;
                    chunk.object = map.next_value_seed(ReadShared(&mut shared.object))?;
                }
                Key::Created => {
                    check("created")?;
                    chunk.created = map.next_value_seed(Seconds)?;
                }
                Key::Model => {
                    check("model")?;
                    chunk.model = map.next_value_seed(ReadShared(&mut shared.model))?;
                }
                Key::Choices => {
                    check("choices")?;
                    seen.choices = map.next_value_seed(ReadChoices(&mut chunk.choices))?;
                }
                Key::Usage => {
                    check("usage")?;
                    chunk.usage = map.next_value()?;
                    seen.usage = chunk.usage.is_some();
                }
                Key::Error => {
                    check("error")?;
                    seen.error = map.next_value_seed(IsError)?;
                }
                Key::Other => {
                    map.next_value::<de::IgnoredAny>()?;
                }
            }
        }
        Ok(seen)
    }
}

/// A seed for a function of [`lenient`].
macro_rules! seed {
    ($name:ident, $value:ty, $read:path) => {
        struct $name;

        impl<'de> DeserializeSeed<'de> for $name {
            type Value = $value;

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<$value, D::Error> {
                $read(deserializer)
            }
        }
    };
}

seed!(Seconds, Option<u64>, lenient::opt_seconds);
seed!(IsError, bool, lenient::is_error);
seed!(Index, Option<u64>, lenient::opt_u64);
seed!(Text, Option<String>, lenient::opt_string_or_ignore);

/// A text: the last one, if it is the same. Nothing when the value has another type.
struct ReadShared<'a>(&'a mut Option<Arc<str>>);

impl<'de> DeserializeSeed<'de> for ReadShared<'_> {
    type Value = Option<Arc<str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadShared<'_> {
    type Value = Option<Arc<str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        if self.0.as_deref() != Some(text) {
            *self.0 = Some(Arc::from(text));
        }
        Ok(self.0.clone())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// Reads a list into an empty one. False for null.
pub(super) struct ReadChoices<'a>(pub(super) &'a mut ChunkChoices);

impl<'de> DeserializeSeed<'de> for ReadChoices<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadChoices<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of choices")
    }

    fn visit_unit<E: de::Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        // The usual single choice is read into its place.
        let mut is_there = self
            .0
            .read_first(|choice| Ok(seq.next_element_seed(ReadChoice { choice, position: 0 })?.is_some()))?;
        let mut position = 0;
        while is_there {
            position += 1;
            let mut choice = ChunkChoice::default();
            is_there = seq.next_element_seed(ReadChoice { choice: &mut choice, position })?.is_some();
            if is_there {
                self.0.push(choice);
            }
        }
        Ok(true)
    }
}

/// Reads an object into an empty choice. Without an index, the position counts.
struct ReadChoice<'a> {
    choice: &'a mut ChunkChoice,
    position: u32,
}

impl<'de> DeserializeSeed<'de> for ReadChoice<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ReadChoice<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a choice")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        #[derive(Clone, Copy, Deserialize)]
        #[serde(field_identifier, rename_all = "snake_case")]
        enum Key {
            Index,
            Delta,
            FinishReason,
            #[serde(other)]
            Other,
        }
        self.choice.index = self.position;
        let mut once = Once::default();
        while let Some(key) = map.next_key::<Key>()? {
            let mut check = |name| once.check(key as u32, name);
            match key {
                Key::Index => {
                    check("index")?;
                    if let Some(index) = map.next_value_seed(Index)? {
                        self.choice.index = u32::try_from(index).unwrap_or(u32::MAX);
                    }
                }
                Key::Delta => {
                    check("delta")?;
                    map.next_value_seed(ReadDelta(&mut self.choice.delta))?;
                }
                Key::FinishReason => {
                    check("finish_reason")?;
                    self.choice.finish_reason = map.next_value()?;
                    // Some servers send an empty reason with every chunk.
                    self.choice.finish_reason.take_if(|reason| *reason == "");
                }
                Key::Other => {
                    map.next_value::<de::IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Reads an object, or null, into an empty delta.
pub(super) struct ReadDelta<'a>(pub(super) &'a mut Delta);

impl<'de> DeserializeSeed<'de> for ReadDelta<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadDelta<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a delta")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        #[derive(Clone, Copy, Deserialize)]
        #[serde(field_identifier, rename_all = "snake_case")]
        enum Key {
            Role,
            Content,
            ReasoningContent,
            Reasoning,
            ToolCalls,
            #[serde(other)]
            Other,
        }
        let (delta, mut once) = (self.0, Once::default());
        // Two names for one field: a delta may have both.
        let mut reasoning = None;
        while let Some(key) = map.next_key::<Key>()? {
            let mut check = |name| once.check(key as u32, name);
            match key {
                Key::Role => {
                    check("role")?;
                    delta.role = map.next_value()?;
                    // Some servers send an empty role with every chunk.
                    delta.role.take_if(|role| *role == "");
                }
                Key::Content => {
                    check("content")?;
                    delta.content = map.next_value::<Option<Content>>()?.map(|content| match content {
                        Content::Text(text) => text,
                        parts => parts.text().into_owned(),
                    });
                }
                Key::ReasoningContent => {
                    check("reasoning_content")?;
                    delta.reasoning_content = map.next_value_seed(Text)?.filter(|text| !text.is_empty());
                }
                Key::Reasoning => {
                    check("reasoning")?;
                    reasoning = map.next_value_seed(Text)?;
                }
                Key::ToolCalls => {
                    check("tool_calls")?;
                    delta.tool_calls = map.next_value::<Option<_>>()?.unwrap_or_default();
                }
                Key::Other => {
                    map.next_value::<de::IgnoredAny>()?;
                }
            }
        }
        if delta.reasoning_content.is_none() {
            delta.reasoning_content = reasoning;
        }
        Ok(())
    }
}

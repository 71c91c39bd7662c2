//! Reads chunks from JSON, each value where it belongs: a chunk is large, and handed from function to function by value it would
//! cost more than its decoding.
//!
//! One visitor reads all of it. A visitor for each type would be compiled to several times the code, which a processor's
//! instruction cache does not hold beside the HTTP client's.

use super::chunk_choice::{ChunkChoice, ChunkChoices, Delta, ToolCallDelta};
use super::{ChatChunk, Content, ContentPart, FinishReason, Role};
use crate::{Usage, lenient};
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, IntoDeserializer as _};
use serde::de::{MapAccess, SeqAccess, Unexpected, Visitor};
use std::fmt;
use std::sync::Arc;

/// The last texts of a stream that repeat in every chunk.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    id: Option<Arc<str>>,
    object: Option<Arc<str>>,
    model: Option<Arc<str>>,
}

/// What the JSON of a chunk held, beside what the chunk shows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) choices: bool,
    pub(super) error: bool,
}

/// Where a value belongs. For null, what is there stays: nothing, or the default.
pub(super) enum Place<'a> {
    Chunk(&'a mut ChatChunk, &'a mut Shared, &'a mut Seen),
    /// A text, and the last one: the same if it is equal.
    Shared(&'a mut Option<Arc<str>>, &'a mut Option<Arc<str>>),
    Seconds(&'a mut Option<u64>),
    /// The list, and whether there is one.
    Choices(&'a mut ChunkChoices, &'a mut bool),
    NextChoice(&'a mut ChunkChoices),
    Choice(&'a mut ChunkChoice),
    Index(&'a mut u32),
    Delta(&'a mut Delta),
    Role(&'a mut Option<Role>),
    FinishReason(&'a mut Option<FinishReason>),
    Content(&'a mut Option<String>),
    /// Counts, whatever the other name has said.
    Reasoning(&'a mut Option<String>),
    /// The other name of the same field, which counts less.
    OtherReasoning(&'a mut Option<String>),
    ToolCalls(&'a mut Vec<ToolCallDelta>),
    Usage(&'a mut Option<Usage>),
    /// Whether there is an error.
    Error(&'a mut bool),
    Nowhere,
}

/// The keys that are read, whatever they are keys of.
macro_rules! keys {
    ($( $key:ident = $name:literal, )+) => {
        #[derive(Clone, Copy)]
        enum Key { $( $key, )+ Unknown }

        impl Key {
            fn of(name: &str) -> Self {
                match name {
                    $( $name => Self::$key, )+
                    _ => Self::Unknown,
                }
            }

            fn name(self) -> &'static str {
                match self {
                    $( Self::$key => $name, )+
                    Self::Unknown => "",
                }
            }
        }
    };
}

keys! {
    Id = "id",
    Object = "object",
    Created = "created",
    Model = "model",
    Choices = "choices",
    Usage = "usage",
    Error = "error",
    Index = "index",
    Delta = "delta",
    FinishReason = "finish_reason",
    Role = "role",
    Content = "content",
    ReasoningContent = "reasoning_content",
    Reasoning = "reasoning",
    ToolCalls = "tool_calls",
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
                Ok(Key::of(name))
            }
        }
        deserializer.deserialize_identifier(Name)
    }
}

impl Place<'_> {
    /// The place of the value behind a key.
    fn at(&mut self, key: Key) -> Place<'_> {
        match self {
            Place::Chunk(chunk, shared, seen) => match key {
                Key::Id => Place::Shared(&mut chunk.id, &mut shared.id),
                Key::Object => Place::Shared(&mut chunk.object, &mut shared.object),
                Key::Created => Place::Seconds(&mut chunk.created),
                Key::Model => Place::Shared(&mut chunk.model, &mut shared.model),
                Key::Choices => Place::Choices(&mut chunk.choices, &mut seen.choices),
                Key::Usage => Place::Usage(&mut chunk.usage),
                Key::Error => Place::Error(&mut seen.error),
                _ => Place::Nowhere,
            },
            Place::Choice(choice) => match key {
                Key::Index => Place::Index(&mut choice.index),
                Key::Delta => Place::Delta(&mut choice.delta),
                Key::FinishReason => Place::FinishReason(&mut choice.finish_reason),
                _ => Place::Nowhere,
            },
            Place::Delta(delta) => match key {
                Key::Role => Place::Role(&mut delta.role),
                Key::Content => Place::Content(&mut delta.content),
                Key::ReasoningContent => Place::Reasoning(&mut delta.reasoning_content),
                Key::Reasoning => Place::OtherReasoning(&mut delta.reasoning_content),
                Key::ToolCalls => Place::ToolCalls(&mut delta.tool_calls),
                _ => Place::Nowhere,
            },
            _ => Place::Nowhere,
        }
    }

    /// Reads the fields of an object.
    fn read_fields<'de, A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut seen = 0_u32;
        while let Some(key) = map.next_key::<Key>()? {
            let place = self.at(key);
            if !matches!(place, Place::Nowhere) {
                let bit = 1 << key as u32;
                if seen & bit != 0 {
                    return Err(de::Error::duplicate_field(key.name()));
                }
                seen |= bit;
            }
            map.next_value_seed(place)?;
        }
        Ok(())
    }

    /// Whether a value of an unexpected type is passed over: no chunk is worth losing for what nobody documents.
    fn is_lenient(&self) -> bool {
        use Place::{Error, Nowhere, OtherReasoning, Reasoning, Seconds, Shared};
        matches!(self, Shared(..) | Seconds(_) | Reasoning(_) | OtherReasoning(_) | Error(_) | Nowhere)
    }

    /// A value that does not belong here.
    #[cold]
    fn unexpected<E: de::Error>(&self, value: Unexpected<'_>) -> Result<(), E> {
        if self.is_lenient() { Ok(()) } else { Err(E::invalid_type(value, self)) }
    }

    /// A number that is not written as a usual one.
    #[cold]
    fn odd_number<'de, D: Deserializer<'de>>(self, number: D) -> Result<(), D::Error> {
        match self {
            Place::Seconds(seconds) => *seconds = lenient::opt_seconds(number)?,
            Place::Index(index) => *index = lenient::opt_u32(number)?.unwrap_or(*index),
            place => place.unexpected(Unexpected::Other("number"))?,
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self {
            Place::Nowhere => deserializer.deserialize_ignored_any(IgnoredAny).map(drop),
            // Only here it is known that there is one. The usual single one is read into its place.
            Place::NextChoice(choices) => {
                let index = u32::try_from(choices.len()).unwrap_or(u32::MAX);
                if let Some(first) = choices.begin() {
                    return deserializer.deserialize_any(Place::Choice(first));
                }
                let mut choice = ChunkChoice { index, ..ChunkChoice::default() };
                deserializer.deserialize_any(Place::Choice(&mut choice))?;
                choices.push(choice);
                Ok(())
            }
            place => deserializer.deserialize_any(place),
        }
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Place::Chunk(..) => "a chunk",
            Place::Choices(..) => "a list of choices",
            Place::Choice(_) => "a choice",
            Place::Index(_) => "a whole number of zero or more",
            Place::Delta(_) => "a delta",
            Place::Role(_) | Place::FinishReason(_) => "a string",
            Place::Content(_) => "a string or a list of content parts",
            Place::ToolCalls(_) => "a list of tool calls",
            Place::Usage(_) => "token counts",
            _ => "anything",
        })
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        match self {
            Place::Chunk(..) | Place::Choice(_) => self.unexpected(Unexpected::Unit),
            _ => Ok(()),
        }
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.unexpected(Unexpected::Bool(value))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        match self {
            Place::Seconds(seconds) => *seconds = Some(number),
            Place::Index(index) => *index = u32::try_from(number).unwrap_or(u32::MAX),
            place => place.unexpected(Unexpected::Unsigned(number))?,
        }
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        self.odd_number(number.into_deserializer())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<(), E> {
        self.odd_number(number.into_deserializer())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        match self {
            Place::Shared(shared, last) => {
                if last.as_deref() != Some(text) {
                    *last = Some(Arc::from(text));
                }
                shared.clone_from(last);
            }
            Place::Content(content) => *content = Some(text.to_owned()),
            Place::Reasoning(reasoning) if !text.is_empty() => *reasoning = Some(text.to_owned()),
            Place::OtherReasoning(reasoning) if reasoning.is_none() => *reasoning = Some(text.to_owned()),
            // Some servers send an empty one with every chunk.
            Place::Role(role) => *role = (!text.is_empty()).then(|| Role::from(text)),
            Place::FinishReason(reason) => *reason = (!text.is_empty()).then(|| FinishReason::from(text)),
            Place::Error(is_error) => *is_error = !text.is_empty(),
            place => place.unexpected(Unexpected::Str(text))?,
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        match self {
            Place::Choices(choices, is_there) => {
                *is_there = true;
                while seq.next_element_seed(Place::NextChoice(choices))?.is_some() {}
            }
            Place::Content(content) => {
                let parts = Vec::<ContentPart>::deserialize(SeqAccessDeserializer::new(seq))?;
                *content = Some(Content::Parts(parts).text().into_owned());
            }
            Place::ToolCalls(calls) => *calls = Deserialize::deserialize(SeqAccessDeserializer::new(seq))?,
            place => {
                place.unexpected(Unexpected::Seq)?;
                while seq.next_element::<IgnoredAny>()?.is_some() {}
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        match self {
            Place::Chunk(..) | Place::Choice(_) | Place::Delta(_) => self.read_fields(map)?,
            Place::Usage(usage) => {
                *usage = Some(Usage::deserialize(MapAccessDeserializer::new(map))?);
            }
            place => {
                place.unexpected(Unexpected::Map)?;
                if let Place::Error(is_error) = place {
                    *is_error = true;
                }
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            }
        }
        Ok(())
    }
}

//! The content of a message: text, or a list of parts.

use crate::open_enum::open_enum;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt;

/// The content of a message. Text only is sent as a plain string.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// Plain text. Documented.
    Text(String),
    /// Text, images, and audio. That such input exists is documented; the shape is assumed.
    Parts(Vec<ContentPart>),
}

impl Content {
    /// The text: the string itself, or all text parts joined without a separator.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Content::Text(text) => Cow::Borrowed(text),
            Content::Parts(parts) => {
                let mut texts = parts.iter().filter_map(ContentPart::as_text);
                match (texts.next(), texts.next()) {
                    (None, _) => Cow::Borrowed(""),
                    (Some(only), None) => Cow::Borrowed(only),
                    (Some(first), Some(second)) => {
                        Cow::Owned([first, second].into_iter().chain(texts).collect())
                    }
                }
            }
        }
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Content::Text(text.to_owned())
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Content::Text(text)
    }
}

impl From<Vec<ContentPart>> for Content {
    fn from(parts: Vec<ContentPart>) -> Self {
        Content::Parts(parts)
    }
}

impl<const N: usize> From<[ContentPart; N]> for Content {
    fn from(parts: [ContentPart; N]) -> Self {
        Content::Parts(parts.into())
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Content::Text(text) => serializer.serialize_str(text),
            Content::Parts(parts) => parts.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrParts;
        impl<'de> Visitor<'de> for TextOrParts {
            type Value = Content;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of content parts")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Content, E> {
                Ok(Content::Text(text.to_owned()))
            }
            fn visit_string<E: de::Error>(self, text: String) -> Result<Content, E> {
                Ok(Content::Text(text))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Content, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = seq.next_element()? {
                    parts.push(part);
                }
                Ok(Content::Parts(parts))
            }
        }
        deserializer.deserialize_any(TextOrParts)
    }
}

open_enum! {
    /// The encoding of an audio part. Assumed.
    AudioFormat {
        /// `wav`
        Wav = "wav",
        /// `mp3`
        Mp3 = "mp3",
    }
}

/// One part of a multimodal message. The shapes are assumed to be OpenAI's.
///
/// A part with keys or a type that this version does not know becomes [`Other`](ContentPart::Other) as a
/// whole, so nothing is lost on a round trip.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ContentPart {
    /// `{"type":"text","text":…}`
    Text(String),
    /// `{"type":"image_url","image_url":{"url":…,"detail":…}}`
    ImageUrl {
        /// An `https` address or a `data:` URI.
        url: String,
        /// How closely the model looks, such as `low` or `high`. Optional.
        detail: Option<String>,
    },
    /// `{"type":"input_audio","input_audio":{"data":…,"format":…}}`
    InputAudio {
        /// The audio file in base64.
        data: String,
        /// Its encoding.
        format: AudioFormat,
    },
    /// Any other part, as raw JSON.
    Other(Value),
}

impl ContentPart {
    /// A text part.
    pub fn text(text: impl Into<String>) -> Self {
        ContentPart::Text(text.into())
    }

    /// An image by `https` address or `data:` URI.
    pub fn image_url(url: impl Into<String>) -> Self {
        ContentPart::ImageUrl { url: url.into(), detail: None }
    }

    /// Audio as base64 text.
    pub fn input_audio(base64: impl Into<String>, format: AudioFormat) -> Self {
        ContentPart::InputAudio { data: base64.into(), format }
    }

    /// The text of a text part.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            ContentPart::Text(text) => Some(text),
            ContentPart::Other(part) if part.get("type")? == "text" => part.get("text")?.as_str(),
            _ => None,
        }
    }

    fn to_value(&self) -> Value {
        match self {
            ContentPart::Text(text) => json!({"type": "text", "text": text}),
            ContentPart::ImageUrl { url, detail: None } => {
                json!({"type": "image_url", "image_url": {"url": url}})
            }
            ContentPart::ImageUrl { url, detail: Some(detail) } => {
                json!({"type": "image_url", "image_url": {"url": url, "detail": detail}})
            }
            ContentPart::InputAudio { data, format } => {
                json!({"type": "input_audio", "input_audio": {"data": data, "format": format}})
            }
            ContentPart::Other(part) => part.clone(),
        }
    }

    /// The typed part, when it says all that `value` says.
    fn typed(value: &Value) -> Option<Self> {
        if let Value::String(text) = value {
            return Some(ContentPart::text(text));
        }
        let text = |key: &str| value.pointer(key).and_then(Value::as_str);
        let part = match text("/type")? {
            "text" => ContentPart::text(text("/text")?),
            "image_url" => ContentPart::ImageUrl {
                url: text("/image_url/url")?.to_owned(),
                detail: text("/image_url/detail").map(str::to_owned),
            },
            "input_audio" => {
                ContentPart::input_audio(text("/input_audio/data")?, text("/input_audio/format")?.into())
            }
            _ => return None,
        };
        (part.to_value() == *value).then_some(part)
    }
}

impl Serialize for ContentPart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ContentPart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self::typed(&value).unwrap_or(ContentPart::Other(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(value: Value) -> ContentPart {
        let part: ContentPart = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(&part).unwrap(), value);
        part
    }

    #[test]
    fn known_parts_are_typed() {
        assert_eq!(round_trip(json!({"type": "text", "text": "a"})), ContentPart::text("a"));
        assert_eq!(
            round_trip(json!({"type": "image_url", "image_url": {"url": "https://x/y.png"}})),
            ContentPart::image_url("https://x/y.png")
        );
        assert!(matches!(
            round_trip(json!({"type": "image_url", "image_url": {"url": "u", "detail": "low"}})),
            ContentPart::ImageUrl { detail: Some(_), .. }
        ));
        assert!(matches!(
            round_trip(json!({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "flac"}})),
            ContentPart::InputAudio { format: AudioFormat::Other(_), .. }
        ));
    }

    #[test]
    fn what_is_not_fully_known_stays_raw() {
        for value in [
            json!({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}),
            json!({"type": "video", "url": "u"}),
            json!({"type": "text"}),
            json!(1),
        ] {
            assert!(matches!(round_trip(value), ContentPart::Other(_)));
        }
        let cached = round_trip(json!({"type": "text", "text": "a", "x": 1}));
        assert_eq!(cached.as_text(), Some("a"));
    }

    #[test]
    fn text_is_joined() {
        let content: Content =
            serde_json::from_value(json!(["a", {"type": "text", "text": "b"}, 1])).unwrap();
        assert_eq!(content.text(), "ab");
        assert_eq!(Content::from("plain").text(), "plain");
        assert_eq!(Content::Parts(vec![]).text(), "");
    }
}

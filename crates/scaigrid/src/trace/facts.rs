//! What spans tell of requests, read from their JSON.

use super::content;
use scaigrid_types::Message;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Of a request.
#[derive(Default)]
pub(super) struct RequestFacts {
    pub(super) max_tokens: Option<u64>,
    pub(super) temperature: Option<f64>,
    pub(super) top_p: Option<f64>,
    pub(super) top_k: Option<f64>,
    pub(super) seed: Option<i64>,
    pub(super) frequency_penalty: Option<f64>,
    pub(super) presence_penalty: Option<f64>,
    pub(super) choices: Option<u64>,
    pub(super) dimensions: Option<u64>,
    pub(super) output_type: Option<&'static str>,
    /// JSON, only when content is recorded.
    pub(super) messages: Option<String>,
}

/// Parameters that callers add by themselves may be anything: what is not as expected is passed over.
#[derive(Deserialize)]
struct Body<M> {
    max_tokens: Option<u64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    #[serde(default, deserialize_with = "maybe")]
    top_k: Option<f64>,
    seed: Option<i64>,
    #[serde(default, deserialize_with = "maybe")]
    frequency_penalty: Option<f64>,
    #[serde(default, deserialize_with = "maybe")]
    presence_penalty: Option<f64>,
    #[serde(default, deserialize_with = "maybe")]
    n: Option<u64>,
    #[serde(default, deserialize_with = "maybe")]
    dimensions: Option<u64>,
    #[serde(default, deserialize_with = "maybe")]
    response_format: Option<Format>,
    messages: Option<M>,
}

#[derive(Deserialize)]
struct Format {
    r#type: String,
}

fn maybe<'de, T: DeserializeOwned, D: Deserializer<'de>>(input: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(input)?).ok())
}

impl RequestFacts {
    /// Without content, the messages are passed over and not kept.
    pub(super) fn read(body: &[u8], with_content: bool) -> Self {
        if !with_content {
            return serde_json::from_slice::<Body<IgnoredAny>>(body).map(Self::from_body).unwrap_or_default();
        }
        let Ok(mut body) = serde_json::from_slice::<Body<Vec<Message>>>(body) else {
            return Self::read(body, false);
        };
        let messages = body.messages.take().map(|messages| content::of_request(&messages));
        Self { messages, ..Self::from_body(body) }
    }

    fn from_body<M>(body: Body<M>) -> Self {
        let format = body.response_format.as_ref().map(|format| format.r#type.as_str());
        Self {
            max_tokens: body.max_tokens,
            temperature: body.temperature,
            top_p: body.top_p,
            top_k: body.top_k,
            seed: body.seed,
            frequency_penalty: body.frequency_penalty,
            presence_penalty: body.presence_penalty,
            choices: body.n,
            dimensions: body.dimensions,
            output_type: match format {
                Some("json_object" | "json_schema") => Some("json"),
                Some("text") => Some("text"),
                _ => None,
            },
            messages: None,
        }
    }
}

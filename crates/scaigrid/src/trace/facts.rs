//! What spans and metrics tell of requests and replies, read from their JSON.

use super::content;
use scaigrid_types::{ChatCompletion, Message, Usage};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Of a request.
#[derive(Default)]
pub(crate) struct RequestFacts {
    pub(crate) model: Option<String>,
    pub(crate) max_tokens: Option<u64>,
    pub(crate) temperature: Option<f64>,
    pub(crate) top_p: Option<f64>,
    pub(crate) seed: Option<i64>,
    /// JSON, only when content is recorded.
    pub(crate) instructions: Option<String>,
    pub(crate) messages: Option<String>,
}

#[derive(Deserialize)]
struct Body<M> {
    model: Option<String>,
    max_tokens: Option<u64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    seed: Option<i64>,
    messages: Option<M>,
}

impl RequestFacts {
    /// Without content, the messages are passed over and not kept.
    pub(crate) fn read(body: &[u8], with_content: bool) -> Self {
        if !with_content {
            return serde_json::from_slice::<Body<IgnoredAny>>(body).map(Self::from_body).unwrap_or_default();
        }
        let Ok(mut body) = serde_json::from_slice::<Body<Vec<Message>>>(body) else {
            return Self::read(body, false);
        };
        let content = body.messages.take().map(|messages| content::of_request(&messages));
        let (instructions, messages) = content.unwrap_or_default();
        Self { instructions, messages, ..Self::from_body(body) }
    }

    fn from_body<M>(body: Body<M>) -> Self {
        let Body { model, max_tokens, temperature, top_p, seed, messages: _ } = body;
        Self { model, max_tokens, temperature, top_p, seed, ..Self::default() }
    }
}

/// Of a reply, or of what has come of one.
#[derive(Default)]
pub(crate) struct ReplyFacts {
    pub(crate) id: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) finish_reasons: Vec<String>,
    pub(crate) usage: Option<Usage>,
    /// JSON, only when content is recorded.
    pub(crate) messages: Option<String>,
}

impl ReplyFacts {
    /// From the whole body of an answer, with or without an envelope. Other shapes than expected give less.
    pub(crate) fn read(body: &[u8], with_content: bool) -> Self {
        #[derive(Deserialize)]
        struct Envelope<D> {
            data: Option<D>,
        }
        if with_content {
            if let Ok(Envelope { data: Some(reply) }) =
                serde_json::from_slice::<Envelope<ChatCompletion>>(body)
            {
                return Self::of_completion(&reply, true);
            }
        }
        #[derive(Default, Deserialize)]
        struct Data {
            id: Option<Value>,
            model: Option<Value>,
            finish_reason: Option<Value>,
            choices: Option<Vec<Choice>>,
            usage: Option<Usage>,
        }
        #[derive(Deserialize)]
        struct Choice {
            finish_reason: Option<Value>,
        }
        let data = match serde_json::from_slice::<Envelope<Data>>(body) {
            Ok(Envelope { data: Some(data) }) => data,
            _ => serde_json::from_slice::<Data>(body).unwrap_or_default(),
        };
        let text = |value: Option<Value>| match value {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let reasons = data.choices.into_iter().flatten().map(|choice| choice.finish_reason);
        Self {
            id: text(data.id),
            model: text(data.model),
            finish_reasons: reasons.chain([data.finish_reason]).filter_map(text).collect(),
            usage: data.usage,
            messages: None,
        }
    }

    pub(crate) fn of_completion(reply: &ChatCompletion, with_content: bool) -> Self {
        let reasons = reply.choices.iter().filter_map(|choice| choice.finish_reason.as_ref());
        Self {
            id: reply.id.clone(),
            model: reply.model.clone(),
            finish_reasons: reasons.map(|reason| reason.as_str().to_owned()).collect(),
            usage: reply.usage,
            messages: with_content.then(|| content::of_reply(reply)),
        }
    }
}

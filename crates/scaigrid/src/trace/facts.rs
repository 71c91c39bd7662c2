//! What spans and metrics tell of requests and replies, read from their JSON.

use super::content;
use scaigrid_types::{ChatCompletion, Message, ReplyFacts, Usage};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Of a request.
#[derive(Default)]
pub(crate) struct RequestFacts {
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
        let Body { max_tokens, temperature, top_p, seed, messages: _ } = body;
        Self { max_tokens, temperature, top_p, seed, ..Self::default() }
    }
}

/// Of a reply, or of what has come of one.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) id: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) finish_reasons: Vec<String>,
    pub(crate) usage: Option<Usage>,
    /// JSON, only when content is recorded.
    pub(crate) messages: Option<String>,
}

impl Told {
    pub(crate) fn new(facts: &ReplyFacts<'_>) -> Self {
        Self {
            id: facts.id.map(str::to_owned),
            model: facts.model.map(str::to_owned),
            finish_reasons: facts.finish_reasons.iter().map(|&reason| reason.to_owned()).collect(),
            usage: facts.usage,
            messages: None,
        }
    }

    /// With the text of a chat, from the body of the answer. Other shapes than expected give none.
    pub(crate) fn with_content_of(mut self, body: &[u8], is_wanted: bool) -> Self {
        #[derive(Deserialize)]
        struct Envelope {
            data: ChatCompletion,
        }
        if is_wanted {
            let reply = serde_json::from_slice::<Envelope>(body).ok();
            self.messages = reply.map(|reply| content::of_reply(&reply.data));
        }
        self
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

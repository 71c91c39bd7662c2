//! What observers of calls want to know of a reply, whatever its type.

use crate::{ChatCompletion, Embeddings, FinishReason, GeneratedImages, Generation, SessionReply, Usage};
use serde::Deserialize as _;
use serde_json::{Map, Value};

/// What a reply tells of itself, for token counts, traces, and metrics: from
/// [`Endpoint::facts`](crate::Endpoint::facts). Holds nothing of what was said.
///
/// ```
/// use scaigrid_types::{ChatCompletion, ReplyFacts, Usage};
///
/// let reply: ChatCompletion = serde_json::from_str(r#"{"id": "c", "usage": {"prompt_tokens": 1}}"#).unwrap();
/// let facts = ReplyFacts::from(&reply);
/// assert_eq!((facts.id, facts.model), (Some("c"), None));
/// assert_eq!(facts.usage.map(|usage| usage.prompt()), Some(1));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ReplyFacts<'a> {
    /// Names the reply.
    pub id: Option<&'a str>,
    /// The model that answered, as the gateway names it.
    pub model: Option<&'a str>,
    /// Token counts.
    pub usage: Option<Usage>,
    /// Why each choice ended, in their order. Choices that do not say are left out.
    pub finish_reasons: Vec<&'a str>,
}

impl<'a> ReplyFacts<'a> {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// What fields of the usual names say, in an object without a type.
    pub(crate) fn from_fields(fields: &'a Map<String, Value>) -> Self {
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let usage = fields.get("usage").filter(|usage| usage.is_object());
        let usage = usage.and_then(|usage| Usage::deserialize(usage).ok());
        Self::new()
            .id(text("id"))
            .model(text("model"))
            .usage(usage.filter(|usage| *usage != Usage::default()))
    }

    /// Sets the id.
    pub fn id(mut self, id: Option<&'a str>) -> Self {
        self.id = id;
        self
    }

    /// Sets the model.
    pub fn model(mut self, model: Option<&'a str>) -> Self {
        self.model = model;
        self
    }

    /// Sets the token counts.
    pub fn usage(mut self, usage: Option<Usage>) -> Self {
        self.usage = usage;
        self
    }

    /// Sets why the choices ended.
    pub fn finish_reasons(mut self, reasons: impl IntoIterator<Item = &'a str>) -> Self {
        self.finish_reasons = reasons.into_iter().collect();
        self
    }
}

impl<'a> From<&'a ChatCompletion> for ReplyFacts<'a> {
    fn from(reply: &'a ChatCompletion) -> Self {
        let reasons = reply.choices.iter().filter_map(|choice| choice.finish_reason.as_ref());
        Self::new()
            .id(reply.id.as_deref())
            .model(reply.model.as_deref())
            .usage(reply.usage)
            .finish_reasons(reasons.map(FinishReason::as_str))
    }
}

impl<'a> From<&'a Generation> for ReplyFacts<'a> {
    fn from(reply: &'a Generation) -> Self {
        let reasons = reply.choices.iter().filter_map(|choice| choice.finish_reason.as_ref());
        Self::new()
            .id(reply.id.as_deref())
            .model(reply.model.as_deref())
            .usage(reply.usage)
            .finish_reasons(reasons.map(FinishReason::as_str))
    }
}

impl<'a> From<&'a Embeddings> for ReplyFacts<'a> {
    fn from(reply: &'a Embeddings) -> Self {
        Self::new().model(reply.model.as_deref()).usage(reply.usage)
    }
}

impl<'a> From<&'a GeneratedImages> for ReplyFacts<'a> {
    fn from(reply: &'a GeneratedImages) -> Self {
        Self::new().model(reply.model.as_deref()).usage(reply.usage)
    }
}

impl<'a> From<&'a SessionReply> for ReplyFacts<'a> {
    fn from(reply: &'a SessionReply) -> Self {
        match reply {
            SessionReply::Completion(completion) => completion.into(),
            SessionReply::Message(message) => Self::new().id(message.id.as_deref()).usage(message.usage),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ChatRequest, ChatStreamRequest, EmbedRequest, Endpoint, GenerateImagesRequest, GenerateRequest,
        ListModels, RawRequest, SendSessionMessage, StreamSessionMessage, SynthesizeRequest,
        TranscribeRequest, Upload,
    };

    fn told(endpoint: &impl Endpoint) -> (Option<&'static str>, Option<&str>) {
        (endpoint.operation(), endpoint.requested_model())
    }

    #[test]
    fn every_inference_call_says_what_it_is() {
        let chat = ChatRequest::new("m");
        let message = SendSessionMessage::new("s", "hi");
        assert_eq!(told(&chat), (Some("chat"), Some("m")));
        assert_eq!(told(&ChatStreamRequest(&chat)), (Some("chat"), Some("m")));
        assert_eq!(told(&message), (Some("chat"), None));
        assert_eq!(told(&StreamSessionMessage(&message)), (Some("chat"), None));
        assert_eq!(told(&EmbedRequest::new("m", "x")), (Some("embeddings"), Some("m")));
        assert_eq!(told(&GenerateRequest::new("m", "x")), (Some("text_completion"), Some("m")));
        assert_eq!(told(&GenerateImagesRequest::new("m", "x")), (Some("generate_content"), Some("m")));
        assert_eq!(told(&SynthesizeRequest::new("m", "x", "v")), (Some("generate_content"), Some("m")));
        let recording = TranscribeRequest::new("m", Upload::bytes("a.wav", b""));
        assert_eq!(told(&recording), (Some("transcription"), Some("m")));
        assert_eq!(told(&ListModels::new()), (None, None));
    }

    #[test]
    fn a_call_without_a_type_tells_its_usage_too() {
        let reply = serde_json::json!({"id": "c", "model": "m", "usage": {"prompt_tokens": 3, "completion_tokens": 4}});
        let facts = RawRequest::post("/x");
        let facts = facts.facts(&reply);
        assert_eq!(
            (facts.id, facts.model, facts.usage.map(|usage| usage.total())),
            (Some("c"), Some("m"), Some(7))
        );
        assert_eq!(RawRequest::get("/x").facts(&serde_json::json!([1])), ReplyFacts::new());
        assert_eq!(RawRequest::get("/x").facts(&serde_json::json!({"usage": "much"})), ReplyFacts::new());
    }

    #[test]
    fn a_completion_tells_why_its_choices_ended() {
        let reply: ChatCompletion =
            serde_json::from_str(r#"{"choices": [{"finish_reason": "stop"}, {}, {"finish_reason": "new"}]}"#)
                .unwrap();
        assert_eq!(ReplyFacts::from(&reply).finish_reasons, ["stop", "new"]);
    }
}

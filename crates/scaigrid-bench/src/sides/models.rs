//! The models of a careful client that is written by hand: owned, and borrowed from the bytes.
#![allow(dead_code, reason = "fields are decoded because a client would want them")]

use crate::side::{Answer, Ask, MAX_TOKENS, SYSTEM, TEMPERATURE};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A request.
#[derive(Serialize)]
pub struct Request<'a> {
    model: &'a str,
    messages: [Message<'a>; 2],
    temperature: f32,
    max_tokens: u32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

impl<'a> Request<'a> {
    /// What `ask` says.
    pub fn new(ask: &'a Ask, stream: bool) -> Self {
        let messages =
            [Message { role: "system", content: SYSTEM }, Message { role: "user", content: &ask.user }];
        Self { model: &ask.model, messages, temperature: TEMPERATURE, max_tokens: MAX_TOKENS, stream }
    }
}

#[derive(Deserialize)]
pub(super) struct Envelope<T> {
    status: String,
    pub(super) data: T,
    meta: Meta,
}

#[derive(Deserialize)]
struct Meta {
    request_id: String,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    audio_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
    audio_tokens: Option<u64>,
    accepted_prediction_tokens: Option<u64>,
    rejected_prediction_tokens: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Completion {
    id: String,
    object: String,
    created: u64,
    model: String,
    choices: Vec<Choice>,
    usage: Option<Usage>,
    system_fingerprint: Option<String>,
    service_tier: Option<String>,
}

#[derive(Deserialize)]
struct Choice {
    index: u32,
    message: Said,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    role: String,
    content: Option<String>,
    refusal: Option<String>,
}

impl Completion {
    pub(super) fn answer(&self) -> Answer {
        let text = self.choices[0].message.content.as_deref().unwrap();
        Answer::plain(text, self.usage.as_ref().unwrap().total_tokens)
    }
}

/// A chunk that owns its texts, with the fields that the public type has, and two more.
#[derive(Deserialize)]
pub struct OwnedChunk {
    id: String,
    object: String,
    created: u64,
    model: String,
    choices: Vec<OwnedChoice>,
    usage: Option<Usage>,
    system_fingerprint: Option<String>,
    service_tier: Option<String>,
}

#[derive(Deserialize)]
struct OwnedChoice {
    index: u32,
    delta: OwnedDelta,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct OwnedDelta {
    role: Option<String>,
    content: Option<String>,
}

/// As [`OwnedChunk`], borrowed where it can be: texts with escapes are not.
#[derive(Deserialize)]
struct BorrowedChunk<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    model: Text<'a>,
    created: u64,
    #[serde(borrow)]
    choices: Vec<BorrowedChoice<'a>>,
    usage: Option<Usage>,
    #[serde(borrow)]
    system_fingerprint: Option<Text<'a>>,
    #[serde(borrow)]
    service_tier: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct BorrowedChoice<'a> {
    index: u32,
    #[serde(borrow)]
    delta: BorrowedDelta<'a>,
    #[serde(borrow)]
    finish_reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct BorrowedDelta<'a> {
    #[serde(borrow)]
    role: Option<Text<'a>>,
    #[serde(borrow)]
    content: Option<Text<'a>>,
}

/// Borrows also inside of an `Option`.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Counts the chunks of a stream.
#[derive(Default)]
pub(super) struct Counted {
    answer: Answer,
    done: bool,
}

impl Counted {
    pub(super) fn owned(&mut self, data: &[u8]) {
        if data == b"[DONE]" {
            self.done = true;
            return;
        }
        let chunk: OwnedChunk = serde_json::from_slice(data).unwrap();
        let choice = chunk.choices.first();
        self.add(choice.and_then(|choice| choice.delta.content.as_deref()), chunk.usage.as_ref());
    }

    pub(super) fn borrowed(&mut self, data: &[u8]) {
        if data == b"[DONE]" {
            self.done = true;
            return;
        }
        let chunk: BorrowedChunk<'_> = serde_json::from_slice(data).unwrap();
        let choice = chunk.choices.first();
        self.add(
            choice.and_then(|choice| choice.delta.content.as_ref()).map(|text| &*text.0),
            chunk.usage.as_ref(),
        );
    }

    fn add(&mut self, text: Option<&str>, usage: Option<&Usage>) {
        self.answer.add(text.unwrap_or_default());
        if let Some(usage) = usage {
            self.answer.tokens = usage.total_tokens;
        }
    }

    pub(super) fn answer(self) -> Answer {
        assert!(self.done, "a stream without its end");
        self.answer
    }
}

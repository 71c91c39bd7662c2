//! `POST /v1/inference/generate`: a text that goes on from a prompt.

use crate::call::Call;
use crate::chat::{Answer, answer as chat_answer};
use crate::clock;
use crate::fields::{Fields, into_text};
use crate::ids::{self};
use crate::inference::{self, Tariff};
use crate::reply::{Failure, Reply};
use axum::response::Response;
use bytes::Bytes;
use scaigrid_types::{ChatRequest, FinishReason, Modality, Usage};
use serde::Serialize;
use serde_json::Value;

/// The answer. All of it is assumed: the documentation shows no body.
#[derive(Serialize)]
struct Completion {
    id: String,
    object: &'static str,
    created: u64,
    model: String,
    choices: [Choice; 1],
    usage: Usage,
}

#[derive(Serialize)]
struct Choice {
    index: u32,
    text: String,
    finish_reason: FinishReason,
}

pub(crate) async fn generate(call: Call, tariff: Tariff, body: Bytes) -> Response {
    call.answer(complete(&call, tariff, &body))
}

fn complete(call: &Call, tariff: Tariff, body: &[u8]) -> Result<Reply<Completion>, Failure> {
    let request = read(Fields::read(body)?)?;
    // Assumed: the documented example names a chat model.
    let entry = inference::model(&call.gateway, &request.model, &Modality::Chat)?;
    call.account.check_budget()?;
    let Answer { message, finish_reason, usage } = chat_answer(&request, entry.model.max_output_tokens);
    let entry = tariff.priced(entry);
    call.account.book(&entry, &usage);
    Ok(Reply::new(Completion {
        id: ids::with_prefix("cmpl-"),
        object: "text_completion",
        created: clock::unix_seconds(),
        model: entry.model.slug,
        choices: [Choice { index: 0, text: message.text().into_owned(), finish_reason }],
        usage,
    }))
}

/// The chat that gets the same text: the prompt is what the user says.
fn read(mut fields: Fields) -> Result<ChatRequest, Failure> {
    let model = fields.required_text("model");
    let mut request = ChatRequest::new(model).user(fields.required_text("prompt"));
    if let Some(limit) = fields.whole("max_tokens", 1..=u64::MAX) {
        request = request.max_tokens(limit);
    }
    fields.number("temperature", 0.0..=2.0);
    // Unlike a chat's, it is documented as an array alone.
    let stops = fields.parsed("stop", texts, "must be a list of strings");
    if let Some(stops) = stops {
        request = request.stop(stops);
    }
    // Checked and without effect: the text is the same for every seed.
    fields.parsed("seed", |value| value.as_i64(), "must be a whole number");
    fields.finish()?;
    Ok(request)
}

fn texts(value: Value) -> Option<Vec<String>> {
    let Value::Array(list) = value else { return None };
    list.into_iter().map(into_text).collect()
}

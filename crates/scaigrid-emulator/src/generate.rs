//! `POST /v1/inference/generate`: a text that goes on from a prompt.

use crate::chat::{Answer, answer as chat_answer};
use crate::clock;
use crate::fields::{self, Fields};
use crate::gateway::{Account, Gateway};
use crate::ids::{self, RequestId};
use crate::inference::{self, Tariff};
use crate::reply::{Failure, Reply, seal};
use axum::extract::{Extension, State};
use axum::response::Response;
use bytes::Bytes;
use scaigrid_types::{ChatRequest, FinishReason, Modality, Usage};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

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

pub(crate) async fn generate(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    tariff: Tariff,
    body: Bytes,
) -> Response {
    seal(&id, complete(&gateway, &account, tariff, &body))
}

fn complete(
    gateway: &Gateway,
    account: &Account,
    tariff: Tariff,
    body: &[u8],
) -> Result<Reply<Completion>, Failure> {
    let body = fields::object(body)?;
    let request = read(Fields::new(&body))?;
    // Assumed: the documented example names a chat model.
    let entry = inference::model(gateway, &request.model, &Modality::Chat)?;
    account.check_budget()?;
    let Answer { message, finish_reason, usage } = chat_answer(&request, entry.model.max_output_tokens);
    let entry = tariff.priced(entry);
    account.book(&entry, &usage);
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
fn read(mut fields: Fields<'_>) -> Result<ChatRequest, Failure> {
    let model = fields.required_text("model");
    let mut request = ChatRequest::new(model).user(fields.required_text("prompt"));
    if let Some(limit) = fields.whole("max_tokens", 1..=u64::MAX) {
        request = request.max_tokens(limit);
    }
    fields.number("temperature", 0.0..=2.0);
    // Unlike a chat's, it is documented as an array alone.
    let stops = fields.parsed("stop", "must be a list of strings", texts);
    if let Some(stops) = stops {
        request = request.stop(stops);
    }
    // Checked and without effect: the text is the same for every seed.
    fields.parsed("seed", "must be a whole number", Value::as_i64);
    fields.finish()?;
    Ok(request)
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

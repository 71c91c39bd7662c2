//! `POST /v1/inference/chat`.

mod generate;
mod tools;
mod validate;

use crate::clock;
use crate::gateway::{Account, Gateway};
use crate::ids::{self, RequestId};
use crate::reply::{Failure, Reply, seal};
use axum::extract::{Extension, State};
use axum::response::Response;
use bytes::Bytes;
use scaigrid_types::{ChatCompletion, ChatRequest, Choice, ErrorCode, FieldError, Modality};
use serde_json::Value;
use std::sync::Arc;

pub(crate) async fn chat(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    body: Bytes,
) -> Response {
    seal(&id, complete(&gateway, &account, &body))
}

/// The life of a chat: decode, validate, find the model, check the budget, answer, book.
fn complete(gateway: &Gateway, account: &Account, body: &[u8]) -> Result<Reply<ChatCompletion>, Failure> {
    let request = decode(body)?;
    let entry = gateway
        .model(&request.model)
        .ok_or_else(|| Failure::new(ErrorCode::ModelNotFound, "No model has this slug."))?;
    if entry.model.modality != Some(Modality::Chat) {
        return Err(Failure::invalid(&[FieldError::new("model", "is not a chat model")]));
    }
    if account.is_over_budget() {
        // No hint: only an administrator, or the next period, can help.
        return Err(Failure::new(ErrorCode::BudgetExceeded, "The budget is used up."));
    }

    let answer = generate::answer(&request, entry.model.max_output_tokens);
    account.book(entry, &answer.usage);
    let mut choice = Choice::default();
    choice.message = answer.message;
    choice.finish_reason = Some(answer.finish_reason);
    let mut completion = ChatCompletion::default();
    completion.id = Some(ids::with_prefix("chatcmpl-"));
    completion.object = Some("chat.completion".to_owned());
    completion.created = Some(clock::unix_seconds());
    completion.model = Some(request.model);
    completion.choices = vec![choice];
    completion.usage = Some(answer.usage);
    Ok(Reply::new(completion))
}

fn decode(body: &[u8]) -> Result<ChatRequest, Failure> {
    let body_problem = |message: String| Failure::invalid(&[FieldError::new("body", message)]);
    let body: Value =
        serde_json::from_slice(body).map_err(|error| body_problem(format!("is not JSON: {error}")))?;
    let problems = validate::problems(&body);
    if !problems.is_empty() {
        return Err(Failure::invalid(&problems));
    }
    serde_json::from_value(body).map_err(|error| body_problem(error.to_string()))
}

//! `POST /v1/inference/chat`.

mod chunks;
mod generate;
mod script;
mod stream;
mod tools;
mod validate;

use crate::catalog::Entry;
use crate::clock;
use crate::gateway::{Account, Gateway};
use crate::ids::{self, RequestId};
use crate::reply::{Failure, Reply, seal};
use crate::stream_fault::{StreamFault, StreamFaultKind};
use crate::wire::ConnectionHandle;
use axum::extract::{ConnectInfo, Extension, State};
use axum::response::Response;
use bytes::Bytes;
use generate::Answer;
use scaigrid_types::{ChatCompletion, ChatRequest, Choice, ErrorCode, FieldError, Modality};
use serde_json::Value;
use std::sync::Arc;

/// The life of a chat: decode, validate, find the model, check the budget, answer, book.
pub(crate) async fn chat(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    ConnectInfo(ConnectionHandle(connection)): ConnectInfo<ConnectionHandle>,
    fault: Option<Extension<StreamFault>>,
    body: Bytes,
) -> Response {
    let chat = match accept(&gateway, &account, &body) {
        Ok(chat) => chat,
        Err(failure) => return failure.into_response(&id),
    };
    let fault = gateway.variants.on_stream(fault.map(|Extension(fault)| fault));
    if chat.streamed && !matches!(fault.kind, StreamFaultKind::Json) {
        return stream::respond(&id, chat, account, connection, gateway.streams, fault);
    }
    account.book(&chat.entry, &chat.answer.usage);
    seal(&id, Ok(Reply::new(completion(chat))))
}

/// A chat that is answered.
struct Chat {
    entry: Entry,
    answer: Answer,
    streamed: bool,
}

fn accept(gateway: &Gateway, account: &Account, body: &[u8]) -> Result<Chat, Failure> {
    let request = decode(body)?;
    let entry = gateway
        .model(&request.model)
        .ok_or_else(|| Failure::new(ErrorCode::ModelNotFound, "No model has this slug."))?;
    if entry.model.modality != Some(Modality::Chat) {
        return Err(Failure::invalid(&[FieldError::new("model", "is not a chat model")]));
    }
    account.check_budget()?;
    let answer = generate::answer(&request, entry.model.max_output_tokens);
    Ok(Chat { entry: entry.clone(), answer, streamed: request.stream == Some(true) })
}

fn completion(chat: Chat) -> ChatCompletion {
    let mut choice = Choice::default();
    choice.message = chat.answer.message;
    choice.finish_reason = Some(chat.answer.finish_reason);
    let mut completion = ChatCompletion::default();
    completion.id = Some(completion_id());
    completion.object = Some("chat.completion".to_owned());
    completion.created = Some(clock::unix_seconds());
    completion.model = Some(chat.entry.model.slug);
    completion.choices = vec![choice];
    completion.usage = Some(chat.answer.usage);
    completion
}

fn completion_id() -> String {
    ids::with_prefix("chatcmpl-")
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

//! `POST /v1/inference/chat`.

mod chunks;
mod generate;
mod receipt;
mod script;
pub(crate) mod stream;
mod tools;
mod validate;

use crate::catalog::Entry;
use crate::clock;
use crate::gateway::{Account, Gateway};
use crate::ids::{self, RequestId};
use crate::inference::Tariff;
use crate::reply::{Failure, Reply, seal};
use crate::stream_fault::{StreamFault, StreamFaultKind};
use crate::wire::ConnectionHandle;
use axum::extract::{ConnectInfo, Extension, State};
use axum::response::Response;
use bytes::Bytes;
use scaigrid_types::{ChatCompletion, ChatRequest, Choice, ErrorCode, FieldError, Modality};
use serde_json::Value;
use std::sync::Arc;

pub(crate) use generate::{Answer, answer};
pub(crate) use receipt::Receipt;
pub(crate) use script::{Step, Steps, cut};
pub(crate) use stream::{Bill, StreamBody};

/// The life of a chat: decode, validate, find the model, check the budget, answer, book.
pub(crate) async fn chat(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    ConnectInfo(ConnectionHandle(connection)): ConnectInfo<ConnectionHandle>,
    fault: Option<Extension<StreamFault>>,
    tariff: Tariff,
    body: Bytes,
) -> Response {
    let mut chat = match decode(&body).and_then(|request| accept(&gateway, &account, &request)) {
        Ok(chat) => chat,
        Err(failure) => return failure.into_response(&id),
    };
    chat.receipt.entry = tariff.priced(chat.receipt.entry);
    let fault = gateway.variants.on_stream(fault.map(|Extension(fault)| fault));
    if chat.is_stream(&fault) {
        return stream::respond(&id, chat, connection, gateway.settings.streams, fault);
    }
    let (answer, entry) = chat.settle();
    seal(&id, Ok(Reply::new(completion(answer, entry.model.slug))))
}

/// A chat that is answered, but neither sent nor booked.
pub(crate) struct Chat {
    pub(crate) answer: Answer,
    pub(crate) receipt: Receipt,
    streamed: bool,
}

impl Chat {
    /// Whether the answer goes out as a stream.
    pub(crate) fn is_stream(&self, fault: &StreamFault) -> bool {
        self.streamed && !matches!(fault.kind, StreamFaultKind::Json)
    }

    /// Books all of it.
    pub(crate) fn settle(self) -> (Answer, Entry) {
        let entry = self.receipt.entry.clone();
        self.receipt.settle(&self.answer.usage);
        (self.answer, entry)
    }
}

/// The model, which must be one for chats.
pub(crate) fn chat_model<'a>(gateway: &'a Gateway, slug: &str) -> Result<&'a Entry, Failure> {
    let entry = gateway
        .model(slug)
        .ok_or_else(|| Failure::new(ErrorCode::ModelNotFound, "No model has this slug."))?;
    if entry.model.modality != Some(Modality::Chat) {
        return Err(Failure::invalid(&[FieldError::new("model", "is not a chat model")]));
    }
    Ok(entry)
}

/// Answers a valid request, if model and budget allow it.
pub(crate) fn accept(
    gateway: &Gateway,
    account: &Arc<Account>,
    request: &ChatRequest,
) -> Result<Chat, Failure> {
    let entry = chat_model(gateway, &request.model)?;
    account.check_budget()?;
    let receipt = Receipt::new(account, entry);
    let answer = generate::answer(request, entry.model.max_output_tokens);
    Ok(Chat { answer, receipt, streamed: request.stream == Some(true) })
}

/// The whole answer in the form of a chat completion.
pub(crate) fn completion(answer: Answer, model: String) -> ChatCompletion {
    let mut choice = Choice::default();
    choice.message = answer.message;
    choice.finish_reason = Some(answer.finish_reason);
    let mut completion = ChatCompletion::default();
    completion.id = Some(completion_id());
    completion.object = Some("chat.completion".to_owned());
    completion.created = Some(clock::unix_seconds());
    completion.model = Some(model);
    completion.choices = vec![choice];
    completion.usage = Some(answer.usage);
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

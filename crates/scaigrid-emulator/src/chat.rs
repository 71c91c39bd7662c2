//! `POST /v1/inference/chat`.

mod chunks;
mod generate;
mod receipt;
mod script;
pub(crate) mod stream;
mod tools;
mod validate;

use crate::call::Call;
use crate::catalog::Entry;
use crate::clock;
use crate::ids::{self};
use crate::inference::{self, Tariff};
use crate::reply::{Failure, Reply};
use crate::stream_fault::{StreamFault, StreamFaultKind};
use crate::wire::ConnectionHandle;
use axum::extract::{ConnectInfo, Extension};
use axum::response::Response;
use bytes::Bytes;
use scaigrid_types::{ChatCompletion, ChatRequest, Choice, FieldError, Modality};
use serde_json::Value;

pub(crate) use generate::{Answer, answer};
pub(crate) use receipt::Receipt;
pub(crate) use script::{Step, Steps, cut};
pub(crate) use stream::{Bill, StreamBody};

/// The life of a chat: decode, validate, find the model, check the budget, answer, book.
pub(crate) async fn chat(
    call: Call,
    ConnectInfo(ConnectionHandle(connection)): ConnectInfo<ConnectionHandle>,
    fault: Option<Extension<StreamFault>>,
    tariff: Tariff,
    body: Bytes,
) -> Response {
    let mut chat = match decode(&body).and_then(|request| accept(&call, &request)) {
        Ok(chat) => chat,
        Err(failure) => return call.failed(failure),
    };
    chat.receipt.entry = tariff.priced(chat.receipt.entry);
    let fault = call.gateway.variants.on_stream(fault.map(|Extension(fault)| fault));
    if chat.is_stream(&fault) {
        return stream::respond(&call.id, chat, connection, call.gateway.settings.streams, fault);
    }
    let (answer, entry) = chat.settle();
    call.answer(Ok(Reply::new(completion(answer, entry.model.slug))))
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

/// Answers a valid request, if model and budget allow it.
pub(crate) fn accept(call: &Call, request: &ChatRequest) -> Result<Chat, Failure> {
    let entry = inference::model(&call.gateway, &request.model, &Modality::Chat)?;
    call.account.check_budget()?;
    let answer = generate::answer(request, entry.model.max_output_tokens);
    let receipt = Receipt::new(&call.account, entry);
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

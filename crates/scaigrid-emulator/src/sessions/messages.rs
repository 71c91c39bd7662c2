//! `POST /v1/sessions/{id}/messages`: a question, and its answer from the chat generator.

use super::store::Message;
use crate::call::Call;
use crate::chat::{self, Chat};
use crate::fields::Fields;
use crate::gateway::Gateway;
use crate::path::Param;
use crate::reply::{Failure, Reply};
use crate::stream_fault::StreamFault;
use crate::sync::lock;
use crate::text;
use crate::variant::WireVariant;
use crate::wire::ConnectionHandle;
use axum::extract::{ConnectInfo, Extension};
use axum::response::Response;
use bytes::Bytes;
use scaigrid_types::Usage;
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) async fn ask(
    call: Call,
    ConnectInfo(ConnectionHandle(connection)): ConnectInfo<ConnectionHandle>,
    fault: Option<Extension<StreamFault>>,
    Param(session): Param<String>,
    body: Bytes,
) -> Response {
    let mut chat = match accept(&call, &session, &body) {
        Ok(chat) => chat,
        Err(failure) => return call.failed(failure),
    };
    let fault = call.gateway.variants.on_stream(fault.map(|Extension(fault)| fault));
    let user_id = call.account.user_id.clone();
    if !chat.is_stream(&fault) {
        return call.answer(Ok(Reply::new(answer(&call.gateway, &session, &user_id, chat))));
    }
    let text = chat.answer.message.text().into_owned();
    let store = Arc::clone(&call.gateway);
    chat.receipt.then(move |usage| keep_sent(&store, &session, &user_id, &text, usage));
    chat::stream::respond(&call.id, chat, connection, call.gateway.settings.streams, fault)
}

/// The answered chat. The question is stored, because nothing can refuse it any more.
fn accept(call: &Call, session: &str, body: &[u8]) -> Result<Chat, Failure> {
    // Before the body, as a wrong id makes every body wrong.
    lock(&call.gateway.sessions).find(session, &call.account.user_id)?;
    let mut fields = Fields::read(body)?;
    let content = fields.required_text("content");
    let stream = fields.flag("stream");
    let max_tokens = fields.whole("max_tokens", 1..=u64::MAX);
    fields.finish()?;

    let mut request = lock(&call.gateway.sessions).request(session, &call.account.user_id, &content)?;
    request.stream = stream;
    request.max_tokens = max_tokens;
    let chat = chat::accept(call, &request)?;
    lock(&call.gateway.sessions).push(session, &call.account.user_id, Message::question(content));
    Ok(chat)
}

/// Books, stores, and shows a whole answer.
fn answer(gateway: &Gateway, session: &str, user_id: &str, chat: Chat) -> Value {
    let (answer, entry) = chat.settle();
    let message = Message::answer(answer.message.text().into_owned(), answer.usage);
    let reply = match gateway.variants.has(WireVariant::SessionReplyCompletion) {
        true => json!(chat::completion(answer, entry.model.slug)),
        false => json!(message),
    };
    lock(&gateway.sessions).push(session, user_id, message);
    reply
}

/// Stores what a stream has sent. The tokens that were booked say how much that is.
fn keep_sent(gateway: &Gateway, session: &str, user_id: &str, text: &str, usage: &Usage) {
    let sent = text::first_tokens(text, usage.completion());
    if !sent.is_empty() {
        lock(&gateway.sessions).push(session, user_id, Message::answer(sent.to_owned(), *usage));
    }
}

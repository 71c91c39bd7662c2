//! `POST /v1/sessions/{id}/messages`: a question, and its answer from the chat generator.

use super::store::Message;
use super::{Id, id_of};
use crate::chat::{self, Chat};
use crate::gateway::{Account, Gateway};
use crate::ids::RequestId;
use crate::json_body::Fields;
use crate::reply::{Failure, Reply, seal};
use crate::stream_fault::StreamFault;
use crate::sync::lock;
use crate::text;
use crate::variant::WireVariant;
use crate::wire::ConnectionHandle;
use axum::extract::{ConnectInfo, Extension, State};
use axum::response::Response;
use bytes::Bytes;
use scaigrid_types::Usage;
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) async fn ask(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    ConnectInfo(ConnectionHandle(connection)): ConnectInfo<ConnectionHandle>,
    fault: Option<Extension<StreamFault>>,
    session: Id,
    body: Bytes,
) -> Response {
    let accepted = id_of(session).and_then(|session| {
        let chat = accept(&gateway, &account, &session, &body)?;
        Ok((session, chat))
    });
    let (session, mut chat) = match accepted {
        Ok(accepted) => accepted,
        Err(failure) => return failure.into_response(&id),
    };
    let fault = gateway.variants.on_stream(fault.map(|Extension(fault)| fault));
    let user_id = account.user_id.clone();
    if !chat.is_stream(&fault) {
        return seal(&id, Ok(Reply::new(answer(&gateway, &session, &user_id, chat))));
    }
    let text = chat.answer.message.text().into_owned();
    let store = Arc::clone(&gateway);
    chat.receipt.then(move |usage| keep_sent(&store, &session, &user_id, &text, usage));
    chat::stream::respond(&id, chat, connection, gateway.settings.streams, fault)
}

/// The answered chat. The question is stored, because nothing can refuse it any more.
fn accept(gateway: &Gateway, account: &Arc<Account>, session: &str, body: &[u8]) -> Result<Chat, Failure> {
    // Before the body, as a wrong id makes every body wrong.
    lock(&gateway.sessions).find(session, &account.user_id)?;
    let mut fields = Fields::read(body)?;
    let content = fields.required_text("content");
    let stream = fields.flag("stream");
    let max_tokens = fields.whole("max_tokens", 1..=u64::MAX);
    fields.finish()?;

    let mut request = lock(&gateway.sessions).request(session, &account.user_id, &content)?;
    request.stream = stream;
    request.max_tokens = max_tokens;
    let chat = chat::accept(gateway, account, &request)?;
    lock(&gateway.sessions).push(session, &account.user_id, Message::question(content));
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

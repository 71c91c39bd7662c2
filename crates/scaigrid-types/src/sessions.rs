//! Sessions: conversations whose history the gateway keeps.
//!
//! Source: docs `reference/sessions-and-rooms`, `api-guides/sessions-and-rooms`.

use crate::macros::{by_id, endpoint, object, paginated, query, request};
use crate::open_enum::open_enum;
use crate::{
    ChatCompletion, Choice, Content, DecodeError, Endpoint, InvalidRequest, Method, Page, Path, ReplyError,
    RequestBody, ResponseBody, Role, Usage,
};
use serde_json::{Map, Value};

request! {
    /// Opens a session: `POST /v1/sessions`. The fields are documented; that the model is required is assumed.
    CreateSession {
        /// The frontend slug that answers.
        model: String,
        ;
        /// A name for people.
        title: String,
        /// Instructions for the model, for all messages.
        system_prompt: String,
        /// Free-form facts.
        metadata: Map<String, Value>,
    }
}

endpoint! {
    CreateSession => Session, "sessions.create", Post "/v1/sessions", data + json
}

query! {
    /// Lists sessions: `GET /v1/sessions`, by default the caller's own.
    ListSessions {
        /// `tenant` for all of the tenant; for its administrators, with the permission `accounting:view_tenant`. Documented.
        scope: String,
        /// Most items of one page. Assumed.
        limit: u32,
        /// Where to go on: [`Page::next_cursor`] of the page before. Assumed.
        cursor: String,
    }
}

endpoint! {
    ListSessions => Page<Session>, "sessions.list", Get "/v1/sessions", page + query
}

paginated!(ListSessions => Session);

by_id! {
    /// One session with all its messages: `GET /v1/sessions/{id}`.
    GetSession(id) => Session, "sessions.get", Get "/v1/sessions" / id, data
}

request! {
    /// Changes a session: `PATCH /v1/sessions/{id}`. The fields are documented; that the session comes back is assumed.
    UpdateSession(id) {
        ;
        /// A name for people.
        title: String,
        /// Instructions for the model.
        system_prompt: String,
        /// Free-form facts.
        metadata: Map<String, Value>,
        /// Whether it goes on.
        status: SessionStatus,
    }
}

endpoint! {
    UpdateSession => Session, "sessions.update", Patch "/v1/sessions" / id, data or id + json
}

by_id! {
    /// Deletes a session, softly: `DELETE /v1/sessions/{id}`. The answer's body is assumed.
    DeleteSession(id) => (), "sessions.delete", Delete "/v1/sessions" / id, empty
}

open_enum! {
    /// Whether a session goes on. The values are documented, but not whether a closed one takes messages.
    SessionStatus {
        /// It does.
        Active = "active",
        /// It does not.
        Closed = "closed",
    }
}

object! {
    /// A conversation whose history the gateway keeps. That it has an id is documented, the rest is assumed.
    Session {
        /// Names it, such as `sess_abc123`.
        id: String,
        ;
        /// The frontend slug that answers.
        model: String,
        /// A name for people.
        title: String,
        /// Instructions for the model.
        system_prompt: String,
        /// Free-form facts.
        metadata: Map<String, Value>,
        /// Whether it goes on.
        status: SessionStatus,
        /// All messages, oldest first. Documented for a single session; `None` in lists.
        messages: Vec<SessionMessage>,
        /// When it was opened.
        created_at: String,
        /// When it was changed last.
        updated_at: String,
    }
}

object! {
    /// A message of a session. Assumed.
    SessionMessage {
        ;
        /// Names it.
        id: String,
        /// Who speaks.
        role: Role,
        /// What is said.
        content: Content,
        /// When.
        created_at: String,
        /// Token counts of the reply.
        usage: Usage,
    }
}

request! {
    /// Says something in a session: `POST /v1/sessions/{id}/messages`. The gateway knows what was said before. The fields
    /// are documented.
    SendSessionMessage(session_id) {
        /// What is said.
        content: String,
        ;
        /// At most this many tokens are produced.
        max_tokens: u64,
    }
}

endpoint! {
    SendSessionMessage => SessionReply, "sessions.send_message", Post "/v1/sessions" / session_id / "messages", data {
        fn body(&self) -> Result<Option<RequestBody>, InvalidRequest> {
            if self.extra.contains_key("stream") {
                return Err(InvalidRequest::new("`extra` holds `stream`: use the call that streams instead"));
            }
            self.json().map(Some)
        }

        fn operation(&self) -> Option<&'static str> {
            Some("chat")
        }

        fn facts<'a>(&self, reply: &'a SessionReply) -> crate::ReplyFacts<'a> {
            reply.into()
        }
    }
}

/// The same message, answered as a stream: with `"stream": true`. The frames are assumed to be those of a chat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StreamSessionMessage<'a>(pub &'a SendSessionMessage);

impl Endpoint for StreamSessionMessage<'_> {
    type Reply = ChatCompletion;

    fn name(&self) -> &'static str {
        "sessions.stream_message"
    }

    fn method(&self) -> Method {
        self.0.method()
    }

    fn path(&self) -> Path {
        self.0.path()
    }

    fn body(&self) -> Result<Option<RequestBody>, InvalidRequest> {
        // Checks what a plain message checks.
        self.0.body()?;
        RequestBody::streamed(self.0).map(Some)
    }

    fn accept(&self) -> &'static str {
        "text/event-stream"
    }

    fn decode(&self, body: ResponseBody<'_>) -> Result<ChatCompletion, ReplyError> {
        self.0.decode(body).map(SessionReply::into_completion)
    }

    fn operation(&self) -> Option<&'static str> {
        self.0.operation()
    }

    fn facts<'a>(&self, reply: &'a ChatCompletion) -> crate::ReplyFacts<'a> {
        reply.into()
    }
}

/// What the assistant says in a session. The form is not documented: a message and a chat completion are both accepted
/// (assumed).
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged, try_from = "Value")]
#[non_exhaustive]
pub enum SessionReply {
    /// A message of the session.
    Message(SessionMessage),
    /// A chat completion.
    Completion(ChatCompletion),
}

impl SessionReply {
    /// The text.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Message(message) => message.content.as_ref().map(Content::text).unwrap_or_default(),
            Self::Completion(completion) => completion.text(),
        }
    }

    /// Token counts, if the gateway tells.
    pub fn usage(&self) -> Option<&Usage> {
        match self {
            Self::Message(message) => message.usage.as_ref(),
            Self::Completion(completion) => completion.usage.as_ref(),
        }
    }

    /// As a chat completion: a message becomes its only choice.
    pub fn into_completion(self) -> ChatCompletion {
        let message = match self {
            Self::Completion(completion) => return completion,
            Self::Message(message) => message,
        };
        let mut choice = Choice::default();
        choice.message.role = message.role.unwrap_or(Role::Assistant);
        choice.message.content = message.content;
        ChatCompletion {
            id: message.id,
            choices: vec![choice],
            usage: message.usage,
            ..ChatCompletion::default()
        }
    }
}

impl TryFrom<Value> for SessionReply {
    type Error = DecodeError;

    fn try_from(value: Value) -> Result<Self, DecodeError> {
        let failed = |error: serde_json::Error| DecodeError::from_value("data".to_owned(), &error);
        if value.get("choices").is_some_and(|choices| !choices.is_null()) {
            return serde_json::from_value(value).map(Self::Completion).map_err(failed);
        }
        // Some servers put the message below a key of its own (assumed).
        match value {
            Value::Object(mut object) if object.get("message").is_some_and(Value::is_object) => {
                let message = object.remove("message").unwrap_or_default();
                serde_json::from_value(message).map(Self::Message).map_err(failed)
            }
            // Null content is as good as none: a message with a role need not have any.
            value if value.get("content").is_some() || value.get("role").is_some() => {
                serde_json::from_value(value).map(Self::Message).map_err(failed)
            }
            _ => Err(DecodeError::new(
                "data",
                "neither a message with `role` or `content` nor a completion with `choices`",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_a_message_or_a_completion() {
        for data in [
            r#"{"id":"m","role":"assistant","content":"hi","usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            r#"{"message":{"role":"assistant","content":"hi","usage":{"prompt_tokens":1,"completion_tokens":2}}}"#,
            r#"{"choices":[{"message":{"role":"assistant","content":"hi"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
        ] {
            let reply: SessionReply = serde_json::from_str(data).unwrap();
            assert_eq!((reply.text().as_ref(), reply.usage().unwrap().total()), ("hi", 3), "{data}");
            let completion = reply.into_completion();
            assert_eq!((completion.text().as_ref(), completion.usage.unwrap().total()), ("hi", 3));
        }
        let error = serde_json::from_str::<SessionReply>("{}").unwrap_err().to_string();
        assert!(error.contains("neither a message"), "{error}");
    }

    #[test]
    fn ids_are_in_the_path_and_not_in_the_body() {
        let update = UpdateSession::new("sess/1").title("t").status(SessionStatus::Closed);
        assert_eq!(update.path().segments().last(), Some("sess/1"));
        let body = update.body().unwrap().unwrap();
        assert_eq!(body.as_bytes(), Some(&br#"{"title":"t","status":"closed"}"#[..]));
        let message = SendSessionMessage::new("sess_1", "hello").max_tokens(5);
        let body = StreamSessionMessage(&message).body().unwrap().unwrap();
        assert_eq!(body.as_bytes(), Some(&br#"{"content":"hello","max_tokens":5,"stream":true}"#[..]));
        assert!(message.clone().extra("stream", true).body().is_err());
        assert!(message.extra("content", "x").body().is_err());
    }
}

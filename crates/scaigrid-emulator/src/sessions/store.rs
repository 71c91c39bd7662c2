//! All sessions and their messages.

use super::no_session;
use crate::ids;
use crate::reply::Failure;
use crate::times;
use scaigrid_types::{ChatRequest, ErrorCode, FieldError, Usage};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The most sessions that are kept.
pub(crate) const MAX_SESSIONS: usize = 1000;

/// The most messages in a session.
pub(crate) const MAX_MESSAGES: usize = 1000;

/// The most text in all sessions together, in bytes.
pub(crate) const MAX_BYTES: usize = 64 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Active,
    Closed,
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Speaker {
    User,
    Assistant,
}

/// One message of a session, also as clients see it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) role: Speaker,
    pub(crate) content: String,
    pub(crate) created_at: String,
    /// Of answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<Usage>,
}

impl Message {
    pub(crate) fn question(content: String) -> Self {
        Self::new(Speaker::User, content, None)
    }

    pub(crate) fn answer(content: String, usage: Usage) -> Self {
        Self::new(Speaker::Assistant, content, Some(usage))
    }

    fn new(role: Speaker, content: String, usage: Option<Usage>) -> Self {
        Self { id: ids::with_prefix("msg_"), role, content, created_at: times::now(), usage }
    }
}

/// What a client can set. `None` leaves it as it is.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) title: Option<String>,
    pub(crate) system_prompt: Option<String>,
    pub(crate) metadata: Option<Map<String, Value>>,
    pub(crate) status: Option<Status>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    id: String,
    pub(crate) user_id: String,
    model: String,
    title: Option<String>,
    system_prompt: Option<String>,
    metadata: Map<String, Value>,
    status: Status,
    messages: Vec<Message>,
    created_at: String,
    updated_at: String,
}

impl Session {
    pub(crate) fn new(user_id: String, model: String, changes: Changes) -> Self {
        let now = times::now();
        let mut session = Self {
            id: ids::with_prefix("sess_"),
            user_id,
            model,
            title: None,
            system_prompt: None,
            metadata: Map::new(),
            status: Status::Active,
            messages: Vec::new(),
            created_at: now.clone(),
            updated_at: now,
        };
        session.apply(changes);
        session
    }

    fn apply(&mut self, changes: Changes) {
        let Changes { title, system_prompt, metadata, status } = changes;
        self.title = title.or(self.title.take());
        self.system_prompt = system_prompt.or(self.system_prompt.take());
        self.metadata = metadata.unwrap_or_else(|| std::mem::take(&mut self.metadata));
        self.status = status.unwrap_or(self.status);
        self.updated_at = times::now();
    }

    /// As clients see it. Lists leave out the messages (assumed: only the details are documented to have them).
    pub(crate) fn view(&self, with_messages: bool) -> Value {
        let mut view = json!({
            "id": self.id,
            "user_id": self.user_id,
            "model": self.model,
            "title": self.title,
            "system_prompt": self.system_prompt,
            "metadata": self.metadata,
            "status": self.status,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        });
        if let (true, Value::Object(view)) = (with_messages, &mut view) {
            view.insert("messages".to_owned(), json!(self.messages));
        }
        view
    }

    /// The chat that this question is the newest part of: the system prompt, then the whole history.
    fn request(&self, question: &str) -> ChatRequest {
        let mut request = ChatRequest::new(&self.model);
        if let Some(system_prompt) = &self.system_prompt {
            request = request.system(system_prompt.as_str());
        }
        for message in &self.messages {
            request = match message.role {
                Speaker::User => request.user(message.content.as_str()),
                Speaker::Assistant => request.assistant(message.content.as_str()),
            };
        }
        request.user(question)
    }

    /// All text that a client can make long, in bytes.
    fn bytes(&self) -> usize {
        let texts = [self.title.as_deref(), self.system_prompt.as_deref()].into_iter().flatten();
        let messages = self.messages.iter().map(|message| message.content.as_str());
        let metadata = Value::Object(self.metadata.clone()).to_string().len();
        texts.chain(messages).map(str::len).sum::<usize>().saturating_add(metadata)
    }
}

/// All sessions, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sessions {
    sessions: Vec<Session>,
    /// Of all sessions together.
    bytes: usize,
}

impl Sessions {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter()
    }

    /// The user's session. Assumed: those of others are as unknown as those that never were.
    pub(crate) fn find(&self, id: &str, user_id: &str) -> Result<&Session, Failure> {
        let mut sessions = self.sessions.iter();
        sessions.find(|session| session.id == id && session.user_id == user_id).ok_or_else(no_session)
    }

    fn find_mut(&mut self, id: &str, user_id: &str) -> Result<&mut Session, Failure> {
        let mut sessions = self.sessions.iter_mut();
        sessions.find(|session| session.id == id && session.user_id == user_id).ok_or_else(no_session)
    }

    pub(crate) fn add(&mut self, session: Session) -> Result<(), Failure> {
        if self.sessions.len() >= MAX_SESSIONS {
            return Err(full("The emulator keeps no more than 1000 sessions: delete some."));
        }
        self.reserve(session.bytes())?;
        self.sessions.push(session);
        Ok(())
    }

    pub(crate) fn change(&mut self, id: &str, user_id: &str, changes: Changes) -> Result<&Session, Failure> {
        let mut changed = self.find(id, user_id)?.clone();
        let before = changed.bytes();
        changed.apply(changes);
        self.bytes = self.bytes.saturating_sub(before);
        if let Err(failure) = self.reserve(changed.bytes()) {
            self.bytes = self.bytes.saturating_add(before);
            return Err(failure);
        }
        let session = self.find_mut(id, user_id)?;
        *session = changed;
        Ok(session)
    }

    /// Documented as soft. What is gone cannot be told from what is hidden, so nothing is kept.
    pub(crate) fn remove(&mut self, id: &str, user_id: &str) -> Result<(), Failure> {
        let bytes = self.find(id, user_id)?.bytes();
        self.bytes = self.bytes.saturating_sub(bytes);
        self.sessions.retain(|session| session.id != id);
        Ok(())
    }

    /// The chat that a question asks for, if the session takes it. Nothing is stored yet.
    pub(crate) fn request(&self, id: &str, user_id: &str, question: &str) -> Result<ChatRequest, Failure> {
        let session = self.find(id, user_id)?;
        if session.status == Status::Closed {
            // The code is assumed.
            return Err(Failure::invalid(&[FieldError::new(
                "status",
                "is `closed`: open the session first",
            )]));
        }
        // Room for the answer too.
        if session.messages.len() + 2 > MAX_MESSAGES {
            return Err(full("The emulator keeps no more than 1000 messages in a session."));
        }
        if self.bytes.saturating_add(question.len()) > MAX_BYTES {
            return Err(full_of_text());
        }
        Ok(session.request(question))
    }

    /// Appends a message. One for a session that was deleted meanwhile is lost with it.
    pub(crate) fn push(&mut self, id: &str, user_id: &str, message: Message) {
        let length = message.content.len();
        if let Ok(session) = self.find_mut(id, user_id) {
            session.updated_at.clone_from(&message.created_at);
            session.messages.push(message);
            self.bytes = self.bytes.saturating_add(length);
        }
    }

    fn reserve(&mut self, bytes: usize) -> Result<(), Failure> {
        let sum = self.bytes.saturating_add(bytes);
        if sum > MAX_BYTES {
            return Err(full_of_text());
        }
        self.bytes = sum;
        Ok(())
    }
}

fn full_of_text() -> Failure {
    full("The emulator keeps no more than 64 MiB of text in sessions: delete some.")
}

/// The code is documented for hard quotas, this quota is the emulator's own.
fn full(message: &str) -> Failure {
    Failure::new(ErrorCode::QuotaExceeded, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(text: &str) -> Session {
        let changes = Changes { system_prompt: Some(text.to_owned()), ..Changes::default() };
        Session::new("user_1".to_owned(), "m".to_owned(), changes)
    }

    #[test]
    fn the_request_holds_prompt_and_history_in_order() {
        let mut sessions = Sessions::default();
        let session = session("Be brief.");
        let id = session.id.clone();
        sessions.add(session).unwrap();
        sessions.push(&id, "user_1", Message::question("one".to_owned()));
        sessions.push(&id, "user_1", Message::answer("two".to_owned(), Usage::new(1, 1)));
        let request = sessions.request(&id, "user_1", "three").unwrap();
        let turns: Vec<(String, String)> =
            request.messages.iter().map(|one| (one.role.to_string(), one.text().into_owned())).collect();
        let expected = [("system", "Be brief."), ("user", "one"), ("assistant", "two"), ("user", "three")];
        assert_eq!(turns, expected.map(|(role, text)| (role.to_owned(), text.to_owned())));
        assert!(sessions.request(&id, "user_2", "three").is_err());
    }

    #[test]
    fn the_limits_hold_and_deleting_makes_room() {
        let mut sessions = Sessions::default();
        let large = session(&"x".repeat(MAX_BYTES - 1000));
        let id = large.id.clone();
        sessions.add(large).unwrap();
        assert!(sessions.add(session(&"x".repeat(2000))).is_err());
        assert!(sessions.request(&id, "user_1", &"x".repeat(2000)).is_err());
        let more = Changes { title: Some("x".repeat(2000)), ..Changes::default() };
        assert!(sessions.change(&id, "user_1", more).is_err());
        let less = Changes { system_prompt: Some(String::new()), ..Changes::default() };
        sessions.change(&id, "user_1", less).unwrap();
        assert!(sessions.bytes < 1000);
        sessions.remove(&id, "user_1").unwrap();
        assert_eq!(sessions.bytes, 0);

        let first = session("");
        let id = first.id.clone();
        sessions.add(first).unwrap();
        for _ in 1..MAX_SESSIONS {
            sessions.add(session("")).unwrap();
        }
        assert!(sessions.add(session("")).is_err());
        for _ in 0..MAX_MESSAGES - 1 {
            assert!(sessions.request(&id, "user_1", "x").is_ok());
            sessions.push(&id, "user_1", Message::question("x".to_owned()));
        }
        assert!(sessions.request(&id, "user_1", "x").is_err());
    }

    #[test]
    fn the_state_survives_a_file() {
        let mut sessions = Sessions::default();
        let session = session("p");
        let view = session.view(true);
        sessions.add(session).unwrap();
        let text = serde_json::to_string(&sessions).unwrap();
        let again: Sessions = serde_json::from_str(&text).unwrap();
        assert_eq!(again.all().next().unwrap().view(true), view);
        assert_eq!(again.bytes, sessions.bytes);
    }
}

//! Sessions: what was said is remembered.

use crate::CHAT_MODEL;
use scaigrid::{
    CreateSession, ErrorCode, ListSessions, Role, SendSessionMessage, SessionReply, SessionStatus,
    UpdateSession,
};
use scaigrid_emulator::{DEFAULT_API_KEY, Emulator, WireVariant};
use serde_json::json;

fn planning() -> CreateSession {
    CreateSession::new(CHAT_MODEL)
        .title("Product planning")
        .system_prompt("You plan trips.")
        .metadata("project_id", "proj_123")
}

run!(a_session_remembers_what_was_said, |emulator, client| {
    let session = wait!(client.create_session(&planning())).unwrap();
    assert_eq!(
        (session.title.as_deref(), &session.status),
        (Some("Product planning"), &Some(SessionStatus::Active))
    );
    let first = SendSessionMessage::new(&session.id, "We travel to Ljubljana by train.").max_tokens(50);
    let first = wait!(client.send_session_message(&first)).unwrap();
    assert!(first.usage().unwrap().total() > 0);
    let sent = emulator.requests().pop().unwrap();
    assert_eq!(
        sent.json().unwrap(),
        json!({"content": "We travel to Ljubljana by train.", "max_tokens": 50})
    );
    let second = SendSessionMessage::new(&session.id, "Where do we travel to?");
    let second = wait!(client.send_session_message(&second)).unwrap();
    assert!(second.text().contains("Ljubljana"), "{}", second.text());

    let kept = wait!(client.session(&session.id)).unwrap();
    assert_eq!(kept.metadata.as_ref().unwrap()["project_id"], "proj_123");
    let messages = kept.messages.as_ref().unwrap();
    let said: Vec<_> = messages.iter().map(|one| one.content.as_ref().unwrap().text()).collect();
    let expected =
        ["We travel to Ljubljana by train.", &first.text(), "Where do we travel to?", &second.text()];
    assert_eq!(said, expected);
    assert_eq!(messages[0].role, Some(Role::User));
    assert_eq!(messages[1].role, Some(Role::Assistant));
});

run!(a_streamed_answer_is_in_the_history_afterwards, |emulator, client| {
    let session = wait!(client.create_session(&planning())).unwrap();
    let message = SendSessionMessage::new(&session.id, "We travel to Ljubljana by train.");
    let mut stream = wait!(client.stream_session_message(&message)).unwrap();
    let (mut text, mut chunks) = (String::new(), 0);
    while let Some(chunk) = wait!(stream.next()) {
        text.push_str(chunk.unwrap().text());
        chunks += 1;
    }
    assert!(chunks > 2 && text.contains("Ljubljana"), "{text}");
    assert_eq!(emulator.requests().pop().unwrap().json().unwrap()["stream"], true);
    let kept = wait!(client.session(&session.id)).unwrap();
    let messages = kept.messages.as_ref().unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[1].content.as_ref().unwrap().text(), text);
    assert_eq!(messages[1].usage, stream.usage());
    let next =
        wait!(client.send_session_message(&SendSessionMessage::new(&session.id, "Where to?"))).unwrap();
    assert!(next.text().contains("Ljubljana"));
});

run!(
    a_reply_may_be_a_completion,
    Emulator::builder().variant(WireVariant::SessionReplyCompletion),
    |_, client| {
        let session = wait!(client.create_session(&planning())).unwrap();
        let message = SendSessionMessage::new(&session.id, "We travel to Ljubljana.");
        let reply = wait!(client.send_session_message(&message)).unwrap();
        assert!(matches!(&*reply, SessionReply::Completion(_)));
        assert!(reply.text().contains("Ljubljana") && reply.usage().is_some());
    }
);

run!(a_session_is_changed_closed_and_deleted, |_, client| {
    let session = wait!(client.create_session(&planning())).unwrap();
    let changed = wait!(client.update_session(&UpdateSession::new(&session.id).title("Trips"))).unwrap();
    assert_eq!(changed.title.as_deref(), Some("Trips"));
    assert_eq!(changed.system_prompt.as_deref(), Some("You plan trips."), "what is not sent stays");

    let closed = wait!(client.close_session(&session.id)).unwrap();
    assert_eq!(closed.status, Some(SessionStatus::Closed));
    let message = SendSessionMessage::new(&session.id, "Hello?");
    let refused = wait!(client.send_session_message(&message)).unwrap_err();
    assert_eq!((refused.code(), refused.attempts()), (Some(&ErrorCode::ValidationError), 1));
    let refused = wait!(client.stream_session_message(&message)).map(|_| ()).unwrap_err();
    assert_eq!(refused.code(), Some(&ErrorCode::ValidationError));
    let opened = UpdateSession::new(&session.id).status(SessionStatus::Active);
    wait!(client.update_session(&opened)).unwrap();
    wait!(client.send_session_message(&message)).unwrap();

    wait!(client.delete_session(&session.id)).unwrap();
    let gone = wait!(client.session(&session.id)).unwrap_err();
    assert_eq!(gone.code().unwrap().as_str(), "NOT_FOUND");
    assert!(wait!(client.sessions(&ListSessions::new())).unwrap().items.is_empty());
});

run!(
    sessions_are_listed_by_owner,
    Emulator::builder().api_key(DEFAULT_API_KEY).api_key("sgk_other"),
    |emulator, client| {
        let other = client_of!(emulator, "sgk_other");
        let mine = wait!(client.create_session(&planning())).unwrap();
        let theirs = wait!(other.create_session(&planning())).unwrap();
        let listed = wait!(client.sessions(&ListSessions::new())).unwrap();
        assert_eq!(listed.items.iter().map(|one| &one.id).collect::<Vec<_>>(), [&mine.id]);
        assert!(listed.items[0].messages.is_none());
        let tenant = wait!(client.sessions(&ListSessions::new().scope("tenant"))).unwrap();
        assert_eq!(tenant.items.len(), 2);
        let error = wait!(client.session(&theirs.id)).unwrap_err();
        assert_eq!(error.status().unwrap(), 404);
    }
);

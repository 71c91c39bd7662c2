//! Sessions: the server keeps the history.

use crate::http::{Answer, OMNI, SUMMARY, call, call_as, connect, get, read_frames, read_head, request};
use crate::streams::wait_until;
use scaigrid_emulator::{DEFAULT_API_KEY, Emulator, Fault, StreamFault, WireVariant};
use serde_json::{Value, json};
use std::io::Write;

const SESSIONS: &str = "/v1/sessions";

fn open(emulator: &Emulator, body: Value) -> String {
    let answer = call(emulator, "POST", SESSIONS, &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["data"]["id"].as_str().unwrap().to_owned()
}

fn messages(id: &str) -> String {
    format!("{SESSIONS}/{id}/messages")
}

fn history(emulator: &Emulator, id: &str) -> Vec<(String, String)> {
    let details = get(emulator, &format!("{SESSIONS}/{id}")).json();
    let messages = details["data"]["messages"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    messages.iter().map(|message| (text(&message["role"]), text(&message["content"]))).collect()
}

fn ids(answer: &Answer) -> Vec<String> {
    let items = answer.json()["data"]["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// Sends a streamed question and reads the head of its answer.
fn stream(emulator: &Emulator, id: &str, text: &str) -> (std::net::TcpStream, Answer) {
    let mut connection = connect(emulator);
    let body = json!({"content": text, "stream": true}).to_string();
    let authorization = format!("Authorization: Bearer {DEFAULT_API_KEY}");
    connection.write_all(&request("POST", &messages(id), &[&authorization], body.as_bytes())).unwrap();
    let head = read_head(&mut connection);
    (connection, head)
}

#[test]
fn the_model_sees_the_system_prompt_and_the_whole_history() {
    let emulator = Emulator::start().unwrap();
    let title = json!({"model": OMNI, "system_prompt": "You generate titles, max 4 words."});
    let titled = open(&emulator, title);
    let answer = call(&emulator, "POST", &messages(&titled), &json!({"content": "a good carbonara recipe"}));
    assert_eq!(answer.json()["data"]["content"], "Good Carbonara Recipe");

    let id = open(&emulator, json!({"model": OMNI}));
    let ask = |text: &str| {
        call(&emulator, "POST", &messages(&id), &json!({"content": text})).json()["data"].clone()
    };
    let first = ask("I like pasta.");
    assert_eq!(
        (&first["role"], &first["content"]),
        (&json!("assistant"), &json!("You wrote: I like pasta."))
    );
    assert!(first["id"].is_string() && first["created_at"].is_string());
    let second = ask("I like rice as well.");
    let answer = second["content"].as_str().unwrap();
    assert!(answer.contains("pasta") && answer.contains("rice"), "{answer}");
    // All that was said before, and the question.
    assert_eq!(second["usage"]["prompt_tokens"], 4 + 7 + 6);

    let said = history(&emulator, &id);
    let roles: Vec<&str> = said.iter().map(|(role, _)| role.as_str()).collect();
    assert_eq!(roles, ["user", "assistant", "user", "assistant"]);
    assert_eq!((said[2].1.as_str(), said[3].1.as_str()), ("I like rice as well.", answer));
    assert_eq!(get(&emulator, SUMMARY).json()["data"][0]["request_count"], 3);
}

#[test]
fn plain_answers_have_two_forms() {
    let emulator = Emulator::builder().variant(WireVariant::SessionReplyCompletion).start().unwrap();
    let id = open(&emulator, json!({"model": OMNI}));
    let answer = call(&emulator, "POST", &messages(&id), &json!({"content": "hi", "max_tokens": 2}));
    assert_eq!(answer.text(), "You wrote");
    assert_eq!(answer.json()["data"]["choices"][0]["finish_reason"], "length");
    assert_eq!(history(&emulator, &id)[1].1, "You wrote");
}

#[test]
fn streams_are_those_of_chats_and_are_kept() {
    let emulator = Emulator::start().unwrap();
    let id = open(&emulator, json!({"model": OMNI}));
    let (mut connection, head) = stream(&emulator, &id, "one two.");
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
    let (frames, end) = read_frames(&mut connection);
    end.unwrap();
    assert_eq!(frames.last().unwrap(), b"data: [DONE]\n\n");
    assert!(String::from_utf8_lossy(&frames[0]).contains("chat.completion.chunk"));
    assert_eq!(history(&emulator, &id)[1], ("assistant".to_owned(), "You wrote: one two.".to_owned()));

    emulator.faults().push(Fault::stream(StreamFault::error("BACKEND_ERROR").after_chunks(3)));
    let (mut connection, _) = stream(&emulator, &id, "three four.");
    let (frames, _) = read_frames(&mut connection);
    assert!(frames[3].starts_with(b"event: error"));
    assert_eq!(history(&emulator, &id)[3].1, "From your");

    emulator.faults().push(Fault::stream(StreamFault::as_json()));
    let (_, head) = stream(&emulator, &id, "five.");
    assert_eq!(head.header("content-type"), Some("application/json"));
    assert_eq!(history(&emulator, &id).len(), 6);

    // Nothing of an answer was sent: only the question is kept.
    emulator.faults().push(Fault::stream(StreamFault::error("BACKEND_ERROR")));
    let (mut connection, _) = stream(&emulator, &id, "six.");
    read_frames(&mut connection).1.unwrap();
    assert_eq!(history(&emulator, &id).last().unwrap(), &("user".to_owned(), "six.".to_owned()));
}

#[test]
fn a_stream_that_the_client_leaves_keeps_what_was_sent() {
    let emulator = Emulator::start().unwrap();
    let id = open(&emulator, json!({"model": OMNI}));
    emulator.faults().push(Fault::stream(StreamFault::stall().after_chunks(4)));
    let (mut connection, _) = stream(&emulator, &id, "one two.");
    for _ in 0..4 {
        crate::http::read_frame(&mut connection).unwrap().unwrap();
    }
    assert_eq!(history(&emulator, &id).len(), 1, "the answer is under way");
    drop(connection);
    wait_until(|| history(&emulator, &id).len() == 2);
    assert_eq!(history(&emulator, &id)[1].1, "You wrote:");
}

#[test]
fn sessions_are_listed_changed_and_deleted() {
    let builder = Emulator::builder().api_key("one").api_key("two");
    let emulator = builder.start().unwrap();
    let body = json!({"model": OMNI, "title": "Plan", "metadata": {"project_id": "p"}});
    let mine: Vec<String> = (0..3).map(|_| open(&emulator, body.clone())).collect();
    let other = call_as(&emulator, "two", "POST", SESSIONS, &body).json()["data"]["id"].clone();
    assert_eq!(ids(&get(&emulator, SESSIONS)), mine);
    assert_eq!(ids(&get(&emulator, "/v1/sessions?scope=tenant")).len(), 4);
    assert_eq!(get(&emulator, "/v1/sessions?scope=all&limit=0").invalid_fields(), ["limit", "scope"]);
    let page = get(&emulator, "/v1/sessions?limit=2").json();
    assert!(page["data"]["items"][0].get("messages").is_none());
    assert_eq!(page["pagination"]["has_more"], true);
    let next = format!("{SESSIONS}?limit=2&cursor={}", page["pagination"]["next_cursor"].as_str().unwrap());
    let page = get(&emulator, &next);
    assert_eq!(ids(&page), mine[2..]);
    assert_eq!(page.json()["pagination"], json!({"has_more": false, "next_cursor": null}));

    let path = format!("{SESSIONS}/{}", mine[0]);
    let changed = call(&emulator, "PATCH", &path, &json!({"title": "New", "status": "closed"})).json();
    let view = &changed["data"];
    assert_eq!((&view["title"], &view["status"]), (&json!("New"), &json!("closed")));
    assert_eq!(view["metadata"]["project_id"], "p");
    let refused = call(&emulator, "POST", &messages(&mine[0]), &json!({"content": "hi"}));
    assert_eq!(refused.invalid_fields(), ["status"]);
    call(&emulator, "PATCH", &path, &json!({"status": "active"}));
    assert_eq!(call(&emulator, "POST", &messages(&mine[0]), &json!({"content": "hi"})).status, 200);

    let deleted = call(&emulator, "DELETE", &path, &Value::Null);
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    assert!(deleted.header("x-scaigrid-request-id").is_some());
    let other = format!("{SESSIONS}/{}", other.as_str().unwrap());
    for path in [path.as_str(), other.as_str(), "/v1/sessions/%ff"] {
        for (method, body) in [("GET", Value::Null), ("PATCH", json!({})), ("DELETE", Value::Null)] {
            let answer = call(&emulator, method, path, &body);
            assert_eq!((answer.status, answer.code().as_str()), (404, "NOT_FOUND"), "{method} {path}");
        }
        let answer = call(&emulator, "POST", &format!("{path}/messages"), &json!({"content": "hi"}));
        assert_eq!(answer.status, 404);
    }
}

#[test]
fn wrong_sessions_and_messages_are_refused() {
    let emulator = Emulator::builder().budget(DEFAULT_API_KEY, "0.0000001".parse().unwrap()).start().unwrap();
    let create = |body: Value| call(&emulator, "POST", SESSIONS, &body);
    let wrong = create(json!({"title": 1, "system_prompt": [], "metadata": "x"}));
    assert_eq!(wrong.invalid_fields(), ["model", "title", "system_prompt", "metadata"]);
    assert_eq!(create(json!([])).invalid_fields(), ["body"]);
    assert_eq!(create(json!({"model": "x"})).code(), "MODEL_NOT_FOUND");
    assert_eq!(create(json!({"model": "openai/text-embedding-3-small"})).invalid_fields(), ["model"]);

    let id = open(&emulator, json!({"model": OMNI}));
    let ask = |body: Value| call(&emulator, "POST", &messages(&id), &body);
    let wrong = ask(json!({"content": "", "stream": 1, "max_tokens": 0}));
    assert_eq!(wrong.invalid_fields(), ["content", "stream", "max_tokens"]);
    let path = format!("{SESSIONS}/{id}");
    let wrong = call(&emulator, "PATCH", &path, &json!({"status": "open", "title": {}}));
    assert_eq!(wrong.invalid_fields(), ["title", "status"]);
    assert_eq!(call(&emulator, "PUT", &path, &json!({})).status, 405);

    assert_eq!(ask(json!({"content": "hi"})).status, 200);
    assert_eq!(ask(json!({"content": "hi"})).code(), "BUDGET_EXCEEDED");
    assert_eq!(ask(json!({"content": "hi", "stream": true})).code(), "BUDGET_EXCEEDED");
    assert_eq!(history(&emulator, &id).len(), 2, "what is refused is not kept");
}

//! Prompts and replies as the conventions write them, for those who ask for it. Bounded in size.

use scaigrid_types::{ChatCompletion, Message};
use serde::Deserialize;
use serde_json::{Value, json};

/// Longest text of one message, in bytes. What is longer is cut and says so.
const LONGEST_TEXT: usize = 4 * 1024;
/// Most messages; of more, the newest.
const MOST_MESSAGES: usize = 32;

/// The messages, the system's among them: here they are part of the conversation.
pub(super) fn of_request(messages: &[Message]) -> String {
    let skipped = messages.len().saturating_sub(MOST_MESSAGES);
    let messages = messages.iter().skip(skipped).filter_map(|message| serde_json::to_value(message).ok());
    let written = messages.map(|message| {
        json!({
            "role": message.get("role").and_then(Value::as_str).unwrap_or("user"),
            "parts": text_of(&message).map(part).into_iter().collect::<Vec<_>>(),
        })
    });
    Value::from(written.collect::<Vec<_>>()).to_string()
}

/// The text of a chat, from the body of an answer. Other shapes than expected give none.
pub(crate) fn of_body(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Envelope {
        data: ChatCompletion,
    }
    serde_json::from_slice::<Envelope>(body).ok().map(|reply| of_reply(&reply.data))
}

/// What has come of a reply.
pub(crate) fn of_reply(reply: &ChatCompletion) -> String {
    let choices = reply.choices.iter().take(MOST_MESSAGES).map(|choice| {
        let text = choice.message.text();
        json!({
            "role": "assistant",
            "parts": if text.is_empty() { vec![] } else { vec![part(text.into_owned())] },
            "finish_reason": choice.finish_reason.as_ref().map(|reason| reason.as_str()),
        })
    });
    Value::from(choices.collect::<Vec<_>>()).to_string()
}

fn part(text: String) -> Value {
    json!({"type": "text", "content": cut(text)})
}

/// The text of a message. Images and files have none.
fn text_of(message: &Value) -> Option<String> {
    match message.get("content")? {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str));
            Some(texts.collect::<Vec<_>>().join("\n"))
        }
        _ => None,
    }
}

fn cut(mut text: String) -> String {
    if text.len() > LONGEST_TEXT {
        let end = (0..=LONGEST_TEXT).rev().find(|&end| text.is_char_boundary(end)).unwrap_or_default();
        text.truncate(end);
        text.push_str("... [cut]");
    }
    text
}

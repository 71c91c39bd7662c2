//! Prompts and replies as the conventions write them, for those who ask for it. Bounded in size.

use scaigrid_types::{ChatCompletion, Message};
use serde_json::{Value, json};

/// Longest text of one message, in bytes. What is longer is cut and says so.
const LONGEST_TEXT: usize = 4 * 1024;
/// Most messages; of more, the newest.
const MOST_MESSAGES: usize = 32;

/// The system's messages, and all others.
pub(super) fn of_request(messages: &[Message]) -> (Option<String>, Option<String>) {
    let skipped = messages.len().saturating_sub(MOST_MESSAGES);
    let (mut instructions, mut others) = (Vec::new(), Vec::new());
    for message in messages.iter().skip(skipped).filter_map(|message| serde_json::to_value(message).ok()) {
        let text = text_of(&message);
        match message.get("role").and_then(Value::as_str) {
            Some("system") => instructions.extend(text.map(part)),
            role => others.push(json!({
                "role": role.unwrap_or("user"),
                "parts": text.map(part).into_iter().collect::<Vec<_>>(),
            })),
        }
    }
    let written = |parts: Vec<Value>| (!parts.is_empty()).then(|| Value::from(parts).to_string());
    (written(instructions), written(others))
}

/// What has come of a reply.
pub(super) fn of_reply(reply: &ChatCompletion) -> String {
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

//! A decoding failure that names the place without showing the payload.

use std::fmt::Write as _;

/// A body that could not be decoded. Names the field and the place, never the value.
///
/// The payload may hold secrets or personal data, so neither this error nor its source chain repeats it.
/// The client's error keeps the raw body for callers that want to look.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}{}", location(path), position(*line, *column))]
pub struct DecodeError {
    path: String,
    message: String,
    line: usize,
    column: usize,
}

fn location(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("at `{path}`: ") }
}

fn position(line: usize, column: usize) -> String {
    if line == 0 { String::new() } else { format!(" (line {line}, column {column})") }
}

impl DecodeError {
    /// An error about the whole body or about the field at `path` (such as `data.choices[0].message`; may be
    /// empty). `message` must not contain values from the payload.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), line: 0, column: 0 }
    }

    /// From a failed `serde_json::from_slice(json)`.
    pub fn from_json(json: &[u8], error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        Self {
            path: path_at(json, offset_of(json, line, column)),
            message: without_values(&error.to_string()),
            line,
            column,
        }
    }

    /// From a failed `serde_json::from_value`; `path` is where the value lies in the body.
    pub(crate) fn from_value(path: String, error: &serde_json::Error) -> Self {
        Self::new(path, without_values(&error.to_string()))
    }

    /// The field, such as `data.choices[0].finish_reason`. Empty when the whole body is meant.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Line in the body, counted from 1. 0 when not known.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Column in bytes, counted from 1. 0 when not known.
    pub fn column(&self) -> usize {
        self.column
    }
}

/// serde quotes the offending value in these messages; everything else there comes from our own types.
fn without_values(message: &str) -> String {
    let message = match message.rfind(" at line ") {
        Some(end) => &message[..end],
        None => message,
    };
    let quotes_a_value = message.starts_with("invalid type: ") || message.starts_with("invalid value: ");
    match (message.find(['`', '"']), message.rfind(", expected ")) {
        (Some(quote), Some(expected)) if quotes_a_value && quote < expected => {
            format!("{}{}", message[..quote].trim_end(), &message[expected..])
        }
        _ => message.to_owned(),
    }
}

fn offset_of(json: &[u8], line: usize, column: usize) -> usize {
    if line == 0 {
        return 0;
    }
    let line_start = json
        .iter()
        .enumerate()
        .filter(|&(_, &byte)| byte == b'\n')
        .map(|(at, _)| at + 1)
        .nth(line.wrapping_sub(2))
        .filter(|_| line > 1)
        .unwrap_or(0);
    line_start.saturating_add(column).min(json.len())
}

enum Frame {
    Object { key: Option<String>, expects_key: bool },
    Array { index: usize },
}

/// The path of the value that is being read, or was just read, `offset` bytes into `json`.
fn path_at(json: &[u8], offset: usize) -> String {
    let mut stack: Vec<Frame> = Vec::new();
    let mut bytes = json.iter().take(offset).copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' => stack.push(Frame::Object { key: None, expects_key: true }),
            b'[' => stack.push(Frame::Array { index: 0 }),
            b'}' | b']' => {
                stack.pop();
            }
            b',' => match stack.last_mut() {
                Some(Frame::Object { key, expects_key }) => (*key, *expects_key) = (None, true),
                Some(Frame::Array { index }) => *index += 1,
                None => {}
            },
            b'"' => {
                let text = string_body(&mut bytes);
                if let Some(Frame::Object { key, expects_key: expects_key @ true }) = stack.last_mut() {
                    *key = Some(String::from_utf8_lossy(&text).into_owned());
                    *expects_key = false;
                }
            }
            _ => {}
        }
    }
    render(&stack)
}

/// The bytes up to the closing quote, escapes left as they are.
fn string_body(bytes: &mut impl Iterator<Item = u8>) -> Vec<u8> {
    let mut text = Vec::new();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => {
                text.push(byte);
                text.extend(bytes.next());
            }
            _ => text.push(byte),
        }
    }
    text
}

fn render(stack: &[Frame]) -> String {
    const LONGEST_KEY: usize = 64;
    const DEEPEST: usize = 16;
    let mut path = String::new();
    for frame in stack.iter().take(DEEPEST) {
        match frame {
            Frame::Object { key: Some(key), .. } => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.extend(key.chars().take(LONGEST_KEY).flat_map(char::escape_debug));
            }
            Frame::Object { key: None, .. } => {}
            Frame::Array { index } => {
                // Writing to a String cannot fail.
                let _ = write!(path, "[{index}]");
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[allow(dead_code, reason = "only decoded")]
        list: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[allow(dead_code, reason = "only decoded")]
        count: u8,
    }

    fn error(json: &str) -> DecodeError {
        DecodeError::from_json(json.as_bytes(), &serde_json::from_str::<Outer>(json).unwrap_err())
    }

    #[test]
    fn names_the_field_but_not_the_value() {
        let wrong =
            error("{\"list\":[{\"count\":1},\n {\"x\":\"a,b\",\"count\":\"sgk_secret\\\", expected x\"}]}");
        assert_eq!(wrong.path(), "list[1].count");
        assert_eq!(wrong.line(), 2);
        assert_eq!(
            wrong.to_string(),
            "at `list[1].count`: invalid type: string, expected u8 (line 2, column 46)"
        );
        assert!(!format!("{wrong:?}").contains("sgk_secret"));
        let number = error(r#"{"list":[{"count":4711}]}"#).to_string();
        assert!(
            number.contains("invalid value: integer, expected u8") && !number.contains("4711"),
            "{number}"
        );
    }

    #[test]
    fn a_missing_field_is_named_with_its_object() {
        let missing = error(r#"{"list":[{"count":1},{"other":2}]}"#);
        assert_eq!(missing.path(), "list[1]");
        assert!(missing.to_string().contains("missing field `count`"), "{missing}");
    }

    #[test]
    fn broken_json_has_a_place() {
        assert_eq!(error("{\"list\":[").path(), "list[0]");
        assert!(error("<html>").to_string().contains("line 1, column 1"));
        assert!(error("").to_string().contains("EOF"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(json in proptest::collection::vec(any::<u8>(), 0..200), line in 0usize..5, column in 0usize..300) {
            let _ = path_at(&json, offset_of(&json, line, column));
            if let Err(error) = serde_json::from_slice::<Outer>(&json) {
                let _ = DecodeError::from_json(&json, &error).to_string();
            }
        }
    }
}

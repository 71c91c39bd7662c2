//! Calls of the inference routes apart from chat.

use crate::http::{self, Answer, SUMMARY, connect, get, parse, raw, read_frames, read_head, request, send};
use scaigrid_emulator::Emulator;
use serde_json::Value;
use std::io::Write;

/// Posts JSON with the emulator's first key.
pub(crate) fn call(emulator: &Emulator, path: &str, body: &Value) -> Answer {
    call_as(emulator, emulator.api_key(), path, body)
}

pub(crate) fn call_as(emulator: &Emulator, key: &str, path: &str, body: &Value) -> Answer {
    http::call_as(emulator, key, "POST", path, body)
}

/// A name, a file name and type or nothing, and the content.
pub(crate) type Part<'a> = (&'a str, Option<(&'a str, &'a str)>, &'a [u8]);

/// Posts a form.
pub(crate) fn form(emulator: &Emulator, path: &str, parts: &[Part<'_>]) -> Answer {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let head = format!("--b0undary\r\nContent-Disposition: form-data; name=\"{name}\"");
        let file = file.map(|(name, kind)| format!("; filename=\"{name}\"\r\nContent-Type: {kind}"));
        body.extend_from_slice(format!("{head}{}\r\n\r\n", file.unwrap_or_default()).as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b0undary--\r\n");
    post_as_type(emulator, path, "multipart/form-data; boundary=b0undary", &body)
}

pub(crate) fn post_as_type(emulator: &Emulator, path: &str, content_type: &str, body: &[u8]) -> Answer {
    let authorization = format!("Authorization: Bearer {}", emulator.api_key());
    let content_type = format!("Content-Type: {content_type}");
    let headers = [authorization.as_str(), &content_type, "Connection: close"];
    parse(&raw(emulator, &request("POST", path, &headers, body)).unwrap())
}

/// Posts JSON and reads a chunked answer: its head, and its frames.
pub(crate) fn call_in_pieces(emulator: &Emulator, path: &str, body: &Value) -> (Answer, Vec<Vec<u8>>, bool) {
    let authorization = format!("Authorization: Bearer {}", emulator.api_key());
    let mut stream = connect(emulator);
    stream.write_all(&request("POST", path, &[&authorization], body.to_string().as_bytes())).unwrap();
    let head = read_head(&mut stream);
    let (frames, end) = read_frames(&mut stream);
    (head, frames, end.is_ok())
}

/// Gets what a URL of the emulator points to, without a credential.
pub(crate) fn download(emulator: &Emulator, url: &Value) -> Answer {
    let target = url.as_str().unwrap().strip_prefix(emulator.base_url()).expect("a URL of this emulator");
    send(emulator, "GET", target, None, b"").unwrap()
}

/// Requests, tokens and cost of a model, as the usage summary has them.
pub(crate) fn booked(emulator: &Emulator, model: &str) -> (u64, u64, String) {
    let query = format!("{SUMMARY}?model={}", model.replace('/', "%2F"));
    let row = get(emulator, &query).json()["data"][0].clone();
    let number = |name: &str| row[name].as_u64().unwrap();
    (number("request_count"), number("total_tokens"), row["total_cost"].as_str().unwrap().to_owned())
}

//! Answers as bytes, and what servers do with them.

use super::server::Step;

/// What a chat is answered with.
pub(super) const CHAT: &str = r#"{"status":"ok","data":{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}},"meta":{"request_id":"req_1"}}"#;

/// What other calls are answered with.
pub(super) const DATA: &str = r#"{"status":"ok","data":"Hi","meta":{"request_id":"req_1"}}"#;

/// Three texts, `Hi` together, and the end. With the line ends and comments that the standard allows.
pub(super) const STREAM: &str = concat!(
    ": hello\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"H\"}}]}\r\n\r\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"i \"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\u{1F600}\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: [DONE]\n\n",
);

pub(super) const STREAMED: &str = "Hi \u{1F600}";

/// [`CHAT`], compressed with gzip.
pub(super) const CHAT_GZIP: &[u8] = include_bytes!("chat.json.gz");

/// Status line, headers, and body as they are.
pub(super) fn raw(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for header in headers {
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body.as_ref());
    bytes
}

/// A whole answer of JSON.
pub(super) fn json(status: &str, body: &str) -> Vec<u8> {
    let len = format!("content-length: {}", body.len());
    raw(status, &["content-type: application/json", &len], body)
}

pub(super) fn ok(body: &str) -> Vec<u8> {
    json("200 OK", body)
}

/// The head of an answer of JSON that has this many bytes.
pub(super) fn head(len: usize) -> Vec<u8> {
    raw("200 OK", &["content-type: application/json", &format!("content-length: {len}")], "")
}

/// The head of an event stream in chunks.
pub(super) fn stream_head() -> Vec<u8> {
    raw("200 OK", &["content-type: text/event-stream", "transfer-encoding: chunked"], "")
}

/// The head of an event stream that ends with the connection.
pub(super) fn stream_until_close() -> Vec<u8> {
    raw("200 OK", &["content-type: text/event-stream", "connection: close"], "")
}

pub(super) fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// In chunks of this many bytes, with the end.
pub(super) fn chunks(body: &[u8], size: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = body.chunks(size).flat_map(chunk).collect();
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

/// One connection: a request, and these bytes.
pub(super) fn once(bytes: Vec<u8>) -> Vec<Vec<Step>> {
    vec![vec![Step::Read, Step::Write(bytes)]]
}

/// The same several times, each on a connection of its own.
pub(super) fn each_time(times: usize, steps: &[Step]) -> Vec<Vec<Step>> {
    vec![steps.to_vec(); times]
}

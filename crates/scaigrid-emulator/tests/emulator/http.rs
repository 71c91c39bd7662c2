//! A tiny HTTP client over `std::net`, so that the tests see the bytes as they are.

use scaigrid_emulator::{DEFAULT_API_KEY, Emulator};
use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

pub(crate) const CHAT: &str = "/v1/inference/chat";
pub(crate) const SUMMARY: &str = "/v1/accounting/usage/summary";
pub(crate) const OMNI: &str = "scailabs/poolnoodle-omni";

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap().to_owned()
    }

    /// The fields of a `VALIDATION_ERROR`.
    pub(crate) fn invalid_fields(&self) -> Vec<String> {
        assert_eq!((self.status, self.code().as_str()), (422, "VALIDATION_ERROR"));
        let body = self.json();
        let details = body["error"]["details"].as_array().unwrap();
        details.iter().map(|detail| detail["field"].as_str().unwrap().to_owned()).collect()
    }

    /// The text of the first choice.
    pub(crate) fn text(&self) -> String {
        self.json()["data"]["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
    }

    /// The id of the header, which must be the id in the body.
    pub(crate) fn request_id(&self) -> String {
        let id = self.header("X-Scaigrid-Request-Id").unwrap();
        assert_eq!(self.json()["meta"]["request_id"], id);
        id.to_owned()
    }
}

pub(crate) fn connect(emulator: &Emulator) -> TcpStream {
    let stream = TcpStream::connect(emulator.base_url().trim_start_matches("http://")).unwrap();
    // A test must fail, not hang.
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// Sends bytes as they are and reads until the connection ends.
pub(crate) fn raw(emulator: &Emulator, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = connect(emulator);
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map(|_| answer)
}

/// A request as bytes.
pub(crate) fn request(method: &str, target: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n").into_bytes();
    for header in headers {
        bytes.extend_from_slice(format!("{header}\r\n").as_bytes());
    }
    bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    bytes
}

pub(crate) fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Answer { status, headers, body: bytes[end + 4..].to_vec() }
}

/// Reads one answer from a connection that stays open.
pub(crate) fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut answer = read_head(stream);
    answer.body = vec![0; answer.header("content-length").unwrap().parse().unwrap()];
    stream.read_exact(&mut answer.body).unwrap();
    answer
}

/// A streaming chat as bytes, with the default key.
pub(crate) fn stream_bytes(body: &Value) -> Vec<u8> {
    let mut body = body.clone();
    body["stream"] = json!(true);
    let authorization = format!("Authorization: Bearer {DEFAULT_API_KEY}");
    request("POST", CHAT, &[&authorization], body.to_string().as_bytes())
}

/// Reads the head of an answer.
pub(crate) fn read_head(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
    parse(&bytes)
}

/// Reads one frame of a chunked body; `None` for the last one, which is empty.
pub(crate) fn read_frame(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\r\n") {
        stream.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    let length = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim_end(), 16).unwrap();
    let mut frame = vec![0; length + 2];
    stream.read_exact(&mut frame)?;
    frame.truncate(length);
    Ok((length > 0).then_some(frame))
}

/// Reads the frames of a chunked body: those that came, and whether the body ended properly.
pub(crate) fn read_frames(stream: &mut TcpStream) -> (Vec<Vec<u8>>, io::Result<()>) {
    let mut frames = Vec::new();
    loop {
        match read_frame(stream) {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return (frames, Ok(())),
            Err(error) => return (frames, Err(error)),
        }
    }
}

/// One request on a connection of its own.
pub(crate) fn send(
    emulator: &Emulator,
    method: &str,
    target: &str,
    key: Option<&str>,
    body: &[u8],
) -> io::Result<Answer> {
    let authorization = key.map(|key| format!("Authorization: Bearer {key}"));
    let headers: Vec<&str> = authorization.as_deref().into_iter().chain(["Connection: close"]).collect();
    raw(emulator, &request(method, target, &headers, body)).map(|bytes| parse(&bytes))
}

pub(crate) fn get(emulator: &Emulator, target: &str) -> Answer {
    send(emulator, "GET", target, Some(emulator.api_key()), b"").unwrap()
}

pub(crate) fn post(emulator: &Emulator, body: &Value) -> Answer {
    post_as(emulator, emulator.api_key(), body)
}

pub(crate) fn post_as(emulator: &Emulator, key: &str, body: &Value) -> Answer {
    send(emulator, "POST", CHAT, Some(key), body.to_string().as_bytes()).unwrap()
}

/// A request with a JSON body, or with none for null, and the first key.
pub(crate) fn call(emulator: &Emulator, method: &str, target: &str, body: &Value) -> Answer {
    call_as(emulator, emulator.api_key(), method, target, body)
}

pub(crate) fn call_as(emulator: &Emulator, key: &str, method: &str, target: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(emulator, method, target, Some(key), body.as_bytes()).unwrap()
}

/// A valid chat request.
pub(crate) fn chat(text: &str) -> Value {
    json!({"model": OMNI, "messages": [{"role": "user", "content": text}]})
}

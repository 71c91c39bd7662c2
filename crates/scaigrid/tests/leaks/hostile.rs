//! A server that repeats whatever it is told, in every place where an answer has one.

use crate::secrets::{CREATED_KEY, MEDIA_TOKEN, WEBHOOK_SECRET, percent};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What of the request is repeated.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Echo {
    Head,
    Address,
    Bearer,
    BearerInBase64,
    BearerEncoded,
    Header,
    Body,
    BodyEncoded,
}

impl Echo {
    pub(crate) const ALL: [Echo; 8] = [
        Echo::Head,
        Echo::Address,
        Echo::Bearer,
        Echo::BearerInBase64,
        Echo::BearerEncoded,
        Echo::Header,
        Echo::Body,
        Echo::BodyEncoded,
    ];

    fn of(self, request: &Request) -> String {
        let bearer = request.header("authorization");
        match self {
            Echo::Head => request.head.replace("\r\n", " "),
            Echo::Address => format!("{} {}", request.target, percent(&request.target)),
            Echo::Bearer => bearer,
            Echo::BearerInBase64 => STANDARD.encode(format!("Authorization: {bearer}")),
            Echo::BearerEncoded => percent(&bearer),
            Echo::Header => request.header("x-team"),
            Echo::Body => request.body.clone(),
            Echo::BodyEncoded => percent(&request.body),
        }
    }
}

/// How an exchange goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// An error of the gateway, with this status and code, that repeats it in its message, details, and ids.
    Api(u16, &'static str, Echo),
    /// An error whose code is the repeated text itself.
    Code(Echo),
    /// A page for people.
    Page(u16, Echo),
    /// A success that is no reply: another type, and another form.
    OtherType(Echo),
    OtherForm(Echo),
    /// Of the type of the reply, with secrets in their places, where nobody may print them.
    Secrets,
    Redirect(Echo),
    RedirectTo(SocketAddr),
    /// Fewer bytes than announced.
    Cut(Echo),
    NotHttp(Echo),
    BadHeader(Echo),
    BadChunk(Echo),
    NotGzip(Echo),
    BadRetryAfter(Echo),
    TooLarge(Echo),
    Close,
    Silence,
    /// Streams: an error in place of a chunk, no chunk, no end.
    StreamError(Echo),
    StreamOfOther(Echo),
    StreamCut(Echo),
}

pub(crate) struct Request {
    head: String,
    target: String,
    body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> String {
        let headers = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut named = headers.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.to_owned()).unwrap_or_default()
    }
}

#[derive(Clone)]
pub(crate) struct Hostile {
    address: SocketAddr,
    answer: Arc<Mutex<Answer>>,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Hostile {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let this = Self { address, answer: Arc::new(Mutex::new(Answer::Close)), seen: Arc::default() };
        let server = this.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                std::thread::spawn(move || server.serve(stream));
            }
        });
        this
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn answer_with(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// The requests since the last look.
    pub(crate) fn take_seen(&self) -> Vec<Request> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    fn serve(&self, mut stream: TcpStream) {
        let Some(request) = read(&mut stream) else { return };
        let answer = *self.answer.lock().unwrap();
        // The client may have left.
        let _ = stream.write_all(&bytes(answer, &request));
        if matches!(answer, Answer::Silence) {
            std::thread::sleep(Duration::from_millis(500));
        }
        self.seen.lock().unwrap().push(request);
    }
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut all = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let target = head.split(' ').nth(1)?.to_owned();
            let request = Request { head: head.to_owned(), target, body: body.to_owned() };
            let is_chunked = request.header("transfer-encoding") == "chunked";
            let whole = request.header("content-length").parse().unwrap_or(0_usize) <= body.len();
            if if is_chunked { body.ends_with("0\r\n\r\n") } else { whole } {
                return Some(request);
            }
        }
        match stream.read(&mut buffer) {
            Ok(len @ 1..) => all.extend_from_slice(&buffer[..len]),
            _ => return None,
        }
    }
}

fn bytes(answer: Answer, request: &Request) -> Vec<u8> {
    let http = |status: u16, headers: &str, body: &str| {
        let len = body.len();
        format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {len}\r\n{headers}\r\n{body}")
    };
    // What fits into a header.
    let id =
        |echo: Echo| format!("x-scaigrid-request-id: {}\r\n", echo.of(request).replace(['\r', '\n'], " "));
    let json = "content-type: application/json\r\n";
    let html = "content-type: text/html\r\n";
    let stream = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n";
    let text = match answer {
        Answer::Api(status, code, echo) => {
            let said = echo.of(request);
            let error = json!({
                "code": code, "message": format!("refused: {said}"),
                "details": {"fields": [{"field": said, "message": said}], said.clone(): [said]},
            });
            http(status, &(id(echo) + json), &json!({"status": "error", "error": error}).to_string())
        }
        Answer::Code(echo) => {
            let said = echo.of(request);
            let body = json!({"error": {"code": said, "message": said}, "meta": {"request_id": said}});
            http(400, json, &body.to_string())
        }
        Answer::Page(status, echo) => {
            http(status, &(id(echo) + html), &format!("<html>Bad gateway: {}</html>", echo.of(request)))
        }
        Answer::OtherType(echo) => {
            let said = echo.of(request).replace(['\r', '\n'], " ");
            http(200, &format!("{}content-type: text/html; for=\"{said}\"\r\n", id(echo)), &said)
        }
        Answer::OtherForm(echo) => {
            let said = echo.of(request);
            let body =
                json!({"status": said, "data": {"id": [said], "choices": said, "key": {"k": said}, said: 1}});
            http(200, &(id(echo) + json), &body.to_string())
        }
        Answer::Secrets => http(200, json, &with_secrets(request).to_string()),
        Answer::Redirect(echo) => {
            let said = percent(&echo.of(request));
            let plain = echo.of(request).replace([' ', '\r', '\n', '"'], "-");
            http(302, &format!("location: http://127.0.0.1:9/{plain}/{said}?key={said}#{said}\r\n"), "")
        }
        Answer::RedirectTo(other) => http(307, &format!("location: http://{other}/v1/there\r\n"), ""),
        Answer::Cut(echo) => {
            format!("HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n{}{json}\r\n{}", id(echo), echo.of(request))
        }
        Answer::NotHttp(echo) => echo.of(request),
        Answer::BadHeader(echo) => {
            format!("HTTP/1.1 200 OK\r\n{}\x01: {}\r\n\r\n", echo.of(request), echo.of(request))
        }
        Answer::BadChunk(echo) => {
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}\r\n\r\n", echo.of(request))
        }
        Answer::NotGzip(echo) => http(200, "content-encoding: gzip\r\n", &echo.of(request)),
        Answer::BadRetryAfter(echo) => {
            http(503, &format!("retry-after: {}\r\n", echo.of(request).replace(['\r', '\n'], " ")), "")
        }
        Answer::TooLarge(echo) => http(200, json, &format!("{}{}", echo.of(request), "x".repeat(200_000))),
        Answer::Close | Answer::Silence => String::new(),
        Answer::StreamError(echo) => {
            let said = echo.of(request);
            let error =
                json!({"error": {"code": "BACKEND_ERROR", "message": said, "details": {said.clone(): said}}});
            format!("{stream}{}\r\nevent: error\ndata: {error}\n\n", id(echo))
        }
        Answer::StreamOfOther(echo) => {
            let said = echo.of(request);
            format!(
                "{stream}{}\r\nevent: {}\ndata: {}\n\n",
                id(echo),
                said.replace(['\r', '\n'], " "),
                json!([said])
            )
        }
        Answer::StreamCut(echo) => {
            let chunk = json!({"choices": [{"index": 0, "delta": {"content": "Hello"}}]});
            let said = json!({"choices": echo.of(request)});
            format!("{stream}{}\r\ndata: {chunk}\n\ndata: {said}\n\n", id(echo))
        }
    };
    text.into_bytes()
}

/// What a gateway may send although it should not, by path.
fn with_secrets(request: &Request) -> Value {
    let url = format!("http://127.0.0.1:9/media/1?token={MEDIA_TOKEN}");
    let one = if request.target.contains("/webhooks") {
        json!({"id": "w", "url": "http://127.0.0.1:9/", "secret": WEBHOOK_SECRET})
    } else if request.target.contains("/api-keys") {
        json!({"id": "k", "key": CREATED_KEY, "name": "n"})
    } else if request.target.contains("/images") {
        return json!({"data": {"created": 1, "data": [{"url": url}]}});
    } else if request.target.contains("/batch") {
        json!({"id": "b", "status": "completed", "output_file_url": url, "error_file_url": url, "input_file_url": url})
    } else {
        return json!({"data": null});
    };
    let is_list = request.head.starts_with("GET") && request.target.matches('/').count() <= 3;
    match is_list && !request.target.contains("/batch/") {
        true => json!({"data": [one]}),
        false => json!({"data": one}),
    }
}

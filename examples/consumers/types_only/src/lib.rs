//! A toy gateway: it answers chats with their own last message, in the gateway's envelope. Types and std, nothing else.

use scaigrid_types::{
    ApiError, AssistantMessage, ChatCompletion, ChatRequest, Choice, Endpoint, ErrorCode, ErrorEnvelope,
    FieldError, FinishReason, Meta, SuccessEnvelope, Usage,
};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpListener;

/// Answers one request after another, until a connection fails.
pub fn serve(listener: &TcpListener) -> io::Result<()> {
    for stream in listener.incoming() {
        let stream = stream?;
        let (status, body) = read(&stream)
            .map_or_else(|_| refused("the request cannot be read"), |(line, body)| answer(&line, &body));
        let head = format!(
            "HTTP/1.1 {status} Toy\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
            body.len()
        );
        (&stream).write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes())?;
    }
    Ok(())
}

/// The request line and the body.
fn read(stream: impl Read) -> io::Result<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut len) = (String::new(), 0);
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                len = value.trim().parse().map_err(io::Error::other)?;
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = Vec::new();
    reader.take(len).read_to_end(&mut body)?;
    Ok((first, body))
}

/// What the toy says to a request: a status, and an envelope.
pub fn answer(line: &str, body: &[u8]) -> (u16, String) {
    // The path is the type's, and not written down twice.
    let path: String = ChatRequest::new("").path().segments().flat_map(|segment| ["/", segment]).collect();
    if line.split(' ').take(2).ne(["POST", &path]) {
        return refused("there are only chats here");
    }
    let request: ChatRequest = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(error) => return refused(&error.to_string()),
    };
    let Some(last) = request.messages.last() else { return refused("`messages` is empty") };
    let mut choice = Choice::default();
    choice.message = AssistantMessage::new(format!("You said: {}", last.text()));
    choice.finish_reason = Some(FinishReason::Stop);
    let mut completion = ChatCompletion::default();
    completion.model = Some(request.model);
    completion.choices.push(choice);
    completion.usage = Some(Usage::new(1, 1));
    let success = SuccessEnvelope::new(completion, Meta::with_request_id("req_toy"));
    envelope(200, serde_json::to_string(&success))
}

fn refused(why: &str) -> (u16, String) {
    let code = ErrorCode::ValidationError;
    let status = code.http_status().unwrap_or(400);
    let error = ApiError::new(code, why).with_field_errors(&[FieldError::new("messages", why)]);
    let failure = ErrorEnvelope::new(error, Meta::with_request_id("req_toy"));
    envelope(status, serde_json::to_string(&failure))
}

fn envelope(status: u16, json: serde_json::Result<String>) -> (u16, String) {
    json.map_or_else(|error| (500, error.to_string()), |body| (status, body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use scaigrid_types::ResponseBody;
    use std::net::{SocketAddr, TcpStream};

    /// Sends what the endpoint says, and gives status and body.
    fn send(address: SocketAddr, request: &ChatRequest) -> (u16, Vec<u8>) {
        let path: Vec<_> = request.path().segments().map(str::to_owned).collect();
        let body = request.body().unwrap().unwrap();
        let body = body.as_bytes().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!("POST /{} HTTP/1.1\r\nContent-Length: {}\r\n\r\n", path.join("/"), body.len());
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.as_bytes().to_vec())
    }

    fn start() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || serve(&listener));
        address
    }

    #[test]
    fn a_chat_is_answered_in_the_envelope() {
        let request = ChatRequest::new("toy").system("Be brief.").user("Hello");
        let (status, body) = send(start(), &request);
        assert_eq!(status, 200);
        let reply = request.decode(ResponseBody::new(&body, Some("application/json"))).unwrap();
        assert_eq!(reply.text(), "You said: Hello");
        assert_eq!(reply.model.as_deref(), Some("toy"));
    }

    #[test]
    fn a_refusal_names_the_field() {
        let (status, body) = answer("POST /v1/inference/chat HTTP/1.1", b"{\"model\":\"toy\"}");
        let error = ErrorEnvelope::from_slice(body.as_bytes()).unwrap();
        assert_eq!((status, error.request_id()), (422, Some("req_toy")));
        assert_eq!(error.error.code, Some(ErrorCode::ValidationError));
        assert_eq!(error.error.field_errors()[0].field, "messages");
        assert_eq!(answer("GET /v1/models HTTP/1.1", b"").0, 422);
    }
}

//! A transport on plain sockets, without any HTTP client of ours.

use scaigrid::transport::{Timeouts, TransportError, TransportErrorKind, blocking};
use scaigrid::{ChatRequest, bytes::Bytes, http};
use std::io::{Error, Read, Write};
use std::net::TcpStream;

struct PlainSockets;

impl blocking::Transport for PlainSockets {
    fn send(
        &self,
        request: http::Request<blocking::RequestBody>,
        _timeouts: Timeouts,
    ) -> Result<http::Response<blocking::Body>, TransportError> {
        let refused = |error: Error| TransportError::new(TransportErrorKind::Connect).with_source(error);
        let broken = |error: Error| TransportError::new(TransportErrorKind::Interrupted).with_source(error);
        let protocol = || TransportError::new(TransportErrorKind::Protocol);
        let authority = request.uri().authority().map(|authority| authority.as_str()).unwrap_or_default();
        let body = request.body().as_bytes().cloned().unwrap_or_default();
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());

        let mut head =
            format!("{} {target} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n", request.method());
        for (name, value) in request.headers() {
            head += &format!("{name}: {}\r\n", value.to_str().unwrap_or_default());
        }
        head += &format!("content-length: {}\r\n\r\n", body.len());
        let mut socket = TcpStream::connect(authority).map_err(refused)?;
        socket.write_all(head.as_bytes()).and_then(|()| socket.write_all(&body)).map_err(broken)?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).map_err(broken)?;

        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(protocol)?;
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or_else(protocol)?;
        let mut response = http::Response::builder().status(status);
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            response = response.header(name, value);
        }
        response
            .body(blocking::Body::from(Bytes::copy_from_slice(&answer[end + 4..])))
            .map_err(|_| protocol())
    }
}

fn main() -> Result<(), scaigrid::Error> {
    let client = scaigrid::blocking::Client::builder().env().transport(PlainSockets).build()?;
    let reply = client.chat(&ChatRequest::new("scailabs/poolnoodle-omni").user("Hello"))?;
    let id = reply.request_id().unwrap_or("none");
    println!("answer of {} bytes over plain sockets, request id {id}", reply.text().len());
    Ok(())
}

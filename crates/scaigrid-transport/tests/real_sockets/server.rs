//! A server of raw bytes: it does exactly what a test says, right or wrong.

use socket2::{Domain, SockRef, Socket, Type};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// What the server does with one connection.
pub(crate) enum Act {
    /// Reads the request, writes the bytes, closes.
    Answer(Vec<u8>),
    /// Reads the request, writes the pieces with a pause before each, closes.
    Drip(Vec<&'static str>, Duration),
    /// Reads the request, writes the bytes, then is silent until the client leaves.
    Stall(&'static str),
    /// Answers this many requests on one connection, then closes it.
    KeepAlive(usize),
    /// Writes the bytes without waiting for a request, closes.
    #[cfg_attr(not(any(feature = "rustls", feature = "native-tls")), allow(dead_code, reason = "for TLS"))]
    Greet(&'static str),
    /// Resets the connection that was made, without reading.
    ResetBeforeRequest,
    /// Reads the head of the request only, and writes the bytes.
    RefuseHead(&'static str),
    /// Reads the request, then resets.
    ResetAfterRequest,
    /// Reads the request, writes the bytes, then resets.
    AnswerAndReset(&'static str),
}

/// What the server saw.
#[derive(Debug, PartialEq)]
pub(crate) enum Seen {
    Request(String),
    ClientLeft,
}

/// Serves one connection for each act, in order. The address, and what is seen.
pub(crate) fn serve(acts: Vec<Act>) -> (SocketAddr, Receiver<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, seen_by_test) = channel();
    thread::spawn(move || {
        for act in acts {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let seen = seen.clone();
            thread::spawn(move || {
                if !matches!(act, Act::ResetBeforeRequest | Act::Greet(_) | Act::RefuseHead(_)) {
                    match read_request(&mut stream) {
                        Some(request) => seen.send(Seen::Request(request)).ok(),
                        None => return,
                    };
                }
                perform(act, stream, |event| drop(seen.send(event)));
            });
        }
    });
    (address, seen_by_test)
}

fn perform(act: Act, mut stream: TcpStream, seen: impl Fn(Seen)) {
    // Writes fail when the client has left; that is what some tests are about.
    match act {
        Act::Answer(bytes) => drop(stream.write_all(&bytes)),
        Act::RefuseHead(answer) => refuse_head(&mut stream, answer),
        Act::Drip(pieces, pause) => {
            for piece in pieces {
                thread::sleep(pause);
                let _ = stream.write_all(piece.as_bytes());
            }
        }
        Act::Stall(bytes) => {
            let _ = stream.write_all(bytes.as_bytes());
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            if matches!(stream.read(&mut [0; 1]), Ok(0)) {
                seen(Seen::ClientLeft);
            }
        }
        Act::KeepAlive(requests) => {
            for request in 0..requests {
                if request > 0 {
                    match read_request(&mut stream) {
                        Some(request) => seen(Seen::Request(request)),
                        None => return,
                    }
                }
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            }
        }
        Act::Greet(bytes) => drop(stream.write_all(bytes.as_bytes())),
        Act::ResetBeforeRequest => {
            // At once, the client would see a connection that was never made.
            thread::sleep(Duration::from_millis(50));
            reset(stream);
        }
        Act::ResetAfterRequest => reset(stream),
        Act::AnswerAndReset(bytes) => {
            let _ = stream.write_all(bytes.as_bytes());
            // The reset must not overtake the bytes.
            thread::sleep(Duration::from_millis(50));
            reset(stream);
        }
    }
}

fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

/// Head and body of a request, by its content length. `None` when the client left before its end.
fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:").map(|n| n.trim().parse().unwrap())
            });
            let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
            if body.len() >= length.unwrap_or(0usize) && (!is_chunked || body.ends_with("0\r\n\r\n")) {
                return Some(text);
            }
        }
        match stream.read(&mut buffer) {
            Ok(len) if len > 0 => request.extend_from_slice(&buffer[..len]),
            _ => return None,
        }
    }
}

/// Lingers a little, as servers do: closing at once would take the answer back with a reset.
fn refuse_head(stream: &mut TcpStream, answer: &str) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|len| len == 1) {
        head.push(byte[0]);
    }
    if stream.write_all(answer.as_bytes()).is_ok() {
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.set_read_timeout(Some(Duration::from_millis(500)));
        let mut sink = [0; 4096];
        while stream.read(&mut sink).is_ok_and(|len| len > 0) {}
    }
}

/// An address where nobody listens.
pub(crate) fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// An address that neither accepts nor refuses, because its backlog is full. Lasts as long as the sockets.
pub(crate) fn full_backlog() -> (SocketAddr, Vec<Socket>) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut sockets = vec![listener];
    for _ in 0..4 {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        let _ = socket.connect(&address);
        sockets.push(socket);
    }
    (address.as_socket().unwrap(), sockets)
}

/// A TLS server whose certificate nobody trusts.
#[cfg(any(feature = "rustls", feature = "native-tls"))]
pub(crate) fn untrusted_tls() -> SocketAddr {
    let certified = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut tls = rustls::ServerConnection::new(config.clone()).unwrap();
            // Fails when the client refuses the certificate.
            while tls.is_handshaking() && tls.complete_io(&mut stream).is_ok() {}
        }
    });
    address
}

/// A server that accepts and never reads. Lasts as long as the listener.
pub(crate) fn deaf() -> (SocketAddr, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (listener.local_addr().unwrap(), listener)
}

/// A server that answers with 64 MiB as fast as the client takes them, and how many bytes it has got rid of.
pub(crate) fn flood() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let written = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&written);
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_request(&mut stream).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").unwrap();
        let block = [b'x'; 64 * 1024];
        while counter.load(Ordering::SeqCst) < 64 * 1024 * 1024 && stream.write_all(&block).is_ok() {
            counter.fetch_add(block.len(), Ordering::SeqCst);
        }
    });
    (address, written)
}

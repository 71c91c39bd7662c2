//! Both transports against real sockets: every failure has the same kind in both colours.
#![cfg(any(feature = "reqwest", feature = "ureq"))]
#![allow(clippy::disallowed_methods, reason = "servers of the tests pause for real; that is what they test")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

/// Every test in both colours.
macro_rules! both {
    ($($test:ident),+ $(,)?) => {
        #[cfg(feature = "reqwest")]
        mod reqwest { $( #[test] fn $test() { super::$test::<crate::Async>(); } )+ }
        #[cfg(feature = "ureq")]
        mod ureq { $( #[test] fn $test() { super::$test::<crate::Blocking>(); } )+ }
    };
}

#[cfg(feature = "ureq")]
mod cancel;
mod late;
mod proxies;
mod server;
mod stale;
mod uploads;

use bytes::Bytes;
use scaigrid_transport::{Timeouts, TransportError, TransportErrorKind as Kind};
use server::{Act, Seen, closed_port, full_backlog, serve};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Status and body of an answer, or the kind of failure.
type Outcome = Result<(u16, Bytes), TransportError>;

/// Long enough for a busy machine to keep, short enough to wait for.
const SHORT: Duration = Duration::from_millis(400);
const LIMIT: usize = 1024;

fn request(uri: &str, body: &'static str) -> http::Request<Bytes> {
    let method = if body.is_empty() { "GET" } else { "POST" };
    http::Request::builder().method(method).uri(uri).body(Bytes::from_static(body.as_bytes())).unwrap()
}

/// One colour: a client, and the way to make one exchange.
trait Colour {
    fn new() -> Self;
    /// Through a proxy.
    fn through(proxy: &str) -> Self;
    /// With variables instead of the environment.
    fn with_variables(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self;
    fn exchange(&self, request: http::Request<Bytes>, timeouts: Timeouts) -> Outcome;
    /// Sends a body of these pieces, and counts how many are read.
    fn upload(
        &self,
        uri: &str,
        pieces: Vec<Result<&'static str, &'static str>>,
        len: Option<u64>,
        read: &Arc<AtomicUsize>,
    ) -> Outcome;
    /// Lets the HTTP stack do what it does by itself.
    fn pause(&self, pause: Duration);
    /// Reads one piece, and after a pause says how many bytes the server has got rid of.
    fn piece_and_pause(&self, request: http::Request<Bytes>, pause: Duration, written: &AtomicUsize)
    -> usize;
    /// Reads one piece and drops the rest.
    fn first_piece(&self, request: http::Request<Bytes>) -> Bytes;
}

#[cfg(feature = "ureq")]
struct Blocking(scaigrid_transport::UreqTransport);

#[cfg(feature = "ureq")]
impl Colour for Blocking {
    fn new() -> Self {
        let builder = scaigrid_transport::UreqTransport::builder();
        Self(builder.connect_timeout(SHORT).no_proxy().build().unwrap())
    }

    fn through(proxy: &str) -> Self {
        Self(scaigrid_transport::UreqTransport::builder().proxy(proxy).build().unwrap())
    }

    fn with_variables(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(scaigrid_transport::UreqTransport::builder().proxy_variables(lookup).build().unwrap())
    }

    fn exchange(&self, request: http::Request<Bytes>, timeouts: Timeouts) -> Outcome {
        use scaigrid_transport::blocking::Transport;
        let response = self.0.send(request.map(Into::into), timeouts)?;
        let status = response.status().as_u16();
        Ok((status, response.into_body().collect(LIMIT)?))
    }

    fn upload(
        &self,
        uri: &str,
        pieces: Vec<Result<&'static str, &'static str>>,
        len: Option<u64>,
        read: &Arc<AtomicUsize>,
    ) -> Outcome {
        use scaigrid_transport::blocking::{RequestBody, Transport};
        let reader = uploads::Reader { pieces: pieces.into(), read: Arc::clone(read) };
        let request = http::Request::post(uri).body(RequestBody::new(reader, len)).unwrap();
        let response = self.0.send(request, Timeouts::none())?;
        let status = response.status().as_u16();
        Ok((status, response.into_body().collect(LIMIT)?))
    }

    fn pause(&self, pause: Duration) {
        std::thread::sleep(pause);
    }

    fn piece_and_pause(
        &self,
        request: http::Request<Bytes>,
        pause: Duration,
        written: &AtomicUsize,
    ) -> usize {
        use scaigrid_transport::blocking::Transport;
        let mut body = self.0.send(request.map(Into::into), Timeouts::none()).unwrap().into_body();
        body.chunk().unwrap().unwrap();
        std::thread::sleep(pause);
        written.load(Ordering::SeqCst)
    }

    fn first_piece(&self, request: http::Request<Bytes>) -> Bytes {
        use scaigrid_transport::blocking::Transport;
        self.0.send(request.map(Into::into), Timeouts::none()).unwrap().into_body().chunk().unwrap().unwrap()
    }
}

#[cfg(feature = "reqwest")]
struct Async(scaigrid_transport::ReqwestTransport, tokio::runtime::Runtime);

#[cfg(feature = "reqwest")]
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[cfg(feature = "reqwest")]
impl Colour for Async {
    fn new() -> Self {
        let builder = scaigrid_transport::ReqwestTransport::builder();
        Self(builder.connect_timeout(SHORT).no_proxy().build().unwrap(), runtime())
    }

    fn through(proxy: &str) -> Self {
        Self(scaigrid_transport::ReqwestTransport::builder().proxy(proxy).build().unwrap(), runtime())
    }

    fn with_variables(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        let builder = scaigrid_transport::ReqwestTransport::builder();
        Self(builder.proxy_variables(lookup).build().unwrap(), runtime())
    }

    fn exchange(&self, request: http::Request<Bytes>, timeouts: Timeouts) -> Outcome {
        use scaigrid_transport::Transport;
        self.1.block_on(async {
            let response = self.0.send(request.map(Into::into), timeouts).await?;
            let status = response.status().as_u16();
            Ok((status, response.into_body().collect(LIMIT).await?))
        })
    }

    fn upload(
        &self,
        uri: &str,
        pieces: Vec<Result<&'static str, &'static str>>,
        len: Option<u64>,
        read: &Arc<AtomicUsize>,
    ) -> Outcome {
        use scaigrid_transport::{RequestBody, Transport};
        let stream = uploads::Stream { pieces: pieces.into(), read: Arc::clone(read) };
        let request = http::Request::post(uri).body(RequestBody::new(stream, len)).unwrap();
        self.1.block_on(async {
            let response = self.0.send(request, Timeouts::none()).await?;
            let status = response.status().as_u16();
            Ok((status, response.into_body().collect(LIMIT).await?))
        })
    }

    fn pause(&self, pause: Duration) {
        self.1.block_on(async { tokio::time::sleep(pause).await });
    }

    fn piece_and_pause(
        &self,
        request: http::Request<Bytes>,
        pause: Duration,
        written: &AtomicUsize,
    ) -> usize {
        use scaigrid_transport::Transport;
        self.1.block_on(async {
            let mut body = self.0.send(request.map(Into::into), Timeouts::none()).await.unwrap().into_body();
            body.chunk().await.unwrap().unwrap();
            tokio::time::sleep(pause).await;
            written.load(Ordering::SeqCst)
        })
    }

    fn first_piece(&self, request: http::Request<Bytes>) -> Bytes {
        use scaigrid_transport::Transport;
        self.1.block_on(async {
            let response = self.0.send(request.map(Into::into), Timeouts::none()).await.unwrap();
            let piece = response.into_body().chunk().await.unwrap().unwrap();
            // The dropped connection is closed by a task of the HTTP stack, which needs a turn.
            tokio::time::sleep(Duration::from_millis(20)).await;
            piece
        })
    }
}

fn get<C: Colour>(address: SocketAddr, timeouts: Timeouts) -> Outcome {
    C::new().exchange(request(&format!("http://{address}/"), ""), timeouts)
}

fn answer<C: Colour>(act: Act, timeouts: Timeouts) -> Outcome {
    get::<C>(serve(vec![act]).0, timeouts)
}

/// The kind of failure, and that it says the truth about what may have run.
#[track_caller]
fn fails(outcome: Outcome, kind: Kind, may_have_run: bool) {
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.may_have_run()), (kind, may_have_run), "{error:?}");
    assert!(!error.to_string().contains('\n'));
}

fn bytes(text: &str) -> Act {
    Act::Answer(text.as_bytes().to_vec())
}

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n";

fn plain_answers<C: Colour>() {
    for (raw, expected) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", (200, "hello")),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
            (200, "hello"),
        ),
        ("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello", (200, "hello")),
        ("HTTP/1.1 429 Too Many Requests\r\ncontent-length: 2\r\n\r\nno", (429, "no")),
        ("HTTP/1.1 204 No Content\r\n\r\n", (204, "")),
    ] {
        let (status, body) = answer::<C>(bytes(raw), Timeouts::none()).unwrap();
        assert_eq!((status, &body[..]), (expected.0, expected.1.as_bytes()), "{raw}");
    }
}

fn the_request_arrives_as_it_is<C: Colour>() {
    let (address, seen) = serve(vec![Act::KeepAlive(1)]);
    let mut request = request(&format!("http://{address}/v1/models/openai%2Fgpt-4o?a=b%20c"), "{\"a\":1}");
    request.headers_mut().insert("x-custom", "v".parse().unwrap());
    C::new().exchange(request, Timeouts::none()).unwrap();
    let Ok(Seen::Request(text)) = seen.recv() else { panic!() };
    assert!(text.starts_with("POST /v1/models/openai%2Fgpt-4o?a=b%20c HTTP/1.1\r\n"), "{text}");
    assert!(text.to_ascii_lowercase().contains("x-custom: v\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\n{\"a\":1}"), "{text}");
}

fn a_redirect_is_an_answer<C: Colour>() {
    let (elsewhere, seen_elsewhere) = serve(vec![Act::KeepAlive(1)]);
    let redirect =
        format!("HTTP/1.1 307 Elsewhere\r\nlocation: http://{elsewhere}/\r\ncontent-length: 0\r\n\r\n");
    let (status, _) = answer::<C>(bytes(&redirect), Timeouts::none()).unwrap();
    assert_eq!(status, 307);
    assert!(seen_elsewhere.recv_timeout(SHORT).is_err());
}

fn nobody_listens<C: Colour>() {
    fails(get::<C>(closed_port(), Timeouts::none()), Kind::Connect, false);
}

fn nobody_accepts<C: Colour>() {
    let (address, _sockets) = full_backlog();
    fails(get::<C>(address, Timeouts::none()), Kind::ConnectTimeout, false);
}

fn reset_before_and_after_the_request<C: Colour>() {
    fails(answer::<C>(Act::ResetBeforeRequest, Timeouts::none()), Kind::Interrupted, true);
    fails(answer::<C>(Act::ResetAfterRequest, Timeouts::none()), Kind::Interrupted, true);
    fails(answer::<C>(bytes(""), Timeouts::none()), Kind::Interrupted, true);
}

fn a_cut_head_or_body<C: Colour>() {
    for raw in [
        "HTTP/1.1 200 OK\r\ncontent-le",
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        fails(answer::<C>(bytes(raw), Timeouts::none()), Kind::Interrupted, true);
    }
    for raw in [
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello",
    ] {
        fails(answer::<C>(Act::AnswerAndReset(raw), Timeouts::none()), Kind::Interrupted, true);
    }
}

fn not_http<C: Colour>() {
    for raw in ["SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 nonsense\r\n\r\n"] {
        fails(answer::<C>(bytes(raw), Timeouts::none()), Kind::Protocol, true);
    }
}

fn broken_chunks<C: Colour>() {
    for chunks in ["nonsense\r\nhello\r\n0\r\n\r\n", "5\r\nhelloworld\r\n0\r\n\r\n", "-1\r\n\r\n"] {
        let raw = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}");
        fails(answer::<C>(bytes(&raw), Timeouts::none()), Kind::Protocol, true);
    }
}

fn a_stall_meets_either_limit<C: Colour>() {
    let attempt = Timeouts::none().with_attempt(SHORT);
    let read = Timeouts::none().with_read(SHORT);
    for head in ["", HEAD, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello"] {
        fails(answer::<C>(Act::Stall(head), attempt), Kind::Timeout, true);
        fails(answer::<C>(Act::Stall(head), read), Kind::ReadTimeout, true);
    }
}

fn the_read_limit_leaves_a_slow_stream_alone<C: Colour>() {
    let pieces = vec![HEAD, "ab", "cd", "ef", "gh", "ij"];
    let slow = Act::Drip(pieces, SHORT / 4);
    let (_, body) = answer::<C>(slow, Timeouts::none().with_read(SHORT)).unwrap();
    assert_eq!(body, "abcdefghij");
}

fn the_attempt_limit_cuts_a_slow_stream<C: Colour>() {
    let pieces = vec![HEAD, "ab", "cd", "ef", "gh", "ij"];
    let slow = Act::Drip(pieces, SHORT / 4);
    fails(answer::<C>(slow, Timeouts::none().with_attempt(SHORT)), Kind::Timeout, true);
}

fn a_large_body_is_refused<C: Colour>() {
    let large = "x".repeat(LIMIT + 1);
    for head in ["content-length: 1025\r\n\r\n", "connection: close\r\n\r\n"] {
        let outcome = answer::<C>(bytes(&format!("HTTP/1.1 200 OK\r\n{head}{large}")), Timeouts::none());
        fails(outcome, Kind::BodyTooLarge, true);
    }
    let fits = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(LIMIT));
    assert_eq!(answer::<C>(bytes(&fits), Timeouts::none()).unwrap().1.len(), LIMIT);
}

fn connections_are_kept_and_replaced<C: Colour>() {
    let (address, seen) = serve(vec![Act::KeepAlive(2), Act::KeepAlive(1)]);
    let client = C::new();
    for _ in 0..3 {
        let request = request(&format!("http://{address}/"), "");
        assert_eq!(client.exchange(request, Timeouts::none()).unwrap().1, "ok");
        // Time for the closed connection to be noticed as closed.
        client.pause(SHORT);
    }
    assert_eq!(seen.try_iter().count(), 3);
}

fn a_dropped_body_closes_the_connection<C: Colour>() {
    let (address, seen) = serve(vec![Act::Stall("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")]);
    assert_eq!(C::new().first_piece(request(&format!("http://{address}/"), "")), "hello");
    assert!(matches!(seen.recv(), Ok(Seen::Request(_))));
    assert_eq!(seen.recv_timeout(Duration::from_secs(1)), Ok(Seen::ClientLeft));
}

fn an_unknown_host<C: Colour>() {
    // Longer than a label may be: the resolver refuses it without asking anybody.
    let host = "x".repeat(64);
    let outcome = C::new().exchange(request(&format!("http://{host}.invalid/"), ""), Timeouts::none());
    fails(outcome, Kind::Dns, false);
}

fn the_first_byte_has_a_limit_of_its_own<C: Colour>() {
    let limits = Timeouts::none().with_first_byte(SHORT).with_read(Duration::from_secs(5));
    for head in ["", HEAD] {
        fails(answer::<C>(Act::Stall(head), limits), Kind::FirstByteTimeout, true);
    }
    let limits = Timeouts::none().with_first_byte(Duration::from_secs(5)).with_read(SHORT);
    fails(
        answer::<C>(Act::Stall("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello"), limits),
        Kind::ReadTimeout,
        true,
    );
    // The silence before the head does not count as silence of the body.
    let slow = Act::Drip(vec!["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"], 2 * SHORT);
    assert_eq!(answer::<C>(slow, limits).unwrap().1, "ok");
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn a_broken_handshake<C: Colour>() {
    let (address, _) = serve(vec![Act::Greet("")]);
    let outcome = C::new().exchange(request(&format!("https://{address}/"), ""), Timeouts::none());
    fails(outcome, Kind::Connect, false);
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn a_broken_handshake<C: Colour>() {}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn bad_certificates_are_refused<C: Colour>() {
    let untrusted = server::untrusted_tls();
    let outcome = C::new().exchange(request(&format!("https://{untrusted}/"), ""), Timeouts::none());
    fails(outcome, Kind::Tls, false);
    let (not_tls, _) = serve(vec![Act::Greet("HTTP/1.1 400 Bad Request\r\n\r\n")]);
    let outcome = C::new().exchange(request(&format!("https://{not_tls}/"), ""), Timeouts::none());
    fails(outcome, Kind::Tls, false);
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn bad_certificates_are_refused<C: Colour>() {
    let outcome = C::new().exchange(request(&format!("https://{}/", closed_port()), ""), Timeouts::none());
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidRequest);
    assert!(error.to_string().contains("`rustls` or `native-tls`"));
}

#[cfg(feature = "reqwest")]
#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    use scaigrid_transport::{ReqwestTransport, Transport};
    let transport = ReqwestTransport::builder().http_only().build().unwrap();
    let mut send = transport.send(request("http://127.0.0.1:1/", "").map(Into::into), Timeouts::none());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = send.as_mut().poll(&mut context) else { panic!() };
    assert_eq!(error.kind(), Kind::InvalidRequest);
    assert!(error.to_string().contains("tokio runtime"));
}

fn bytes_leave_the_socket_only_when_asked_for<C: Colour>() {
    let (address, written) = server::flood();
    let request = request(&format!("http://{address}/"), "");
    let taken = C::new().piece_and_pause(request, 2 * SHORT, &written);
    // What the buffers of both sockets hold, and far less than all.
    assert!(taken < 32 * 1024 * 1024, "{taken}");
}

fn a_server_that_does_not_read<C: Colour>() {
    // More than the socket buffers of both sides take.
    let large: &'static str = Box::leak("x".repeat(32 * 1024 * 1024).into_boxed_str());
    let (address, _sockets) = server::deaf();
    let limits = Timeouts::none().with_first_byte(2 * SHORT);
    let outcome = C::new().exchange(request(&format!("http://{address}/"), large), limits);
    fails(outcome, Kind::FirstByteTimeout, true);
}

both! {
    plain_answers,
    the_request_arrives_as_it_is,
    a_redirect_is_an_answer,
    nobody_listens,
    nobody_accepts,
    reset_before_and_after_the_request,
    a_cut_head_or_body,
    not_http,
    broken_chunks,
    a_stall_meets_either_limit,
    the_read_limit_leaves_a_slow_stream_alone,
    the_attempt_limit_cuts_a_slow_stream,
    a_large_body_is_refused,
    connections_are_kept_and_replaced,
    a_dropped_body_closes_the_connection,
    bad_certificates_are_refused,
    a_broken_handshake,
    an_unknown_host,
    the_first_byte_has_a_limit_of_its_own,
    a_server_that_does_not_read,
    bytes_leave_the_socket_only_when_asked_for,
}

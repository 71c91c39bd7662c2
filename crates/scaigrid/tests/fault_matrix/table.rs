//! What goes wrong, and what must come of it.

use scaigrid::ErrorKind::{self, Api, BodyTooLarge, Connect, Connection, Decode, Http, Proxy, Timeout};
use scaigrid_emulator::{Fault, StreamFault};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Plain,
    Stream,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Get,
    Inference,
    Creating,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Async,
    Blocking,
}

pub(crate) const MODES: [Mode; 2] = [Mode::Plain, Mode::Stream];
pub(crate) const CALLS: [Call; 3] = [Call::Get, Call::Inference, Call::Creating];
pub(crate) const COLOURS: [Colour; 2] = [Colour::Async, Colour::Blocking];

/// Streams exist for chats only: the client offers no other call as a stream.
pub(crate) fn is_offered(mode: Mode, call: Call) -> bool {
    mode == Mode::Plain || call == Call::Inference
}

/// Who misbehaves, and how.
#[derive(Clone, Copy)]
pub(crate) enum Trouble {
    /// The gateway, with requests.
    Fault(fn(Mode) -> Fault),
    /// The gateway, with new connections.
    ResetBeforeRequest,
    /// The gateway closes the pooled connection before the call.
    Stale(fn() -> Fault),
    /// A proxy that answers instead of the gateway.
    Proxy(fn(Mode) -> Fault),
    NobodyListens,
    NobodyAccepts,
    UnknownHost,
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    UntrustedCertificate,
}

/// The wait before a second attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wait {
    Backoff,
    Hint(Duration),
}

/// Which calls are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeated {
    /// Nothing was done, for sure.
    All,
    /// The gateway says that it failed.
    AllButCreating,
    /// The call may have run.
    OnlyGet,
    None,
}

impl Repeated {
    pub(crate) fn repeats(self, call: Call) -> bool {
        match self {
            Repeated::All => true,
            Repeated::AllButCreating => call != Call::Creating,
            Repeated::OnlyGet => call == Call::Get,
            Repeated::None => false,
        }
    }
}

pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) trouble: Trouble,
    pub(crate) repeated: Repeated,
    pub(crate) wait: Wait,
    /// The error once it is handed out. `None`: the trouble never surfaces.
    pub(crate) kind: Option<ErrorKind>,
    pub(crate) code: Option<&'static str>,
    /// The client gives up on silence soon.
    pub(crate) hasty: bool,
}

fn row(name: &'static str, trouble: Trouble, repeated: Repeated, kind: ErrorKind) -> Row {
    Row { name, trouble, repeated, wait: Wait::Backoff, kind: Some(kind), code: None, hasty: false }
}

/// A code of the gateway, as it sends it.
fn code(code: &'static str, repeated: Repeated, fault: fn(Mode) -> Fault) -> Row {
    Row { code: Some(code), ..row(code, Trouble::Fault(fault), repeated, Api) }
}

impl Row {
    fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    fn after(mut self, seconds: f64) -> Self {
        self.wait = Wait::Hint(Duration::from_secs_f64(seconds));
        self
    }

    fn hasty(mut self) -> Self {
        self.hasty = true;
        self
    }

    fn harmless(mut self) -> Self {
        self.kind = None;
        self
    }
}

const JSON: &str = "application/json";
const HTML: &str = "text/html";
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

/// Cut or stalled in the body: for streams before the first chunk, where a retry is still open.
fn cut(mode: Mode) -> Fault {
    match mode {
        Mode::Plain => Fault::cut_after(10),
        Mode::Stream => Fault::stream(StreamFault::cut(10)),
    }
}

fn stall(mode: Mode) -> Fault {
    match mode {
        Mode::Plain => Fault::stall(format!("{HEAD}content-length: 100\r\n\r\n{{")),
        Mode::Stream => Fault::stream(StreamFault::stall()),
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = answers();
    rows.extend(broken_transports());
    rows
}

fn answers() -> Vec<Row> {
    use Repeated::{All, AllButCreating, None};
    let fault = Trouble::Fault;
    vec![
        code("RATE_LIMITED", All, |_| Fault::error("RATE_LIMITED").retry_after(2.0)).after(2.0),
        code("RATE_LIMITED", All, |_| Fault::error("RATE_LIMITED")).named("RATE_LIMITED without a hint"),
        code("RATE_LIMITED", All, |_| Fault::error("RATE_LIMITED").retry_after(0.0)).named("a hint of zero"),
        code("RATE_LIMITED", None, |_| Fault::error("RATE_LIMITED").retry_after(600.0)).named("a long hint"),
        code("BACKEND_RATE_LIMITED", AllButCreating, |_| {
            Fault::error("BACKEND_RATE_LIMITED").retry_after_body(1.5)
        })
        .after(1.5),
        code("BACKEND_RATE_LIMITED", AllButCreating, |_| {
            Fault::error("BACKEND_RATE_LIMITED").retry_after_header("0.25")
        })
        .named("a hint in the header only")
        .after(0.25),
        code("BACKEND_RATE_LIMITED", AllButCreating, |_| {
            Fault::error("BACKEND_RATE_LIMITED").retry_after_body(1.0).retry_after_header("3")
        })
        .named("two hints")
        .after(3.0),
        code("BACKEND_RATE_LIMITED", AllButCreating, |_| {
            Fault::error("BACKEND_RATE_LIMITED")
                .header("Date", "Fri, 29 Sep 2023 16:26:37 GMT")
                .retry_after_header("Fri, 29 Sep 2023 16:26:57 GMT")
        })
        .named("a date as hint")
        .after(20.0),
        code("BACKEND_ERROR", AllButCreating, |_| Fault::error("BACKEND_ERROR")),
        code("BACKEND_TIMEOUT", AllButCreating, |_| Fault::error("BACKEND_TIMEOUT")),
        code("MODEL_UNAVAILABLE", AllButCreating, |_| Fault::error("MODEL_UNAVAILABLE")),
        code("BACKEND_TIMEOUT", AllButCreating, |_| Fault::error("BACKEND_TIMEOUT").status(200))
            .named("an error with status 200"),
        code("BACKEND_ERROR", AllButCreating, |_| {
            Fault::error("BACKEND_ERROR").without_meta().without_status_field()
        })
        .named("a bare error object"),
        code("BUDGET_EXCEEDED", None, |_| Fault::error("BUDGET_EXCEEDED").retry_after(1.0)),
        code("QUOTA_EXCEEDED", None, |_| Fault::error("QUOTA_EXCEEDED").status(429)),
        code("UPSTREAM_SHAPE_MISMATCH", None, |_| Fault::error("UPSTREAM_SHAPE_MISMATCH")),
        code("AUTH_TOKEN_INVALID", None, |_| Fault::error("AUTH_TOKEN_INVALID")),
        code("SESSION_EXPIRED", None, |_| Fault::error("SESSION_EXPIRED")),
        code("AUTHZ_PERMISSION_DENIED", None, |_| Fault::error("AUTHZ_PERMISSION_DENIED")),
        code("MODEL_NOT_FOUND", None, |_| Fault::error("MODEL_NOT_FOUND")),
        code("SLUG_CONFLICT", None, |_| Fault::error("SLUG_CONFLICT")),
        code("VALIDATION_ERROR", None, |_| Fault::error("VALIDATION_ERROR")),
        code("NEW", AllButCreating, |_| Fault::error("NEW").status(503)).named("an unknown code with 503"),
        code("NEW", None, |_| Fault::error("NEW").status(429)).named("an unknown code with a bare 429"),
        code("NEW", AllButCreating, |_| Fault::error("NEW").status(429).retry_after(1.0))
            .named("an unknown code with a 429 and a hint")
            .after(1.0),
        code("NEW", None, |_| Fault::error("NEW").status(500)).named("an unknown code with 500"),
        row("a page with 502", fault(|_| Fault::response(502, HTML, "<html>")), AllButCreating, Http),
        row("a page with 429", fault(|_| Fault::response(429, HTML, "<html>")), None, Http),
        row("a page with 500", fault(|_| Fault::response(500, HTML, "<html>")), None, Http),
        row("an empty 504", fault(|_| Fault::response(504, JSON, "")), AllButCreating, Http),
        row("a redirect", fault(|_| Fault::response(302, HTML, "").header("Location", "/")), None, Http),
        row("no JSON", fault(|_| Fault::response(200, JSON, "hello")), None, Decode),
        row("407 from somewhere", fault(|_| Fault::response(407, HTML, "")), None, Proxy),
        row("a proxy that refuses", Trouble::Proxy(|_| Fault::response(407, HTML, "")), None, Proxy),
    ]
}

fn broken_transports() -> Vec<Row> {
    use Repeated::{All, None, OnlyGet};
    let fault = Trouble::Fault;
    vec![
        row("an unknown host", Trouble::UnknownHost, All, Connect),
        row("nobody listens", Trouble::NobodyListens, All, Connect),
        row("nobody accepts", Trouble::NobodyAccepts, All, Connect),
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        row("an untrusted certificate", Trouble::UntrustedCertificate, None, ErrorKind::Tls),
        row("a pooled connection, closed", Trouble::Stale(Fault::hang_up), None, Connection).harmless(),
        row("a pooled connection, reset", Trouble::Stale(|| Fault::hang_up().with_reset()), None, Connection)
            .harmless(),
        row("a reset before the request", Trouble::ResetBeforeRequest, OnlyGet, Connection),
        row("a reset after the request", fault(|_| Fault::reset()), OnlyGet, Connection),
        row("closed after the request", fault(|_| Fault::close()), OnlyGet, Connection),
        row("a head cut off", fault(|_| Fault::raw("HTTP/1.1 200 OK\r\ncontent-le")), OnlyGet, Connection),
        row("a body cut off", fault(cut), OnlyGet, Connection),
        row("not HTTP", fault(|_| Fault::raw("SSH-2.0-OpenSSH_9.2\r\n\r\n")), OnlyGet, Connection),
        row(
            "broken chunks",
            fault(|_| Fault::raw(format!("{HEAD}transfer-encoding: chunked\r\n\r\nxyz\r\n"))),
            OnlyGet,
            Connection,
        ),
        row("silence instead of a head", fault(|_| Fault::stall("")), OnlyGet, Timeout).hasty(),
        row("silence in the body", fault(stall), OnlyGet, Timeout).hasty(),
        row(
            "an oversized body",
            fault(|_| Fault::response(200, JSON, vec![b' '; 1 << 20])),
            None,
            BodyTooLarge,
        ),
    ]
}

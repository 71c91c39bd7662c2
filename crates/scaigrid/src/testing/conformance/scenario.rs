//! What a scenario is: a server, calls, and what must come of them. The same for both colours.

use super::received::Received;
use super::server::{Log, Step};
use crate::{ChatRequest, Error, ErrorKind, GenericClientBuilder, Multipart, RawRequest, Reply, Upload};
use scaigrid_transport::TransportErrorKind;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Long enough for a busy machine to keep, short enough to wait for.
pub(super) const SHORT: Duration = Duration::from_millis(400);

/// Longer than the server waits: a transport that knows no limits meets the server's, and not this one.
const LONG: Duration = Duration::from_secs(8);

/// What the calls of all scenarios send as key.
pub(super) const KEY: &str = "sgk_conformance_key";

pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// What the contract promises.
    pub(super) promise: &'static str,
    pub(super) setup: Setup,
    /// What the server does, for each connection.
    pub(super) connections: fn() -> Vec<Vec<Step>>,
    /// Made one after another, with the same client.
    pub(super) calls: &'static [Call],
    pub(super) check: fn(&Seen) -> Verdict,
}

/// What is wrong.
pub(super) type Verdict = Result<(), String>;

#[derive(Clone, Copy)]
pub(super) enum Call {
    /// Costs twice when it runs twice: repeated only when it has not run.
    Chat,
    /// A chat with a prompt of this many bytes.
    LongChat(usize),
    /// Can be repeated.
    Get,
    /// Can be repeated, and has no answer but its status.
    Delete,
    /// Read to its end.
    Stream,
    /// Dropped behind the first text; waits until the server knows.
    StreamBegin,
    /// Given up when the server has the request; waits until the server knows.
    GivenUp,
    /// One piece is taken, and after a while it is counted what the server has got rid of.
    FileBegin,
    /// Of these pieces.
    Upload { pieces: &'static [&'static str], is_len_known: bool, breaks: bool },
    /// Of this many bytes.
    LargeUpload { len: usize, is_len_known: bool },
    /// No call: time for what the HTTP stack does by itself.
    Pause(Duration),
    /// No call: waits until the server knows whether the client has left.
    AwaitEnd,
}

/// What differs from the usual.
#[derive(Clone, Copy)]
pub(super) struct Setup {
    pub(super) timeout: Duration,
    pub(super) first_byte: Duration,
    pub(super) idle: Duration,
    pub(super) max_bytes: usize,
    /// Nobody listens.
    pub(super) is_nowhere: bool,
}

pub(super) const USUAL: Setup =
    Setup { timeout: LONG, first_byte: LONG, idle: LONG, max_bytes: 64 * 1024 * 1024, is_nowhere: false };

impl Setup {
    pub(super) fn apply<C>(
        &self,
        builder: GenericClientBuilder<C>,
        base_url: &str,
    ) -> GenericClientBuilder<C> {
        builder
            .base_url(format!("{base_url}/prefix"))
            .api_key(KEY)
            .header("x-custom", "as it is")
            .timeout(self.timeout)
            .first_byte_timeout(self.first_byte)
            .stream_idle_timeout(self.idle)
            .max_response_bytes(self.max_bytes)
            .jitter_source(|| 0.0)
    }
}

/// A chat, with a prompt that is this much longer than usual.
pub(super) fn hello(len: usize) -> ChatRequest {
    ChatRequest::new("m").user(format!("Hello \u{1F600}{}", "x".repeat(len)))
}

/// A call that can be repeated, with an address that is easily spoilt.
pub(super) fn get() -> RawRequest {
    RawRequest::get("/v1/models").segment("openai/gpt-4o").query("a", "b c+d")
}

pub(super) fn delete() -> RawRequest {
    RawRequest::delete("/v1/auth/api-keys").segment("k1")
}

/// A file that is sent while it is read, and how often it was read.
pub(super) fn upload(
    pieces: VecDeque<io::Result<Vec<u8>>>,
    is_len_known: bool,
) -> (RawRequest, Arc<AtomicUsize>) {
    // One that breaks has more to come than it gives.
    let len: usize = pieces.iter().map(|piece| piece.as_ref().map_or(1, Vec::len)).sum();
    let reads = Arc::<AtomicUsize>::default();
    let source = Source { pieces, reads: Arc::clone(&reads) };
    let upload = Upload::reader("a.txt", source, is_len_known.then_some(len as u64));
    (RawRequest::post("/v1/files").multipart(Multipart::new().file("file", &upload)), reads)
}

impl Call {
    /// What an upload reads.
    pub(super) fn source(self) -> Option<(VecDeque<io::Result<Vec<u8>>>, bool)> {
        match self {
            Call::Upload { pieces, is_len_known, breaks } => {
                let pieces = pieces.iter().map(|piece| Ok(piece.as_bytes().to_vec()));
                let broken = breaks.then(|| Err(io::Error::other("the disk is gone")));
                Some((pieces.chain(broken).collect(), is_len_known))
            }
            Call::LargeUpload { len, is_len_known } => {
                let pieces = (0..len / 4096).map(|_| Ok(vec![b'x'; 4096]));
                Some((pieces.collect(), is_len_known))
            }
            _ => None,
        }
    }
}

struct Source {
    pieces: VecDeque<io::Result<Vec<u8>>>,
    reads: Arc<AtomicUsize>,
}

impl io::Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.pieces.pop_front() else { return Ok(0) };
        self.reads.fetch_add(1, Ordering::SeqCst);
        let mut piece = piece?;
        let rest = piece.split_off(piece.len().min(buffer.len()));
        buffer.iter_mut().zip(&piece).for_each(|(to, from)| *to = *from);
        if !rest.is_empty() {
            self.pieces.push_front(Ok(rest));
        }
        Ok(piece.len())
    }
}

/// What came of a call.
#[derive(Debug)]
pub(super) struct Came {
    /// The text of an answer, or its JSON.
    pub(super) result: Result<String, Failed>,
    pub(super) attempts: u32,
    pub(super) request_id: Option<String>,
    /// How often the source of an upload was read.
    pub(super) reads: usize,
}

#[derive(Debug)]
pub(super) struct Failed {
    pub(super) kind: ErrorKind,
    pub(super) transport: Option<TransportErrorKind>,
    pub(super) status: Option<u16>,
    pub(super) may_have_run: bool,
    /// The error and its causes.
    pub(super) text: String,
}

impl Came {
    pub(super) fn well(text: impl Into<String>, attempts: u32, request_id: Option<&str>) -> Self {
        Self { result: Ok(text.into()), attempts, request_id: request_id.map(str::to_owned), reads: 0 }
    }

    /// A text as it is, anything else as JSON.
    pub(super) fn of_value(reply: &Reply<serde_json::Value>) -> Self {
        let text = reply.as_str().map_or_else(|| serde_json::Value::to_string(reply), str::to_owned);
        Self::well(text, reply.attempts(), reply.request_id())
    }

    /// Dropped by the caller.
    #[cfg(feature = "async")]
    pub(super) fn given_up() -> Self {
        let failed = Failed {
            kind: ErrorKind::Cancelled,
            transport: None,
            status: None,
            may_have_run: true,
            text: "dropped".to_owned(),
        };
        Self { result: Err(failed), attempts: 1, request_id: None, reads: 0 }
    }

    pub(super) fn read(mut self, reads: &AtomicUsize) -> Self {
        self.reads = reads.load(Ordering::SeqCst);
        self
    }
}

impl From<Error> for Came {
    fn from(error: Error) -> Self {
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let failed = Failed {
            kind: error.kind(),
            transport: error.transport_kind(),
            status: error.status().map(|status| status.as_u16()),
            may_have_run: error.may_have_run(),
            text: causes.map(ToString::to_string).collect::<Vec<_>>().join(": "),
        };
        let request_id = error.request_id().map(str::to_owned);
        Self { result: Err(failed), attempts: error.attempts(), request_id, reads: 0 }
    }
}

/// What came of a scenario.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) calls: Vec<Came>,
    pub(super) waits: Vec<Duration>,
    pub(super) server: Log,
}

impl Seen {
    /// The only call, or the last.
    pub(super) fn call(&self) -> Result<&Came, String> {
        self.calls.last().ok_or_else(|| "no call was made".to_owned())
    }

    pub(super) fn request(&self) -> Result<&Received, String> {
        self.server.requests.first().ok_or_else(|| "the server saw no request".to_owned())
    }

    pub(super) fn requests(&self, expected: usize) -> Verdict {
        equal("requests at the server", &self.server.requests.len(), &expected)
    }

    /// All calls gave this.
    pub(super) fn all_gave(&self, text: &str) -> Verdict {
        self.calls.iter().try_for_each(|came| match &came.result {
            Ok(came) => equal("the answer", &came.as_str(), &text),
            Err(failed) => Err(format!("expected an answer, came {failed:?}")),
        })
    }

    /// The last call failed like this.
    pub(super) fn failed_with(&self, kind: TransportErrorKind) -> Verdict {
        match &self.call()?.result {
            Ok(text) => Err(format!("expected {kind:?}, came an answer: {text:.80}")),
            Err(failed) => {
                equal("the kind of failure", &failed.transport, &Some(kind))
                    .map_err(|wrong| format!("{wrong}: {}", failed.text))?;
                equal("whether it may have run", &failed.may_have_run, &kind.may_have_run())
            }
        }
    }
}

pub(super) fn equal<T: PartialEq + std::fmt::Debug>(what: &str, came: &T, expected: &T) -> Verdict {
    match came == expected {
        true => Ok(()),
        false => Err(format!("{what}: expected {expected:?}, came {came:?}")),
    }
}

pub(super) fn ensure(is_so: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if is_so { Ok(()) } else { Err(otherwise()) }
}

//! A gateway that follows a script, in both colours.

use super::answer::{Answer, Head, Step};
use super::playback::Playback;
use super::{ScriptExhausted, VirtualClock};
use bytes::Bytes;
use scaigrid_transport::{Timeouts, TransportError, TransportErrorKind};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A transport that answers from a script, on virtual time, and remembers what was sent. Clones share script and memory.
///
/// It sits where HTTP would be: the client's retries, time limits, decoding, and counting are at work as they are in
/// production. It keeps the [`Timeouts`] of each request: an answer that is slower than they allow fails as it would from a
/// real server, after as much virtual time.
///
/// Each request takes the next answer. When there is none left, and no [`otherwise`](Self::otherwise), the call fails with
/// [`ScriptExhausted`] as the cause, and is not repeated. The [module's page](super) has examples.
#[derive(Clone, Debug, Default)]
pub struct ScriptedTransport {
    script: Arc<Mutex<Script>>,
    clock: VirtualClock,
}

#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    otherwise: Option<Responder>,
    sent: Vec<SentRequest>,
}

type Responder = Arc<dyn Fn(&SentRequest) -> Answer + Send + Sync>;

/// A request as it was sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SentRequest {
    /// Method, absolute address, headers, and the whole body. Values of headers that are secrets are marked as sensitive.
    pub request: http::Request<Bytes>,
    /// The time limits that the transport was told to keep.
    pub timeouts: Timeouts,
    /// When it was sent, in virtual time since the clock's begin.
    pub at: Duration,
}

impl SentRequest {
    /// The body as JSON.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::from_slice(self.request.body())
    }
}

/// What a request meets.
pub(super) enum Next {
    Answer(Answer),
    Ask(Responder),
}

impl Next {
    /// Whether there is a connection: otherwise the request's body is not read.
    pub(super) fn connects(&self) -> bool {
        match self {
            Next::Answer(Answer { head: Head::Failure(kind), .. }) => kind.may_have_run(),
            _ => true,
        }
    }
}

impl ScriptedTransport {
    /// An empty script, on a clock of its own.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the time from this clock.
    pub fn with_clock(mut self, clock: VirtualClock) -> Self {
        self.clock = clock;
        self
    }

    /// Adds an answer to the end of the script.
    pub fn answer(self, answer: Answer) -> Self {
        self.push(answer);
        self
    }

    /// As [`answer`](Self::answer), when clients use the transport already.
    pub fn push(&self, answer: Answer) {
        let times = answer.times;
        self.script().answers.extend(std::iter::repeat_n(Answer { times: 1, ..answer }, times));
    }

    /// Answers requests for which the script has no answer left. For programs whose requests come in no fixed order.
    pub fn otherwise(self, respond: impl Fn(&SentRequest) -> Answer + Send + Sync + 'static) -> Self {
        self.script().otherwise = Some(Arc::new(respond));
        self
    }

    /// The clock that the exchanges are timed with. Give it to the client, too.
    pub fn clock(&self) -> VirtualClock {
        self.clock.clone()
    }

    /// What was sent so far, in order, retries included.
    pub fn requests(&self) -> Vec<SentRequest> {
        self.script().sent.clone()
    }

    /// How many answers are left.
    pub fn answers_left(&self) -> usize {
        self.script().answers.len()
    }

    /// Settings of a client on this transport and its clock, with an API key of no worth, and jitter that is always zero,
    /// so that it waits the same time each run.
    #[cfg(feature = "async")]
    pub fn client_builder(&self) -> crate::ClientBuilder {
        let builder = crate::Client::builder().transport(self.clone()).clock(self.clock());
        preset(builder)
    }

    /// As [`client_builder`](Self::client_builder), for the blocking client.
    #[cfg(feature = "blocking")]
    pub fn blocking_client_builder(&self) -> crate::blocking::ClientBuilder {
        let builder = crate::blocking::Client::builder().transport(self.clone()).clock(self.clock());
        preset(builder)
    }

    /// What the next request meets.
    pub(super) fn next(&self, request: &http::request::Parts) -> Result<Next, TransportError> {
        let mut script = self.script();
        if let Some(answer) = script.answers.pop_front() {
            return Ok(Next::Answer(answer));
        }
        match &script.otherwise {
            Some(responder) => Ok(Next::Ask(Arc::clone(responder))),
            None => Err(ScriptExhausted::new(request, script.sent.len()).into()),
        }
    }

    /// Head, or failure; and what comes of the body.
    pub(super) fn perform(
        &self,
        next: Next,
        mut head: http::request::Parts,
        body: Bytes,
        timeouts: Timeouts,
    ) -> Result<http::Response<Playback>, TransportError> {
        // They hold spans and handles of the call, which should end with it.
        head.extensions.clear();
        let sent =
            SentRequest { request: http::Request::from_parts(head, body), timeouts, at: self.clock.passed() };
        self.script().sent.push(sent.clone());
        // Not within the lock: the answer may be made by looking at what was sent before.
        let answer = match next {
            Next::Answer(answer) => answer,
            Next::Ask(respond) => respond(&sent),
        };
        let playback = Playback::new(answer.body, timeouts, self.clock());
        playback.wait(answer.after)?;
        let (status, headers) = match answer.head {
            Head::Answer { status, headers } => (status, headers),
            Head::Failure(kind) => return Err(TransportError::new(kind).with_host(host_of(&sent.request))),
        };
        let mut response = http::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        response.body(playback).map_err(|error| {
            TransportError::new(TransportErrorKind::InvalidRequest)
                .with_message("the script has an answer that HTTP does not allow")
                .with_source(error)
        })
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn preset<C>(builder: crate::GenericClientBuilder<C>) -> crate::GenericClientBuilder<C> {
    builder.api_key("sgk_test").base_url("https://gateway.test").jitter_source(|| 0.0)
}

fn host_of(request: &http::Request<Bytes>) -> String {
    request.uri().authority().map(ToString::to_string).unwrap_or_default()
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answers, sent, .. } = self;
        f.debug_struct("Script").field("answers", answers).field("sent", sent).finish_non_exhaustive()
    }
}

/// A request body that could not be read.
pub(super) fn unreadable(error: std::io::Error) -> TransportError {
    TransportError::new(TransportErrorKind::RequestBody).with_source(error)
}

/// The steps of a body, taken out of the answer.
pub(super) type Steps = std::vec::IntoIter<Step>;

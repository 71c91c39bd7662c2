//! A scripted transport and a virtual clock, and one way to run a scenario in each colour.

use bytes::Bytes;
use scaigrid::{
    BearerToken, ChatChunk, ChatCompletion, ChatRequest, Error, GenericClientBuilder, Reply, StreamEvent,
};
use scaigrid_transport::{Timeouts, TransportError, TransportErrorKind as Kind};
use scaigrid_types::Endpoint;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

/// What the transport does with one request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    /// The body, in the pieces that it comes in.
    pieces: Vec<Bytes>,
    /// How the body ends; for status 0, what happens instead of an answer.
    fails: Option<Kind>,
    taking: Duration,
}

pub(crate) fn answer(status: u16, body: impl Into<String>) -> Answer {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Answer { status, headers, pieces: vec![Bytes::from(body.into())], fails: None, taking: Duration::ZERO }
}

/// An error envelope as the gateway sends it, with the code's documented status.
pub(crate) fn error(code: &str) -> Answer {
    let status = scaigrid::ErrorCode::from(code).http_status().unwrap_or(429);
    answer(
        status,
        format!(
            r#"{{"status":"error","error":{{"code":"{code}","message":"m"}},"meta":{{"request_id":"req_1"}}}}"#
        ),
    )
}

/// As [`error`], with a hint in the body.
pub(crate) fn error_after(code: &str, seconds: &str) -> Answer {
    let status = scaigrid::ErrorCode::from(code).http_status().unwrap_or(429);
    answer(
        status,
        format!(r#"{{"status":"error","error":{{"code":"{code}","message":"m","retry_after":{seconds}}}}}"#),
    )
}

pub(crate) fn ok() -> Answer {
    answer(
        200,
        r#"{"status":"ok","data":{"choices":[{"message":{"role":"assistant","content":"Hi"}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}},"meta":{"request_id":"req_ok"}}"#,
    )
}

/// An event stream in the given pieces.
pub(crate) fn events<T: Into<Bytes>>(pieces: impl IntoIterator<Item = T>) -> Answer {
    let pieces = pieces.into_iter().map(Into::into).collect();
    Answer { pieces, ..answer(200, "") }.header("content-type", "text/event-stream")
}

/// No answer.
pub(crate) fn fails(kind: Kind) -> Answer {
    Answer { fails: Some(kind), ..answer(0, "") }
}

impl Answer {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(existing, _)| !existing.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The body breaks off after its pieces.
    pub(crate) fn broken(self) -> Self {
        self.ending(Kind::Interrupted)
    }

    /// The body fails after its pieces.
    pub(crate) fn ending(mut self, kind: Kind) -> Self {
        self.fails = Some(kind);
        self
    }

    /// Other pieces of the body.
    pub(crate) fn set_pieces(&mut self, pieces: Vec<Vec<u8>>) {
        self.pieces = pieces.into_iter().map(Bytes::from).collect();
    }

    /// Virtual time that the exchange takes.
    pub(crate) fn taking(mut self, milliseconds: u64) -> Self {
        self.taking = Duration::from_millis(milliseconds);
        self
    }
}

type Pieces = std::vec::IntoIter<Result<Bytes, TransportError>>;

/// What the world saw of a call.
#[derive(Default)]
pub(crate) struct World {
    answers: VecDeque<Answer>,
    pub(crate) requests: Vec<http::Request<Bytes>>,
    pub(crate) timeouts: Vec<Timeouts>,
    pub(crate) waits: Vec<Duration>,
    passed: Duration,
    tokens_refused: u32,
    no_fresh_token: bool,
}

/// Transport, clock, and token provider in one, for both colours.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) world: Arc<Mutex<World>>,
    started: Instant,
}

impl Script {
    /// Head, or failure; and the pieces of the body.
    fn perform(
        &self,
        request: http::Request<Bytes>,
        timeouts: Timeouts,
    ) -> Result<(http::Response<()>, Pieces), TransportError> {
        let mut world = self.world.lock().unwrap();
        world.requests.push(request);
        let answer = world.answers.pop_front().expect("no more requests than answers");
        world.timeouts.push(timeouts);
        if let Some(limit) = timeouts.attempt.filter(|limit| answer.taking > *limit) {
            world.passed += limit;
            return Err(TransportError::new(Kind::Timeout));
        }
        world.passed += answer.taking;
        if answer.status == 0 {
            return Err(TransportError::new(answer.fails.unwrap()).with_host("gateway.test"));
        }
        let mut head = http::Response::builder().status(answer.status);
        for (name, value) in answer.headers {
            head = head.header(name, value);
        }
        let end = answer.fails.map(|kind| Err(TransportError::new(kind)));
        let pieces: Vec<_> = answer.pieces.into_iter().map(Ok).chain(end).collect();
        Ok((head.body(()).unwrap(), pieces.into_iter()))
    }

    /// Whether the next request finds a connection: otherwise its body is not read.
    fn connects(&self) -> bool {
        let world = self.world.lock().unwrap();
        world.answers.front().and_then(|answer| answer.fails).is_none_or(Kind::may_have_run)
    }

    fn now(&self) -> Instant {
        self.started + self.world.lock().unwrap().passed
    }

    fn wait(&self, duration: Duration) {
        let mut world = self.world.lock().unwrap();
        world.waits.push(duration);
        world.passed += duration;
    }

    fn refreshed(&self) -> Result<BearerToken, scaigrid::BoxError> {
        let mut world = self.world.lock().unwrap();
        world.tokens_refused += 1;
        if world.no_fresh_token {
            return Err("sign in again".into());
        }
        Ok(BearerToken::new(format!("fresh_{}", world.tokens_refused))?)
    }
}

fn unreadable(error: std::io::Error) -> TransportError {
    TransportError::new(Kind::RequestBody).with_source(error)
}

#[cfg(feature = "async")]
mod in_async {
    use super::*;
    use scaigrid::transport::{Body, RequestBody, Transport};
    use std::pin::Pin;

    #[async_trait::async_trait]
    impl Transport for Script {
        async fn send(
            &self,
            request: http::Request<RequestBody>,
            timeouts: Timeouts,
        ) -> Result<http::Response<Body>, TransportError> {
            let (head, mut body) = request.into_parts();
            let whole = body.as_bytes().cloned();
            let mut sent = Vec::new();
            while whole.is_none() && self.connects() {
                use futures_core::Stream as _;
                match std::future::poll_fn(|context| Pin::new(&mut body).poll_next(context)).await {
                    Some(piece) => sent.extend_from_slice(&piece.map_err(unreadable)?),
                    None => break,
                }
            }
            let (head, pieces) =
                self.perform(http::Request::from_parts(head, whole.unwrap_or(sent.into())), timeouts)?;
            Ok(head.map(|()| Body::new(Ready(pieces))))
        }
    }

    /// Pieces that are there at once.
    struct Ready(Pieces);

    impl futures_core::Stream for Ready {
        type Item = Result<Bytes, TransportError>;

        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Self::Item>> {
            std::task::Poll::Ready(self.0.next())
        }
    }

    #[async_trait::async_trait]
    impl scaigrid::Clock for Script {
        fn now(&self) -> Instant {
            Script::now(self)
        }

        fn system_time(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }

        async fn sleep(&self, duration: Duration) {
            self.wait(duration);
        }
    }

    #[async_trait::async_trait]
    impl scaigrid::TokenProvider for Script {
        async fn current(&self) -> Result<BearerToken, scaigrid::BoxError> {
            Ok(BearerToken::new("stale")?)
        }

        async fn refreshed(&self, _: &BearerToken) -> Result<BearerToken, scaigrid::BoxError> {
            Script::refreshed(self)
        }
    }
}

#[cfg(feature = "blocking")]
mod in_blocking {
    use super::*;
    use scaigrid::transport::blocking::{Body, RequestBody, Transport};
    use std::io::Read as _;

    impl Transport for Script {
        fn send(
            &self,
            request: http::Request<RequestBody>,
            timeouts: Timeouts,
        ) -> Result<http::Response<Body>, TransportError> {
            let (head, mut body) = request.into_parts();
            let whole = body.as_bytes().cloned();
            let mut sent = Vec::new();
            if whole.is_none() && self.connects() {
                body.read_to_end(&mut sent).map_err(unreadable)?;
            }
            let (head, pieces) =
                self.perform(http::Request::from_parts(head, whole.unwrap_or(sent.into())), timeouts)?;
            Ok(head.map(|()| Body::new(pieces)))
        }
    }

    impl scaigrid::blocking::Clock for Script {
        fn now(&self) -> Instant {
            Script::now(self)
        }

        fn system_time(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }

        fn sleep(&self, duration: Duration) {
            self.wait(duration);
        }
    }

    impl scaigrid::blocking::TokenProvider for Script {
        fn current(&self) -> Result<BearerToken, scaigrid::BoxError> {
            Ok(BearerToken::new("stale")?)
        }

        fn refreshed(&self, _: &BearerToken) -> Result<BearerToken, scaigrid::BoxError> {
            Script::refreshed(self)
        }
    }
}

/// What a scenario comes to.
pub(crate) struct Seen<T> {
    pub(crate) result: Result<Reply<T>, Error>,
    pub(crate) requests: Vec<http::Request<Bytes>>,
    pub(crate) waits: Vec<Duration>,
    pub(crate) passed: Duration,
    /// How often the token provider was asked for another token.
    pub(crate) tokens_refused: u32,
}

impl<T> Seen<T> {
    fn new(result: Result<Reply<T>, Error>, script: &Script) -> Self {
        let mut world = script.world.lock().unwrap();
        Self {
            result,
            requests: std::mem::take(&mut world.requests),
            waits: std::mem::take(&mut world.waits),
            passed: world.passed,
            tokens_refused: world.tokens_refused,
        }
    }

    /// The error, when there must be one.
    #[track_caller]
    pub(crate) fn error(&self) -> &Error {
        match &self.result {
            Ok(_) => panic!("the call succeeded"),
            Err(error) => error,
        }
    }
}

/// How a client is set up. The same for both colours.
#[derive(Clone, Default)]
pub(crate) struct Setup {
    pub(crate) policy: Option<scaigrid::StandardPolicy>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) token_provider: bool,
    /// The provider has no fresh token.
    pub(crate) no_fresh_token: bool,
    pub(crate) max_response_bytes: Option<usize>,
    /// Shared by both colours.
    pub(crate) budget: Option<scaigrid::RetryBudget>,
    /// How many retries the budget of each colour pays for.
    pub(crate) retries_paid_for: Option<u32>,
    /// The seed of the jitter. Without one it is random.
    pub(crate) jitter: Option<u64>,
    pub(crate) observed: Option<Observed>,
    pub(crate) guard: Option<scaigrid::BudgetGuard>,
}

/// What an observer has been told.
pub(crate) type Observed = Arc<Mutex<Vec<scaigrid::AttemptReport>>>;

impl Setup {
    fn apply<C>(&self, mut builder: GenericClientBuilder<C>) -> GenericClientBuilder<C> {
        builder = builder.base_url("https://gateway.test/prefix/");
        if let Some(policy) = &self.policy {
            builder = builder.retry_policy(policy.clone());
        }
        if let Some(deadline) = self.deadline {
            builder = builder.deadline(deadline);
        }
        if let Some(timeout) = self.timeout {
            builder = builder.timeout(timeout);
        }
        if let Some(bytes) = self.max_response_bytes {
            builder = builder.max_response_bytes(bytes);
        }
        if let Some(budget) = &self.budget {
            builder = builder.retry_budget(budget.clone());
        }
        if let Some(retries) = self.retries_paid_for {
            builder = builder.retry_budget(scaigrid::RetryBudget::new(retries));
        }
        if let Some(seed) = self.jitter {
            let random = Mutex::new(fastrand::Rng::with_seed(seed));
            builder = builder.jitter_source(move || random.lock().unwrap().f64());
        }
        if let Some(observed) = self.observed.clone() {
            builder = builder.on_attempt(move |attempt| observed.lock().unwrap().push(attempt.clone()));
        }
        if let Some(guard) = &self.guard {
            builder = builder.budget_guard(guard.clone());
        }
        if self.token_provider { builder } else { builder.api_key("sgk_test_secret_key") }
    }
}

pub(crate) fn script(setup: &Setup, answers: &[Answer]) -> Script {
    let world = World {
        answers: answers.iter().cloned().collect(),
        no_fresh_token: setup.no_fresh_token,
        ..World::default()
    };
    #[allow(clippy::disallowed_methods, reason = "an instant to count virtual time from")]
    let started = Instant::now();
    Script { world: Arc::new(Mutex::new(world)), started }
}

/// Runs a call against scripted answers, once in each colour that is on.
pub(crate) fn in_both_colours<E: Endpoint>(
    setup: &Setup,
    answers: &[Answer],
    endpoint: &E,
    check: impl Fn(&Seen<E::Reply>),
) {
    #[cfg(feature = "async")]
    {
        let script = script(setup, answers);
        let client = async_client(setup, &script);
        check(&Seen::new(runtime().block_on(client.send(endpoint)), &script));
    }
    #[cfg(feature = "blocking")]
    {
        let script = script(setup, answers);
        check(&Seen::new(blocking_client(setup, &script).send(endpoint), &script));
    }
}

/// As [`in_both_colours`], with an endpoint of its own for each: what it reads can be read only once.
pub(crate) fn each_colour<E: Endpoint>(
    setup: &Setup,
    answers: &[Answer],
    endpoint: impl Fn() -> E,
    check: impl Fn(&Seen<E::Reply>),
) {
    #[cfg(feature = "async")]
    {
        let script = script(setup, answers);
        let client = async_client(setup, &script);
        check(&Seen::new(runtime().block_on(client.send(&endpoint())), &script));
    }
    #[cfg(feature = "blocking")]
    {
        let script = script(setup, answers);
        check(&Seen::new(blocking_client(setup, &script).send(&endpoint()), &script));
    }
}

#[cfg(feature = "async")]
pub(crate) fn async_client(setup: &Setup, script: &Script) -> scaigrid::Client {
    let mut builder =
        setup.apply(scaigrid::Client::builder()).transport(script.clone()).clock(script.clone());
    if setup.token_provider {
        builder = builder.token_provider(script.clone());
    }
    builder.build().unwrap()
}

#[cfg(feature = "async")]
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

#[cfg(feature = "blocking")]
pub(crate) fn blocking_client(setup: &Setup, script: &Script) -> scaigrid::blocking::Client {
    let mut builder =
        setup.apply(scaigrid::blocking::Client::builder()).transport(script.clone()).clock(script.clone());
    if setup.token_provider {
        builder = builder.token_provider(script.clone());
    }
    builder.build().unwrap()
}

/// What a stream comes to.
pub(crate) struct SeenStream {
    pub(crate) chunks: Vec<ChatChunk>,
    /// From the open call, or from the stream.
    pub(crate) error: Option<Error>,
    pub(crate) snapshot: ChatCompletion,
    pub(crate) skipped: Vec<StreamEvent>,
    pub(crate) history: usize,
    pub(crate) requests: Vec<http::Request<Bytes>>,
    pub(crate) timeouts: Vec<Timeouts>,
    pub(crate) waits: Vec<Duration>,
}

impl SeenStream {
    fn new(script: &Script) -> Self {
        let mut world = script.world.lock().unwrap();
        Self {
            chunks: Vec::new(),
            error: None,
            snapshot: ChatCompletion::default(),
            skipped: Vec::new(),
            history: 0,
            requests: std::mem::take(&mut world.requests),
            timeouts: std::mem::take(&mut world.timeouts),
            waits: std::mem::take(&mut world.waits),
        }
    }

    /// Takes an item, and says whether another may follow. Nothing follows an error.
    fn take(&mut self, item: Option<Result<ChatChunk, Error>>) -> bool {
        match item {
            Some(Ok(chunk)) => {
                assert!(self.error.is_none(), "a chunk behind the error");
                self.chunks.push(chunk);
                true
            }
            Some(Err(error)) => {
                assert!(self.error.replace(error).is_none(), "a second error");
                true
            }
            None => false,
        }
    }
}

/// Streams a chat against scripted answers to its end, once in each colour that is on.
pub(crate) fn streamed_in_both_colours(setup: &Setup, answers: &[Answer], check: impl Fn(&SeenStream)) {
    let request = ChatRequest::new("m").user("Hello");
    #[cfg(feature = "async")]
    {
        let script = script(setup, answers);
        let client = async_client(setup, &script);
        let seen = runtime().block_on(async {
            let opened = client.chat_stream(&request).await;
            let mut seen = SeenStream::new(&script);
            match opened {
                Ok(mut stream) => {
                    while seen.take(stream.next().await) {}
                    seen.snapshot = stream.snapshot();
                    seen.skipped = stream.take_events();
                    seen.history = stream.history().len();
                    assert!(stream.next().await.is_none(), "the end lasts");
                }
                Err(error) => seen.error = Some(error),
            }
            seen
        });
        check(&seen);
    }
    #[cfg(feature = "blocking")]
    {
        let script = script(setup, answers);
        let opened = blocking_client(setup, &script).chat_stream(&request);
        let mut seen = SeenStream::new(&script);
        match opened {
            Ok(mut stream) => {
                while seen.take(stream.next()) {}
                seen.snapshot = stream.snapshot();
                seen.skipped = stream.take_events();
                seen.history = stream.history().len();
                assert!(stream.next().is_none(), "the end lasts");
            }
            Err(error) => seen.error = Some(error),
        }
        check(&seen);
    }
}

/// A call that creates something.
pub(crate) fn creating() -> scaigrid::RawRequest {
    scaigrid::RawRequest::post("/v1/api-keys").json(&serde_json::json!({"name": "n"}))
}

//! A scripted gateway, and one way to run a scenario in each colour.

use bytes::Bytes;
pub(crate) use scaigrid::testing::Answer;
use scaigrid::testing::{ScriptedTransport, VirtualClock};
use scaigrid::{
    BearerToken, ChatChunk, ChatCompletion, ChatRequest, Error, GenericClientBuilder, Reply, StreamEvent,
};
use scaigrid_transport::{Timeouts, TransportErrorKind as Kind};
use scaigrid_types::Endpoint;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

pub(crate) fn answer(status: u16, body: impl Into<String>) -> Answer {
    Answer::new(status, body.into())
}

/// An error envelope as the gateway sends it, with the code's documented status; 429 for an unknown one.
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
    Answer::events(pieces)
}

/// No answer.
pub(crate) fn fails(kind: Kind) -> Answer {
    Answer::failure(kind)
}

/// What these scenarios say often.
pub(crate) trait Brief {
    /// The body breaks off after its pieces.
    fn broken(self) -> Self;
    /// Virtual time that the exchange takes.
    fn taking(self, milliseconds: u64) -> Self;
}

impl Brief for Answer {
    fn broken(self) -> Self {
        self.ends_with(Kind::Interrupted)
    }

    fn taking(self, milliseconds: u64) -> Self {
        self.after(Duration::from_millis(milliseconds))
    }
}

/// Gateway and token provider, for both colours.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) gateway: ScriptedTransport,
    tokens: Arc<Mutex<Tokens>>,
}

#[derive(Default)]
struct Tokens {
    refused: u32,
    no_fresh: bool,
}

impl Script {
    pub(crate) fn requests(&self) -> Vec<http::Request<Bytes>> {
        self.gateway.requests().into_iter().map(|sent| sent.request).collect()
    }

    pub(crate) fn timeouts(&self) -> Vec<Timeouts> {
        self.gateway.requests().into_iter().map(|sent| sent.timeouts).collect()
    }

    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.gateway.clock().waits()
    }

    fn refreshed(&self) -> Result<BearerToken, scaigrid::BoxError> {
        let mut tokens = self.tokens.lock().unwrap();
        tokens.refused += 1;
        if tokens.no_fresh {
            return Err("sign in again".into());
        }
        Ok(BearerToken::new(format!("fresh_{}", tokens.refused))?)
    }
}

#[cfg(feature = "async")]
#[async_trait::async_trait]
impl scaigrid::TokenProvider for Script {
    async fn current(&self) -> Result<BearerToken, scaigrid::BoxError> {
        Ok(BearerToken::new("stale")?)
    }

    async fn refreshed(&self, _: &BearerToken) -> Result<BearerToken, scaigrid::BoxError> {
        Script::refreshed(self)
    }
}

#[cfg(feature = "blocking")]
impl scaigrid::blocking::TokenProvider for Script {
    fn current(&self) -> Result<BearerToken, scaigrid::BoxError> {
        Ok(BearerToken::new("stale")?)
    }

    fn refreshed(&self, _: &BearerToken) -> Result<BearerToken, scaigrid::BoxError> {
        Script::refreshed(self)
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
        Self {
            result,
            requests: script.requests(),
            waits: script.waits(),
            passed: script.gateway.clock().passed(),
            tokens_refused: script.tokens.lock().unwrap().refused,
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
    let clock = VirtualClock::starting_at(SystemTime::UNIX_EPOCH);
    let gateway = ScriptedTransport::new().with_clock(clock);
    answers.iter().cloned().for_each(|answer| gateway.push(answer));
    let tokens = Tokens { refused: 0, no_fresh: setup.no_fresh_token };
    Script { gateway, tokens: Arc::new(Mutex::new(tokens)) }
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
    let gateway = &script.gateway;
    let mut builder =
        setup.apply(scaigrid::Client::builder()).transport(gateway.clone()).clock(gateway.clock());
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
    let gateway = &script.gateway;
    let mut builder =
        setup.apply(scaigrid::blocking::Client::builder()).transport(gateway.clone()).clock(gateway.clock());
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
        Self {
            chunks: Vec::new(),
            error: None,
            snapshot: ChatCompletion::default(),
            skipped: Vec::new(),
            history: 0,
            requests: script.requests(),
            timeouts: script.timeouts(),
            waits: script.waits(),
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

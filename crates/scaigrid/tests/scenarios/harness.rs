//! A scripted transport and a virtual clock, and one way to run a scenario in each colour.

use bytes::Bytes;
use scaigrid::{BearerToken, Error, GenericClientBuilder, Reply};
use scaigrid_transport::{Timeouts, TransportError, TransportErrorKind as Kind};
use scaigrid_types::Endpoint;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

/// What the transport does with one request.
#[derive(Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
    fails: Option<Kind>,
    taking: Duration,
}

pub(crate) fn answer(status: u16, body: impl Into<String>) -> Answer {
    let headers = vec![("content-type", "application/json".to_owned())];
    Answer { status, headers, body: Bytes::from(body.into()), fails: None, taking: Duration::ZERO }
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

/// No answer.
pub(crate) fn fails(kind: Kind) -> Answer {
    Answer { fails: Some(kind), ..answer(0, "") }
}

impl Answer {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(existing, _)| *existing != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The body breaks off after the head.
    pub(crate) fn broken(mut self) -> Self {
        self.fails = Some(Kind::Interrupted);
        self
    }

    /// Virtual time that the exchange takes.
    pub(crate) fn taking(mut self, milliseconds: u64) -> Self {
        self.taking = Duration::from_millis(milliseconds);
        self
    }
}

/// What the world saw of a call.
#[derive(Default)]
struct World {
    answers: VecDeque<Answer>,
    requests: Vec<http::Request<Bytes>>,
    waits: Vec<Duration>,
    passed: Duration,
    tokens_refused: u32,
}

/// Transport, clock, and token provider in one, for both colours.
#[derive(Clone)]
struct Script {
    world: Arc<Mutex<World>>,
    started: Instant,
}

impl Script {
    /// Head, or failure; and the body.
    fn perform(
        &self,
        request: http::Request<Bytes>,
        timeouts: Timeouts,
    ) -> Result<(http::Response<()>, Result<Bytes, TransportError>), TransportError> {
        let mut world = self.world.lock().unwrap();
        world.requests.push(request);
        let answer = world.answers.pop_front().expect("no more requests than answers");
        let limit = timeouts.attempt.expect("every attempt has a limit");
        if answer.taking > limit {
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
        let body = match answer.fails {
            Some(kind) => Err(TransportError::new(kind)),
            None => Ok(answer.body),
        };
        Ok((head.body(()).unwrap(), body))
    }

    fn now(&self) -> Instant {
        self.started + self.world.lock().unwrap().passed
    }

    fn wait(&self, duration: Duration) {
        let mut world = self.world.lock().unwrap();
        world.waits.push(duration);
        world.passed += duration;
    }

    fn refreshed(&self) -> BearerToken {
        let mut world = self.world.lock().unwrap();
        world.tokens_refused += 1;
        BearerToken::new(format!("fresh_{}", world.tokens_refused)).unwrap()
    }
}

#[cfg(feature = "async")]
mod in_async {
    use super::*;
    use scaigrid::transport::{Body, Transport};

    #[async_trait::async_trait]
    impl Transport for Script {
        async fn send(
            &self,
            request: http::Request<Bytes>,
            timeouts: Timeouts,
        ) -> Result<http::Response<Body>, TransportError> {
            let (head, body) = self.perform(request, timeouts)?;
            Ok(head.map(|()| match body {
                Ok(body) => Body::from(body),
                Err(error) => Body::new(Broken(Some(error))),
            }))
        }
    }

    struct Broken(Option<TransportError>);

    impl futures_core::Stream for Broken {
        type Item = Result<Bytes, TransportError>;

        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Self::Item>> {
            std::task::Poll::Ready(self.0.take().map(Err))
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
            Ok(Script::refreshed(self))
        }
    }
}

#[cfg(feature = "blocking")]
mod in_blocking {
    use super::*;
    use scaigrid::transport::blocking::{Body, Transport};

    impl Transport for Script {
        fn send(
            &self,
            request: http::Request<Bytes>,
            timeouts: Timeouts,
        ) -> Result<http::Response<Body>, TransportError> {
            let (head, body) = self.perform(request, timeouts)?;
            Ok(head.map(|()| match body {
                Ok(body) => Body::from(body),
                Err(error) => Body::new(std::iter::once(Err(error))),
            }))
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
            Ok(Script::refreshed(self))
        }
    }
}

/// What a scenario comes to.
pub(crate) struct Seen<T> {
    pub(crate) result: Result<Reply<T>, Error>,
    pub(crate) requests: Vec<http::Request<Bytes>>,
    pub(crate) waits: Vec<Duration>,
    pub(crate) passed: Duration,
}

impl<T> Seen<T> {
    fn new(result: Result<Reply<T>, Error>, script: &Script) -> Self {
        let mut world = script.world.lock().unwrap();
        Self {
            result,
            requests: std::mem::take(&mut world.requests),
            waits: std::mem::take(&mut world.waits),
            passed: world.passed,
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
    pub(crate) max_response_bytes: Option<usize>,
}

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
        if self.token_provider { builder } else { builder.api_key("sgk_test") }
    }
}

fn script(answers: &[Answer]) -> Script {
    let world = World { answers: answers.iter().cloned().collect(), ..World::default() };
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
    let mut colours = 0;
    #[cfg(feature = "async")]
    {
        let script = script(answers);
        let mut builder =
            setup.apply(scaigrid::Client::builder()).transport(script.clone()).clock(script.clone());
        if setup.token_provider {
            builder = builder.token_provider(script.clone());
        }
        let client = builder.build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let result = runtime.block_on(client.send(endpoint));
        check(&Seen::new(result, &script));
        colours += 1;
    }
    #[cfg(feature = "blocking")]
    {
        let script = script(answers);
        let mut builder = setup
            .apply(scaigrid::blocking::Client::builder())
            .transport(script.clone())
            .clock(script.clone());
        if setup.token_provider {
            builder = builder.token_provider(script.clone());
        }
        let result = builder.build().unwrap().send(endpoint);
        check(&Seen::new(result, &script));
        colours += 1;
    }
    assert_ne!(colours, 0, "no colour is on");
}

/// A call that creates something.
pub(crate) fn creating() -> scaigrid::RawRequest {
    scaigrid::RawRequest::post("/v1/api-keys").json(&serde_json::json!({"name": "n"}))
}

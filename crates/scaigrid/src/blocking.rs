//! The blocking client: the same calls without async and without a runtime.

mod builder;
mod helpers;
mod seams;

use crate::answer;
pub use builder::{Blocking, ClientBuilder};
pub use seams::{Clock, TokenProvider};

pub use crate::batch::BlockingBatchResults as BatchResults;
use crate::builder::overrides;
use crate::call::{Call, Outcome, Pause, Step};
use crate::clock::Now;
use crate::credential::Credential;
pub use crate::download::BlockingDownload as Download;
use crate::download::DownloadCore;
use crate::elsewhere::Elsewhere;
pub use crate::paging::{BlockingItems as Items, BlockingPages as Pages};
use crate::payload::Payload;
use crate::settings::Settings;
pub use crate::stream::{BlockingChatStream as ChatStream, BlockingTextStream as TextStream};
use crate::stream::{Opening, Peek, StreamCore};
use crate::{BearerToken, Error, Reply};
pub use scaigrid_transport::blocking::CancelHandle;
use scaigrid_transport::blocking::{Attached, Body, Transport};
use scaigrid_transport::{Timeouts, TransportError, UreqTransport};
use scaigrid_types::{ChatCompletion, DownloadEndpoint, Endpoint};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The blocking client. Cheap to clone; clones share connections. May be used from many threads at once.
///
/// ```no_run
/// # fn run() -> Result<(), scaigrid::Error> {
/// use scaigrid::ChatRequest;
/// use scaigrid::blocking::Client;
///
/// let client = Client::from_env()?;
/// let request = ChatRequest::new("scailabs/poolnoodle-omni").user("Hello");
/// let reply = client.chat(&request)?;
/// println!("{} ({:?})", reply.text(), reply.request_id());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    settings: Arc<Settings>,
    transport: Arc<dyn Transport>,
    credential: Credential<Arc<dyn TokenProvider>>,
    clock: Arc<dyn Clock>,
    cancel: Option<CancelHandle>,
    elsewhere: Elsewhere<dyn Transport>,
}

impl Client {
    /// Settings to start from.
    ///
    /// ```
    /// use scaigrid::StandardPolicy;
    /// use scaigrid::blocking::Client;
    /// use std::time::Duration;
    ///
    /// let client = Client::builder()
    ///     .api_key("sgk_your_key_here")
    ///     .base_url("https://scaigrid.example.com/prefix")
    ///     .timeout(Duration::from_secs(30))
    ///     .retry_policy(StandardPolicy::patient())
    ///     .build()?;
    /// # Ok::<(), scaigrid::Error>(())
    /// ```
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client from `SCAIGRID_API_KEY` and, if set, `SCAIGRID_BASE_URL`.
    ///
    /// # Errors
    /// As [`build`](ClientBuilder::build); the message names the variable.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().env().build()
    }

    overrides!();

    /// A client that shares everything with this one, and whose calls and streams another thread can end: at once,
    /// whether they wait for the gateway or for the next attempt. They then fail with
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled).
    ///
    /// A host name that is being resolved and a TCP connection that is being made are awaited first, for no longer than
    /// the connect timeout each; so are a token provider, and a reader of yours that an upload waits for. Transports of your own end as soon as they look: see
    /// [`CancelHandle`].
    ///
    /// ```
    /// use scaigrid::blocking::{CancelHandle, Client};
    /// use scaigrid::{ChatRequest, ErrorKind};
    ///
    /// let client = Client::builder().api_key("sgk_your_key_here").build()?;
    /// let handle = CancelHandle::new();
    /// handle.cancel(); // from any thread, at any time
    /// let request = ChatRequest::new("scailabs/poolnoodle-omni").user("Hello");
    /// let error = client.with_cancel_handle(&handle).chat(&request).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Cancelled);
    /// # Ok::<(), scaigrid::Error>(())
    /// ```
    pub fn with_cancel_handle(&self, handle: &CancelHandle) -> Self {
        Self { cancel: Some(handle.clone()), ..self.clone() }
    }

    /// Any call that is answered as a stream of chat chunks.
    ///
    /// Returns with the first chunk. Until then a failure is retried as for a plain call; afterwards never.
    ///
    /// # Errors
    /// As [`send`](Self::send). Errors behind the first chunk come from the stream.
    pub fn send_stream<E: Endpoint<Reply = ChatCompletion>>(
        &self,
        endpoint: &E,
    ) -> Result<ChatStream, Error> {
        let mut call = Call::start(endpoint, &self.settings, self.credential.fixed(), self.now())?;
        call.streaming();
        let mut step = self.unless_cancelled(&mut call, |call, now| call.first(now));
        loop {
            let (request, timeouts) = match step {
                Step::Pause(pause) => {
                    step = self.pause(&mut call, pause);
                    continue;
                }
                Step::Send { timeouts } => (call.request(), timeouts),
                Step::Done(plain) => {
                    let core =
                        StreamCore::of_reply(plain?, &self.settings, call.facts_for_stream(self.now()));
                    return Ok(ChatStream::new(core, None, Arc::clone(&self.clock), self.cancel.clone()));
                }
            };
            step = match self.open(request, timeouts, call.plain_timeout()) {
                Opening::Stream(mut core, body) => {
                    call.opened(&mut core, self.now());
                    return Ok(ChatStream::new(
                        core,
                        Some(body),
                        Arc::clone(&self.clock),
                        self.cancel.clone(),
                    ));
                }
                Opening::Failed(failed) => call.on_failed(failed, self.now()),
                Opening::Plain(outcome) => call.on_outcome(outcome, self.now()),
            };
        }
    }

    /// Any call that is answered with a file.
    ///
    /// Returns when the head of the answer is there. Until then a failure is retried as for a plain call; afterwards never.
    /// The time limits are those of streams.
    ///
    /// # Errors
    /// As [`send`](Self::send). Errors behind the head come from the download.
    pub fn download<E: DownloadEndpoint>(&self, endpoint: &E) -> Result<Download, Error> {
        let call = Call::start(endpoint, &self.settings, self.credential.fixed(), self.now())?;
        self.download_with(endpoint, call)
    }

    fn download_with<E: DownloadEndpoint>(
        &self,
        endpoint: &E,
        mut call: Call<'_, E>,
    ) -> Result<Download, Error> {
        call.downloading_file();
        let mut step = self.unless_cancelled(&mut call, |call, now| call.first(now));
        loop {
            let (request, timeouts) = match step {
                Step::Pause(pause) => {
                    step = self.pause(&mut call, pause);
                    continue;
                }
                Step::Send { timeouts } => (call.request(), timeouts),
                Step::Done(whole) => {
                    let (core, file) = DownloadCore::of_reply(whole?, call.facts_for_stream(self.now()));
                    return Ok(Download::new(core, Body::from(file), self.cancel.as_ref()));
                }
            };
            let outcome = match self.carry(request, timeouts) {
                Ok(response) => match response.into_parts() {
                    (head, body) if answer::is_file(endpoint, &head) => {
                        let core = call.downloading(head, self.now());
                        return Ok(Download::new(core, body, self.cancel.as_ref()));
                    }
                    (head, body) => self.whole_in_time(head, body, call.plain_timeout()),
                },
                Err(error) => Outcome::NoAnswer(error),
            };
            step = call.on_outcome(outcome, self.now());
        }
    }

    /// Sends, and reads until the first chunk.
    fn open(
        &self,
        request: http::Request<Payload>,
        timeouts: Timeouts,
        plain_timeout: Duration,
    ) -> Opening<Body> {
        let (head, mut body) = match self.carry(request, timeouts) {
            Ok(response) => response.into_parts(),
            Err(error) => return Opening::Plain(Outcome::NoAnswer(error)),
        };
        if !StreamCore::is_stream(&head) {
            return Opening::Plain(self.whole_in_time(head, body, plain_timeout));
        }
        let _attached = self.attach(&body);
        let mut core = StreamCore::new(head, &self.settings, timeouts);
        loop {
            match core.peek(&|| self.now()) {
                Peek::Item => return Opening::Stream(core, body),
                Peek::Failed(failed) => return Opening::Failed(failed),
                Peek::NeedsInput => match body.chunk() {
                    Ok(Some(piece)) => core.push(piece),
                    Ok(None) => core.end(),
                    Err(error) => core.fail(error),
                },
            }
        }
    }

    /// Any call: one of this crate's, a [`RawRequest`](crate::RawRequest), or an [`Endpoint`] of your own.
    ///
    /// # Errors
    /// See [`ErrorKind`](crate::ErrorKind). Failures that may pass are retried before they are handed out.
    pub fn send<E: Endpoint>(&self, endpoint: &E) -> Result<Reply<E::Reply>, Error> {
        let mut call = Call::start(endpoint, &self.settings, self.credential.fixed(), self.now())?;
        let mut step = self.unless_cancelled(&mut call, |call, now| call.first(now));
        loop {
            step = match step {
                Step::Send { timeouts } => {
                    let outcome = self.exchange(call.request(), timeouts);
                    call.on_outcome(outcome, self.now())
                }
                Step::Pause(pause) => self.pause(&mut call, pause),
                Step::Done(result) => return result,
            };
        }
    }

    /// Waits for what the call needs before it is sent.
    fn pause<E: Endpoint>(&self, call: &mut Call<'_, E>, pause: Pause) -> Step<E::Reply> {
        match pause {
            Pause::Token { .. } if self.is_cancelled() => call.on_cancelled(self.now()),
            Pause::Token { refused } => {
                let token = self.token(refused);
                self.unless_cancelled(call, |call, now| call.on_token(token, now))
            }
            Pause::Sleep(delay) => {
                self.sleep(delay);
                self.unless_cancelled(call, Call::on_waited)
            }
        }
    }

    fn token(&self, refused: Option<BearerToken>) -> Result<BearerToken, crate::BoxError> {
        match (&self.credential, refused) {
            (Credential::Fixed(token), _) => Ok(token.clone()),
            (Credential::Provided(provider), None) => provider.current(),
            (Credential::Provided(provider), Some(refused)) => provider.refreshed(&refused),
        }
    }

    fn exchange(&self, request: http::Request<Payload>, timeouts: Timeouts) -> Outcome {
        match self.carry(request, timeouts) {
            Ok(response) => {
                let (head, body) = response.into_parts();
                self.whole(head, body)
            }
            Err(error) => Outcome::NoAnswer(error),
        }
    }

    /// Sends, with the handle that can end it.
    fn carry(
        &self,
        request: http::Request<Payload>,
        timeouts: Timeouts,
    ) -> Result<http::Response<Body>, TransportError> {
        let mut request = request.map(Payload::into_blocking);
        if let Some(handle) = &self.cancel {
            request.extensions_mut().insert(handle.clone());
        }
        // The transport's own spans nest below the call's.
        let span: tracing::Span = request.extensions_mut().remove().unwrap_or_else(tracing::Span::none);
        span.in_scope(|| self.transport.send(request, timeouts))
    }

    fn sleep(&self, delay: Duration) {
        match &self.cancel {
            Some(handle) => self.clock.sleep_unless_cancelled(delay, handle),
            None => self.clock.sleep(delay),
        }
    }

    /// A client for addresses of other hosts, to which the settings for the gateway's own do not apply: its lack of a proxy,
    /// say.
    fn elsewhere(&self) -> Result<Self, Error> {
        let transport = self.elsewhere.get_or_build(|connect_timeout| {
            let transport = UreqTransport::builder().connect_timeout(connect_timeout);
            #[cfg(any(feature = "rustls", feature = "native-tls"))]
            let transport = transport.tls(self.elsewhere.tls.clone());
            Ok(Arc::new(transport.build()?))
        })?;
        Ok(Self { transport: transport.unwrap_or_else(|| Arc::clone(&self.transport)), ..self.clone() })
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(CancelHandle::is_cancelled)
    }

    /// The next step, or the end.
    fn unless_cancelled<'a, E: Endpoint>(
        &self,
        call: &mut Call<'a, E>,
        next: impl FnOnce(&mut Call<'a, E>, Now) -> Step<E::Reply>,
    ) -> Step<E::Reply> {
        match self.is_cancelled() {
            true => call.on_cancelled(self.now()),
            false => next(call, self.now()),
        }
    }

    fn attach(&self, body: &Body) -> Option<Attached> {
        Some(self.cancel.as_ref()?.attach(body.control()?))
    }

    /// As [`whole`](Self::whole), in the time of a plain call: the limits of streams do not end a body that trickles.
    fn whole_in_time(&self, head: http::response::Parts, body: Body, limit: Duration) -> Outcome {
        if let Some(control) = body.control() {
            control.end_within(limit);
        }
        self.whole(head, body)
    }

    fn whole(&self, head: http::response::Parts, body: Body) -> Outcome {
        let _attached = self.attach(&body);
        Outcome::of(head, body.collect(self.settings.max_response_bytes))
    }

    fn now(&self) -> Now {
        Now { instant: self.clock.now(), system: self.clock.system_time() }
    }
}

/// Shows no credential and no header values.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", &self.settings).finish_non_exhaustive()
    }
}

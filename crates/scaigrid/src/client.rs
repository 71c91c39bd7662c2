//! The async client: a thin driver around [`Call`].

mod helpers;

use crate::answer;
use crate::builder::{GenericClientBuilder, overrides};
use crate::call::{Call, Outcome, Outline, Pause, Step};
use crate::clock::Now;
use crate::credential::Credential;
use crate::download::DownloadCore;
use crate::elsewhere::Elsewhere;
use crate::payload::Payload;
use crate::settings::Settings;
use crate::stream::{Opening, Peek, StreamCore};
use crate::{BearerToken, ChatStream, Clock, Download, Error, Reply, SystemClock, TokenProvider};
use scaigrid_transport::{Body, ReqwestTransport, Timeouts, Transport, TransportError, TransportErrorKind};
use scaigrid_types::{ChatCompletion, DownloadEndpoint, Endpoint};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;
use tracing::Instrument as _;
use tracing::instrument::Instrumented;

/// The async client. Cheap to clone; clones share connections.
///
/// Calls need a tokio runtime. Dropping a call's future stops it: nothing more is sent.
///
/// ```no_run
/// # async fn run() -> Result<(), scaigrid::Error> {
/// use scaigrid::{ChatRequest, Client};
///
/// let client = Client::from_env()?;
/// let request = ChatRequest::new("scailabs/poolnoodle-omni").user("Hello");
/// let reply = client.chat(&request).await?;
/// println!("{} ({:?})", reply.text(), reply.request_id());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    settings: Arc<Settings>,
    transport: Arc<dyn Transport>,
    credential: Credential<Arc<dyn TokenProvider>>,
    clock: Arc<dyn Clock>,
    /// Whether the clock is the machine's: only then may real time be waited for.
    is_real_time: bool,
    elsewhere: Elsewhere<dyn Transport>,
}

/// A request on its way, within the call's span.
type Sending<'a> =
    Instrumented<Pin<Box<dyn Future<Output = Result<http::Response<Body>, TransportError>> + Send + 'a>>>;

/// Settings of an async [`Client`].
pub type ClientBuilder = GenericClientBuilder<Async>;

/// The settings that only the async client has.
#[derive(Clone, Default)]
pub struct Async {
    transport: Option<Arc<dyn Transport>>,
    token_provider: Option<Arc<dyn TokenProvider>>,
    clock: Option<Arc<dyn Clock>>,
}

impl GenericClientBuilder<Async> {
    /// Sends through a transport of your own instead of [`ReqwestTransport`].
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.colour.transport = Some(Arc::new(transport));
        self
    }

    /// Takes the bearer from a provider instead of an API key.
    pub fn token_provider(mut self, provider: impl TokenProvider + 'static) -> Self {
        self.colour.token_provider = Some(Arc::new(provider));
        self
    }

    /// Takes the time from a clock of your own, so that tests do not wait.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.colour.clock = Some(Arc::new(clock));
        self
    }

    /// Checks the settings and builds the client. Connects to nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming the setting: no credential, both an API key and a
    /// token provider, a key with a line break, a wrong address, plain `http` to another machine, `https` in a build
    /// without TLS.
    pub fn build(self) -> Result<Client, Error> {
        let own_transport = self.colour.transport.is_some();
        let (mut settings, credential) = self.check(self.colour.token_provider.clone(), own_transport)?;
        let connect_limit = self.draft.connect_limit();
        let elsewhere = Elsewhere::new((!own_transport).then_some(connect_limit));
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        let tls = self.draft.tls.settings()?;
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        let elsewhere = elsewhere.with_tls(tls.clone());
        let transport = match self.colour.transport {
            Some(transport) => transport,
            None => {
                let mut transport = ReqwestTransport::builder().connect_timeout(connect_limit);
                #[cfg(any(feature = "rustls", feature = "native-tls"))]
                {
                    transport = transport.tls(tls);
                }
                if !settings.base_url.is_https() {
                    transport = transport.http_only();
                }
                // A proxy would carry the bearer off this machine.
                if settings.base_url.is_loopback() {
                    transport = transport.no_proxy();
                }
                let failed = |error: scaigrid_transport::TransportError| {
                    Error::config(error.to_string()).with_source(error)
                };
                Arc::new(transport.build().map_err(failed)?)
            }
        };
        let is_real_time = self.colour.clock.is_none();
        let clock: Arc<dyn Clock> = self.colour.clock.unwrap_or_else(|| Arc::new(SystemClock));
        settings.watch_with({
            let clock = Arc::clone(&clock);
            Arc::new(move || clock.now())
        });
        Ok(Client { settings: Arc::new(settings), transport, credential, clock, is_real_time, elsewhere })
    }
}

impl Client {
    /// Settings to start from.
    ///
    /// ```
    /// use scaigrid::{Client, StandardPolicy};
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

    /// Any call that is answered as a stream of chat chunks.
    ///
    /// Returns with the first chunk. Until then a failure is retried as for a plain call; afterwards never.
    ///
    /// # Errors
    /// As [`send`](Self::send). Errors behind the first chunk come from the stream.
    pub async fn send_stream<E: Endpoint<Reply = ChatCompletion>>(
        &self,
        endpoint: &E,
    ) -> Result<ChatStream, Error> {
        let mut call = Call::start(endpoint, &self.settings, self.credential.fixed(), self.now())?;
        call.streaming();
        let mut step = call.first(self.now());
        loop {
            let (sending, timeouts) = match step {
                Step::Pause(pause) => {
                    step = self.pause(&mut call, pause).await;
                    continue;
                }
                Step::Send { timeouts } => (self.carry(call.request(), timeouts), timeouts),
                Step::Done(plain) => {
                    let core =
                        StreamCore::of_reply(plain?, &self.settings, call.facts_for_stream(self.now()));
                    return Ok(ChatStream::new(core, None, Arc::clone(&self.clock)));
                }
            };
            step = match self.open(&mut call, sending, timeouts).await {
                Opening::Stream(mut core, body) => {
                    call.opened(&mut core, self.now());
                    return Ok(ChatStream::new(core, Some(body), Arc::clone(&self.clock)));
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
    pub async fn download<E: DownloadEndpoint>(&self, endpoint: &E) -> Result<Download, Error> {
        let call = Call::start(endpoint, &self.settings, self.credential.fixed(), self.now())?;
        self.download_with(endpoint, call).await
    }

    async fn download_with<E: DownloadEndpoint>(
        &self,
        endpoint: &E,
        mut call: Call<'_, E>,
    ) -> Result<Download, Error> {
        call.downloading_file();
        let mut step = call.first(self.now());
        loop {
            let sending = match step {
                Step::Pause(pause) => {
                    step = self.pause(&mut call, pause).await;
                    continue;
                }
                Step::Send { timeouts } => self.carry(call.request(), timeouts),
                Step::Done(whole) => {
                    let (core, file) = DownloadCore::of_reply(whole?, call.facts_for_stream(self.now()));
                    return Ok(Download::new(core, Body::from(file)));
                }
            };
            let outcome = match sending.await {
                Ok(response) => match response.into_parts() {
                    (head, body) if answer::is_file(endpoint, &head) => {
                        return Ok(Download::new(call.downloading(head, self.now()), body));
                    }
                    (head, body) => {
                        call.on_head(&head);
                        self.whole_in_time(head, body, call.plain_timeout()).await
                    }
                },
                Err(error) => Outcome::NoAnswer(error),
            };
            step = call.on_outcome(outcome, self.now());
        }
    }

    /// Sends, and reads until the first chunk.
    async fn open<E: Endpoint>(
        &self,
        call: &mut Call<'_, E>,
        sending: Sending<'_>,
        timeouts: Timeouts,
    ) -> Opening<Body> {
        let (head, mut body) = match sending.await {
            Ok(response) => response.into_parts(),
            Err(error) => return Opening::Plain(Outcome::NoAnswer(error)),
        };
        call.on_head(&head);
        if !StreamCore::is_stream(&head) {
            // Rare, and large.
            let whole = Box::pin(self.whole_in_time(head, body, call.plain_timeout()));
            return Opening::Plain(whole.await);
        }
        let mut core = StreamCore::new(head, &self.settings, timeouts);
        loop {
            match core.peek(&|| self.now()) {
                Peek::Item => return Opening::Stream(core, body),
                Peek::Failed(failed) => return Opening::Failed(failed),
                Peek::NeedsInput => match body.chunk().await {
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
    pub async fn send<E: Endpoint>(&self, endpoint: &E) -> Result<Reply<E::Reply>, Error> {
        // Nothing fallible moves the call once it is made: it is large.
        let outline = Outline::new(endpoint, &self.settings)?;
        let now = self.now();
        let mut call = Call::with_outline(endpoint, outline, &self.settings, self.credential.fixed(), now);
        let mut step = call.first(now);
        loop {
            step = match step {
                Step::Send { timeouts } => {
                    let sending = self.carry(call.request(), timeouts);
                    let outcome = self.exchange(&mut call, sending).await;
                    call.on_outcome(outcome, self.now())
                }
                Step::Pause(pause) => self.pause(&mut call, pause).await,
                Step::Done(result) => return result,
            };
        }
    }

    /// Waits for what the call needs before it is sent.
    async fn pause<E: Endpoint>(&self, call: &mut Call<'_, E>, pause: Pause) -> Step<E::Reply> {
        match pause {
            Pause::Token { refused } => {
                let token = self.token(refused).await;
                call.on_token(token, self.now())
            }
            Pause::Sleep(delay) => {
                self.clock.sleep(delay).await;
                call.on_waited(self.now())
            }
        }
    }

    async fn token(&self, refused: Option<BearerToken>) -> Result<BearerToken, crate::BoxError> {
        match (&self.credential, refused) {
            (Credential::Fixed(token), _) => Ok(token.clone()),
            (Credential::Provided(provider), None) => provider.current().await,
            (Credential::Provided(provider), Some(refused)) => provider.refreshed(&refused).await,
        }
    }

    /// A request on its way. No `async fn`: its future would hold the request until the head is there.
    fn carry(&self, request: http::Request<Payload>, timeouts: Timeouts) -> Sending<'_> {
        let mut request = request.map(Payload::into_async);
        // The transport's own spans nest below the call's.
        let span = request.extensions_mut().remove().unwrap_or_else(tracing::Span::none);
        (*self.transport).send(request, timeouts).instrument(span)
    }

    /// A client for addresses of other hosts, to which the settings for the gateway's own do not apply: its lack of TLS, say,
    /// or of a proxy.
    fn elsewhere(&self) -> Result<Self, Error> {
        let transport = self.elsewhere.get_or_build(|connect_timeout| {
            let transport = ReqwestTransport::builder().connect_timeout(connect_timeout);
            #[cfg(any(feature = "rustls", feature = "native-tls"))]
            let transport = transport.tls(self.elsewhere.tls.clone());
            Ok(Arc::new(transport.build()?))
        })?;
        Ok(Self { transport: transport.unwrap_or_else(|| Arc::clone(&self.transport)), ..self.clone() })
    }

    async fn exchange<E: Endpoint>(&self, call: &mut Call<'_, E>, sending: Sending<'_>) -> Outcome {
        let (head, body) = match sending.await {
            Ok(response) => response.into_parts(),
            Err(error) => return Outcome::NoAnswer(error),
        };
        call.on_head(&head);
        // Not `whole`: its future would hold the head once more.
        Outcome::of(head, body.collect(self.settings.max_response_bytes).await)
    }

    /// As [`whole`](Self::whole), in the time of a plain call: the limits of streams do not end a body that trickles.
    async fn whole_in_time(&self, head: http::response::Parts, body: Body, limit: Duration) -> Outcome {
        let late = head.clone();
        let mut whole = std::pin::pin!(self.whole(head, body));
        let mut time = std::pin::pin!(self.clock.sleep(limit));
        std::future::poll_fn(|context| {
            if let Poll::Ready(outcome) = whole.as_mut().poll(context) {
                return Poll::Ready(outcome);
            }
            // A clock that does not wait would be faster than any body.
            if !self.is_real_time {
                return Poll::Pending;
            }
            ready!(time.as_mut().poll(context));
            let error = TransportError::new(TransportErrorKind::Timeout);
            Poll::Ready(Outcome::BrokenAnswer(late.clone(), error))
        })
        .await
    }

    async fn whole(&self, head: http::response::Parts, body: Body) -> Outcome {
        Outcome::of(head, body.collect(self.settings.max_response_bytes).await)
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

//! The async transport on reqwest. The only module that names reqwest in public.

mod alarm;
mod exchange;
mod late;
mod pieces;

use crate::error::{Unreadable, find_cause, is_malformed};
use crate::proxy::ProxyChoice;
use crate::{
    Body, RequestBody, Timeouts, Transport, TransportError, TransportErrorKind as Kind, host_of,
    require_scheme,
};
use bytes::Bytes;
use exchange::{Answered, Exchange};
use futures_core::Stream;
use http::Uri;
use late::Late;
use reqwest::Url;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// The async transport on reqwest: HTTP/1.1, pooled connections, [proxies](crate#proxies) from the environment, no redirects, no
/// retries of its own. Needs a tokio runtime with timers when it sends. Cheap to clone; clones share the pool.
///
/// ```no_run
/// # async fn run() -> Result<(), scaigrid_transport::TransportError> {
/// use scaigrid_transport::{ReqwestTransport, Timeouts, Transport};
/// use std::time::Duration;
///
/// let transport = ReqwestTransport::builder().connect_timeout(Duration::from_secs(3)).build()?;
/// let request = http::Request::get("http://127.0.0.1:8787/health").body(Default::default()).unwrap();
/// let response = transport.send(request, Timeouts::none().with_attempt(Duration::from_secs(5))).await?;
/// let body = response.into_body().collect(64 * 1024).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct ReqwestTransport {
    client: reqwest::Client,
    addresses: Arc<LastAddress>,
    /// Whether the client was built here, so that its TLS is ours.
    is_ours: bool,
}

/// Settings of a [`ReqwestTransport`].
#[derive(Clone, Debug)]
pub struct ReqwestTransportBuilder {
    connect_timeout: Duration,
    proxy: ProxyChoice,
    http_only: bool,
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    tls: crate::TlsSettings,
}

impl ReqwestTransportBuilder {
    /// Limits the time to connect, TLS included. Default: 10 seconds.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Connects directly, whatever the environment says about proxies.
    pub fn no_proxy(mut self) -> Self {
        self.proxy = ProxyChoice::None;
        self
    }

    /// Sends everything through this proxy, such as `http://proxy.example:3128`, whatever the environment says. User name and
    /// password may stand before the host; they are never shown.
    pub fn proxy(mut self, address: impl Into<String>) -> Self {
        self.proxy = ProxyChoice::Address(address.into());
        self
    }

    /// Takes the [proxies](crate#proxies) from variables of your own instead of those of the process. `None`: it is not set.
    pub fn proxy_variables(
        mut self,
        lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.proxy = ProxyChoice::Variables(Arc::new(lookup));
        self
    }

    /// Trusts no certificate, so that `https` fails. Saves reading the platform's certificates when only `http` addresses
    /// are used.
    pub fn http_only(mut self) -> Self {
        self.http_only = true;
        self
    }

    /// Sets whom it trusts, and the certificate that it shows. Default: what the platform trusts, and none.
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    pub fn tls(mut self, settings: crate::TlsSettings) -> Self {
        self.tls = settings;
        self
    }

    /// Builds the transport. Connects to nothing.
    ///
    /// # Errors
    /// [`Kind::Tls`] when rustls finds no trusted root certificates on the platform, or the identity cannot be used; [`Kind::Proxy`] when the address of a
    /// proxy, also one of the environment, cannot be used.
    pub fn build(self) -> Result<ReqwestTransport, TransportError> {
        let mut client = reqwest::Client::builder()
            .connect_timeout(self.connect_timeout)
            // A 3xx is an answer: the bearer must not follow it elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            // Only our own policy repeats, so that attempts are counted. The number says that no request need be copied for it.
            .retry(reqwest::retry::never().max_retries_per_request(0))
            .tcp_nodelay(true);
        let proxies = self.proxy.resolve()?;
        // The environment was read already, if it was asked for.
        client = client.no_proxy();
        if !proxies.is_empty() {
            client = client.proxy(reqwest::Proxy::custom(move |url| {
                proxies.of(url.scheme(), url.host_str().unwrap_or_default()).map(str::to_owned)
            }));
        }
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        {
            client = match self.tls.stack(self.http_only)? {
                #[cfg(feature = "rustls")]
                crate::tls::Stack::Rustls(config) => client.tls_backend_preconfigured(*config),
                #[cfg(feature = "native-tls")]
                crate::tls::Stack::Native(connector) => client.tls_backend_preconfigured(connector),
            };
        }
        let failed = |error| TransportError::new(Kind::InvalidRequest).with_source(error);
        client.build().map(|client| ReqwestTransport::new(client, true)).map_err(failed)
    }
}

impl ReqwestTransport {
    /// Settings to start from.
    pub fn builder() -> ReqwestTransportBuilder {
        ReqwestTransportBuilder {
            connect_timeout: Duration::from_secs(10),
            proxy: ProxyChoice::environment(),
            http_only: false,
            #[cfg(any(feature = "rustls", feature = "native-tls"))]
            tls: crate::TlsSettings::new(),
        }
    }

    /// On a reqwest client of your own. It should follow no redirects
    /// ([`redirect::Policy::none`](reqwest::redirect::Policy::none)) and repeat nothing
    /// ([`retry::never`](reqwest::retry::never)). The limit of an attempt stands instead of a `timeout` of its own.
    pub fn from_client(client: reqwest::Client) -> Self {
        Self::new(client, false)
    }

    fn new(client: reqwest::Client, is_ours: bool) -> Self {
        Self { client, addresses: Arc::default(), is_ours }
    }

    fn request(&self, request: http::Request<RequestBody>) -> Result<reqwest::Request, TransportError> {
        let (parts, body) = request.into_parts();
        let mut request = reqwest::Request::new(parts.method, self.addresses.url(&parts.uri)?);
        *request.headers_mut() = parts.headers;
        *request.version_mut() = parts.version;
        *request.body_mut() = Some(outgoing(body));
        Ok(request)
    }
}

impl Transport for ReqwestTransport {
    fn send<'a, 'b>(
        &'a self,
        request: http::Request<RequestBody>,
        timeouts: Timeouts,
    ) -> Pin<Box<dyn Future<Output = Result<http::Response<Body>, TransportError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        if require_runtime().is_ok() {
            // At once, so that the future need not hold the request.
            return match self.begin(request, timeouts) {
                Ok(exchange) => Box::pin(exchange),
                Err(error) => Box::pin(std::future::ready(Err(error))),
            };
        }
        // Awaited in a runtime, as `block_on(transport.send(..))` does.
        Box::pin(async move {
            require_runtime()?;
            self.begin(request, timeouts)?.await
        })
    }
}

impl ReqwestTransport {
    fn begin(
        &self,
        request: http::Request<RequestBody>,
        timeouts: Timeouts,
    ) -> Result<impl Future<Output = Answered> + Send + use<>, TransportError> {
        if self.is_ours {
            require_scheme(request.uri())?;
        }
        let host = host_of(request.uri());
        let mut request = self.request(request).map_err(|error| error.with_host(host.as_str()))?;
        if !self.is_ours {
            // Instead of a limit that the client may have.
            *request.timeout_mut() = timeouts.attempt;
        }
        // The time counts from here on.
        let late = Late::new(timeouts, host);
        Ok(Exchange::new(self.client.execute(request), late))
    }
}

/// The last address as reqwest wants it. Most calls go where the last one went, and parsing takes longer than copying. One
/// with a query is not kept: it may hold a key.
#[derive(Default)]
struct LastAddress(RwLock<Option<(Uri, Url)>>);

impl LastAddress {
    fn url(&self, uri: &Uri) -> Result<Url, TransportError> {
        let last = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, url)) = last.as_ref().filter(|(last, _)| is_same(last, uri)) {
            return Ok(url.clone());
        }
        drop(last);
        let url = Url::parse(&uri.to_string())
            .map_err(|error| TransportError::new(Kind::InvalidRequest).with_source(error))?;
        if uri.query().is_none() {
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some((uri.clone(), url.clone()));
        }
        Ok(url)
    }
}

/// Whether both are one and the same, or say the same. A client hands out copies of one address that share their text.
fn is_same(one: &Uri, other: &Uri) -> bool {
    let authority = |uri: &Uri| uri.authority().map(|authority| std::ptr::from_ref(authority.as_str()));
    let path = |uri: &Uri| uri.path_and_query().map(|path| std::ptr::from_ref(path.as_str()));
    let is_shared = authority(one) == authority(other) && path(one) == path(other);
    one.scheme() == other.scheme() && (is_shared || one == other)
}

impl fmt::Debug for LastAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastAddress").finish_non_exhaustive()
    }
}

fn outgoing(body: RequestBody) -> reqwest::Body {
    match body.as_bytes() {
        Some(bytes) => reqwest::Body::from(bytes.clone()),
        None => reqwest::Body::wrap(Outgoing { len: body.len(), body: Mutex::new(body) }),
    }
}

/// A request body that is read while it is sent.
struct Outgoing {
    /// reqwest wants bodies that threads can share; this one is only ever used by one.
    body: Mutex<RequestBody>,
    len: Option<u64>,
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, io::Error>>> {
        let body = self.get_mut().body.get_mut().unwrap_or_else(PoisonError::into_inner);
        let piece = ready!(Pin::new(body).poll_next(context));
        Poll::Ready(piece.map(|piece| piece.map(http_body::Frame::data).map_err(Unreadable::wrap)))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.len.map(http_body::SizeHint::with_exact).unwrap_or_default()
    }
}

/// reqwest panics where there is no runtime; an error can be acted upon.
fn require_runtime() -> Result<(), TransportError> {
    let missing = |_| {
        TransportError::new(Kind::InvalidRequest)
            .with_message("an async call needs a tokio runtime: run it in one, or use the blocking client")
    };
    tokio::runtime::Handle::try_current().map(drop).map_err(missing)
}

fn failure(error: reqwest::Error, host: &str) -> TransportError {
    let kind = kind_of(&error);
    // The address may carry a query that should not be logged.
    TransportError::new(kind).with_host(host).with_source(error.without_url())
}

fn kind_of(error: &reqwest::Error) -> Kind {
    if error.is_builder() {
        return Kind::InvalidRequest;
    }
    if find_cause::<Unreadable>(error).is_some() {
        return Kind::RequestBody;
    }
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    if error.is_connect() && crate::tls::is_refusal(error) {
        return Kind::Tls;
    }
    if error.is_dns() {
        return Kind::Dns;
    }
    if error.is_connect() {
        return match error.is_timeout() {
            true => Kind::ConnectTimeout,
            false if is_proxy_refusal(error) => Kind::Proxy,
            false => Kind::Connect,
        };
    }
    if error.is_timeout() {
        return Kind::Timeout;
    }
    match find_cause::<hyper::Error>(error) {
        Some(error) if error.is_parse() => Kind::Protocol,
        _ if find_cause::<io::Error>(error).is_some_and(is_malformed) => Kind::Protocol,
        _ => Kind::Interrupted,
    }
}

/// The HTTP stack keeps the type of a refused tunnel to itself and tells only by its text.
fn is_proxy_refusal(error: &(dyn std::error::Error + 'static)) -> bool {
    let has_refused = std::iter::successors(Some(error), |error| error.source())
        .any(|error| error.to_string().contains("tunnel"));
    // Otherwise it was not reached, or has gone away.
    has_refused && find_cause::<io::Error>(error).is_none()
}

//! The blocking transport on ureq. The only module that names ureq in public.

use crate::error::{Unreadable, find_cause, is_malformed};
use crate::proxy::{Proxies, ProxyChoice};
use crate::timeouts::now;
use crate::ureq_connect::{Connect, Exchange, Known, agent};
use crate::{Timeouts, TransportError, TransportErrorKind as Kind, blocking, host_of, require_scheme};
use bytes::Bytes;
use std::fmt;
use std::io::{self, Read};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// The blocking transport on ureq: HTTP/1.1, pooled connections, [proxies](crate#proxies) from the environment, no
/// redirects, no retries of its own. Cheap to clone; clones share the pool.
///
/// ```no_run
/// # fn run() -> Result<(), scaigrid_transport::TransportError> {
/// use scaigrid_transport::blocking::Transport;
/// use scaigrid_transport::{Timeouts, UreqTransport};
/// use std::time::Duration;
///
/// let transport = UreqTransport::builder().connect_timeout(Duration::from_secs(3)).build()?;
/// let request = http::Request::get("http://127.0.0.1:8787/health").body(Default::default()).unwrap();
/// let response = transport.send(request, Timeouts::none().with_attempt(Duration::from_secs(5)))?;
/// let body = response.into_body().collect(64 * 1024)?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct UreqTransport {
    agent: ureq::Agent,
    /// `None`: the agent was not built here, and has its own proxies and TLS.
    proxies: Option<Proxies>,
}

impl fmt::Debug for UreqTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UreqTransport").field("agent", &self.agent).finish_non_exhaustive()
    }
}

/// Settings of a [`UreqTransport`].
#[derive(Clone, Debug)]
pub struct UreqTransportBuilder {
    connect_timeout: Duration,
    proxy: ProxyChoice,
    #[cfg_attr(not(any(feature = "rustls", feature = "native-tls")), allow(dead_code, reason = "for TLS"))]
    http_only: bool,
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    tls: crate::TlsSettings,
}

/// ureq keeps 3 idle connections a host by default: with more threads than that, each call would connect anew.
const IDLE_CONNECTIONS: usize = 256;

/// Larger bodies that are read while they are sent are announced first. A server that says nothing to that, as some do, is
/// waited for a second.
const SENT_WITHOUT_ASKING: u64 = 256 * 1024;

/// Bytes of a body that leave together with the head.
const SENT_WITH_HEAD: usize = 32 * 1024;
/// Bytes asked of the socket at a time.
const READ_SIZE: usize = 16 * 1024;

impl UreqTransportBuilder {
    /// Limits the time to resolve the host, and again the time to connect, TLS included. Default: 10 seconds.
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
    /// [`Kind::Tls`] when rustls finds no trusted root certificates on the platform, or the identity cannot be used;
    /// [`Kind::Proxy`] when the address of a proxy, also one of the environment, cannot be used.
    pub fn build(self) -> Result<UreqTransport, TransportError> {
        let mut config = ureq::Agent::config_builder()
            .timeout_resolve(Some(self.connect_timeout))
            .timeout_connect(Some(self.connect_timeout))
            .max_idle_connections(IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS);
        // The environment is read below, if it is asked for.
        config = config.proxy(None);
        let proxies = Some(self.proxy.resolve()?);
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        let connect = Connect::with_tls(self.tls.stack(self.http_only)?);
        #[cfg(not(any(feature = "rustls", feature = "native-tls")))]
        let connect = Connect::default();
        Ok(UreqTransport { agent: agent(config.build(), connect), proxies })
    }
}

impl UreqTransport {
    /// Settings to start from.
    pub fn builder() -> UreqTransportBuilder {
        UreqTransportBuilder {
            connect_timeout: Duration::from_secs(10),
            proxy: ProxyChoice::environment(),
            http_only: false,
            #[cfg(any(feature = "rustls", feature = "native-tls"))]
            tls: crate::TlsSettings::new(),
        }
    }

    /// On an agent of your own, with its own TLS, proxies, and pool. Without our connector, one limit (the longer of
    /// [`Timeouts::first_byte`] and [`Timeouts::read`]) applies to every read, some failures to connect cannot be told from
    /// later ones, and an exchange cannot be cancelled while it waits.
    pub fn from_agent(agent: ureq::Agent) -> Self {
        Self { agent, proxies: None }
    }

    fn is_ours(&self) -> bool {
        self.proxies.is_some()
    }

    fn run<B: ureq::AsSendBody>(
        &self,
        request: http::Request<B>,
        timeouts: Timeouts,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let (scheme, host) = (request.uri().scheme_str(), request.uri().host());
        let proxy = match (&self.proxies, scheme, host) {
            (Some(proxies), Some(scheme), Some(host)) => {
                proxies.of(scheme, host).map(ureq::Proxy::new).transpose()?
            }
            _ => None,
        };
        let mut request = self
            .agent
            .configure_request(request)
            .http_status_as_error(false)
            // A 3xx is an answer: the bearer must not follow it elsewhere.
            .max_redirects(0)
            .max_redirects_will_error(false);
        if self.is_ours() {
            request = request.proxy(proxy);
        }
        // Without a limit here, an agent of the caller's keeps its own.
        if timeouts.attempt.is_some() {
            request = request.timeout_global(timeouts.attempt);
        }
        // Our connector knows better than one limit for every read.
        let per_read = timeouts.read.max(timeouts.first_byte).filter(|_| !self.is_ours());
        if per_read.is_some() {
            request = request.timeout_per_read(per_read);
        }
        let request = request.build();
        self.agent.run(request)
    }
}

impl blocking::Transport for UreqTransport {
    fn send(
        &self,
        request: http::Request<blocking::RequestBody>,
        timeouts: Timeouts,
    ) -> Result<http::Response<blocking::Body>, TransportError> {
        if self.is_ours() {
            require_scheme(request.uri())?;
        }
        let host = host_of(request.uri());
        let exchange = Exchange::new(timeouts, now());
        let reach = Reach(Arc::downgrade(&exchange));
        let (mut head, body) = request.into_parts();
        let cancel: Option<blocking::CancelHandle> = head.extensions.remove();
        // Another agent's connections do not look at what the control asks.
        let cancel = cancel.filter(|_| self.is_ours());
        let _attached = cancel.as_ref().map(|cancel| cancel.attach(Arc::new(reach.clone())));
        // One packet, and one call of the system, instead of two.
        let goes_along = body.as_bytes().is_some_and(|bytes| (1..=SENT_WITH_HEAD).contains(&bytes.len()));
        exchange.body_follows.store(goes_along && self.is_ours(), Ordering::Relaxed);
        let bodiless = body.is_empty() && matches!(head.method, http::Method::GET | http::Method::DELETE);
        let response = exchange.run(|| match body.as_bytes() {
            Some(_) if bodiless => self.run(http::Request::from_parts(head, ()), timeouts),
            Some(bytes) => self.run(http::Request::from_parts(head, &**bytes), timeouts),
            None => {
                // Without it, ureq sends in chunks.
                if let Some(len) = body.len() {
                    head.headers.insert(http::header::CONTENT_LENGTH, len.into());
                }
                // ureq reads nothing before all is sent: a refusal that comes earlier would look like a broken
                // connection. So a server may refuse before a large body is sent.
                if body.len().is_none_or(|len| len > SENT_WITHOUT_ASKING) {
                    let ask = http::HeaderValue::from_static("100-continue");
                    head.headers.insert(http::header::EXPECT, ask);
                }
                let body = ureq::SendBody::from_owned_reader(Outgoing(body));
                self.run(http::Request::from_parts(head, body), timeouts)
            }
        });
        // However the connection put it.
        if exchange.is_cancelled() {
            return Err(TransportError::new(Kind::Cancelled).with_host(host));
        }
        let response = response.map_err(|error| failure(error, &host, self.is_ours()))?;
        Ok(response.map(|body| {
            // About what comes, which may be compressed: filling a large buffer takes longer than a small answer.
            let size = body.content_length().and_then(|length| usize::try_from(length).ok());
            let buffer = vec![0; size.unwrap_or(READ_SIZE).clamp(1024, READ_SIZE)];
            let pieces = Pieces { body: Some(body.into_reader()), buffer, exchange, host };
            let body = blocking::Body::new(pieces);
            if self.is_ours() { body.with_control(reach) } else { body }
        }))
    }
}

/// A request body that is read while it is sent.
struct Outgoing(blocking::RequestBody);

impl Read for Outgoing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => Unreadable::wrap(error),
        })
    }
}

/// Does nothing once the exchange is over: its connection may serve another by then.
#[derive(Clone)]
struct Reach(Weak<Exchange>);

impl blocking::Control for Reach {
    fn cancel(&self) {
        if let Some(exchange) = self.0.upgrade() {
            exchange.cancel();
        }
    }

    fn end_within(&self, limit: Duration) {
        if let Some(exchange) = self.0.upgrade() {
            exchange.limit.end_within(limit, now());
        }
    }
}

/// The pieces of a body, as they come from the socket.
struct Pieces {
    body: Option<ureq::BodyReader<'static>>,
    buffer: Vec<u8>,
    exchange: Arc<Exchange>,
    host: String,
}

impl Pieces {
    fn read(&mut self) -> io::Result<usize> {
        let Some(body) = &mut self.body else { return Ok(0) };
        loop {
            match self.exchange.run(|| body.read(&mut self.buffer)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

impl Iterator for Pieces {
    type Item = Result<Bytes, TransportError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.body.as_ref()?;
        let read = self.read();
        if let Ok(len @ 1..) = read {
            self.exchange.limit.flows();
            return self.buffer.get(..len).map(|piece| Ok(Bytes::copy_from_slice(piece)));
        }
        self.body = None;
        self.exchange.release();
        // The end of a cancelled connection looks like the end of its body.
        if self.exchange.is_cancelled() {
            return Some(Err(TransportError::new(Kind::Cancelled).with_host(self.host.as_str())));
        }
        read.err().map(|error| Err(failure(error.into(), &self.host, true)))
    }
}

/// `is_connected`: a failure to connect would have come as [`Known`], or earlier. What looks like one is then a route
/// that was lost after sending.
fn failure(error: ureq::Error, host: &str, is_connected: bool) -> TransportError {
    let kind = match (kind_of(&error), &error) {
        (_, ureq::Error::Io(error)) if find_cause::<Unreadable>(error).is_some() => Kind::RequestBody,
        (Kind::Connect, ureq::Error::Io(_)) if is_connected => Kind::Interrupted,
        (kind, _) => kind,
    };
    let failed = TransportError::new(kind).with_host(host);
    match error {
        // Ours: ureq would only print "other" before it.
        ureq::Error::Other(known) if known.is::<Known>() => failed.with_source(known),
        error => failed.with_source(error),
    }
}

fn kind_of(error: &ureq::Error) -> Kind {
    use ureq::{Error, Timeout};
    match error {
        Error::Other(other) => other.downcast_ref::<Known>().map_or(Kind::Interrupted, |known| known.kind),
        Error::HostNotFound => Kind::Dns,
        Error::ConnectionFailed => Kind::Connect,
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => Kind::ConnectTimeout,
        Error::Timeout(Timeout::PerRead) => Kind::ReadTimeout,
        Error::Timeout(_) => Kind::Timeout,
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => Kind::Proxy,
        Error::Protocol(_) | Error::LargeResponseHeader(..) => Kind::Protocol,
        Error::Http(_) | Error::BadUri(_) | Error::RequireHttpsOnly(_) => Kind::InvalidRequest,
        // An error in a body comes wrapped.
        Error::Io(error) => find_cause::<Error>(error).map_or_else(|| kind_of_io(error), kind_of),
        _ => Kind::Interrupted,
    }
}

/// For agents without our connector: these kinds come from connecting only.
fn kind_of_io(error: &io::Error) -> Kind {
    use io::ErrorKind as Io;
    match error.kind() {
        _ if is_malformed(error) => Kind::Protocol,
        Io::ConnectionRefused
        | Io::HostUnreachable
        | Io::NetworkUnreachable
        | Io::NetworkDown
        | Io::AddrNotAvailable => Kind::Connect,
        _ => Kind::Interrupted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_that_is_lost_after_sending_is_no_failure_to_connect() {
        let lost = || ureq::Error::Io(io::ErrorKind::HostUnreachable.into());
        assert!(failure(lost(), "host", true).may_have_run());
        assert_eq!(failure(lost(), "host", false).kind(), Kind::Connect);
    }
}

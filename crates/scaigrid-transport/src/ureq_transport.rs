//! The blocking transport on ureq. The only module that names ureq in public.

use crate::error::find_cause;
use crate::{Timeouts, TransportError, TransportErrorKind as Kind, blocking, require_scheme};
use bytes::Bytes;
use std::io::{self, Read};
use std::time::Duration;

/// The blocking transport on ureq: HTTP/1.1, pooled connections, proxies from the environment, no redirects, no
/// retries of its own. Cheap to clone; clones share the pool.
///
/// ```no_run
/// # fn run() -> Result<(), scaigrid_transport::TransportError> {
/// use scaigrid_transport::blocking::Transport;
/// use scaigrid_transport::{Timeouts, UreqTransport};
/// use std::time::Duration;
///
/// let transport = UreqTransport::builder().connect_timeout(Duration::from_secs(3)).build();
/// let request = http::Request::get("http://127.0.0.1:8787/health").body(Default::default()).unwrap();
/// let response = transport.send(request, Timeouts::none().with_attempt(Duration::from_secs(5)))?;
/// let body = response.into_body().collect(64 * 1024)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct UreqTransport {
    agent: ureq::Agent,
}

/// Settings of a [`UreqTransport`].
#[derive(Clone, Debug)]
pub struct UreqTransportBuilder {
    connect_timeout: Duration,
    use_proxy: bool,
}

/// ureq keeps 3 idle connections a host by default: with more threads than that, each call would connect anew.
const IDLE_CONNECTIONS: usize = 256;

/// Bytes asked of the socket at a time.
const READ_SIZE: usize = 16 * 1024;

impl UreqTransportBuilder {
    /// Limits the time to connect, TLS included. Default: 10 seconds.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Connects directly, whatever the environment says about proxies.
    pub fn no_proxy(mut self) -> Self {
        self.use_proxy = false;
        self
    }

    /// Builds the transport. Connects to nothing.
    pub fn build(self) -> UreqTransport {
        let mut config = ureq::Agent::config_builder()
            .timeout_connect(Some(self.connect_timeout))
            .http_status_as_error(false)
            // A 3xx is an answer: the bearer must not follow it elsewhere.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS);
        if !self.use_proxy {
            config = config.proxy(None);
        }
        #[cfg(feature = "rustls")]
        {
            let roots = ureq::tls::RootCerts::PlatformVerifier;
            config = config.tls_config(ureq::tls::TlsConfig::builder().root_certs(roots).build());
        }
        UreqTransport { agent: config.build().into() }
    }
}

impl UreqTransport {
    /// Settings to start from.
    pub fn builder() -> UreqTransportBuilder {
        UreqTransportBuilder { connect_timeout: Duration::from_secs(10), use_proxy: true }
    }

    /// On an agent of your own. It must not turn statuses into errors
    /// ([`http_status_as_error(false)`](ureq::config::ConfigBuilder::http_status_as_error)), and should follow no
    /// redirects ([`max_redirects(0)`](ureq::config::ConfigBuilder::max_redirects)).
    pub fn from_agent(agent: ureq::Agent) -> Self {
        Self { agent }
    }

    fn run<B: ureq::AsSendBody>(
        &self,
        request: http::Request<B>,
        timeouts: Timeouts,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let request = self
            .agent
            .configure_request(request)
            .timeout_global(timeouts.attempt)
            .timeout_per_read(timeouts.read)
            .build();
        self.agent.run(request)
    }
}

impl blocking::Transport for UreqTransport {
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeouts: Timeouts,
    ) -> Result<http::Response<blocking::Body>, TransportError> {
        require_scheme(request.uri())?;
        let host = request.uri().host().unwrap_or_default().to_owned();
        let (head, body) = request.into_parts();
        let bodiless = body.is_empty() && matches!(head.method, http::Method::GET | http::Method::DELETE);
        let response = if bodiless {
            self.run(http::Request::from_parts(head, ()), timeouts)
        } else {
            self.run(http::Request::from_parts(head, &*body), timeouts)
        };
        let response = response.map_err(|error| failure(error, &host))?;
        Ok(response.map(|body| {
            blocking::Body::new(Pieces { body: Some(body.into_reader()), buffer: vec![0; READ_SIZE], host })
        }))
    }
}

/// The pieces of a body, as they come from the socket.
struct Pieces {
    body: Option<ureq::BodyReader<'static>>,
    buffer: Vec<u8>,
    host: String,
}

impl Iterator for Pieces {
    type Item = Result<Bytes, TransportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = loop {
            match self.body.as_mut()?.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        match read {
            Ok(len) if len > 0 => self.buffer.get(..len).map(|piece| Ok(Bytes::copy_from_slice(piece))),
            Ok(_) => {
                self.body = None;
                None
            }
            Err(error) => {
                self.body = None;
                Some(Err(failure(error.into(), &self.host)))
            }
        }
    }
}

fn failure(error: ureq::Error, host: &str) -> TransportError {
    TransportError::new(kind_of(&error)).with_host(host).with_source(error)
}

fn kind_of(error: &ureq::Error) -> Kind {
    use ureq::{Error, Timeout};
    match error {
        Error::HostNotFound => Kind::Dns,
        Error::ConnectionFailed => Kind::Connect,
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => Kind::ConnectTimeout,
        Error::Timeout(Timeout::PerRead) => Kind::ReadTimeout,
        Error::Timeout(_) => Kind::Timeout,
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => Kind::Proxy,
        Error::Tls(_) | Error::TlsRequired => Kind::Tls,
        Error::Protocol(_) | Error::LargeResponseHeader(..) => Kind::Protocol,
        Error::Http(_) | Error::BadUri(_) | Error::RequireHttpsOnly(_) => Kind::InvalidRequest,
        Error::Io(error) => kind_of_io(error),
        #[cfg(feature = "rustls")]
        Error::Rustls(_) | Error::Pem(_) => Kind::Tls,
        _ => Kind::Interrupted,
    }
}

/// Connecting and talking end in the same ureq variant. These kinds come from connecting only.
fn kind_of_io(error: &io::Error) -> Kind {
    use io::ErrorKind as Io;
    #[cfg(feature = "rustls")]
    if find_cause::<rustls::Error>(error).is_some() {
        return Kind::Tls;
    }
    match error.kind() {
        Io::ConnectionRefused
        | Io::HostUnreachable
        | Io::NetworkUnreachable
        | Io::NetworkDown
        | Io::AddrNotAvailable => Kind::Connect,
        _ => match find_cause::<ureq::Error>(error) {
            Some(inner) => kind_of(inner),
            None => Kind::Interrupted,
        },
    }
}

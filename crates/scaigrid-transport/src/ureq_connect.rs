//! What ureq's own connector does not tell: whether a failure came before anything was sent, and how long the server
//! has been silent. It also lets another thread end an exchange.
//!
//! ureq's `unversioned` module may change with a minor release, which is why `Cargo.toml` names one.

mod exchange;

pub(crate) use exchange::Exchange;

use crate::TransportErrorKind as Kind;
use crate::timeouts::now;
use std::error::Error as StdError;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use ureq::Error;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::Duration as Limit;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, ShutdownHandle, TcpConnector,
    Transport,
};

/// An agent on the parts below.
pub(crate) fn agent(config: Config, connect: Connect) -> ureq::Agent {
    ureq::Agent::with_parts(config, connect, Later)
}

/// A failure with its kind, where ureq's own error does not tell.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) kind: Kind,
    cause: Option<Error>,
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Some(cause) => cause.fmt(f),
            None => write!(f, "{:?}", self.kind),
        }
    }
}

impl StdError for Known {}

fn known(kind: Kind, cause: Option<Error>) -> Error {
    Error::Other(Box::new(Known { kind, cause }))
}

/// The kind of a failure to connect. Nothing has been sent then, whatever went wrong.
fn before_sending(cause: Error) -> Error {
    let kind = match &cause {
        Error::Other(other) => match other.downcast_ref::<Known>().map(|known| known.kind) {
            // Of a connection to a proxy, or of a handshake: the request has not left.
            Some(Kind::FirstByteTimeout | Kind::ReadTimeout | Kind::Timeout) => Kind::ConnectTimeout,
            Some(kind) if kind.may_have_run() => Kind::Connect,
            Some(kind) => kind,
            None => Kind::Connect,
        },
        Error::HostNotFound => Kind::Dns,
        Error::Timeout(_) => Kind::ConnectTimeout,
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => Kind::Proxy,
        Error::Tls(_) | Error::TlsRequired => Kind::Tls,
        #[cfg(feature = "rustls")]
        Error::Rustls(_) | Error::Pem(_) => Kind::Tls,
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        Error::Io(error) if crate::tls::is_refusal(error) => Kind::Tls,
        _ => Kind::Connect,
    };
    known(kind, Some(cause))
}

/// ureq would take these for the end of a body without length.
fn broken(cause: Error) -> Error {
    use std::io::ErrorKind as Io;
    match &cause {
        Error::Io(error)
            if matches!(error.kind(), Io::UnexpectedEof | Io::ConnectionAborted | Io::ConnectionReset) =>
        {
            known(Kind::Interrupted, Some(cause))
        }
        _ => cause,
    }
}

/// Looks up no name. ureq asks before it looks for a pooled connection, which needs none, and would start a thread for each
/// request to limit the time of that. [`Connect`] looks names up, for new connections only.
#[derive(Debug)]
struct Later;

impl Resolver for Later {
    fn resolve(&self, _: &http::Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        Ok(self.empty())
    }
}

#[derive(Debug, Default)]
struct Resolve(DefaultResolver);

impl Resolver for Resolve {
    fn resolve(
        &self,
        uri: &http::Uri,
        config: &Config,
        mut timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        // An address is not looked up, so nothing can take time, and no thread is needed.
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        if host.parse::<std::net::IpAddr>().is_ok() {
            timeout.after = Limit::NotHappening;
        }
        self.0.resolve(uri, config, timeout).map_err(|error| match error {
            timeout @ Error::Timeout(_) => known(Kind::ConnectTimeout, Some(timeout)),
            other => known(Kind::Dns, Some(other)),
        })
    }
}

/// Makes connections with other parts, and watches them.
#[derive(Debug)]
pub(crate) struct Connect {
    parts: Box<dyn Connector<(), Out = Box<dyn Transport>>>,
    names: Resolve,
}

impl Default for Connect {
    fn default() -> Self {
        Self::with(().chain(ConnectProxyConnector::default()).chain(TcpConnector::default()))
    }
}

impl Connect {
    fn with(parts: impl Connector<()>) -> Self {
        Self { parts: Box::new(Boxed(parts)), names: Resolve::default() }
    }

    /// Also to `https` addresses.
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    pub(crate) fn with_tls(stack: crate::tls::Stack) -> Self {
        let tls = crate::ureq_tls::TlsConnector::new(stack);
        let plain = ().chain(ConnectProxyConnector::default()).chain(TcpConnector::default());
        Self::with(plain.chain(tls))
    }
}

/// Lets different connections have one type.
#[derive(Debug)]
struct Boxed<C>(C);

impl<C: Connector<()>> Connector<()> for Boxed<C> {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Box<dyn Transport>>, Error> {
        Ok(self.0.connect(details, chained)?.map(|transport| Box::new(transport) as _))
    }
}

impl Connector<()> for Connect {
    type Out = Watched;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Watched>, Error> {
        let exchange = Exchange::current();
        let is_cancelled = || exchange.as_ref().is_some_and(|exchange| exchange.is_cancelled());
        if is_cancelled() {
            return Err(known(Kind::Cancelled, None));
        }
        let socket = Arc::new(Mutex::new(None));
        let register = Arc::clone(&details.register_shutdown);
        let to_register = Arc::clone(&socket);
        let handshaking = exchange.clone();
        // A proxy looks the name up itself. Its own name was looked up before this is asked to connect to it.
        let is_near = details.config.proxy().is_none_or(|proxy| proxy.resolve_target());
        let addrs = match is_near && details.addrs.is_empty() {
            true => self.names.resolve(details.uri, details.config, details.timeout)?,
            false => details.addrs.clone(),
        };
        if is_cancelled() {
            return Err(known(Kind::Cancelled, None));
        }
        // What is left of the attempt after that. The limit to connect begins anew.
        let mut timeout = details.timeout;
        if let Some(left) = exchange.as_ref().and_then(|exchange| exchange.limit.attempt_left(now())) {
            if left.is_zero() {
                return Err(known(Kind::ConnectTimeout, None));
            }
            timeout.after = timeout.after.min(Limit::Exact(left));
        }
        let details = ConnectionDetails {
            uri: details.uri,
            addrs,
            config: details.config,
            // Requests differ in their time limits and proxies only.
            request_level: false,
            resolver: &self.names,
            now: (details.current_time)(),
            timeout,
            current_time: Arc::clone(&details.current_time),
            run_connector: Arc::clone(&details.run_connector),
            register_shutdown: Arc::new(move |handle: Weak<dyn ShutdownHandle>| {
                *lock(&to_register) = Some(handle.clone());
                // A handshake that waits can be ended, too.
                if let Some(exchange) = &handshaking {
                    *lock(&exchange.socket) = Some(handle.clone());
                    // Cancelled before there was a socket to shut down.
                    if exchange.is_cancelled() {
                        return Err(known(Kind::Cancelled, None));
                    }
                }
                register(handle)
            }),
        };
        let connected = self.parts.connect(&details, chained).map_err(|error| match is_cancelled() {
            true => known(Kind::Cancelled, Some(error)),
            false => before_sending(error),
        })?;
        let handle = lock(&socket).take();
        Ok(connected.map(|inner| Watched {
            inner,
            head: Vec::new(),
            handle,
            user: Weak::new(),
            was_read: false,
        }))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Rounds long limits up. ureq sets the socket's limit whenever it differs from the last one, and what is left of a minute
/// differs by microseconds from call to call.
fn in_steps(limit: Limit) -> Limit {
    const STEP: u128 = 250_000_000;
    match limit {
        Limit::Exact(exact) if exact >= Duration::from_secs(5) => {
            let rounded = exact.as_nanos().div_ceil(STEP).saturating_mul(STEP);
            Limit::Exact(u64::try_from(rounded).map_or(exact, Duration::from_nanos))
        }
        short_or_none => short_or_none,
    }
}

/// A connection that keeps the limits of the exchange that runs on this thread.
pub(crate) struct Watched {
    inner: Box<dyn Transport>,
    /// The head of a request whose body is about to follow, so that both go out together.
    head: Vec<u8>,
    handle: Option<Weak<dyn ShutdownHandle>>,
    /// The exchange that used it last.
    user: Weak<Exchange>,
    /// Whether it was read from since ureq last asked whether it is open.
    was_read: bool,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Watched {
    /// Reads or writes within what the exchange of this thread still allows.
    fn limited<T>(
        &mut self,
        mut timeout: NextTimeout,
        io: impl FnOnce(&mut dyn Transport, NextTimeout) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Some(exchange) = Exchange::current() else { return io(&mut *self.inner, timeout) };
        self.belongs_to(&exchange)?;
        let limit = exchange.limit.next(now()).filter(|(limit, _)| *limit < *timeout.after);
        if let Some((limit, kind)) = limit {
            if limit.is_zero() {
                return Err(known(kind, None));
            }
            timeout.after = Limit::Exact(limit);
        }
        timeout.after = in_steps(timeout.after);
        match (io(&mut *self.inner, timeout), limit) {
            (Err(Error::Timeout(_)), Some((_, kind))) => Err(known(kind, None)),
            (done, _) => done,
        }
    }

    /// Puts the head before as many bytes of a body, if there is room for both. Gives their length.
    fn put_head_before(&mut self, body: usize) -> Option<usize> {
        let both = self.head.len().checked_add(body)?;
        let output = self.inner.buffers().output();
        let room = output.get_mut(..both)?;
        room.copy_within(..body, self.head.len());
        room.get_mut(..self.head.len())?.copy_from_slice(&self.head);
        self.head.clear();
        Some(both)
    }

    /// Sends the head alone, if it still waits: there is no body after all, or one that is too large.
    fn send_head(&mut self, timeout: NextTimeout) -> Result<(), Error> {
        match self.put_head_before(0) {
            Some(amount @ 1..) => {
                self.limited(timeout, |inner, timeout| inner.transmit_output(amount, timeout))
            }
            _ => Ok(()),
        }
    }

    /// The exchange uses this connection from now on, and the one before does not, so that its cancellation comes too
    /// late to do harm.
    fn belongs_to(&mut self, exchange: &Arc<Exchange>) -> Result<(), Error> {
        if !std::ptr::eq(self.user.as_ptr(), Arc::as_ptr(exchange)) {
            if let Some(before) = self.user.upgrade() {
                before.release();
            }
            self.user = Arc::downgrade(exchange);
            *lock(&exchange.socket) = self.handle.clone();
        }
        // Looked at when the handle is in place: a cancellation between the two finds it.
        if exchange.is_cancelled() { Err(known(Kind::Cancelled, None)) } else { Ok(()) }
    }
}

impl Transport for Watched {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if Exchange::current().is_some_and(|exchange| exchange.body_follows.swap(false, Ordering::Relaxed)) {
            self.head.extend_from_slice(self.inner.buffers().output().get(..amount).unwrap_or_default());
            return Ok(());
        }
        let amount = match self.put_head_before(amount) {
            Some(both) => both,
            // No room for both.
            None => {
                let body =
                    self.inner.buffers().output().get(..amount).map(<[u8]>::to_vec).unwrap_or_default();
                self.send_head(timeout)?;
                if let Some(output) = self.inner.buffers().output().get_mut(..amount) {
                    output.copy_from_slice(&body);
                }
                amount
            }
        };
        self.limited(timeout, |inner, timeout| inner.transmit_output(amount, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.send_head(timeout)?;
        self.was_read = true;
        self.limited(timeout, |inner, timeout| inner.await_input(timeout).map_err(broken))
    }

    /// ureq asks when it puts a connection back, and again when it takes it up. Each answer takes three system calls, and only
    /// the second one matters: it also finds what the server has sent too much, or that it has closed.
    fn is_open(&mut self) -> bool {
        std::mem::take(&mut self.was_read) || self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

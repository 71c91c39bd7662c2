//! A transport of one's own: HTTP/1.1 on plain hyper, without TLS and without proxies.
//!
//! Each connection carries one exchange at a time, and is kept for the next.

mod body;

use async_trait::async_trait;
use body::{Incoming, Limits, Outgoing};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use scaigrid_transport::{
    Body, RequestBody, Timeouts, Transport, TransportError, TransportErrorKind as Kind,
};
use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};

type Connection = http1::SendRequest<Outgoing>;

/// Idle connections kept for each host.
const IDLE: usize = 256;

/// How long a kept connection may take to be ready again. One whose server has answered early may still be sending.
const READY: Duration = Duration::from_millis(10);

/// HTTP/1.1 on hyper. Needs a tokio runtime with timers and I/O. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct HyperTransport {
    connect_timeout: Duration,
    pool: Arc<Pool>,
}

impl HyperTransport {
    /// With no connections as yet. The time to connect is limited to 10 seconds.
    pub fn new() -> Self {
        Self { connect_timeout: Duration::from_secs(10), pool: Arc::default() }
    }

    /// Limits the time to resolve the host and to connect.
    pub fn with_connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Sends on a kept connection, or on a new one.
    async fn exchange(
        &self,
        host: &Authority,
        mut request: Request<Outgoing>,
    ) -> Result<(Connection, Response<hyper::body::Incoming>), TransportError> {
        loop {
            let kept = self.pool.take(host).await;
            let is_kept = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                None => timeout(self.connect_timeout, connect(host))
                    .await
                    .map_err(|_| TransportError::new(Kind::ConnectTimeout))??,
            };
            match connection.try_send_request(request).await {
                Ok(response) => return Ok((connection, response)),
                Err(mut failed) => match failed.take_message() {
                    // The server had closed it while it was idle. Nothing was sent.
                    Some(unsent) if is_kept => request = unsent,
                    _ => return Err(failure(failed.into_error())),
                },
            }
        }
    }
}

impl Default for HyperTransport {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Transport for HyperTransport {
    async fn send(
        &self,
        mut request: Request<RequestBody>,
        timeouts: Timeouts,
    ) -> Result<Response<Body>, TransportError> {
        let limits = Limits { timeouts, started: Instant::now(), flows: false };
        let host = to_origin_form(&mut request)?;
        let exchange = self.exchange(&host, request.map(Outgoing));
        let answered = match limits.next() {
            None => exchange.await,
            Some((end, kind)) => {
                timeout_at(end, exchange).await.unwrap_or_else(|_| Err(TransportError::new(kind)))
            }
        };
        let (connection, response) = answered.map_err(|error| error.with_host(host.as_str()))?;
        let kept = Kept { connection, host, pool: Arc::clone(&self.pool) };
        let incoming = |body| Incoming { open: Some((body, kept)), limits, late: None, timer: None };
        Ok(response.map(|body| Body::new(incoming(body))))
    }
}

/// HTTP/1.1 sends the host in a header. Says which it is.
fn to_origin_form(request: &mut Request<RequestBody>) -> Result<Authority, TransportError> {
    let invalid = |message| TransportError::new(Kind::InvalidRequest).with_message(message);
    let uri = request.uri();
    if uri.scheme() != Some(&Scheme::HTTP) {
        return Err(invalid("this transport speaks http only"));
    }
    let host = uri.authority().cloned().ok_or_else(|| invalid("the address has no host"))?;
    let value = HeaderValue::from_str(host.as_str()).map_err(|_| invalid("the host cannot be a header"))?;
    let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    request.headers_mut().insert(header::HOST, value);
    Ok(host)
}

async fn connect(host: &Authority) -> Result<Connection, TransportError> {
    let failed = |kind| move |error: io::Error| TransportError::new(kind).with_source(error);
    let name = host.host().trim_start_matches('[').trim_end_matches(']');
    let port = host.port_u16().unwrap_or(80);
    let addresses: Vec<_> = lookup_host((name, port)).await.map_err(failed(Kind::Dns))?.collect();
    let stream = TcpStream::connect(&addresses[..]).await.map_err(failed(Kind::Connect))?;
    stream.set_nodelay(true).map_err(failed(Kind::Connect))?;
    let (connection, driver) = http1::handshake(TokioIo::new(stream)).await.map_err(failure)?;
    // Ends when the connection does; its error comes to those who use the connection, too.
    tokio::spawn(driver);
    Ok(connection)
}

/// Connections that are idle, by host.
#[derive(Debug, Default)]
struct Pool(Mutex<HashMap<Authority, Vec<Connection>>>);

impl Pool {
    /// The one used last, of those that still work.
    async fn take(&self, host: &Authority) -> Option<Connection> {
        loop {
            let mut connection = {
                let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                idle.get_mut(host)?.pop()?
            };
            if let Ok(Ok(())) = timeout(READY, connection.ready()).await {
                return Some(connection);
            }
        }
    }

    fn keep(&self, host: Authority, connection: Connection) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = idle.entry(host).or_default();
        if idle.len() < IDLE && !connection.is_closed() {
            idle.push(connection);
        }
    }
}

/// A connection whose answer is being read, and where it goes afterwards. Dropped, it is closed.
struct Kept {
    connection: Connection,
    host: Authority,
    pool: Arc<Pool>,
}

impl Kept {
    fn give_back(self) {
        self.pool.keep(self.host, self.connection);
    }
}

fn failure(error: hyper::Error) -> TransportError {
    let io = error.source().and_then(<dyn Error>::downcast_ref::<io::Error>).map(io::Error::kind);
    let kind = match io {
        // The only thing of ours that hyper calls and that can fail is the request's body.
        Some(_) if error.is_user() => Kind::RequestBody,
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => Kind::Protocol,
        _ if error.is_parse() => Kind::Protocol,
        _ => Kind::Interrupted,
    };
    TransportError::new(kind).with_source(error)
}

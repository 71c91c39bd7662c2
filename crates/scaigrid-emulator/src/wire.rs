//! Connections that can break: a listener whose sockets write something else than the HTTP server meant to.
//!
//! A handler that wants to break its connection sets [`Connection::break_with`] and returns any response. When
//! the HTTP server writes that response, the socket writes the bytes of the breakage instead, closes or resets
//! the connection, and reports an error, which makes the server drop it.

use crate::faults::Faults;
use crate::presence::Presence;
use crate::sync::lock;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use bytes::{Buf, Bytes};
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;

/// How a connection ends before its time.
pub(crate) struct Breakage {
    /// What is still written.
    pub(crate) bytes: Bytes,
    pub(crate) end: End,
    /// Dropped with the connection. Only for [`End::Silence`], which the peer's leaving ends.
    pub(crate) presence: Option<Presence>,
}

/// What follows the last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// FIN.
    Close,
    /// RST.
    Reset,
    /// RST, but only when the peer has had time to read.
    ResetLater,
    /// Nothing, until the peer leaves.
    Silence,
}

/// How long a peer gets to read before a reset.
const BEFORE_RESET: Duration = Duration::from_millis(20);

/// What handlers know of the connection that they serve.
pub(crate) struct Connection {
    /// Counted from 0.
    pub(crate) number: u64,
    /// Who made it.
    pub(crate) peer: IpAddr,
    breakage: Mutex<Option<Breakage>>,
    flushes: Mutex<Flushes>,
    counts: Arc<ConnectionCounts>,
}

/// How often everything that the HTTP server had to write was in the socket.
#[derive(Debug, Default)]
struct Flushes {
    count: u64,
    waiting: Option<Waker>,
}

impl Connection {
    /// Of a call that no client made, such as a line of a batch. It counts nowhere.
    pub(crate) fn none() -> Arc<Self> {
        let counts = ConnectionCounts { open: AtomicUsize::new(1), ..ConnectionCounts::default() };
        Arc::new(Self {
            number: u64::MAX,
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
            breakage: Mutex::new(None),
            flushes: Mutex::default(),
            counts: Arc::new(counts),
        })
    }

    /// From now on, nothing but this is written.
    pub(crate) fn break_with(&self, breakage: Breakage) {
        *lock(&self.breakage) = Some(breakage);
    }

    /// For [`poll_flushed_since`](Self::poll_flushed_since).
    pub(crate) fn flushes(&self) -> u64 {
        lock(&self.flushes).count
    }

    /// Ready once the socket has taken all that the server had to write, after there were `count` flushes.
    pub(crate) fn poll_flushed_since(&self, count: u64, cx: &mut Context<'_>) -> Poll<()> {
        let mut flushes = lock(&self.flushes);
        if flushes.count > count {
            return Poll::Ready(());
        }
        flushes.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    fn flushed(&self) {
        let mut flushes = lock(&self.flushes);
        flushes.count += 1;
        let waiting = flushes.waiting.take();
        drop(flushes);
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // First, so that whoever sees no connection also sees that the client left.
        *lock(&self.breakage) = None;
        self.counts.open.fetch_sub(1, Ordering::Release);
    }
}

/// A handle to the connection, for the request's extensions.
#[derive(Clone)]
pub(crate) struct ConnectionHandle(pub(crate) Arc<Connection>);

impl Connected<IncomingStream<'_, BreakableListener>> for ConnectionHandle {
    fn connect_info(stream: IncomingStream<'_, BreakableListener>) -> Self {
        Self(Arc::clone(&stream.io().connection))
    }
}

/// Accepts [`BreakableStream`]s and counts them.
pub(crate) struct BreakableListener {
    listener: TcpListener,
    counts: Arc<ConnectionCounts>,
    faults: Faults,
}

/// Connections since the start.
#[derive(Debug, Default)]
pub(crate) struct ConnectionCounts {
    pub(crate) open: AtomicUsize,
    pub(crate) accepted: AtomicU64,
}

impl BreakableListener {
    /// `counts` are kept up to date; some of the `faults` are for connections.
    pub(crate) fn new(listener: TcpListener, counts: Arc<ConnectionCounts>, faults: Faults) -> Self {
        Self { listener, counts, faults }
    }
}

impl Listener for BreakableListener {
    type Io = BreakableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (BreakableStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    // Small answers must not wait for the peer's acknowledgement. Failing changes no byte.
                    let _ = stream.set_nodelay(true);
                    let number = self.counts.accepted.fetch_add(1, Ordering::Relaxed);
                    self.counts.open.fetch_add(1, Ordering::Relaxed);
                    let connection = Arc::new(Connection {
                        number,
                        peer: address.ip(),
                        breakage: Mutex::new(None),
                        flushes: Mutex::default(),
                        counts: Arc::clone(&self.counts),
                    });
                    if self.faults.take_reset_before_request() {
                        // At once, the peer would see a connection that was never made.
                        tokio::spawn(async move {
                            tokio::time::sleep(BEFORE_RESET).await;
                            reset_when_dropped(&stream);
                            drop((stream, connection));
                        });
                        continue;
                    }
                    return (BreakableStream { stream, connection, broken: false, pause: None }, address);
                }
                // Either the peer has gone already, or the process is out of file descriptors; the pause keeps
                // the latter from becoming a busy loop.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A TCP stream that writes a [`Breakage`] instead of the answer, once one is set.
pub(crate) struct BreakableStream {
    stream: TcpStream,
    connection: Arc<Connection>,
    broken: bool,
    /// Runs before a reset.
    pause: Option<Pin<Box<Sleep>>>,
}

/// Linger of zero makes the coming close send RST. Without it the close sends FIN, no worse.
fn reset_when_dropped(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

impl BreakableStream {
    /// Ready with `Ok` while nothing is broken, with an error once the breakage is complete.
    fn poll_breakage(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let connection = Arc::clone(&self.connection);
        let mut guard = lock(&connection.breakage);
        let Some(breakage) = guard.as_mut() else { return Poll::Ready(Ok(())) };
        while breakage.bytes.has_remaining() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &breakage.bytes)) {
                Ok(written) if written > 0 => breakage.bytes.advance(written),
                // The peer has gone: nothing is left to break.
                _ => breakage.bytes.clear(),
            }
        }
        let end = breakage.end;
        drop(guard);
        match end {
            End::Reset => reset_when_dropped(&self.stream),
            End::ResetLater => {
                let pause = self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(BEFORE_RESET)));
                ready!(pause.as_mut().poll(cx));
                reset_when_dropped(&self.stream);
            }
            // An error means that the peer has closed already.
            End::Close => drop(ready!(Pin::new(&mut self.stream).poll_shutdown(cx))),
            End::Silence => ready!(self.poll_left(cx)),
        }
        self.broken = true;
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }
}

impl BreakableStream {
    /// Ready once the peer has closed the connection. What it still sends is dropped.
    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [0; 256];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    }
}

impl AsyncRead for BreakableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for BreakableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_breakage(cx))?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_breakage(cx))?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_breakage(cx))?;
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        // The server asks for a flush when its own buffers are empty.
        self.connection.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_breakage(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

//! Connections that can break: a listener whose sockets write something else than the HTTP server meant to.
//!
//! A handler that wants to break its connection sets [`Connection::break_with`] and returns any response. When
//! the HTTP server writes that response, the socket writes the bytes of the breakage instead, closes or resets
//! the connection, and reports an error, which makes the server drop it.

use crate::sync::lock;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use bytes::{Buf, Bytes};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// How a connection ends before its time.
#[derive(Debug)]
pub(crate) struct Breakage {
    /// What is still written.
    pub(crate) bytes: Bytes,
    /// RST instead of FIN.
    pub(crate) reset: bool,
}

/// What handlers know of the connection that they serve.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Counted from 0.
    pub(crate) number: u64,
    breakage: Mutex<Option<Breakage>>,
    flushes: Mutex<Flushes>,
    open: Arc<AtomicUsize>,
}

/// How often everything that the HTTP server had to write was in the socket.
#[derive(Debug, Default)]
struct Flushes {
    count: u64,
    waiting: Option<Waker>,
}

impl Connection {
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
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A handle to the connection, for the request's extensions.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionHandle(pub(crate) Arc<Connection>);

impl Connected<IncomingStream<'_, BreakableListener>> for ConnectionHandle {
    fn connect_info(stream: IncomingStream<'_, BreakableListener>) -> Self {
        Self(Arc::clone(&stream.io().connection))
    }
}

/// Accepts [`BreakableStream`]s and counts them.
pub(crate) struct BreakableListener {
    listener: TcpListener,
    next_number: u64,
    open: Arc<AtomicUsize>,
}

impl BreakableListener {
    /// `open` is kept at the number of open connections.
    pub(crate) fn new(listener: TcpListener, open: Arc<AtomicUsize>) -> Self {
        Self { listener, next_number: 0, open }
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
                    let number = self.next_number;
                    self.next_number += 1;
                    self.open.fetch_add(1, Ordering::Relaxed);
                    let open = Arc::clone(&self.open);
                    let connection = Arc::new(Connection {
                        number,
                        breakage: Mutex::new(None),
                        flushes: Mutex::default(),
                        open,
                    });
                    return (BreakableStream { stream, connection, broken: false }, address);
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
}

impl BreakableStream {
    /// Ready with `Ok` while nothing is broken, with an error once the breakage is complete.
    fn poll_breakage(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let mut guard = lock(&self.connection.breakage);
        let Some(breakage) = guard.as_mut() else { return Poll::Ready(Ok(())) };
        while breakage.bytes.has_remaining() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &breakage.bytes)) {
                Ok(written) if written > 0 => breakage.bytes.advance(written),
                // The peer has gone: nothing is left to break.
                _ => breakage.bytes.clear(),
            }
        }
        if breakage.reset {
            // Linger of zero makes the coming close send RST. Without it the close sends FIN, no worse.
            let _ = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        } else {
            // An error means that the peer has closed already.
            let _ = ready!(Pin::new(&mut self.stream).poll_shutdown(cx));
        }
        drop(guard);
        self.broken = true;
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
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

//! A server of raw bytes on loopback: it does with each connection what a script says, right or wrong.

use super::received::{Received, read_head, read_rest};
use super::scenario::SHORT;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::Duration;

/// How long the server waits for a client that does nothing. Then it closes the connection, so that a transport that
/// does not keep its time limits is found out, and waits for ever nowhere.
const PATIENCE: Duration = Duration::from_secs(3);

/// One thing that the server does on a connection. It closes the connection behind the last.
#[derive(Clone)]
pub(super) enum Step {
    /// Reads a whole request. One that asks whether it may send its body is told to.
    Read,
    /// Reads the head of a request only.
    ReadHead,
    /// Reads the head of a request but for its last byte: closing the connection then resets it.
    ReadAlmost,
    Write(Vec<u8>),
    /// Writes what the last request says that it can read.
    WriteIfGzip {
        compressed: Vec<u8>,
        plain: Vec<u8>,
    },
    /// Writes each byte by itself.
    WriteBytes(Vec<u8>),
    Pause(Duration),
    /// Waits until the client closes the connection, and remembers whether it did.
    AwaitEnd,
    /// Writes until the client takes no more, at most this many bytes.
    Flood(usize),
    /// Says that nothing more comes, and takes what the client still sends: closing at once would take back the answer.
    Linger,
}

/// What the server has seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    pub(super) requests: Vec<Received>,
    pub(super) connections: usize,
    /// Whether the client has closed the connection that was waited for. `None`: not known as yet.
    pub(super) client_left: Option<bool>,
    /// Bytes written by [`Step::Flood`], once the client takes no more.
    pub(super) flooded: Option<usize>,
}

#[derive(Default)]
struct Shared {
    log: Mutex<(Log, Option<Waker>)>,
    changed: Condvar,
    is_over: AtomicBool,
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, (Log, Option<Waker>)> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Log)) {
        let mut log = self.log();
        change(&mut log.0);
        log.1.take().into_iter().for_each(Waker::wake);
        self.changed.notify_all();
    }
}

/// The server. Dropped, it takes no more connections.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Serves one connection for each list of steps, and closes those that come beyond.
    pub(super) fn start(connections: Vec<Vec<Step>>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let server = Self { address: listener.local_addr()?, shared: Arc::default() };
        let shared = Arc::clone(&server.shared);
        thread::spawn(move || {
            let mut connections = connections.into_iter();
            for stream in listener.incoming().flatten() {
                if shared.is_over.load(Ordering::SeqCst) {
                    return;
                }
                shared.change(|log| log.connections += 1);
                let (steps, shared) = (connections.next().unwrap_or_default(), Arc::clone(&shared));
                thread::spawn(move || {
                    // Fails when the client leaves early, which is what some scenarios are about.
                    if let Err(error) = serve(stream, steps, &shared) {
                        shared.change(|log| _ = log.client_left.get_or_insert(!is_late(&error)));
                    }
                });
            }
        });
        Ok(server)
    }

    /// An address where nobody listens.
    pub(super) fn nowhere() -> io::Result<SocketAddr> {
        TcpListener::bind("127.0.0.1:0")?.local_addr()
    }

    pub(super) fn log(&self) -> Log {
        self.shared.log().0.clone()
    }

    /// Waits until the log says so, or for too long.
    #[cfg(feature = "blocking")]
    pub(super) fn wait_until(&self, is_so: fn(&Log) -> bool) {
        let log = self.shared.log();
        let _ = self.shared.changed.wait_timeout_while(log, 2 * PATIENCE, |log| !is_so(&log.0));
    }

    /// Ready when the log says so.
    #[cfg(feature = "async")]
    pub(super) fn poll_until(
        &self,
        is_so: fn(&Log) -> bool,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<()> {
        let mut log = self.shared.log();
        if is_so(&log.0) {
            return std::task::Poll::Ready(());
        }
        log.1 = Some(context.waker().clone());
        std::task::Poll::Pending
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(mut stream: TcpStream, steps: Vec<Step>, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    for step in steps {
        match step {
            Step::Read => {
                let head = read_head(&mut stream)?;
                if head.asks_before_sending() {
                    stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
                }
                let whole = read_rest(&mut stream, head)?;
                shared.change(|log| log.requests.push(whole));
            }
            Step::ReadHead => {
                let head = read_head(&mut stream)?;
                shared.change(|log| log.requests.push(head));
            }
            Step::ReadAlmost => read_almost(&mut stream)?,
            Step::Write(bytes) => stream.write_all(&bytes)?,
            Step::WriteIfGzip { compressed, plain } => {
                let accepts = shared.log().0.requests.last().is_some_and(Received::accepts_gzip);
                stream.write_all(if accepts { &compressed } else { &plain })?;
            }
            Step::WriteBytes(bytes) => {
                for byte in bytes {
                    stream.write_all(&[byte])?;
                }
            }
            Step::Pause(time) => crate::clock::wait(time),
            Step::AwaitEnd => {
                // What the client still sends does not count.
                let mut sink = [0; 4096];
                let end = loop {
                    match stream.read(&mut sink) {
                        Ok(len) if len > 0 => {}
                        end => break end,
                    }
                };
                shared.change(|log| log.client_left = Some(!end.is_err_and(|error| is_late(&error))));
            }
            Step::Flood(most) => {
                stream.set_write_timeout(Some(SHORT))?;
                let block = [b'x'; 64 * 1024];
                let mut written = 0;
                while written < most && stream.write_all(&block).is_ok() {
                    written += block.len();
                }
                shared.change(|log| log.flooded = Some(written));
            }
            Step::Linger => {
                stream.shutdown(Shutdown::Write)?;
                let mut sink = [0; 64 * 1024];
                while stream.read(&mut sink)? > 0 {}
            }
        }
    }
    Ok(())
}

/// Whether the client did nothing for too long.
fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Waits until the head is there, and leaves its last byte.
fn read_almost(stream: &mut TcpStream) -> io::Result<()> {
    let mut seen = vec![0; 64 * 1024];
    loop {
        let len = stream.peek(&mut seen)?;
        let seen = seen.get(..len).unwrap_or_default();
        if len == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(end) = seen.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            return stream.read_exact(&mut vec![0; end + 3]);
        }
        crate::clock::wait(Duration::from_millis(1));
    }
}

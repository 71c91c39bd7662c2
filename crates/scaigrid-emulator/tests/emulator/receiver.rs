//! A receiver of webhooks over `std::net`, which answers as it is told.

use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver as Queue, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the receiver does with a delivery.
#[derive(Clone, Copy)]
pub(crate) enum Reaction {
    Answer(u16),
    /// The connection stays open, and nothing is said until the sender leaves.
    Silence,
    /// The connection ends without an answer.
    Close,
}

/// A request as it arrived.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) head: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.iter().filter_map(|line| line.split_once(": "));
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) struct Receiver {
    address: SocketAddr,
    received: Queue<Received>,
    /// Signals that a sender left a silent receiver.
    left: Queue<()>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// One whose reaction depends on the number of the delivery, counted from 0.
    pub(crate) fn start(mut react: impl FnMut(usize) -> Reaction + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stopped = Arc::new(AtomicBool::new(false));
        let (arrived, received) = channel();
        let (leaves, left) = channel();
        let stop = Arc::clone(&stopped);
        let serve = move || {
            for number in 0.. {
                let (stream, _) = listener.accept().unwrap();
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let _ = serve(stream, react(number), &arrived, &leaves);
            }
        };
        let thread = Some(std::thread::spawn(serve));
        Self { address, received, left, stopped, thread }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook?a=b", self.address)
    }

    /// The next delivery.
    pub(crate) fn next(&self) -> Received {
        self.received.recv_timeout(Duration::from_secs(10)).expect("a delivery")
    }

    /// Whether a delivery has arrived that nobody asked for yet.
    pub(crate) fn has_more(&self) -> bool {
        self.received.try_recv().is_ok()
    }

    /// Waits until a sender has left a silent receiver.
    pub(crate) fn wait_until_left(&self) {
        self.left.recv_timeout(Duration::from_secs(10)).expect("the sender leaves");
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let outcome = self.thread.take().unwrap().join();
        assert!(outcome.is_ok() || std::thread::panicking());
    }
}

/// Serves one connection. An error means that the sender left in the middle, as one that is stopped does.
fn serve(
    stream: TcpStream,
    reaction: Reaction,
    arrived: &Sender<Received>,
    leaves: &Sender<()>,
) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let mut received = Received { head, body: Vec::new() };
    received.body = vec![0; received.header("content-length").unwrap().parse().unwrap()];
    reader.read_exact(&mut received.body)?;
    let _ = arrived.send(received);
    match reaction {
        Reaction::Answer(status) => {
            write!(reader.get_mut(), "HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nok")?;
        }
        Reaction::Silence => {
            assert!(matches!(reader.read(&mut [0]), Ok(0) | Err(_)));
            let _ = leaves.send(());
        }
        Reaction::Close => {}
    }
    Ok(())
}

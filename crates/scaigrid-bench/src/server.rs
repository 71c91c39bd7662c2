//! The server: bytes that are ready before a request comes, one thread, and no HTTP framework, so that it takes as little
//! of the processor as it can.

use crate::load::{Load, Pace};
use crate::measure;
use crate::shape::{self, PERIOD};
use memchr::memmem;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const HEAD: &str = "HTTP/1.1 200 OK\r\nx-request-id: req_abc123\r\nx-scaigrid-request-id: req_abc123\r\n\
    x-scaigrid-ratelimit-limit: 60\r\nx-scaigrid-ratelimit-remaining: 59\r\n\
    x-scaigrid-ratelimit-reset: 1790000060\r\ndate: Sun, 22 Nov 2026 12:00:00 GMT\r\n";

/// Bytes of one write of a flood.
const SLICE: usize = 16 * 1024;

/// Models of a page.
pub const PAGE: usize = 100;

/// Serves on a thread of its own until the process ends. Returns the base URL.
///
/// # Panics
/// When no address of the loopback can be had.
pub fn start(core: Option<usize>) -> String {
    let (told, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        core.map(measure::pin);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, serve(|bound| told.send(bound).unwrap()));
    });
    format!("http://{}", address.recv().unwrap())
}

async fn serve(tell: impl FnOnce(SocketAddr)) {
    // A thousand clients may come at once.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener: TcpListener = socket.listen(4096).unwrap();
    tell(listener.local_addr().unwrap());
    let ready = Rc::new(Ready::default());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let ready = Rc::clone(&ready);
        // A client that goes is no failure of the server's.
        tokio::task::spawn_local(async move { converse(stream, &ready).await.ok() });
    }
}

/// Answers that have been asked for before.
#[derive(Default)]
struct Ready {
    streams: RefCell<HashMap<(u64, usize), Rc<Wire>>>,
    plain: RefCell<HashMap<(u64, usize, bool), Plain>>,
}

/// The bytes of a plain answer.
type Plain = Rc<Vec<u8>>;

/// The bytes of a stream. Its middle repeats, so that a long one takes no more memory than a short one.
struct Wire {
    first: Vec<u8>,
    cycle: Vec<u8>,
    /// Where each event of the cycle ends.
    ends: Vec<usize>,
    tail: Vec<Vec<u8>>,
    chunks: usize,
}

impl Wire {
    fn new(shape: u64, chunks: usize) -> Self {
        let mut stream = shape::Stream::new(shape);
        let framed = |stream: &mut shape::Stream, data: &str| {
            let event = stream.event(data);
            stream.framed(&event)
        };
        let data = stream.chunk(0);
        let first = framed(&mut stream, &data);
        let (mut cycle, mut ends) = (Vec::new(), Vec::new());
        for number in 1..=PERIOD {
            let data = stream.chunk(number);
            cycle.extend_from_slice(&framed(&mut stream, &data));
            ends.push(cycle.len());
        }
        let [finish, usage] = stream.tail(chunks);
        let mut tail: Vec<_> =
            [&finish, &usage, "[DONE]"].iter().map(|data| framed(&mut stream, data)).collect();
        tail.push(b"0\r\n\r\n".to_vec());
        Self { first, cycle, ends, tail, chunks }
    }

    /// The bytes, in the longest pieces that there are.
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let left = self.chunks.saturating_sub(1);
        let whole = std::iter::repeat_n(&self.cycle[..], left / PERIOD);
        let rest = match left % PERIOD {
            0 => &[][..],
            events => &self.cycle[..self.ends[events - 1]],
        };
        let first = (self.chunks > 0).then_some(&self.first[..]);
        first.into_iter().chain(whole).chain([rest]).chain(self.tail.iter().map(Vec::as_slice))
    }

    /// The bytes, event by event.
    fn events(&self) -> impl Iterator<Item = &[u8]> {
        let event = |number: usize| {
            let number = number % PERIOD;
            let begin = number.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.cycle[begin..self.ends[number]]
        };
        let first = (self.chunks > 0).then_some(&self.first[..]);
        let middle = (0..self.chunks.saturating_sub(1)).map(event);
        first.into_iter().chain(middle).chain(self.tail.iter().map(Vec::as_slice))
    }
}

impl Ready {
    fn stream(&self, load: &Load) -> Rc<Wire> {
        let mut streams = self.streams.borrow_mut();
        let wire = streams.entry((load.shape, load.chunks));
        Rc::clone(wire.or_insert_with(|| Rc::new(Wire::new(load.shape, load.chunks))))
    }

    fn plain(&self, load: &Load, enveloped: bool) -> Plain {
        let mut plain = self.plain.borrow_mut();
        let bytes = plain.entry((load.shape, load.reply_bytes, enveloped));
        Rc::clone(
            bytes.or_insert_with(|| {
                Rc::new(json(&shape::completion(load.shape, load.reply_bytes, enveloped).0))
            }),
        )
    }
}

fn json(body: &str) -> Vec<u8> {
    format!("{HEAD}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

/// Where the head of a request ends, and the whole of it. `None`: more must come.
fn request_end(bytes: &[u8]) -> Option<(usize, usize)> {
    let head = memmem::find(bytes, b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).expect("heads are ASCII").to_ascii_lowercase();
    let header = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    if header("transfer-encoding:").is_some() {
        return memmem::find(&bytes[head..], b"0\r\n\r\n").map(|end| (head, head + end + 5));
    }
    let end = head + header("content-length:").map_or(0, |length| length.parse().expect("a length"));
    (bytes.len() >= end).then_some((head, end))
}

async fn converse(mut stream: TcpStream, ready: &Ready) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut bytes = Vec::with_capacity(SLICE);
    loop {
        let (head, end) = loop {
            if let Some(ends) = request_end(&bytes) {
                break ends;
            }
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
        };
        let line = &bytes[..memchr::memchr(b'\r', &bytes).unwrap_or(head)];
        let body = &bytes[head..end];
        if line.starts_with(b"GET") {
            stream.write_all(&page(std::str::from_utf8(line).expect("paths are ASCII"))).await?;
        } else {
            let Some((load, streamed)) = asked(body) else {
                eprintln!(
                    "a request without a load: {}",
                    String::from_utf8_lossy(&body[..body.len().min(400)])
                );
                return Ok(());
            };
            if streamed {
                send_stream(&mut stream, &load, &ready.stream(&load)).await?;
            } else {
                let enveloped = memmem::find(line, b"/inference/chat").is_some();
                stream.write_all(&ready.plain(&load, enveloped)).await?;
            }
        }
        bytes.drain(..end);
    }
}

/// What follows a key of the request, which may come with white space.
fn field<'a>(body: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let value = &body[memmem::find(body, format!("\"{key}\":").as_bytes())? + key.len() + 3..];
    Some(value.trim_ascii_start())
}

/// The load, and whether it is to be streamed.
fn asked(body: &[u8]) -> Option<(Load, bool)> {
    let name = field(body, "model")?.strip_prefix(b"\"")?;
    let name = std::str::from_utf8(&name[..memchr::memchr(b'"', name)?]).ok()?;
    let streamed = field(body, "stream").is_some_and(|value| value.starts_with(b"true"));
    Some((name.parse().ok()?, streamed))
}

async fn send_stream(stream: &mut TcpStream, load: &Load, wire: &Wire) -> io::Result<()> {
    let head = format!(
        "{HEAD}content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n\
         transfer-encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    match load.pace {
        Pace::Flood => {
            for slice in wire.pieces().flat_map(|piece| piece.chunks(SLICE)) {
                stream.write_all(slice).await?;
                // Other connections go on, too.
                tokio::task::yield_now().await;
            }
        }
        Pace::Each => {
            for event in wire.events() {
                stream.write_all(event).await?;
            }
        }
        Pace::Pieces(bytes) => {
            for slice in wire.pieces().flat_map(|piece| piece.chunks(bytes)) {
                stream.write_all(slice).await?;
            }
        }
        Pace::Every(millis) => {
            let mut clock = tokio::time::interval(Duration::from_millis(millis));
            for event in wire.events() {
                clock.tick().await;
                stream.write_all(event).await?;
            }
        }
    }
    Ok(())
}

/// A page of models. How many there are is in the filter by status: `items-1000`.
fn page(line: &str) -> Vec<u8> {
    let query = |name: &str| {
        let at = line.find(name)? + name.len();
        let digits = line[at..].split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse::<usize>().ok()
    };
    let (all, begin) = (query("status=items-").expect("a number of items"), query("cursor=").unwrap_or(0));
    let end = all.min(begin + PAGE);
    let model = |number: usize| {
        format!(
            r#"{{"slug":"bench/model-{number}","display_name":"Model {number}","modality":"chat","context_window":131072,"max_output_tokens":8192,"status":"active","health_status":"healthy","active_backend_count":2,"total_backend_count":3}}"#
        )
    };
    let models: Vec<String> = (begin..end).map(model).collect();
    let cursor = if end < all { format!("\"{end}\"") } else { "null".to_owned() };
    json(&format!(
        r#"{{"status":"ok","data":[{}],"meta":{{"request_id":"req_abc123","next_cursor":{cursor},"has_more":{}}}}}"#,
        models.join(","),
        end < all
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of a stream, without the framing of HTTP.
    fn unframed(mut bytes: &[u8]) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = memmem::find(bytes, b"\r\n").unwrap();
            let size = usize::from_str_radix(std::str::from_utf8(&bytes[..line]).unwrap(), 16).unwrap();
            if size == 0 {
                assert_eq!(&bytes[line..], b"\r\n\r\n");
                return body;
            }
            body.extend_from_slice(&bytes[line + 2..line + 2 + size]);
            bytes = &bytes[line + 2 + size + 2..];
        }
    }

    #[test]
    fn pieces_and_events_are_the_same_bytes() {
        for (shape, chunks) in [(0, 0), (0, 1), (0, 2), (4, PERIOD), (0, PERIOD + 1), (4, 3 * PERIOD + 7)] {
            let wire = Wire::new(shape, chunks);
            let bytes = wire.pieces().collect::<Vec<_>>().concat();
            assert_eq!(bytes, wire.events().collect::<Vec<_>>().concat());
            let body = String::from_utf8(unframed(&bytes)).unwrap();
            assert_eq!(body.matches("data:").count(), chunks + 3);
        }
    }

    #[test]
    fn a_request_says_what_it_wants() {
        let load = Load::stream(Pace::Each, 7);
        for (json, expected) in [
            (r#"{"model":"each-7-0-0","stream":true}"#, Some((load, true))),
            ("{\n  \"stream\": false,\n  \"model\": \"each-7-0-0\"\n}", Some((load, false))),
            (r#"{"model":"each-7-0-0"}"#, Some((load, false))),
            (r#"{"model":"gpt","stream":true}"#, None),
            ("", None),
        ] {
            assert_eq!(asked(json.as_bytes()), expected, "{json}");
        }
    }

    #[test]
    fn the_end_of_a_request_is_found() {
        let plain = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPOST";
        assert_eq!(request_end(plain), Some((38, 41)));
        assert_eq!(request_end(&plain[..40]), None);
        let chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        assert_eq!(request_end(chunked), Some((47, chunked.len())));
        assert_eq!(request_end(b"GET / HTTP/1.1\r\n\r\n"), Some((18, 18)));
    }
}

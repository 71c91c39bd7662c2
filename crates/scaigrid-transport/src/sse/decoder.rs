//! The push parser.

use memchr::memchr2;
use std::fmt;
use std::str;

/// The largest event that a [`Decoder`] takes unless told otherwise: 8 MiB.
pub const DEFAULT_MAX_EVENT_BYTES: usize = 8 * 1024 * 1024;

/// An event, borrowed from its decoder, or from the input when it is whole there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The `event` field; `message` without one.
    pub name: &'a str,
    /// The `data` lines, joined with LF. Invalid UTF-8 is U+FFFD.
    pub data: &'a str,
    /// The last `id` field of the stream so far; empty without one.
    pub id: &'a str,
}

/// An event, or a single line, is larger than the decoder's limit. The decoder gives nothing more after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is larger than the allowed {limit} bytes")]
pub struct EventTooLarge {
    /// The limit, in bytes.
    pub limit: usize,
}

/// Decodes a stream of server-sent events. See the [module's page](crate::sse).
///
/// Time is linear in the bytes, memory is bounded by a small multiple of the size limit, and once its buffers have grown to the usual
/// event it allocates nothing. The standard is followed to the letter: line ends of all three kinds in any mixture, a
/// byte-order mark only at the begin, several `data` lines, comments, fields without a colon, one leading space, `id`
/// without NUL, `retry` in digits only. An event comes out with its blank line, without waiting for more.
pub struct Decoder {
    limit: usize,
    /// The begin of a line whose end has not come yet.
    line: Vec<u8>,
    position: Position,
    /// Bytes of a byte-order mark at the very begin of the stream: how many have matched. `None` once that is over.
    mark: Option<usize>,
    /// The event that is being put together. Each `data` line ends with LF.
    data: String,
    name: String,
    /// The `id` of the block, which counts once the block is complete.
    next_id: String,
    id: String,
    retry: Option<u64>,
    /// The buffers above hold an event that was handed out.
    handed_out: bool,
    /// A block begins, nothing is buffered, and no block had an `id`: what is asked of each event, in one place.
    is_clean: bool,
    too_large: bool,
}

/// Where in a line the next byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    /// At its begin, or inside it.
    Line,
    /// Behind a CR that has ended the line: an LF here belongs to that end.
    AfterCr,
    /// Inside a comment, whose bytes are dropped.
    Comment,
}

/// The name of an event without an `event` field.
const MESSAGE: &str = "message";

const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// With [`DEFAULT_MAX_EVENT_BYTES`].
    pub fn new() -> Self {
        Self::with_max_event_bytes(DEFAULT_MAX_EVENT_BYTES)
    }

    /// With another limit, in bytes: for the texts of an event together, and for any line but a comment.
    pub fn with_max_event_bytes(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            position: Position::Line,
            mark: Some(0),
            data: String::new(),
            name: String::new(),
            next_id: String::new(),
            id: String::new(),
            retry: None,
            handed_out: false,
            is_clean: false,
            too_large: false,
        }
    }

    /// The next event of `input`, which moves on behind it. `None` when `input` is used up; what it held of an
    /// unfinished event is kept. Call it until it gives `None`, then with the next piece.
    ///
    /// # Errors
    /// [`EventTooLarge`], and again on every later call.
    pub fn next<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Result<Option<Event<'a>>, EventTooLarge> {
        if self.handed_out {
            self.begin_block(input);
        }
        if !self.is_clean {
            return self.next_in_pieces(input, None);
        }
        if input.is_empty() {
            return Ok(None);
        }
        let end = line_end(input);
        match end.and_then(|end| whole_event(input, end, self.limit)) {
            Some(data) => Ok(Some(Event { name: MESSAGE, data, id: "" })),
            None => self.next_in_pieces(input, Some(end)),
        }
    }

    /// As [`next`](Self::next), for an event that may have to be put together. Where its first line ends may be known.
    fn next_in_pieces(
        &mut self,
        input: &mut &[u8],
        mut known_end: Option<Option<usize>>,
    ) -> Result<Option<Event<'_>>, EventTooLarge> {
        self.is_clean = false;
        loop {
            if self.too_large {
                return Err(EventTooLarge { limit: self.limit });
            }
            if !self.skip_to_line(input) {
                return Ok(None);
            }
            let Some(end) = known_end.take().unwrap_or_else(|| line_end(input)) else {
                self.keep(input);
                *input = &[];
                continue;
            };
            let (mut text, rest) = input.split_at(end);
            if let Some(behind) = behind_blank_line(rest).filter(|_| self.is_only_data(text)) {
                if self.take_only_data(text) {
                    *input = behind;
                    (self.handed_out, self.is_clean) = (true, true);
                    let data = self.data.strip_prefix("data:").unwrap_or_default();
                    let data = data.strip_prefix(' ').unwrap_or(data);
                    return Ok(Some(Event { name: MESSAGE, data, id: "" }));
                }
                // It was kept.
                text = &[];
            }
            let ends_with_cr = rest.first() == Some(&b'\r');
            *input = rest.get(1..).unwrap_or_default();
            let in_comment = self.position == Position::Comment;
            self.position = if ends_with_cr { Position::AfterCr } else { Position::Line };
            if in_comment {
                continue;
            }
            let block_ends = self.take_line(text);
            if block_ends && self.complete() {
                self.handed_out = true;
                self.is_clean = self.id.is_empty();
                return Ok(Some(self.event()));
            }
        }
    }

    /// The event that the end of the stream has cut off, with the data that has come of it. The standard drops it; it
    /// must not be taken for an event. `None` when the stream ended between two events.
    pub fn unfinished(&mut self) -> Option<Event<'_>> {
        if self.handed_out {
            self.begin_block(&mut &[][..]);
        }
        if !self.line.is_empty() && !self.too_large {
            let line = std::mem::take(&mut self.line);
            self.field(&line);
        }
        self.handed_out = true;
        self.is_clean = false;
        if self.data.is_empty() {
            return None;
        }
        self.data.pop();
        Some(self.event())
    }

    /// The last valid `retry` field of the stream so far, in milliseconds.
    pub fn retry(&self) -> Option<u64> {
        self.retry
    }

    /// The last `id` of a complete block, empty without one.
    pub fn last_event_id(&self) -> &str {
        &self.id
    }

    /// Whether the event is one line of data, `text` behind what was kept of it, and nothing else.
    fn is_only_data(&self, text: &[u8]) -> bool {
        self.line.starts_with(b"data:")
            && self.line.len() + text.len() <= self.limit
            && self.data.is_empty()
            && self.name.is_empty()
            && self.next_id.is_empty()
            && self.id.is_empty()
    }

    /// Makes such a line the data, without copying it once more. False when it is not UTF-8: it is kept.
    fn take_only_data(&mut self, text: &[u8]) -> bool {
        self.line.extend_from_slice(text);
        match String::from_utf8(std::mem::take(&mut self.line)) {
            Ok(line) => {
                // The buffer stays for the next line.
                self.line = std::mem::replace(&mut self.data, line).into_bytes();
                true
            }
            Err(error) => {
                self.line = error.into_bytes();
                false
            }
        }
    }

    /// Skips a byte-order mark and the LF of a CRLF. Whether there is input left.
    fn skip_to_line(&mut self, input: &mut &[u8]) -> bool {
        while let (Some(matched), Some((byte, rest))) = (self.mark, input.split_first()) {
            if BYTE_ORDER_MARK.get(matched) == Some(byte) {
                *input = rest;
                self.mark = Some(matched + 1).filter(|matched| *matched < BYTE_ORDER_MARK.len());
            } else {
                // No mark after all: its first bytes are text.
                self.mark = None;
                self.line.extend(BYTE_ORDER_MARK.iter().take(matched));
            }
        }
        if let (Position::AfterCr, Some((byte, rest))) = (self.position, input.split_first()) {
            self.position = Position::Line;
            if *byte == b'\n' {
                *input = rest;
            }
        }
        if self.position == Position::Line && self.line.is_empty() && input.first() == Some(&b':') {
            self.position = Position::Comment;
        }
        !input.is_empty()
    }

    /// Keeps the begin of a line.
    fn keep(&mut self, bytes: &[u8]) {
        if self.position == Position::Comment {
            return;
        }
        if self.is_too_long(bytes) {
            self.too_large = true;
            return;
        }
        self.line.extend_from_slice(bytes);
    }

    /// Whether a line of what was kept and this is longer than allowed. The same wherever the line is cut.
    fn is_too_long(&self, bytes: &[u8]) -> bool {
        self.line.len() + bytes.len() > self.limit.saturating_add(FIELD_ALLOWANCE)
    }

    /// A line is complete: `text` behind what was kept of it. Whether it is blank and so ends the block.
    fn take_line(&mut self, text: &[u8]) -> bool {
        if self.line.is_empty() {
            if text.is_empty() {
                return true;
            }
            if self.is_too_long(text) {
                self.too_large = true;
                return false;
            }
            self.field(text);
        } else {
            self.keep(text);
            if self.too_large {
                return false;
            }
            let mut line = std::mem::take(&mut self.line);
            self.field(&line);
            line.clear();
            // The buffer stays for the next line.
            self.line = line;
        }
        false
    }

    fn field(&mut self, line: &[u8]) {
        let (name, value) = match memchr::memchr(b':', line) {
            Some(colon) => {
                let (name, rest) = line.split_at(colon);
                let value = rest.get(1..).unwrap_or_default();
                (name, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &[][..]),
        };
        match name {
            b"data" => {
                push_lossy(&mut self.data, value);
                self.data.push('\n');
            }
            b"event" => {
                self.name.clear();
                push_lossy(&mut self.name, value);
            }
            b"id" if !value.contains(&0) => {
                self.next_id.clear();
                push_lossy(&mut self.next_id, value);
            }
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                let digits = str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
                self.retry = digits.or(self.retry);
            }
            _ => {}
        }
        // The LF behind the last line of data is no part of it.
        let data = self.data.len().saturating_sub(1);
        self.too_large |= data + self.name.len() + self.next_id.len() > self.limit;
    }

    /// A blank line has come. Whether the block is an event: without a `data` line it is none.
    fn complete(&mut self) -> bool {
        self.id.clone_from(&self.next_id);
        if self.data.is_empty() {
            self.name.clear();
            return false;
        }
        self.data.pop();
        true
    }

    fn event(&self) -> Event<'_> {
        let name = if self.name.is_empty() { MESSAGE } else { &self.name };
        Event { name, data: &self.data, id: &self.id }
    }

    fn begin_block(&mut self, input: &mut &[u8]) {
        self.data.clear();
        self.name.clear();
        self.handed_out = false;
        // The last thing read was the blank line, maybe without its LF.
        if let (Position::AfterCr, [b'\n', rest @ ..]) = (self.position, *input) {
            (self.position, *input) = (Position::Line, rest);
        }
        self.is_clean &= self.position == Position::Line;
    }
}

fn line_end(input: &[u8]) -> Option<usize> {
    memchr2(b'\n', b'\r', input)
}

/// What is behind the end of a line and a blank line, if both are there and of the usual kinds.
fn behind_blank_line(rest: &[u8]) -> Option<&[u8]> {
    rest.strip_prefix(b"\n\n").or_else(|| rest.strip_prefix(b"\r\n\r\n"))
}

/// The data of an event that is whole in the input, and that is one line of data and nothing else, so that it need not be
/// put together. The input then moves on behind its blank line.
fn whole_event<'i>(input: &mut &'i [u8], line_end: usize, limit: usize) -> Option<&'i str> {
    let (line, rest) = input.split_at(line_end);
    let value = line.strip_prefix(b"data:")?;
    let behind = behind_blank_line(rest)?;
    let value = value.strip_prefix(b" ").unwrap_or(value);
    // Too large, or not UTF-8: as any other event.
    let data = str::from_utf8(value).ok().filter(|_| value.len() <= limit)?;
    *input = behind;
    Some(data)
}

/// Room for the name of the field, its colon, and its space, beside a value of the full size.
const FIELD_ALLOWANCE: usize = 16;

/// Appends bytes as text; what is not UTF-8 becomes U+FFFD, as the standard's decoder does.
fn push_lossy(text: &mut String, bytes: &[u8]) {
    match str::from_utf8(bytes) {
        Ok(valid) => text.push_str(valid),
        Err(_) => text.push_str(&String::from_utf8_lossy(bytes)),
    }
}

/// Shows no data of the stream.
impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("limit", &self.limit)
            .field("buffered", &(self.line.len() + self.data.len()))
            .finish_non_exhaustive()
    }
}

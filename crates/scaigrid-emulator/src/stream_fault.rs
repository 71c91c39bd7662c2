//! Streams that go wrong.

use bytes::Bytes;
use scaigrid_types::ErrorCode;
use std::time::Duration;

/// What is odd about one stream. Used in [`Fault::stream`](crate::Fault::stream).
///
/// A constructor says how the stream ends; the setters, which can be combined, change its form or its pace. A
/// setter applies to the kinds that its documentation names and leaves the others as they are.
///
/// A chunk is one `data` event with a piece of the answer: the first has the role, the last the finish reason
/// and the usage, those between them the text or the tool call.
///
/// ```
/// use scaigrid_emulator::{Fault, LineEnd, StreamFault};
///
/// let fails = Fault::stream(StreamFault::error("BACKEND_ERROR").after_chunks(3).without_done());
/// let odd_but_whole = Fault::stream(StreamFault::new().prefix("\u{feff}").line_ends(LineEnd::CrLf).gzip());
/// # let _ = (fails, odd_but_whole);
/// ```
#[derive(Clone, Debug)]
pub struct StreamFault {
    pub(crate) kind: StreamFaultKind,
    pub(crate) after_chunks: usize,
    pub(crate) with_done: bool,
    pub(crate) prefix: Bytes,
    pub(crate) line_end: LineEnd,
    pub(crate) comments: bool,
    pub(crate) gzip: bool,
    pub(crate) pace: Option<Duration>,
    pub(crate) content_type: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum StreamFaultKind {
    Whole,
    Error { code: ErrorCode, message: Option<String>, retry_after: Option<f64> },
    Cut { after_bytes: usize, end: CutEnd },
    Stall,
    Json,
    Frames(Vec<Bytes>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum CutEnd {
    Close,
    Clean,
    Reset,
}

/// In the extensions of an answer that its handler cuts itself, as its [`StreamFault`] says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CutsItself;

/// What ends the lines of an event stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineEnd {
    /// `\n`.
    #[default]
    Lf,
    /// `\r\n`.
    CrLf,
    /// `\r`.
    Cr,
}

impl LineEnd {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            LineEnd::Lf => "\n",
            LineEnd::CrLf => "\r\n",
            LineEnd::Cr => "\r",
        }
    }
}

/// As [`StreamFault::new`].
impl Default for StreamFault {
    fn default() -> Self {
        Self::new()
    }
}

impl StreamFault {
    fn of(kind: StreamFaultKind) -> Self {
        Self {
            kind,
            after_chunks: 0,
            with_done: true,
            prefix: Bytes::new(),
            line_end: LineEnd::Lf,
            comments: false,
            gzip: false,
            pace: None,
            content_type: None,
        }
    }

    /// The whole stream; only setters make it odd.
    pub fn new() -> Self {
        Self::of(StreamFaultKind::Whole)
    }

    /// An `error` event with the bare object `{"code","message"}`, then `[DONE]`, as documented. It comes in
    /// place of the first chunk, or later with [`after_chunks`](Self::after_chunks).
    pub fn error(code: impl Into<ErrorCode>) -> Self {
        Self::of(StreamFaultKind::Error { code: code.into(), message: None, retry_after: None })
    }

    /// The first bytes of the event stream, then the connection is closed (FIN) in the middle of the chunked
    /// body. A number above the stream's length sends all of it, also `[DONE]`. The bytes are counted before
    /// [`gzip`](Self::gzip).
    pub fn cut(after_bytes: usize) -> Self {
        Self::of(StreamFaultKind::Cut { after_bytes, end: CutEnd::Close })
    }

    /// Silence in place of the first chunk, or later with [`after_chunks`](Self::after_chunks), until the
    /// client leaves. Without chunks, only the head is sent and no byte of the body.
    pub fn stall() -> Self {
        Self::of(StreamFaultKind::Stall)
    }

    /// The plain completion, as JSON in its envelope, in place of a stream. No setter applies.
    pub fn as_json() -> Self {
        Self::of(StreamFaultKind::Json)
    }

    /// Exactly these bytes as the event stream, with one write each, then a proper end. For replaying recorded
    /// streams. The prompt is booked as usage, and nothing of the answer.
    pub fn frames(frames: impl IntoIterator<Item = impl Into<Bytes>>) -> Self {
        Self::of(StreamFaultKind::Frames(frames.into_iter().map(Into::into).collect()))
    }

    /// Sends this many chunks first. Default: 0. A number above that of the chunks means: after all. For
    /// [`error`](Self::error) and [`stall`](Self::stall).
    pub fn after_chunks(mut self, chunks: usize) -> Self {
        self.after_chunks = chunks;
        self
    }

    /// Sets the message for people. Default: a short text that fits the code. For [`error`](Self::error).
    pub fn message(mut self, text: impl Into<String>) -> Self {
        if let StreamFaultKind::Error { message, .. } = &mut self.kind {
            *message = Some(text.into());
        }
        self
    }

    /// Says how long to wait, in seconds (assumed: the documentation shows no such key in streams). A value
    /// that is not finite says nothing. For [`error`](Self::error).
    pub fn retry_after(mut self, seconds: f64) -> Self {
        if let StreamFaultKind::Error { retry_after, .. } = &mut self.kind {
            *retry_after = Some(seconds);
        }
        self
    }

    /// Leaves out `[DONE]`. For [`new`](Self::new) and [`error`](Self::error).
    pub fn without_done(mut self) -> Self {
        self.with_done = false;
        self
    }

    /// Ends the chunked body properly, so that only `[DONE]` is missing. For [`cut`](Self::cut).
    pub fn cleanly(self) -> Self {
        self.cut_end(CutEnd::Clean)
    }

    /// Resets the connection (RST) instead of closing it. As with any reset, bytes that the client has not
    /// received yet may be lost. For [`cut`](Self::cut).
    pub fn with_reset(self) -> Self {
        self.cut_end(CutEnd::Reset)
    }

    /// Raw bytes before all else: a byte-order mark, comments, `retry` lines, status events. They are sent as
    /// they are. For all kinds but [`frames`](Self::frames).
    pub fn prefix(mut self, bytes: impl Into<Bytes>) -> Self {
        self.prefix = bytes.into();
        self
    }

    /// Ends lines otherwise. Default: [`LineEnd::Lf`]. For all kinds but [`frames`](Self::frames).
    pub fn line_ends(mut self, line_end: LineEnd) -> Self {
        self.line_end = line_end;
        self
    }

    /// Sends the comment `: keep-alive` before each chunk. For all kinds but [`frames`](Self::frames).
    pub fn comments(mut self) -> Self {
        self.comments = true;
        self
    }

    /// Sends `Content-Encoding: gzip` and compresses, so that each write can be decompressed at once. It does
    /// not ask whether the client accepts it. For all kinds.
    pub fn gzip(mut self) -> Self {
        self.gzip = true;
        self
    }

    /// Waits before each chunk, or frame, the first included. Default: the pause of
    /// [`EmulatorBuilder::stream_pace`](crate::EmulatorBuilder::stream_pace), but not before the first. For all
    /// kinds.
    pub fn paced(mut self, pause: Duration) -> Self {
        self.pace = Some(pause);
        self
    }

    /// Sets the `Content-Type`. Default: `text/event-stream`. One that HTTP does not allow is left out. For all
    /// kinds.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    fn cut_end(mut self, new: CutEnd) -> Self {
        if let StreamFaultKind::Cut { end, .. } = &mut self.kind {
            *end = new;
        }
        self
    }
}

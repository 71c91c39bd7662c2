//! The blocking stream: a thin driver around [`StreamCore`].

use super::{DRAIN_LIMIT, Item, StreamCore, accessors};
use crate::Error;
use crate::blocking::Clock;
use crate::clock::Now;
use scaigrid_transport::blocking::{Attached, Body, CancelHandle};
use scaigrid_transport::{TransportError, TransportErrorKind};
use scaigrid_types::{ChatChunk, ChatCompletion};
use std::fmt;
use std::sync::Arc;

/// A chat reply as it comes: an [`Iterator`] over chunks, from
/// [`blocking::Client::chat_stream`](crate::blocking::Client::chat_stream).
///
/// It ends with `None` after the gateway's `[DONE]`, or with one error, which carries what had come. Bytes are read only
/// when the next chunk is asked for, and nothing runs in the background: dropping it closes the connection. Another
/// thread can end it through its [`cancel_handle`](Self::cancel_handle).
///
/// ```no_run
/// # fn run(client: scaigrid::blocking::Client, request: scaigrid::ChatRequest) -> Result<(), scaigrid::Error> {
/// let mut stream = client.chat_stream(&request)?;
/// for chunk in &mut stream {
///     print!("{}", chunk?.text());
/// }
/// println!("\n{:?}", stream.usage());
/// # Ok(()) }
/// ```
pub struct ChatStream {
    core: Box<StreamCore>,
    /// `None` once it is read to its end, or given up.
    body: Option<Body>,
    clock: Arc<dyn Clock>,
    /// The stream's own, and the client's.
    cancel: (CancelHandle, Option<CancelHandle>),
    _attached: [Option<Attached>; 2],
}

impl ChatStream {
    pub(crate) fn new(
        core: Box<StreamCore>,
        body: Option<Body>,
        clock: Arc<dyn Clock>,
        clients: Option<CancelHandle>,
    ) -> Self {
        let own = CancelHandle::new();
        let control = body.as_ref().and_then(Body::control);
        let attach = |handle: Option<&CancelHandle>| Some(handle?.attach(Arc::clone(control.as_ref()?)));
        let _attached = [attach(Some(&own)), attach(clients.as_ref())];
        Self { core, body, clock, cancel: (own, clients), _attached }
    }

    accessors!();

    /// A way to end the stream from another thread, also while it waits for the server. It then gives one error of the
    /// kind [`Cancelled`](crate::ErrorKind::Cancelled), with what had come. With a transport of your own that offers no
    /// [`Control`](scaigrid_transport::blocking::Control), it ends with the next piece.
    ///
    /// See also [`with_cancel_handle`](crate::blocking::Client::with_cancel_handle).
    pub fn cancel_handle(&self) -> CancelHandle {
        self.cancel.0.clone()
    }

    fn is_cancelled(&self) -> bool {
        let (own, clients) = &self.cancel;
        own.is_cancelled() || clients.as_ref().is_some_and(CancelHandle::is_cancelled)
    }

    /// Reads to the end and gives the completion that a plain call would have given.
    ///
    /// # Errors
    /// Where the stream breaks: see [`ErrorKind`](crate::ErrorKind). [`Error::partial`] has what came.
    pub fn finish(mut self) -> Result<ChatCompletion, Error> {
        self.by_ref().try_for_each(|chunk| chunk.map(drop))?;
        Ok(self.core.snapshot())
    }

    /// Only the new texts, without empty ones.
    pub fn into_text(self) -> TextStream {
        TextStream(self)
    }

    fn next_chunk(&mut self) -> Option<Result<ChatChunk, Error>> {
        let mut chunk = None;
        loop {
            match self.core.next(&mut chunk, &|| now(&*self.clock)) {
                Item::Chunk => return chunk.map(Ok),
                Item::Failed(failed) => {
                    // Closes the connection.
                    self.body = None;
                    return Some(Err(failed.error));
                }
                Item::End => {
                    self.drain();
                    return None;
                }
                Item::NeedsInput if self.body.is_some() && self.is_cancelled() => {
                    self.core.fail(TransportError::new(TransportErrorKind::Cancelled));
                }
                Item::NeedsInput => {
                    self.core.waits(|| self.clock.now());
                    match self.body.as_mut().map(Body::chunk) {
                        Some(Ok(Some(piece))) => self.core.push(piece),
                        Some(Err(error)) => self.core.fail(error),
                        Some(Ok(None)) | None => {
                            self.body = None;
                            self.core.end();
                        }
                    }
                }
            }
        }
    }

    /// Behind `[DONE]`, waits a little for the end of the body, so that the connection goes back to the pool.
    fn drain(&mut self) {
        let Some(mut body) = self.body.take().filter(|_| self.core.is_done()) else { return };
        // Without a way to limit the wait, the connection is closed instead.
        if let Some(control) = body.control() {
            control.end_within(DRAIN_LIMIT);
            while let Ok(Some(_)) = body.chunk() {}
        }
    }
}

fn now(clock: &dyn Clock) -> Now {
    Now { instant: clock.now(), system: clock.system_time() }
}

impl Iterator for ChatStream {
    type Item = Result<ChatChunk, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.core.span() {
            None => self.next_chunk(),
            // For the transport's own spans.
            Some(span) => span.in_scope(|| self.next_chunk()),
        }
    }
}

/// Shows how far the stream has come, and nothing of its text.
impl fmt::Debug for ChatStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatStream").field("request_id", &self.request_id()).finish_non_exhaustive()
    }
}

/// The texts of a [`ChatStream`], from [`ChatStream::into_text`]. Never empty ones.
#[derive(Debug)]
pub struct TextStream(ChatStream);

impl TextStream {
    /// The stream itself, for its usage and request id.
    pub fn into_inner(self) -> ChatStream {
        self.0
    }
}

impl Iterator for TextStream {
    type Item = Result<String, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.0.next()? {
                Ok(chunk) if chunk.text().is_empty() => {}
                item => return Some(item.map(|chunk| chunk.text().to_owned())),
            }
        }
    }
}

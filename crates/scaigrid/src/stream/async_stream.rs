//! The async stream: a thin driver around [`StreamCore`].

use super::{DRAIN_LIMIT, Item, StreamCore, accessors};
use crate::clock::Now;
use crate::{Clock, Error};
use futures_core::Stream;
use scaigrid_transport::{Body, TransportError};
use scaigrid_types::{ChatChunk, ChatCompletion};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// A chat reply as it comes: a [`Stream`] of chunks, from [`Client::chat_stream`](crate::Client::chat_stream).
///
/// It ends with `None` after the gateway's `[DONE]`, or with one error, which carries what had come. Bytes are read only
/// when the stream is polled, and nothing runs in the background: dropping it closes the connection.
///
/// ```no_run
/// # async fn run(client: scaigrid::Client, request: scaigrid::ChatRequest) -> Result<(), scaigrid::Error> {
/// let mut stream = client.chat_stream(&request).await?;
/// while let Some(chunk) = stream.next().await {
///     print!("{}", chunk?.text());
/// }
/// println!("\n{:?}", stream.usage());
/// # Ok(()) }
/// ```
pub struct ChatStream {
    core: Box<StreamCore>,
    /// Somebody records its span. Asked of each poll, and here it is at hand.
    is_traced: bool,
    /// `None` once it is read to its end, or given up.
    body: Option<Body>,
    clock: Arc<dyn Clock>,
    /// Runs while the end of the body is awaited.
    drain: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl ChatStream {
    pub(crate) fn new(core: Box<StreamCore>, body: Option<Body>, clock: Arc<dyn Clock>) -> Self {
        Self { is_traced: core.span().is_some(), core, body, clock, drain: None }
    }

    accessors!();

    /// The next chunk. `None` at the end.
    ///
    /// # Errors
    /// Once, at the place where the stream breaks: see [`ErrorKind`](crate::ErrorKind). [`Error::partial`] has what came.
    pub async fn next(&mut self) -> Option<Result<ChatChunk, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Reads to the end and gives the completion that a plain call would have given.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn finish(mut self) -> Result<ChatCompletion, Error> {
        while let Some(chunk) = self.next().await {
            chunk?;
        }
        Ok(self.core.snapshot())
    }

    /// Only the new texts, without empty ones.
    pub fn into_text(self) -> TextStream {
        TextStream(self)
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<ChatChunk, Error>>> {
        let mut chunk = None;
        loop {
            match self.core.next(&mut chunk, &|| now(&*self.clock)) {
                Item::Chunk => return Poll::Ready(chunk.map(Ok)),
                Item::NeedsInput => {
                    let piece = match &mut self.body {
                        Some(body) => Pin::new(body).poll_next(context),
                        None => Poll::Ready(None),
                    };
                    match piece {
                        Poll::Ready(Some(Ok(piece))) => self.core.push(piece),
                        Poll::Ready(end) => self.end_of_body(end.and_then(Result::err)),
                        Poll::Pending => {
                            self.core.waits(|| self.clock.now());
                            return Poll::Pending;
                        }
                    }
                }
                Item::Failed(failed) => {
                    // Closes the connection.
                    self.body = None;
                    return Poll::Ready(Some(Err(failed.error)));
                }
                Item::End => return self.poll_drain(context).map(|()| None),
            }
        }
    }

    #[cold]
    fn end_of_body(&mut self, error: Option<TransportError>) {
        match error {
            Some(error) => self.core.fail(error),
            None => {
                self.body = None;
                self.core.end();
            }
        }
    }

    /// Behind `[DONE]`, waits a little for the end of the body, so that the connection goes back to the pool.
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while let Some(body) = self.body.as_mut().filter(|_| self.core.is_done()) {
            if let Poll::Ready(piece) = Pin::new(body).poll_next(context) {
                if !matches!(piece, Some(Ok(_))) {
                    self.body = None;
                }
                continue;
            }
            let clock = &self.clock;
            let timer = self.drain.get_or_insert_with(|| {
                let clock = Arc::clone(clock);
                Box::pin(async move { clock.sleep(DRAIN_LIMIT).await })
            });
            ready!(timer.as_mut().poll(context));
            self.body = None;
        }
        self.body = None;
        Poll::Ready(())
    }
}

fn now(clock: &dyn Clock) -> Now {
    Now { instant: clock.now(), system: clock.system_time() }
}

impl Stream for ChatStream {
    type Item = Result<ChatChunk, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let span = if this.is_traced { this.core.span() } else { None };
        match span {
            None => this.poll_chunk(context),
            // For the transport's own spans. Left before this returns.
            Some(span) => span.in_scope(|| this.poll_chunk(context)),
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
    /// The next text. `None` at the end.
    ///
    /// # Errors
    /// As [`ChatStream::next`].
    pub async fn next(&mut self) -> Option<Result<String, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The stream itself, for its usage and request id.
    pub fn into_inner(self) -> ChatStream {
        self.0
    }
}

impl Stream for TextStream {
    type Item = Result<String, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(Pin::new(&mut self.0).poll_next(context)) {
                Some(Ok(chunk)) if chunk.text().is_empty() => {}
                item => return Poll::Ready(item.map(|chunk| chunk.map(|chunk| chunk.text().to_owned()))),
            }
        }
    }
}

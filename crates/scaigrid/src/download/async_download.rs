//! The async download: a thin driver around [`DownloadCore`].

use super::partial_file::PartialFile;
use super::{DownloadCore, accessors};
use crate::Error;
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use scaigrid_transport::Body;
use std::fmt;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A file from the gateway while it comes: a [`Stream`] of its pieces.
///
/// Bytes are read only when the stream is polled: a file of any size passes through little memory. Dropping it closes the
/// connection. A file that breaks off is an error, and is not asked for again.
///
/// ```no_run
/// # async fn run(client: scaigrid::Client) -> Result<(), scaigrid::Error> {
/// use scaigrid::SynthesizeRequest;
///
/// let speech = client.synthesize(&SynthesizeRequest::new("openai/tts-1", "Hello there.", "alloy")).await?;
/// let bytes = speech.save("hello.mp3").await?;
/// # let _ = bytes;
/// # Ok(()) }
/// ```
pub struct Download {
    core: DownloadCore,
    /// `None` once it is read to its end, or has failed.
    body: Option<Body>,
}

impl Download {
    pub(crate) fn new(core: DownloadCore, body: Body) -> Self {
        Self { core, body: Some(body) }
    }

    accessors!();

    /// The next piece. `None` at the end.
    ///
    /// # Errors
    /// Once, where the file breaks off: see [`ErrorKind`](crate::ErrorKind).
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The whole file, in memory.
    ///
    /// # Errors
    /// As [`next`](Self::next); [`BodyTooLarge`](crate::ErrorKind::BodyTooLarge) beyond `max_bytes`.
    pub async fn collect_bytes(mut self, max_bytes: usize) -> Result<Bytes, Error> {
        let mut whole = BytesMut::new();
        while let Some(piece) = self.next().await {
            let piece = piece?;
            if piece.len() > max_bytes.saturating_sub(whole.len()) {
                return Err(self.core.too_large(max_bytes));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    /// Writes the file to `path`, replacing what is there, and says how many bytes it has. It is there only when it is whole:
    /// until then a file with a name of its own lies beside it, which is removed when the download fails. Writes on a
    /// thread for blocking work.
    ///
    /// # Errors
    /// As [`next`](Self::next); [`File`](crate::ErrorKind::File) when it cannot be written.
    pub async fn save(mut self, path: impl AsRef<Path>) -> Result<u64, Error> {
        let path = path.as_ref();
        let at = path.to_owned();
        let created = off_runtime(move || PartialFile::create(&at)).await;
        let mut file = created.map_err(|error| self.core.unwritable(path, error))?;
        while let Some(piece) = self.next().await {
            let piece = piece?;
            let written = off_runtime(move || file.write(&piece).map(|()| file)).await;
            file = written.map_err(|error| self.core.unwritable(path, error))?;
        }
        off_runtime(move || file.finish()).await.map_err(|error| self.core.unwritable(path, error))?;
        Ok(self.core.received())
    }
}

async fn off_runtime<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

impl Stream for Download {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        match ready!(Pin::new(body).poll_next(context)) {
            Some(Ok(piece)) => {
                this.core.on_piece(&piece);
                Poll::Ready(Some(Ok(piece)))
            }
            None => {
                this.body = None;
                this.core.ended();
                Poll::Ready(None)
            }
            Some(Err(error)) => {
                // Closes the connection.
                this.body = None;
                Poll::Ready(Some(Err(this.core.failed(error))))
            }
        }
    }
}

/// Shows how far the file has come, and nothing of it.
impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("request_id", &self.request_id())
            .field("received", &self.received())
            .finish_non_exhaustive()
    }
}

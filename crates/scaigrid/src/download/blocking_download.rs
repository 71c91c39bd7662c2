//! The blocking download: a thin driver around [`DownloadCore`].

use super::partial_file::PartialFile;
use super::{DownloadCore, accessors};
use crate::Error;
use bytes::{Bytes, BytesMut};
use scaigrid_transport::blocking::{Attached, Body, CancelHandle};
use std::fmt;
use std::io::{self, Read};
use std::path::Path;

/// A file from the gateway while it comes: an [`Iterator`] over its pieces, and a [`Read`].
///
/// Bytes are read only when the next piece is asked for: a file of any size passes through little memory. Dropping it
/// closes the connection. A file that breaks off is an error, and is not asked for again.
///
/// ```no_run
/// # fn run(client: scaigrid::blocking::Client) -> Result<(), scaigrid::Error> {
/// use scaigrid::SynthesizeRequest;
///
/// let speech = client.synthesize(&SynthesizeRequest::new("openai/tts-1", "Hello there.", "alloy"))?;
/// let bytes = speech.save("hello.mp3")?;
/// # let _ = bytes;
/// # Ok(()) }
/// ```
pub struct Download {
    core: DownloadCore,
    /// `None` once it is read to its end, or has failed.
    body: Option<Body>,
    /// What [`Read`] has not given yet.
    rest: Bytes,
    _attached: Option<Attached>,
}

impl Download {
    pub(crate) fn new(core: DownloadCore, body: Body, cancel: Option<&CancelHandle>) -> Self {
        let _attached = cancel.and_then(|handle| Some(handle.attach(body.control()?)));
        Self { core, body: Some(body), rest: Bytes::new(), _attached }
    }

    accessors!();

    /// The whole file, in memory.
    ///
    /// # Errors
    /// Where the file breaks off; [`BodyTooLarge`](crate::ErrorKind::BodyTooLarge) beyond `max_bytes`.
    pub fn collect_bytes(mut self, max_bytes: usize) -> Result<Bytes, Error> {
        let mut whole = BytesMut::new();
        while let Some(piece) = self.next() {
            let piece = piece?;
            if piece.len() > max_bytes.saturating_sub(whole.len()) {
                return Err(self.core.too_large(max_bytes));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    /// Writes the file to `path`, replacing what is there, and says how many bytes it has. It is there only when it is whole:
    /// until then a file with a name of its own lies beside it, which is removed when the download fails.
    ///
    /// # Errors
    /// Where the file breaks off; [`File`](crate::ErrorKind::File) when it cannot be written.
    pub fn save(mut self, path: impl AsRef<Path>) -> Result<u64, Error> {
        let path = path.as_ref();
        let mut file = PartialFile::create(path).map_err(|error| self.core.unwritable(path, error))?;
        while let Some(piece) = self.next() {
            file.write(&piece?).map_err(|error| self.core.unwritable(path, error))?;
        }
        file.finish().map_err(|error| self.core.unwritable(path, error))?;
        Ok(self.core.received())
    }
}

impl Iterator for Download {
    type Item = Result<Bytes, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.rest.is_empty() {
            return Some(Ok(std::mem::take(&mut self.rest)));
        }
        match self.body.as_mut()?.chunk() {
            Ok(Some(piece)) => {
                self.core.on_piece(&piece);
                Some(Ok(piece))
            }
            Ok(None) => {
                self.body = None;
                self.core.ended();
                None
            }
            Err(error) => {
                // Closes the connection.
                self.body = None;
                Some(Err(self.core.failed(error)))
            }
        }
    }
}

/// Errors are [`Error`]s inside.
impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.next() {
                Some(Ok(piece)) => self.rest = piece,
                Some(Err(error)) => return Err(io::Error::other(error)),
                None => return Ok(0),
            }
        }
        let piece = self.rest.split_to(self.rest.len().min(buffer.len()));
        (&piece[..]).read(buffer)
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

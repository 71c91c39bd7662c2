//! What a request carries, and how each colour sends it: shared by all attempts, and never copied.

use crate::{Error, ErrorKind};
use bytes::Bytes;
use scaigrid_types::{BodyContent, BodyPiece};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A request body, cheap to clone. Attempts share it.
#[derive(Clone)]
pub(crate) enum Payload {
    Bytes(Bytes),
    Pieces { pieces: Arc<[Piece]>, len: Option<u64> },
}

/// A piece whose length has been looked up.
pub(crate) enum Piece {
    Memory(Bytes),
    File { path: PathBuf, len: u64 },
    Reader(scaigrid_types::ReadOnce),
}

/// Bytes that somebody else owns.
struct Owner(scaigrid_types::SharedBytes);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl Payload {
    /// Looks at each file, so that one that cannot be read fails before anything is sent.
    pub(crate) fn new(content: BodyContent) -> Result<Self, Error> {
        let pieces = match content {
            BodyContent::Bytes(bytes) => return Ok(Self::Bytes(bytes.into())),
            BodyContent::Pieces(pieces) => pieces,
            _ => return Err(Error::new(ErrorKind::InvalidRequest, "this kind of body is not known here")),
        };
        let pieces = pieces.into_iter().map(Piece::new).collect::<Result<Vec<_>, Error>>()?;
        let len = pieces.iter().map(Piece::len).try_fold(0_u64, |sum, len| sum.checked_add(len?));
        Ok(Self::Pieces { pieces: pieces.into(), len })
    }

    /// Whether another attempt could not send the same again.
    pub(crate) fn is_consumed(&self) -> bool {
        match self {
            Self::Bytes(_) => false,
            Self::Pieces { pieces, .. } => {
                pieces.iter().any(|piece| matches!(piece, Piece::Reader(reader) if reader.is_taken()))
            }
        }
    }

    #[cfg(feature = "blocking")]
    pub(crate) fn into_blocking(self) -> scaigrid_transport::blocking::RequestBody {
        use scaigrid_transport::blocking::RequestBody;
        match self {
            Self::Bytes(bytes) => RequestBody::from(bytes),
            Self::Pieces { pieces, len } => RequestBody::new(Pieces::new(pieces), len),
        }
    }

    #[cfg(feature = "async")]
    pub(crate) fn into_async(self) -> scaigrid_transport::RequestBody {
        use scaigrid_transport::RequestBody;
        match self {
            Self::Bytes(bytes) => RequestBody::from(bytes),
            Self::Pieces { pieces, len } => {
                RequestBody::new(off_runtime::Reading::new(Pieces::new(pieces)), len)
            }
        }
    }
}

impl Piece {
    fn new(piece: BodyPiece) -> Result<Self, Error> {
        match piece {
            BodyPiece::Shared(bytes) => Ok(Self::Memory(Bytes::from_owner(Owner(bytes)))),
            BodyPiece::File(path) => match std::fs::metadata(&path) {
                Ok(facts) if facts.is_file() => Ok(Self::File { len: facts.len(), path }),
                Ok(_) => Err(unreadable(&path, io::Error::other("it is not a file"))),
                Err(error) => Err(unreadable(&path, error)),
            },
            BodyPiece::Reader(reader) if reader.is_taken() => Err(Error::new(
                ErrorKind::InvalidRequest,
                "the reader of the upload was read by an earlier call: give each call its own",
            )),
            BodyPiece::Reader(reader) => Ok(Self::Reader(reader)),
            _ => Err(Error::new(ErrorKind::InvalidRequest, "this kind of body is not known here")),
        }
    }

    fn len(&self) -> Option<u64> {
        match self {
            Self::Memory(bytes) => Some(bytes.len() as u64),
            Self::File { len, .. } => Some(*len),
            Self::Reader(reader) => reader.len(),
        }
    }
}

fn unreadable(path: &Path, cause: io::Error) -> Error {
    Error::new(ErrorKind::File, format!("the file {} cannot be read", path.display())).with_source(cause)
}

/// All pieces, one after another. Each is opened when its turn comes.
struct Pieces {
    pieces: Arc<[Piece]>,
    /// The readers among them, from the begin of the reading on: they are this attempt's, and no other's.
    readers: Option<VecDeque<Option<Box<dyn Read + Send>>>>,
    next: usize,
    current: Option<Box<dyn Read + Send>>,
    /// What the current piece still owes.
    owed: Option<u64>,
}

impl Pieces {
    fn new(pieces: Arc<[Piece]>) -> Self {
        Self { pieces, readers: None, next: 0, current: None, owed: None }
    }

    /// Takes the readers. From here on, the body cannot be sent again.
    fn claim(&mut self) {
        let readers = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Reader(reader) => Some(reader.take()),
            _ => None,
        });
        self.readers.get_or_insert_with(|| readers.collect());
    }

    /// Opens the next piece, if there is one.
    fn open_next(&mut self) -> io::Result<bool> {
        self.claim();
        let Some(piece) = self.pieces.get(self.next) else { return Ok(false) };
        self.next += 1;
        let reader: Box<dyn Read + Send> = match piece {
            Piece::Memory(bytes) => Box::new(Cursor::new(bytes.clone())),
            Piece::File { path, .. } => Box::new(File::open(path)?),
            Piece::Reader(_) => {
                let reader = self.readers.as_mut().and_then(VecDeque::pop_front).flatten();
                reader.ok_or_else(|| io::Error::other("the reader has been read before"))?
            }
        };
        (self.current, self.owed) = (Some(reader), piece.len());
        Ok(true)
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(current) = &mut self.current else {
                match self.open_next()? {
                    true => continue,
                    false => return Ok(0),
                }
            };
            let most = self
                .owed
                .map_or(buffer.len(), |owed| buffer.len().min(usize::try_from(owed).unwrap_or(usize::MAX)));
            let read = match buffer.get_mut(..most) {
                Some(buffer) if most > 0 => current.read(buffer)?,
                _ => 0,
            };
            self.owed = self.owed.map(|owed| owed.saturating_sub(read as u64));
            match (read, self.owed) {
                (0, Some(1..)) => {
                    let message = "the upload is shorter than it was when the call began";
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
                }
                (0, _) => self.current = None,
                _ => return Ok(read),
            }
        }
    }
}

#[cfg(feature = "async")]
mod off_runtime {
    //! Reads on a thread for blocking work, one piece at a time: nothing is read ahead.

    use super::Pieces;
    use bytes::Bytes;
    use futures_core::Stream;
    use std::future::Future;
    use std::io::{self, Read};
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use tokio::task::JoinHandle;

    /// Bytes read at a time: large enough that the hand-over between threads does not matter.
    const READ_SIZE: usize = 256 * 1024;

    pub(super) enum Reading {
        Idle(Pieces),
        Busy(JoinHandle<(Pieces, io::Result<Bytes>)>),
        Over,
    }

    impl Reading {
        pub(super) fn new(pieces: Pieces) -> Self {
            Self::Idle(pieces)
        }
    }

    fn read(mut pieces: Pieces) -> (Pieces, io::Result<Bytes>) {
        let mut buffer = vec![0; READ_SIZE];
        let read = loop {
            match pieces.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let read = read.map(|len| {
            buffer.truncate(len);
            Bytes::from(buffer)
        });
        (pieces, read)
    }

    impl Stream for Reading {
        type Item = io::Result<Bytes>;

        fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            let this = self.get_mut();
            loop {
                match std::mem::replace(this, Self::Over) {
                    Self::Idle(mut pieces) => {
                        // Here and not on the other thread, so that whoever asks whether the body can be sent again
                        // gets the right answer, also when this attempt is dropped at once.
                        pieces.claim();
                        *this = Self::Busy(tokio::task::spawn_blocking(move || read(pieces)));
                    }
                    Self::Busy(mut task) => {
                        let Poll::Ready(done) = Pin::new(&mut task).poll(context) else {
                            *this = Self::Busy(task);
                            return Poll::Pending;
                        };
                        // The caller's reader has panicked, or the runtime ends.
                        let (pieces, read) = done.map_err(io::Error::other)?;
                        return Poll::Ready(match read {
                            Ok(bytes) if bytes.is_empty() => None,
                            Ok(bytes) => {
                                *this = Self::Idle(pieces);
                                Some(Ok(bytes))
                            }
                            Err(error) => Some(Err(error)),
                        });
                    }
                    Self::Over => return Poll::Ready(None),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scaigrid_types::ReadOnce;

    fn payload(pieces: Vec<BodyPiece>) -> Result<Payload, Error> {
        Payload::new(BodyContent::Pieces(pieces))
    }

    fn read_all(payload: &Payload) -> io::Result<String> {
        let Payload::Pieces { pieces, .. } = payload else { panic!() };
        let mut text = String::new();
        Pieces::new(Arc::clone(pieces)).read_to_string(&mut text).map(|_| text)
    }

    fn shared(text: &'static str) -> BodyPiece {
        BodyPiece::Shared(Arc::new(text))
    }

    #[test]
    fn pieces_come_in_order_and_readers_only_once() {
        let reader = ReadOnce::new(&b"cd"[..], Some(2));
        let body =
            payload(vec![shared("ab"), shared(""), BodyPiece::Reader(reader.clone()), shared("e")]).unwrap();
        assert!(matches!(body, Payload::Pieces { len: Some(5), .. }) && !body.is_consumed());
        assert_eq!(read_all(&body).unwrap(), "abcde");
        assert!(body.is_consumed());
        assert!(read_all(&body).unwrap_err().to_string().contains("read before"));
        let error = payload(vec![BodyPiece::Reader(reader)]).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("give each call its own"), "{error}");
    }

    #[test]
    fn lengths_are_kept_whatever_a_reader_gives() {
        let with =
            |len| payload(vec![BodyPiece::Reader(ReadOnce::new(&b"abc"[..], len)), shared("!")]).unwrap();
        assert!(matches!(with(None), Payload::Pieces { len: None, .. }));
        assert_eq!(read_all(&with(None)).unwrap(), "abc!");
        assert_eq!(read_all(&with(Some(2))).unwrap(), "ab!");
        let error = read_all(&with(Some(4))).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        let Payload::Pieces { pieces, .. } = with(Some(3)) else { panic!() };
        let mut reading = Pieces::new(pieces);
        let mut two = [0; 2];
        assert_eq!((reading.read(&mut two).unwrap(), reading.read(&mut []).unwrap()), (2, 0));
        let mut rest = String::new();
        reading.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "c!", "reading nothing is not the end");
    }

    #[test]
    fn files_are_looked_at_before_anything_is_sent() {
        for (path, reason) in [("/no/such/file", "No such file"), (env!("CARGO_MANIFEST_DIR"), "not a file")]
        {
            let error = payload(vec![BodyPiece::File(path.into())]).map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::File);
            let cause = std::error::Error::source(&error).unwrap().to_string();
            assert!(error.to_string().contains(path) && cause.contains(reason), "{error}: {cause}");
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let body = payload(vec![BodyPiece::File(path.into())]).unwrap();
        assert_eq!(read_all(&body).unwrap(), std::fs::read_to_string(path).unwrap());
        assert!(!body.is_consumed());
    }
}

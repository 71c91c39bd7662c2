//! What a request carries: bytes in memory, or pieces that are read while they are sent.

use crate::InvalidRequest;
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// The body of a request, and its `Content-Type`.
#[derive(Clone, Debug)]
pub struct RequestBody {
    /// The `Content-Type` header.
    pub content_type: Cow<'static, str>,
    /// What is sent.
    pub content: BodyContent,
}

/// What a request body consists of. Shows sizes only: bodies hold prompts.
#[derive(Clone)]
#[non_exhaustive]
pub enum BodyContent {
    /// All of it, in memory.
    Bytes(Vec<u8>),
    /// Pieces that are sent one after another. Large ones need not fit into memory.
    Pieces(Vec<BodyPiece>),
}

/// A piece of a request body.
#[derive(Clone)]
#[non_exhaustive]
pub enum BodyPiece {
    /// In memory, shared by all attempts.
    Shared(SharedBytes),
    /// A file that each attempt reads from its begin.
    File(PathBuf),
    /// Something that can be read only once: when it has been, the call is not repeated.
    Reader(ReadOnce),
}

/// Bytes in memory that are shared and never copied.
pub type SharedBytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// A reader that one attempt can read, and no other after it.
///
/// Clones share the reader.
#[derive(Clone)]
pub struct ReadOnce {
    reader: Arc<Mutex<Option<Box<dyn Read + Send>>>>,
    len: Option<u64>,
}

impl ReadOnce {
    /// A reader that gives `len` bytes; `None` when that is not known.
    pub fn new(reader: impl Read + Send + 'static, len: Option<u64>) -> Self {
        Self { reader: Arc::new(Mutex::new(Some(Box::new(reader)))), len }
    }

    /// How many bytes it gives, as far as known.
    pub fn len(&self) -> Option<u64> {
        self.len
    }

    /// Whether it is known to give nothing.
    pub fn is_empty(&self) -> bool {
        self.len == Some(0)
    }

    /// The reader itself. `None` when it was taken before.
    pub fn take(&self) -> Option<Box<dyn Read + Send>> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether the reader was taken: another attempt could send nothing.
    pub fn is_taken(&self) -> bool {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

impl fmt::Debug for ReadOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadOnce").field("len", &self.len).field("is_taken", &self.is_taken()).finish()
    }
}

impl RequestBody {
    /// A body of any content type, in memory.
    pub fn bytes(content_type: impl Into<Cow<'static, str>>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { content_type: content_type.into(), content: BodyContent::Bytes(bytes.into()) }
    }

    /// A JSON body.
    ///
    /// # Errors
    /// When `value` does not serialise, for example because a map has keys that are not strings.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, InvalidRequest> {
        // Enough for most requests, so that it does not grow again and again.
        let mut bytes = Vec::with_capacity(1024);
        serde_json::to_writer(&mut bytes, value).map_err(|error| InvalidRequest::new(error.to_string()))?;
        Ok(Self::bytes("application/json", bytes))
    }

    /// A JSON object with `"stream": true` added to the fields of `value`.
    pub(crate) fn streamed<T: Serialize>(value: &T) -> Result<Self, InvalidRequest> {
        #[derive(Serialize)]
        struct Streamed<'a, T> {
            #[serde(flatten)]
            value: &'a T,
            stream: bool,
        }
        Self::json(&Streamed { value, stream: true })
    }

    /// The bytes, unless they are read while they are sent.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match &self.content {
            BodyContent::Bytes(bytes) => Some(bytes),
            BodyContent::Pieces(_) => None,
        }
    }
}

impl fmt::Debug for BodyContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyContent::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            BodyContent::Pieces(pieces) => f.debug_list().entries(pieces).finish(),
        }
    }
}

impl fmt::Debug for BodyPiece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyPiece::Shared(bytes) => write!(f, "{} bytes", (**bytes).as_ref().len()),
            BodyPiece::File(path) => f.debug_tuple("File").field(path).finish(),
            BodyPiece::Reader(reader) => reader.fmt(f),
        }
    }
}

/// Refuses `extra` keys that have a field of their own: they would stand in the body twice.
pub(crate) fn refuse_named(extra: &Map<String, Value>, named: &[&str]) -> Result<(), InvalidRequest> {
    match named.iter().find(|key| extra.contains_key(**key)) {
        Some(key) => Err(InvalidRequest::new(format!(
            "`extra` holds `{key}`, which has a field of its own: set the field instead"
        ))),
        None => Ok(()),
    }
}

/// Refuses numbers that JSON writes as `null`.
pub(crate) fn refuse_not_finite<const N: usize>(
    numbers: [(&str, Option<f64>); N],
) -> Result<(), InvalidRequest> {
    match numbers.iter().find(|(_, value)| value.is_some_and(|value| !value.is_finite())) {
        Some((name, _)) => Err(InvalidRequest::new(format!("`{name}` must be a finite number"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_content() {
        let body = RequestBody::json("secret prompt").unwrap();
        let shown = format!("{body:?}");
        assert_eq!(shown, "RequestBody { content_type: \"application/json\", content: 15 bytes }");
        let reader = ReadOnce::new(std::io::empty(), Some(0));
        let pieces = vec![BodyPiece::Shared(Arc::new("secret")), BodyPiece::Reader(reader)];
        let shown = format!("{:?}", BodyContent::Pieces(pieces));
        assert_eq!(shown, "[6 bytes, ReadOnce { len: Some(0), is_taken: false }]");
    }

    #[test]
    fn a_reader_is_taken_once_by_all_clones() {
        let reader = ReadOnce::new(&b"abc"[..], None);
        let clone = reader.clone();
        assert!(clone.take().is_some() && reader.is_taken());
        assert!(reader.take().is_none());
    }
}

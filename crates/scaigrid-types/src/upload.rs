//! Files to upload, and the multipart form around them.

use crate::request_body::{BodyContent, BodyPiece, ReadOnce, SharedBytes};
use crate::{InvalidRequest, RequestBody};
use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

/// A file to upload: from memory, from a path, or from a reader.
///
/// ```
/// use scaigrid_types::Upload;
///
/// let recording = Upload::bytes("hello.wav", b"RIFF....").content_type("audio/wav");
/// let handbook = Upload::file("handbook.md");
/// let piped = Upload::reader("speech.mp3", std::io::stdin(), None);
/// # let _ = (recording, handbook, piped);
/// ```
///
/// Bytes and files can be sent again when an attempt fails. A reader cannot: once it has been read, the call is not
/// repeated.
#[derive(Clone, Debug)]
pub struct Upload {
    file_name: String,
    content_type: Option<Cow<'static, str>>,
    content: BodyPiece,
}

impl Upload {
    /// From memory. Takes whatever holds bytes, without a copy: a `Vec<u8>`, a `&'static [u8]`, a `bytes::Bytes`.
    pub fn bytes(file_name: impl Into<String>, bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self::new(file_name, BodyPiece::Shared(Arc::new(bytes)))
    }

    /// From a file, which is opened when the call is sent and read piece by piece. The file name is the path's last part.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::new(file_name, BodyPiece::File(path))
    }

    /// From a reader that gives `len` bytes, or `None` when that is not known; it is read piece by piece. The async client
    /// reads it on a thread for blocking work.
    pub fn reader(
        file_name: impl Into<String>,
        reader: impl Read + Send + 'static,
        len: impl Into<Option<u64>>,
    ) -> Self {
        Self::new(file_name, BodyPiece::Reader(ReadOnce::new(reader, len.into())))
    }

    fn new(file_name: impl Into<String>, content: BodyPiece) -> Self {
        Self { file_name: file_name.into(), content_type: None, content }
    }

    /// Sets the media type, such as `audio/mpeg`. Default: by the file name's extension, else
    /// `application/octet-stream`.
    pub fn content_type(mut self, content_type: impl Into<Cow<'static, str>>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Sets the file name that the gateway sees.
    pub fn file_name(mut self, file_name: impl Into<String>) -> Self {
        self.file_name = file_name.into();
        self
    }

    fn media_type(&self) -> &str {
        match &self.content_type {
            Some(content_type) => content_type,
            None => guess(&self.file_name),
        }
    }
}

/// The documented audio formats, and the texts that ScaiMatrix is fed with.
fn guess(file_name: &str) -> &'static str {
    let extension = file_name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref().unwrap_or_default() {
        "mp3" | "mpga" => "audio/mpeg",
        "wav" => "audio/wav",
        "ogg" | "oga" => "audio/ogg",
        "webm" => "audio/webm",
        "m4a" | "mp4" => "audio/mp4",
        "flac" => "audio/flac",
        "txt" => "text/plain",
        "md" => "text/markdown",
        "html" | "htm" => "text/html",
        "csv" => "text/csv",
        "json" => "application/json",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

/// A form with files: a `multipart/form-data` body (RFC 7578), for calls that this crate has no type for.
///
/// ```
/// use scaigrid_types::{Multipart, RawRequest, Upload};
///
/// let form = Multipart::new().field("language", "en").file("file", &Upload::file("recording.mp3"));
/// let call = RawRequest::post("/v1/modules/scaiecho/transcribe").multipart(form);
/// # let _ = call;
/// ```
#[derive(Clone, Debug)]
pub struct Multipart {
    boundary: String,
    pieces: Vec<BodyPiece>,
    /// Header lines and fields since the last file.
    text: String,
    problem: Option<InvalidRequest>,
}

impl Default for Multipart {
    fn default() -> Self {
        // Two numbers that nobody can guess, so that no content can hold the boundary on purpose.
        let random = || RandomState::new().build_hasher().finish();
        Self {
            boundary: format!("scaigrid-{:016x}{:016x}", random(), random()),
            pieces: Vec::new(),
            text: String::new(),
            problem: None,
        }
    }
}

impl Multipart {
    /// A form without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field.
    pub fn field(mut self, name: &str, value: impl ToString) -> Self {
        self.begin_part(name, None);
        self.text.push_str("\r\n");
        self.text.push_str(&value.to_string());
        self.text.push_str("\r\n");
        self
    }

    /// Adds a field, unless it is `None`.
    pub fn field_opt(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    /// Adds a file. One whose name or type holds line breaks makes the form invalid.
    pub fn file(mut self, name: &str, upload: &Upload) -> Self {
        let media_type = upload.media_type();
        if media_type.is_empty() || !media_type.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            let message = "the content type of the upload holds characters that no header may have";
            self.problem = Some(InvalidRequest::new(message));
        }
        if upload.file_name.contains(['\r', '\n', '\0']) {
            let message = "the file name of the upload holds a line break or a NUL";
            self.problem = Some(InvalidRequest::new(message));
        }
        self.begin_part(name, Some(&upload.file_name));
        self.text.push_str(&format!("Content-Type: {media_type}\r\n\r\n"));
        self.flush();
        self.pieces.push(upload.content.clone());
        self.text.push_str("\r\n");
        self
    }

    /// The form as a request body.
    ///
    /// # Errors
    /// When a file's name or type cannot be sent.
    pub fn into_body(mut self) -> Result<RequestBody, InvalidRequest> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        self.text.push_str(&format!("--{}--\r\n", self.boundary));
        self.flush();
        Ok(RequestBody {
            content_type: format!("multipart/form-data; boundary={}", self.boundary).into(),
            content: BodyContent::Pieces(self.pieces),
        })
    }

    fn begin_part(&mut self, name: &str, file_name: Option<&str>) {
        self.text.push_str(&format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{}\"",
            self.boundary,
            quoted(name)
        ));
        if let Some(file_name) = file_name {
            self.text.push_str(&format!("; filename=\"{}\"", quoted(file_name)));
        }
        self.text.push_str("\r\n");
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            let text: SharedBytes = Arc::new(std::mem::take(&mut self.text));
            self.pieces.push(BodyPiece::Shared(text));
        }
    }
}

/// As the WHATWG form submission algorithm writes names: nothing in them can end the quotes or the line.
fn quoted(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A").replace('\0', "%00")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(body: RequestBody) -> (String, String) {
        let BodyContent::Pieces(pieces) = body.content else { panic!() };
        let text = pieces.iter().map(|piece| match piece {
            BodyPiece::Shared(bytes) => String::from_utf8_lossy((**bytes).as_ref()).into_owned(),
            other => format!("{other:?}"),
        });
        (body.content_type.into_owned(), text.collect())
    }

    #[test]
    fn fields_and_files_are_parts_between_boundaries() {
        let upload = Upload::bytes("a\"b.mp3", b"ID3");
        let form = Multipart::new().field("model", "m").field_opt("prompt", None::<&str>);
        let (content_type, text) = text_of(form.file("file", &upload).field("n", 1).into_body().unwrap());
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        let expected = "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n\
            --B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a%22b.mp3\"\r\n\
            Content-Type: audio/mpeg\r\n\r\nID3\r\n\
            --B\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n1\r\n--B--\r\n";
        assert_eq!(text.replace(boundary, "B"), expected);
        let (other, _) = text_of(Multipart::new().into_body().unwrap());
        assert_ne!(other, content_type);
    }

    #[test]
    fn names_and_types_cannot_add_lines() {
        let form = |upload: Upload| Multipart::new().file("file", &upload).into_body();
        for name in ["a\r\nX-Evil: 1", "a\0b"] {
            assert!(form(Upload::bytes(name, b"")).unwrap_err().to_string().contains("file name"));
        }
        for kind in ["audio/wav\r\nX-Evil: 1", "", "audio/w\0v", "audio/ä"] {
            let upload = Upload::bytes("a", b"").content_type(kind);
            assert!(form(upload).unwrap_err().to_string().contains("content type"), "{kind:?}");
        }
        assert_eq!(quoted("a\"\r\n\0"), "a%22%0D%0A%00");
    }

    #[test]
    fn types_come_from_extensions() {
        let guessed = |name: &str| guess(name);
        assert_eq!((guessed("a.b.MP3"), guessed("a.md")), ("audio/mpeg", "text/markdown"));
        assert_eq!((guessed("mp3"), guessed("")), ("application/octet-stream", "application/octet-stream"));
        assert_eq!(Upload::file("folder/recording.ogg").media_type(), "audio/ogg");
    }
}

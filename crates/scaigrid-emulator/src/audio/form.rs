//! The form of a transcription: reading it, and naming everything that is wrong with it.

use crate::reply::Failure;
use axum::extract::Multipart;
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::http::StatusCode;
use bytes::Bytes;
use scaigrid_types::FieldError;

/// The largest file, in bytes. Documented: "under 25 MB"; that these are binary megabytes is assumed.
const MAX_FILE: usize = 25 * 1024 * 1024;

/// The most parts of a form.
const MAX_PARTS: usize = 100;

const FIELDS: [&str; 6] = ["model", "language", "prompt", "response_format", "temperature", "file"];

/// One part of the form, as it came.
#[derive(Debug)]
pub(super) struct Part {
    name: String,
    file_name: Option<String>,
    content_type: Option<String>,
    bytes: Bytes,
}

/// A valid form.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) model: String,
    pub(super) file: Upload,
    pub(super) language: Option<String>,
    pub(super) prompt: String,
    pub(super) format: Format,
    pub(super) with_segments: bool,
    pub(super) with_words: bool,
}

#[derive(Debug)]
pub(super) struct Upload {
    pub(super) name: String,
    pub(super) content_type: String,
    pub(super) bytes: Bytes,
}

/// What the answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Without a `response_format`: an envelope with the text, as the documented example has it.
    Default,
    /// `text` and `json`: the same (assumed).
    Plain,
    Verbose,
    Srt,
    Vtt,
}

/// Takes the body apart.
pub(super) async fn parts(form: Result<Multipart, MultipartRejection>) -> Result<Vec<Part>, Failure> {
    let not_a_form = |why: String| Failure::invalid(&[FieldError::new("body", why)]);
    let broken = |error: MultipartError| not_a_form(format!("is not a form: {}", error.body_text()));
    let mut form = form.map_err(|_| not_a_form("must be multipart/form-data with a boundary".to_owned()))?;
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        if parts.len() >= MAX_PARTS {
            return Err(not_a_form(format!("must have at most {MAX_PARTS} parts")));
        }
        parts.push(Part {
            name: field.name().unwrap_or_default().to_owned(),
            file_name: field.file_name().map(str::to_owned),
            content_type: field.content_type().map(str::to_owned),
            bytes: field.bytes().await.map_err(broken)?,
        });
    }
    Ok(parts)
}

/// Reads the parts. Unknown ones are ignored, as unknown fields are elsewhere.
pub(super) fn read(parts: &[Part]) -> Result<Form, Failure> {
    let mut check = Check { parts, problems: Vec::new() };
    for name in FIELDS {
        if check.all(name).count() > 1 {
            check.problem(name, "must be given only once");
        }
    }
    let model = check.required("model");
    let file = check.file()?;
    let is_code = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_lowercase());
    let language = check.parsed("language", "must be an ISO 639-1 code such as en", |text| {
        is_code(text).then(|| text.to_owned())
    });
    let prompt = check.parsed("prompt", "", |text| Some(text.to_owned())).unwrap_or_default();
    let formats = "must be one of text, json, verbose_json, srt, vtt";
    let format = check.parsed("response_format", formats, format);
    check.parsed("temperature", "must be a number from 0 to 1", |text| {
        text.trim().parse::<f64>().ok().filter(|number| (0.0..=1.0).contains(number))
    });
    let (with_segments, with_words) = check.granularities(format);
    if !check.problems.is_empty() {
        return Err(Failure::invalid(&check.problems));
    }
    let format = format.unwrap_or(Format::Default);
    // Without a file there was a problem.
    let file = file.unwrap_or_else(|| Upload {
        name: String::new(),
        content_type: String::new(),
        bytes: Bytes::new(),
    });
    Ok(Form { model, file, language, prompt, format, with_segments, with_words })
}

fn format(text: &str) -> Option<Format> {
    match text {
        "text" | "json" => Some(Format::Plain),
        "verbose_json" => Some(Format::Verbose),
        "srt" => Some(Format::Srt),
        "vtt" => Some(Format::Vtt),
        _ => None,
    }
}

struct Check<'a> {
    parts: &'a [Part],
    problems: Vec<FieldError>,
}

impl<'a> Check<'a> {
    fn problem(&mut self, name: &str, message: &str) {
        self.problems.push(FieldError::new(name, message));
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &'a Part> + use<'a> {
        let name = name.to_owned();
        self.parts.iter().filter(move |part| part.name == name)
    }

    fn parsed<T>(&mut self, name: &str, message: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let part = self.all(name).next()?;
        let Ok(text) = std::str::from_utf8(&part.bytes) else {
            self.problem(name, "must be UTF-8");
            return None;
        };
        let parsed = parse(text);
        if parsed.is_none() {
            self.problem(name, message);
        }
        parsed
    }

    fn required(&mut self, name: &str) -> String {
        if self.all(name).next().is_none() {
            self.problem(name, "is required");
        }
        let parse = |text: &str| Some(text.to_owned()).filter(|text| !text.trim().is_empty());
        self.parsed(name, "must not be empty", parse).unwrap_or_default()
    }

    /// # Errors
    /// For a file that is too large, whatever else may be wrong. The code is assumed.
    fn file(&mut self) -> Result<Option<Upload>, Failure> {
        let Some(part) = self.all("file").next() else {
            self.problem("file", "is required");
            return Ok(None);
        };
        if part.bytes.len() > MAX_FILE {
            let message = "The file is larger than 25 MB.";
            return Err(Failure::undocumented(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message));
        }
        if part.bytes.is_empty() {
            self.problem("file", "must not be empty");
        }
        let Some(name) = part.file_name.clone().filter(|name| !name.is_empty()) else {
            self.problem("file", "must be a file, with a file name");
            return Ok(None);
        };
        let content_type = part.content_type.clone();
        let content_type = content_type.unwrap_or_else(|| "application/octet-stream".to_owned());
        Ok(Some(Upload { name, content_type, bytes: part.bytes.clone() }))
    }

    /// The field is given once for each value (assumed), also in the spelling with brackets that many forms use.
    fn granularities(&mut self, format: Option<Format>) -> (bool, bool) {
        let name = "timestamp_granularities";
        let values: Vec<&[u8]> =
            self.all(name).chain(self.all("timestamp_granularities[]")).map(|part| &part.bytes[..]).collect();
        if values.is_empty() {
            // Assumed.
            return (true, false);
        }
        if values.iter().any(|value| *value != b"segment" && *value != b"word") {
            self.problem(name, "must be segment or word");
        } else if format != Some(Format::Verbose) {
            self.problem(name, "is for verbose_json only");
        }
        (values.contains(&&b"segment"[..]), values.contains(&&b"word"[..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, text: &str) -> Part {
        Part { name: name.into(), file_name: None, content_type: None, bytes: text.to_owned().into() }
    }

    fn file(bytes: Vec<u8>) -> Part {
        Part { name: "file".into(), file_name: Some("a.mp3".into()), content_type: None, bytes: bytes.into() }
    }

    fn fields(parts: &[Part]) -> String {
        format!("{:?}", read(parts).unwrap_err())
    }

    #[test]
    fn a_form_with_everything() {
        let all = [
            part("model", "m"),
            file(vec![1]),
            part("language", "en"),
            part("prompt", ""),
            part("temperature", "0.5"),
            part("response_format", "verbose_json"),
            part("timestamp_granularities", "word"),
            part("timestamp_granularities", "segment"),
            part("unknown", "x"),
        ];
        let form = read(&all).unwrap();
        assert!(form.with_segments && form.with_words && form.format == Format::Verbose);
        assert_eq!((form.file.name.as_str(), form.language.as_deref()), ("a.mp3", Some("en")));
        assert_eq!(form.file.content_type, "application/octet-stream");
        let form = read(&[part("model", "m"), file(vec![1])]).unwrap();
        assert_eq!((form.format, form.with_segments, form.with_words), (Format::Default, true, false));
    }

    #[test]
    fn all_problems_are_named() {
        let problems = fields(&[
            part("model", " "),
            part("file", "x"),
            part("language", "english"),
            part("temperature", "2"),
            part("response_format", "xml"),
            part("timestamp_granularities", "letter"),
        ]);
        for name in ["model", "file", "language", "temperature", "response_format", "timestamp_granularities"]
        {
            assert!(problems.contains(name), "{name}: {problems}");
        }
        let only_verbose = [part("model", "m"), file(vec![1]), part("timestamp_granularities[]", "word")];
        assert!(fields(&only_verbose).contains("verbose_json only"));
        assert!(fields(&[]).contains("file"));
        let twice = [part("model", "m"), part("model", "m"), file(vec![1])];
        assert!(fields(&twice).contains("only once"));
        assert!(fields(&[part("model", "m"), file(vec![])]).contains("must not be empty"));
    }

    #[test]
    fn the_limit_of_a_file_is_exact() {
        assert!(read(&[part("model", "m"), file(vec![0; MAX_FILE])]).is_ok());
        assert!(fields(&[file(vec![0; MAX_FILE + 1])]).contains("PAYLOAD_TOO_LARGE"));
    }
}

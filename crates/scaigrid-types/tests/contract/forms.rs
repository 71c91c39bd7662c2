//! Requests that are forms.

use crate::{Example, of_kind};
use scaigrid_types::*;
use serde_json::{Value, json};

/// The boundary, and the whole form as text.
fn form(endpoint: &impl Endpoint) -> (String, String) {
    let body = endpoint.body().unwrap().unwrap();
    let boundary = body.content_type.strip_prefix("multipart/form-data; boundary=").unwrap().to_owned();
    let BodyContent::Pieces(pieces) = body.content else { panic!("a form in one piece") };
    let text = |piece: &BodyPiece| match piece {
        BodyPiece::Shared(bytes) => String::from_utf8((**bytes).as_ref().to_vec()).unwrap(),
        other => panic!("{other:?}"),
    };
    (boundary, pieces.iter().map(text).collect())
}

/// A part: its name, its file name and type if it is a file, and its content.
type Part = (String, Option<(String, String)>, String);

fn parts(endpoint: &impl Endpoint) -> Vec<Part> {
    let (boundary, text) = form(endpoint);
    let text = text.strip_suffix(&format!("--{boundary}--\r\n")).unwrap();
    let part = |part: &str| {
        let (head, content) = part.split_once("\r\n\r\n").unwrap();
        let quoted = |key: &str| {
            let from = head.split_once(&format!(" {key}=\""))?.1;
            Some(from.split_once('"').unwrap().0.to_owned())
        };
        let file = quoted("filename").map(|name| {
            (name, head.split_once("Content-Type: ").unwrap().1.lines().next().unwrap().to_owned())
        });
        (quoted("name").unwrap(), file, content.strip_suffix("\r\n").unwrap().to_owned())
    };
    text.split(&format!("--{boundary}\r\n")).skip(1).map(part).collect()
}

/// The form in the way in which the examples are written.
fn written(endpoint: &impl Endpoint) -> Value {
    let mut written = json!({});
    for (name, file, content) in parts(endpoint) {
        match file {
            Some((file_name, kind)) => {
                written[name.as_str()] = json!(file_name);
                written[format!("{name}_type")] = json!(kind);
            }
            None => written[name.as_str()] = json!(content),
        }
    }
    written
}

#[test]
fn every_form_of_the_reference_can_be_built() {
    for example in of_kind("form") {
        let written = match example.what.as_str() {
            "transcribe" => written(
                &TranscribeRequest::new("openai/whisper-1", Upload::bytes("recording.mp3", b"ID3"))
                    .language("en"),
            ),
            "upload document" => {
                let file = Upload::bytes("handbook.md", b"# Hello");
                written(&UploadDocument::new("col_1", file).name("Handbook").metadata("team", "hr"))
            }
            other => panic!("no case for {other}"),
        };
        assert_eq!(written, Example::value(&example), "{}", example.what);
    }
}

/// All fields; the list is sent as a repeated field of the plain name.
#[test]
fn every_field_of_a_transcription() {
    let request = TranscribeRequest::new("m", Upload::bytes("a.wav", b"RIFF"))
        .language("en")
        .temperature(0.5)
        .prompt("Names: Ada")
        .response_format(TranscriptionFormat::VerboseJson)
        .timestamps(TimestampGranularity::Segment)
        .timestamps(TimestampGranularity::Word);
    let sent = parts(&request);
    let field = |name: &str, content: &str| (name.to_owned(), None, content.to_owned());
    let file = Some(("a.wav".to_owned(), "audio/wav".to_owned()));
    assert_eq!(
        sent,
        [
            field("model", "m"),
            field("language", "en"),
            field("temperature", "0.5"),
            field("prompt", "Names: Ada"),
            field("response_format", "verbose_json"),
            field("timestamp_granularities", "segment"),
            field("timestamp_granularities", "word"),
            ("file".to_owned(), file, "RIFF".to_owned()),
        ]
    );
    let names = parts(&TranscribeRequest::new("m", Upload::bytes("a.wav", b"RIFF")));
    assert_eq!(names.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(), ["model", "file"]);
}

/// The documented formats have their media types.
#[test]
fn documented_recordings_have_their_media_types() {
    for (name, kind) in [
        ("a.mp3", "audio/mpeg"),
        ("a.wav", "audio/wav"),
        ("a.ogg", "audio/ogg"),
        ("a.webm", "audio/webm"),
        ("a.m4a", "audio/mp4"),
    ] {
        let sent = parts(&TranscribeRequest::new("m", Upload::bytes(name, b"x")));
        assert_eq!(sent.last().unwrap().1, Some((name.to_owned(), kind.to_owned())));
    }
}

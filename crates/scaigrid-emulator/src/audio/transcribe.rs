//! Audio as text: what the emulator spoke itself comes back, any other file gets a sentence about it.

use super::captions::{Segment, Transcript, Word};
use super::form::{self, Form, Format, Part, Upload};
use super::wav;
use crate::gateway::{Account, Gateway};
use crate::ids::RequestId;
use crate::inference;
use crate::reply::{self, Failure, Reply, seal};
use crate::text::count_tokens;
use crate::variant::WireVariant;
use axum::body::Body;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Extension, Multipart, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use scaigrid_types::Usage;
use serde::Serialize;
use std::sync::Arc;

/// `text` is documented, the rest is assumed.
#[derive(Debug, Serialize)]
struct Transcription {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<Vec<Segment>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<Vec<Word>>,
}

pub(crate) async fn transcribe(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    let heard = form::parts(form).await.and_then(|parts| hear(&gateway, &account, &parts));
    match heard {
        Err(failure) => failure.into_response(&id),
        Ok((form, transcript)) => {
            let is_bare = form.has_no_format && gateway.variants.has(WireVariant::TranscriptPlainText);
            respond(&id, form, transcript, is_bare)
        }
    }
}

fn hear(gateway: &Gateway, account: &Account, parts: &[Part]) -> Result<(Form, Transcript), Failure> {
    let form = form::read(parts)?;
    let entry = inference::audio_model(gateway, &form.model, "transcription")?;
    account.check_budget()?;
    let transcript = transcript(&form.file);
    // Assumed: what comes out are the transcript's tokens.
    account.book(&entry, &Usage::new(count_tokens(&form.prompt), count_tokens(&transcript.text)));
    Ok((form, transcript))
}

fn transcript(file: &Upload) -> Transcript {
    let header = wav::inspect(&file.bytes).unwrap_or_default();
    let about = || {
        let size = file.bytes.len();
        format!("This is the transcript of {}, {size} bytes of {}.", file.name, file.content_type)
    };
    Transcript::new(header.text.unwrap_or_else(about), header.duration)
}

/// Assumed: srt and vtt come as they are, without an envelope.
fn respond(id: &RequestId, form: Form, transcript: Transcript, is_bare: bool) -> Response {
    let bare = |content_type, text: String| {
        let mut response = Response::new(Body::from(text));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        reply::set_request_id(response.headers_mut(), id);
        response
    };
    match form.format {
        Format::Srt => bare("application/x-subrip; charset=utf-8", transcript.srt()),
        Format::Vtt => bare("text/vtt; charset=utf-8", transcript.vtt()),
        Format::Plain if is_bare => bare("text/plain; charset=utf-8", transcript.text),
        Format::Plain | Format::Verbose => seal(id, Ok(Reply::new(transcription(form, transcript)))),
    }
}

fn transcription(form: Form, transcript: Transcript) -> Transcription {
    let is_verbose = form.format == Format::Verbose;
    Transcription {
        // Without a hint it would have to be recognised, which needs an AI.
        language: is_verbose.then(|| form.language.unwrap_or_else(|| "en".to_owned())),
        duration: is_verbose.then_some(transcript.duration),
        segments: (is_verbose && form.with_segments).then(|| transcript.segments()),
        words: (is_verbose && form.with_words).then(|| transcript.words()),
        text: transcript.text,
    }
}

//! Audio as text: what the emulator spoke itself comes back, any other file gets a sentence about it.

use super::captions::{Segment, Transcript, Word};
use super::form::{self, Form, Format, Part, Upload};
use super::wav;
use crate::call::Call;
use crate::inference;
use crate::reply::{self, Failure, Reply};
use crate::text::count_tokens;
use crate::variant::WireVariant;
use axum::extract::Multipart;
use axum::extract::multipart::MultipartRejection;
use axum::response::Response;
use scaigrid_types::Usage;
use serde::Serialize;

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

pub(crate) async fn transcribe(call: Call, form: Result<Multipart, MultipartRejection>) -> Response {
    let heard = form::parts(form).await.and_then(|parts| hear(&call, &parts));
    match heard {
        Err(failure) => call.failed(failure),
        Ok((form, transcript)) => respond(&call, form, transcript),
    }
}

fn hear(call: &Call, parts: &[Part]) -> Result<(Form, Transcript), Failure> {
    let form = form::read(parts)?;
    let entry = inference::audio_model(&call.gateway, &form.model, "transcription")?;
    call.account.check_budget()?;
    let transcript = transcript(&form.file);
    // Assumed: what comes out are the transcript's tokens.
    call.account.book(&entry, &Usage::new(count_tokens(&form.prompt), count_tokens(&transcript.text)));
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
fn respond(call: &Call, form: Form, transcript: Transcript) -> Response {
    let default_is_text = call.gateway.variants.has(WireVariant::TranscriptPlainText);
    let raw = |content_type, text: String| reply::raw(&call.id, content_type, text);
    match form.format {
        Format::Srt => raw("application/x-subrip; charset=utf-8", transcript.srt()),
        Format::Vtt => raw("text/vtt; charset=utf-8", transcript.vtt()),
        Format::Default if default_is_text => raw("text/plain; charset=utf-8", transcript.text),
        Format::Default | Format::Plain | Format::Verbose => {
            call.answer(Ok(Reply::new(transcription(form, transcript))))
        }
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

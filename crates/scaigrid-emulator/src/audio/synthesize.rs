//! A text as audio, sent word by word.

use super::{tone, wav};
use crate::call::Call;
use crate::chat::{Bill, Receipt, Step, Steps, StreamBody, cut};
use crate::fields::Fields;
use crate::inference;
use crate::reply::{self, Failure};
use crate::stream_fault::{StreamFault, StreamFaultKind};
use crate::text::count_tokens;
use crate::wire::ConnectionHandle;
use axum::extract::{ConnectInfo, Extension};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;
use std::time::Duration;

/// The longest text, in characters. Assumed: the documentation names no limit.
const MAX_CHARACTERS: usize = 4_096;

/// What the emulator can make.
const FORMATS: [&str; 2] = ["wav", "pcm"];

/// A valid request. `model` and `input` are documented, and that there is a voice; the rest is assumed.
#[derive(Debug)]
struct Request {
    model: String,
    input: String,
    voice: String,
    format: &'static str,
    speed: f64,
}

pub(crate) async fn synthesize(
    call: Call,
    ConnectInfo(ConnectionHandle(connection)): ConnectInfo<ConnectionHandle>,
    fault: Option<Extension<StreamFault>>,
    body: Bytes,
) -> Response {
    // The variants of streams are for event streams.
    let fault = fault.map(|Extension(fault)| fault).unwrap_or_default();
    match speak(&call, fault, &body) {
        Err(failure) => call.failed(failure),
        Ok(Speech { content_type, steps, bill }) => {
            let mut response = StreamBody::new(steps, connection, bill).into_response();
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            reply::set_request_id(response.headers_mut(), &call.id);
            response
        }
    }
}

struct Speech {
    content_type: &'static str,
    steps: Steps,
    bill: Bill,
}

fn speak(call: &Call, fault: StreamFault, body: &[u8]) -> Result<Speech, Failure> {
    let request = read(Fields::read(body)?)?;
    let entry = inference::audio_model(&call.gateway, &request.model, "speech")?;
    call.account.check_budget()?;
    let receipt = Receipt::new(&call.account, entry);
    let bill =
        Bill { receipt: Some(receipt), prompt_tokens: count_tokens(&request.input), completion_tokens: 0 };
    let content_type = if request.format == "wav" { "audio/wav" } else { "audio/pcm" };
    Ok(Speech { content_type, steps: steps(&request, fault, call.gateway.settings.streams.pace), bill })
}

/// The header with the first word, then each word on its own, with `pace` between them.
fn steps(request: &Request, fault: StreamFault, pace: Duration) -> Steps {
    let words: Vec<String> = request.input.split_whitespace().map(str::to_owned).collect();
    let (voice, speed) = (request.voice.clone(), request.speed);
    let header = match request.format {
        "wav" => {
            let bytes = words.len().saturating_mul(tone::word_bytes(speed));
            wav::header(u32::try_from(bytes).unwrap_or(u32::MAX), &request.input)
        }
        _ => Vec::new(),
    };
    let count = words.len();
    let words = words.into_iter().enumerate().flat_map(move |(index, word)| {
        let mut bytes = if index == 0 { header.clone() } else { Vec::new() };
        bytes.extend(tone::word(&word, &voice, speed));
        let pause = if index == 0 { Duration::ZERO } else { pace };
        let settles = index + 1 == count;
        [Step::Wait(pause), Step::Send { bytes: bytes.into(), tokens: 0, settles }]
    });
    match fault.kind {
        StreamFaultKind::Cut { after_bytes, end } => Box::new(cut(words, after_bytes, end)),
        _ => Box::new(words),
    }
}

fn read(mut fields: Fields) -> Result<Request, Failure> {
    let request = Request {
        model: fields.required_text("model"),
        input: input(&mut fields),
        voice: fields.required_text("voice"),
        format: format(&mut fields),
        speed: fields.number("speed", 0.25..=4.0).unwrap_or(1.0),
    };
    fields.finish()?;
    Ok(request)
}

fn input(fields: &mut Fields) -> String {
    let input = fields.required_text("input");
    if input.chars().count() > MAX_CHARACTERS {
        fields.problem("input", format!("must have at most {MAX_CHARACTERS} characters"));
    }
    input
}

fn format(fields: &mut Fields) -> &'static str {
    let message = "this emulator makes wav (the default) and pcm only";
    let known = |value: Value| FORMATS.into_iter().find(|format| value.as_str() == Some(format));
    fields.parsed("response_format", known, message).unwrap_or("wav")
}

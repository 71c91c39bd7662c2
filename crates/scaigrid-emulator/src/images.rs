//! `POST /v1/inference/images/generate`.

mod picture;

use crate::call::Call;
use crate::clock;
use crate::fields::Fields;
use crate::inference::{self, Tariff};
use crate::media;
use crate::reply::{Failure, Reply};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use scaigrid_types::{FieldError, Modality, Usage};
use serde::Serialize;

/// All documented sizes. Which model takes which is documented only for a part of them.
const SIZES: [&str; 5] = ["1024x1024", "1792x1024", "1024x1792", "512x512", "256x256"];
const QUALITIES: [&str; 2] = ["standard", "hd"];
const STYLES: [&str; 2] = ["vivid", "natural"];
const FORMATS: [&str; 2] = ["url", "b64_json"];

/// Documented: typically 1 to 10.
const MAX_IMAGES: u64 = 10;

/// A valid request.
#[derive(Debug)]
struct Request {
    model: String,
    prompt: String,
    n: u64,
    size: &'static str,
    quality: &'static str,
    style: &'static str,
    inline: bool,
}

/// Documented: `data`, with `url` or `b64_json`, and `revised_prompt`. The rest is assumed.
#[derive(Serialize)]
struct Images {
    created: u64,
    model: String,
    data: Vec<Image>,
}

#[derive(Serialize)]
struct Image {
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b64_json: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revised_prompt: Option<String>,
}

pub(crate) async fn generate_images(call: Call, tariff: Tariff, body: Bytes) -> Response {
    call.answer(answer(&call, tariff, &body))
}

fn answer(call: &Call, tariff: Tariff, body: &[u8]) -> Result<Reply<Images>, Failure> {
    let request = read(Fields::read(body)?)?;
    let entry = inference::model(&call.gateway, &request.model, &Modality::Image)?;
    let sizes = sizes_of(&request.model);
    if !sizes.contains(&request.size) {
        let message = format!("must be one of {} for this model", sizes.join(", "));
        return Err(Failure::invalid(&[FieldError::new("size", message)]));
    }
    call.account.check_budget()?;

    // Documented for this model.
    let revised_prompt = (request.model == "openai/dall-e-3").then(|| revised(&request));
    let mut data = Vec::new();
    for number in 0..request.n {
        let seed = [request.model.as_str(), &request.prompt, request.size, request.quality, request.style];
        let png = Bytes::from(picture::png(&seed, number, &request.prompt));
        let (url, b64_json) = match request.inline {
            true => (None, Some(STANDARD.encode(&png))),
            false => (media::url(&call.gateway, &media::add(&call.gateway, "image/png", png)), None),
        };
        data.push(Image { url, b64_json, revised_prompt: revised_prompt.clone() });
    }
    // Assumed: an image has no tokens, and no price is documented.
    let entry = tariff.priced(entry);
    call.account.book(&entry, &Usage::new(0, 0));
    Ok(Reply::new(Images { created: clock::unix_seconds(), model: entry.model.slug, data }))
}

fn read(mut fields: Fields) -> Result<Request, Failure> {
    let request = Request {
        model: fields.required_text("model"),
        prompt: fields.required_text("prompt"),
        n: fields.whole("n", 1..=MAX_IMAGES).unwrap_or(1),
        // The defaults are assumed, all but that of `response_format`.
        size: fields.word("size", &SIZES).unwrap_or("1024x1024"),
        quality: fields.word("quality", &QUALITIES).unwrap_or("standard"),
        style: fields.word("style", &STYLES).unwrap_or("vivid"),
        inline: fields.word("response_format", &FORMATS) == Some("b64_json"),
    };
    // Documented: passed on to the provider, who does not exist here.
    fields.object("metadata");
    fields.finish()?;
    Ok(request)
}

/// Documented: dall-e-2 also takes the small ones. That the others do not is assumed.
fn sizes_of(model: &str) -> &'static [&'static str] {
    match model {
        "openai/dall-e-2" => &SIZES,
        _ => SIZES.get(..3).unwrap_or(&SIZES),
    }
}

fn revised(request: &Request) -> String {
    let prompt = request.prompt.trim();
    match request.quality {
        "hd" => format!("A detailed picture in a {} style: {prompt}", request.style),
        _ => format!("A picture in a {} style: {prompt}", request.style),
    }
}

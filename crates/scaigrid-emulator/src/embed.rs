//! `POST /v1/inference/embed`.

mod vector;

use crate::call::Call;
use crate::fields::{Fields, into_text};
use crate::inference::{self, Tariff};
use crate::reply::{Failure, Reply};
use crate::text::count_tokens;
use axum::response::Response;
use bytes::Bytes;
use scaigrid_types::{FieldError, Modality, Usage};
use serde::Serialize;
use serde_json::Value;

/// The most texts of one request. Assumed: the documentation says that most models take 1000 or more.
const MAX_TEXTS: usize = 2_048;

/// A valid request.
#[derive(Debug)]
struct Request {
    model: String,
    texts: Vec<String>,
    dimensions: Option<usize>,
}

/// Documented: `data`, with `index` and `embedding` in each. The rest is assumed.
#[derive(Serialize)]
struct Embeddings {
    object: &'static str,
    model: String,
    data: Vec<Embedding>,
    usage: EmbeddingUsage,
}

#[derive(Serialize)]
struct Embedding {
    object: &'static str,
    index: usize,
    embedding: Vec<f32>,
}

#[derive(Serialize)]
struct EmbeddingUsage {
    prompt_tokens: u64,
    total_tokens: u64,
}

pub(crate) async fn embed(call: Call, tariff: Tariff, body: Bytes) -> Response {
    call.answer(answer(&call, tariff, &body))
}

fn answer(call: &Call, tariff: Tariff, body: &[u8]) -> Result<Reply<Embeddings>, Failure> {
    let request = read(Fields::read(body)?)?;
    let entry = inference::model(&call.gateway, &request.model, &Modality::Embedding)?;
    let dimensions = entry.model.default_params.as_ref().and_then(|params| params.get("dimensions"));
    let most = dimensions.and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok()).unwrap_or(1);
    let dimensions = request.dimensions.unwrap_or(most);
    if dimensions > most {
        let message = format!("must be a whole number from 1 to {most} for this model");
        return Err(Failure::invalid(&[FieldError::new("dimensions", message)]));
    }
    call.account.check_budget()?;

    let embedding = |(index, text): (usize, &String)| Embedding {
        object: "embedding",
        index,
        embedding: vector::of(text, dimensions),
    };
    let mut data: Vec<Embedding> = request.texts.iter().enumerate().map(embedding).collect();
    if call.gateway.settings.embeddings_unordered {
        data.reverse();
    }
    let tokens = request.texts.iter().map(|text| count_tokens(text)).sum();
    let entry = tariff.priced(entry);
    call.account.book(&entry, &Usage::new(tokens, 0));
    Ok(Reply::new(Embeddings {
        object: "list",
        model: entry.model.slug,
        data,
        usage: EmbeddingUsage { prompt_tokens: tokens, total_tokens: tokens },
    }))
}

fn read(mut fields: Fields) -> Result<Request, Failure> {
    let request = Request {
        model: fields.required_text("model"),
        texts: texts(&mut fields),
        dimensions: fields.whole("dimensions", 1..=u64::MAX).and_then(|number| usize::try_from(number).ok()),
    };
    fields.finish()?;
    Ok(request)
}

/// Assumed: texts without any character are refused.
fn texts(fields: &mut Fields) -> Vec<String> {
    let list = match fields.take("input") {
        Some(Value::Array(list)) => list,
        Some(Value::String(text)) if !text.is_empty() => return vec![text],
        Some(Value::String(_)) => Vec::new(),
        Some(_) => {
            fields.problem("input", "must be a string or a list of strings");
            return Vec::new();
        }
        None => {
            fields.problem("input", "is required");
            return Vec::new();
        }
    };
    match list.len() {
        0 => fields.problem("input", "must not be empty"),
        1..=MAX_TEXTS => {}
        _ => {
            fields.problem("input", format!("must have at most {MAX_TEXTS} texts"));
            return Vec::new();
        }
    }
    let mut texts = Vec::with_capacity(list.len());
    for (index, text) in list.into_iter().enumerate() {
        match into_text(text).filter(|text| !text.is_empty()) {
            Some(text) => texts.push(text),
            None => fields.problem(format!("input[{index}]"), "must be a string that is not empty"),
        }
    }
    texts
}

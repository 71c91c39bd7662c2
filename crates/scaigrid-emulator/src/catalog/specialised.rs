//! Models that do something else than chat: all that the documentation names, and one for speech.
//!
//! Prices are assumed. There is no price per image in the catalog's fields, so images cost nothing.

use super::{Entry, base, price};
use scaigrid_types::Modality;
use serde_json::json;

const VECTOR: &str = "Emulated: hashes of words and their parts, so that texts which share words are near each \
    other. Not an AI.";
const PICTURE: &str = "Emulated: draws a small pattern that depends on the prompt. Not an AI.";
const HEARING: &str = "Emulated: gives back the text of audio that the emulator spoke, else a sentence about the \
    file. Not an AI.";
const SPEECH: &str = "Emulated: a short tone for each word. Not an AI.";

pub(super) fn models() -> Vec<Entry> {
    vec![
        embedding("openai/text-embedding-3-small", "Text Embedding 3 Small (emulated)", 1_536, "0.02"),
        embedding("openai/text-embedding-3-large", "Text Embedding 3 Large (emulated)", 3_072, "0.13"),
        // The table of dimensions names it without its provider.
        embedding("openai/text-embedding-ada-002", "Text Embedding Ada 002 (emulated)", 1_536, "0.10"),
        embedding("google/text-embedding-004", "Text Embedding 004 (emulated)", 768, "0.025"),
        embedding("mistral/mistral-embed", "Mistral Embed (emulated)", 1_024, "0.10"),
        image("openai/dall-e-3", "DALL-E 3 (emulated)"),
        image("openai/dall-e-2", "DALL-E 2 (emulated)"),
        image("stability/sd-xl", "SD XL (emulated)"),
        audio("openai/whisper-1", "Whisper 1 (emulated)", HEARING, "transcription", ("0", "6.00")),
        // Assumed: the documentation names no model for speech.
        audio("openai/tts-1", "TTS 1 (emulated)", SPEECH, "speech", ("15.00", "0")),
    ]
}

/// The dimensions are documented for each model. Where the catalog says so is assumed.
fn embedding(slug: &str, name: &str, dimensions: u64, input_price: &str) -> Entry {
    let mut model = base(slug, name, VECTOR);
    model.modality = Some(Modality::Embedding);
    model.context_window = Some(8_191);
    model.input_price_per_mtok = price(input_price);
    model.default_params = Some(json!({"dimensions": dimensions}));
    Entry { model, backend_id: "be_emulator_embedding" }
}

fn image(slug: &str, name: &str) -> Entry {
    let mut model = base(slug, name, PICTURE);
    model.modality = Some(Modality::Image);
    model.input_price_per_mtok = price("0");
    Entry { model, backend_id: "be_emulator_image" }
}

/// `capability` tells the two kinds of audio models apart; its names are assumed.
fn audio(slug: &str, name: &str, description: &str, capability: &str, prices: (&str, &str)) -> Entry {
    let mut model = base(slug, name, description);
    model.modality = Some(Modality::Audio);
    model.input_price_per_mtok = price(prices.0);
    model.output_price_per_mtok = price(prices.1);
    model.capabilities = Some(json!({capability: true}));
    Entry { model, backend_id: "be_emulator_audio" }
}

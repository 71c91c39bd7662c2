//! What the inference routes have in common.

use crate::audio::{synthesize, transcribe};
use crate::catalog::Entry;
use crate::chat::chat;
use crate::embed::embed;
use crate::gateway::Gateway;
use crate::generate::generate;
use crate::images::generate_images;
use crate::reply::Failure;
use crate::variant::{Variants, WireVariant};
use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;
use axum::routing::post;
use rust_decimal::Decimal;
use scaigrid_types::{FieldError, Modality, Money};
use serde_json::Value;
use std::convert::Infallible;
use std::sync::Arc;

/// The routes that run a model, apart from sessions.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/v1/inference/chat", post(chat))
        .route("/v1/inference/embed", post(embed))
        .route("/v1/inference/images/generate", post(generate_images))
        .route("/v1/inference/audio/transcribe", post(transcribe))
        .route("/v1/inference/audio/synthesize", post(synthesize))
        .route("/v1/inference/generate", post(generate))
}

/// Paths that are there only with a variant, and what they stand for.
const OTHER_PATHS: [(WireVariant, &str, &str); 2] = [
    (WireVariant::EmbeddingsPath, "/v1/inference/embeddings", "/v1/inference/embed"),
    (WireVariant::ChatCompletionsPath, "/v1/chat/completions", "/v1/inference/chat"),
];

/// The routes of these paths, which [`has_path`] has to guard.
pub(crate) fn other_routes() -> Router<Arc<Gateway>> {
    Router::new().route("/v1/inference/embeddings", post(embed)).route("/v1/chat/completions", post(chat))
}

/// Whether a path is there at the moment.
pub(crate) fn has_path(path: &str, variants: &Variants) -> bool {
    OTHER_PATHS.iter().all(|(variant, other, _)| *other != path || variants.has(*variant))
}

/// The usual path of one of the other paths, and any path else.
pub(crate) fn usual_path<'a>(path: &'a str, variants: &Variants) -> &'a str {
    let is_meant =
        |(variant, other, _): &&(WireVariant, &str, &str)| *other == path && variants.has(*variant);
    OTHER_PATHS.iter().find(is_meant).map_or(path, |(_, _, usual)| usual)
}

/// Whether a request of this method and route template runs a model.
pub(crate) fn is_call(method: &Method, route: &str) -> bool {
    // Batches only take calls in.
    let is_inference = |route: &str| route.starts_with("/v1/inference/") && !route.contains("/batch");
    let others = ["/v1/chat/completions", "/v1/sessions/{id}/messages"];
    *method == Method::POST && (is_inference(route) || others.contains(&route))
}

/// The model, if it exists and is of the kind that the route needs.
pub(crate) fn model(gateway: &Gateway, slug: &str, modality: &Modality) -> Result<Entry, Failure> {
    let entry = gateway.model(slug)?;
    if entry.model.modality.as_ref() != Some(modality) {
        let article = if modality.as_str().starts_with(['a', 'e', 'i']) { "an" } else { "a" };
        let message = format!("is not {article} {} model", modality.as_str());
        return Err(Failure::invalid(&[FieldError::new("model", message)]));
    }
    Ok(entry.clone())
}

/// An audio model that does what the route needs. The names of the capabilities are assumed.
pub(crate) fn audio_model(gateway: &Gateway, slug: &str, capability: &str) -> Result<Entry, Failure> {
    let entry = model(gateway, slug, &Modality::Audio)?;
    let capabilities = entry.model.capabilities.as_ref();
    if capabilities.and_then(|all| all.get(capability)).and_then(Value::as_bool) != Some(true) {
        let message = format!("is not a model for {capability}");
        return Err(Failure::invalid(&[FieldError::new("model", message)]));
    }
    Ok(entry)
}

/// What a call costs, compared to the price list. In the extensions of a request that is a line of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tariff {
    Live,
    /// Half. Documented: "typically 50 %".
    Batch,
}

impl Tariff {
    /// The model at the prices of this tariff, to book with.
    pub(crate) fn priced(self, mut entry: Entry) -> Entry {
        if self == Tariff::Batch {
            let half = |price: Money| {
                Decimal::from(price).checked_mul(Decimal::new(5, 1)).map_or(price, Money::from)
            };
            entry.model.input_price_per_mtok = entry.model.input_price_per_mtok.map(half);
            entry.model.output_price_per_mtok = entry.model.output_price_per_mtok.map(half);
        }
        entry
    }
}

impl<S: Sync> FromRequestParts<S> for Tariff {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Tariff::Live))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounting;
    use crate::catalog;

    #[test]
    fn calls_are_told_from_other_requests() {
        for route in ["/v1/inference/audio/synthesize", "/v1/chat/completions", "/v1/sessions/{id}/messages"]
        {
            assert!(is_call(&Method::POST, route) && !is_call(&Method::GET, route), "{route}");
        }
        for route in ["/v1/inference/batch", "/v1/inference/batch/{id}/cancel", "/v1/rooms/{id}/messages"] {
            assert!(!is_call(&Method::POST, route), "{route}");
        }
    }

    #[test]
    fn other_paths_come_with_their_variant() {
        let variants = Variants::default();
        let path = "/v1/chat/completions";
        assert!(!has_path(path, &variants) && has_path("/v1/inference/chat", &variants));
        assert_eq!(usual_path(path, &variants), path);
        variants.set(WireVariant::ChatCompletionsPath, true);
        assert!(has_path(path, &variants) && !has_path("/v1/inference/embeddings", &variants));
        assert_eq!(usual_path(path, &variants), "/v1/inference/chat");
    }

    #[test]
    fn a_batch_costs_half() {
        for entry in catalog::models() {
            let cost = |entry: &Entry| Decimal::from(accounting::cost(&entry.model, 1_000, 300));
            let live = cost(&Tariff::Live.priced(entry.clone()));
            assert_eq!(live, cost(&entry));
            assert_eq!(cost(&Tariff::Batch.priced(entry)) * Decimal::from(2), live);
        }
    }
}

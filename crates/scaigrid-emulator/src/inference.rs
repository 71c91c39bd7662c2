//! What the inference routes have in common.

use crate::catalog::Entry;
use crate::gateway::Gateway;
use crate::reply::Failure;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use scaigrid_types::{Decimal, ErrorCode, FieldError, Modality, Money};
use serde_json::Value;
use std::convert::Infallible;
use std::time::Duration;

/// Settings of the inference routes apart from chat.
#[derive(Clone, Debug)]
pub(crate) struct InferenceSettings {
    /// Whether embeddings come in another order than their texts.
    pub(crate) embeddings_unordered: bool,
    /// Before each line of a batch.
    pub(crate) batch_pace: Duration,
    /// How long a media URL is valid. Documented: 1 hour.
    pub(crate) media_lifetime: Duration,
    /// Where the emulator listens, for media URLs.
    pub(crate) base_url: String,
}

impl Default for InferenceSettings {
    fn default() -> Self {
        Self {
            embeddings_unordered: false,
            batch_pace: Duration::ZERO,
            media_lifetime: Duration::from_secs(60 * 60),
            base_url: String::new(),
        }
    }
}

/// The model, if it exists and is of the kind that the route needs.
pub(crate) fn model(gateway: &Gateway, slug: &str, modality: &Modality) -> Result<Entry, Failure> {
    let entry = gateway
        .model(slug)
        .ok_or_else(|| Failure::new(ErrorCode::ModelNotFound, "No model has this slug."))?;
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
            let half =
                |price: Money| price.to_decimal().checked_mul(Decimal::new(5, 1)).map_or(price, Money::from);
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
    use crate::catalog;
    use crate::ledger;

    #[test]
    fn a_batch_costs_half() {
        for entry in catalog::models() {
            let cost = |entry: &Entry| ledger::cost(&entry.model, 1_000, 300).to_decimal();
            let live = cost(&Tariff::Live.priced(entry.clone()));
            assert_eq!(live, cost(&entry));
            assert_eq!(cost(&Tariff::Batch.priced(entry)) * Decimal::from(2), live);
        }
    }
}

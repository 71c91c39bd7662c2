//! The models that the emulator offers.

mod specialised;

use scaigrid_types::{HealthStatus, Modality, Model, ModelStatus, Money};
use serde_json::{Value, json};

/// A model, and the backend that its usage is booked on.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) model: Model,
    pub(crate) backend_id: &'static str,
}

/// All models, in the order of the list.
pub(crate) fn models() -> Vec<Entry> {
    let text = "Emulated: a deterministic, rule-based text generator on this machine, not an AI.";
    let mut models = vec![
        chat("scailabs/poolnoodle-omni", "Poolnoodle Omni (emulated)", text, 32_768, ("0.15", "0.60")),
        {
            let mut mini =
                chat("scailabs/poolnoodle-mini", "Poolnoodle Mini (emulated)", text, 8_192, ("0.05", "0.20"));
            mini.model.context_window = Some(128_000);
            mini.model.status = Some(ModelStatus::Deprecated);
            mini.backend_id = "be_emulator_mini";
            mini
        },
    ];
    models.extend(specialised::models());
    models
}

fn chat(slug: &str, name: &str, description: &str, max_output: u64, prices: (&str, &str)) -> Entry {
    let mut model = base(slug, name, description);
    model.modality = Some(Modality::Chat);
    model.context_window = Some(256_000);
    model.max_output_tokens = Some(max_output);
    model.input_price_per_mtok = price(prices.0);
    model.output_price_per_mtok = price(prices.1);
    let capabilities = [("tool_use".to_owned(), json!(true)), ("streaming".to_owned(), json!(true))];
    model.capabilities = Some(capabilities.into_iter().collect::<Value>());
    Entry { model, backend_id: "be_emulator_omni" }
}

fn base(slug: &str, name: &str, description: &str) -> Model {
    let mut model = Model::new(slug);
    model.display_name = Some(name.to_owned());
    model.description = Some(description.to_owned());
    model.status = Some(ModelStatus::Active);
    model.health_status = Some(HealthStatus::Healthy);
    model.active_backend_count = Some(1);
    model.total_backend_count = Some(1);
    model
}

fn price(text: &str) -> Option<Money> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_has_a_price_and_says_that_it_is_emulated() {
        for entry in models() {
            assert!(entry.model.input_price_per_mtok.is_some(), "{}", entry.model.slug);
            assert!(entry.model.description.unwrap().starts_with("Emulated"));
        }
    }
}

//! What tokens cost, as far as prices are known.

use super::UsageSnapshot;
use scaigrid_types::{Model, Money};
use std::collections::BTreeMap;

/// Prices of models, for estimates. Fill it from the gateway's list, or by hand.
///
/// ```no_run
/// # fn run(client: scaigrid::blocking::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use scaigrid::{ListModels, PriceTable};
///
/// let models = client.items(ListModels::new()).collect::<Result<Vec<_>, _>>()?;
/// let prices = PriceTable::from_models(&models).with_price("acme/own", "0.10".parse()?, "0.40".parse()?);
/// let estimate = client.usage().estimated_cost(&prices);
/// println!("about {}; without a price: {:?}", estimate.amount, estimate.unpriced_models);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceTable(BTreeMap<String, Price>);

/// Per million tokens, without a currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Price {
    input: Option<Money>,
    output: Option<Money>,
}

impl PriceTable {
    /// Without any price.
    pub fn new() -> Self {
        Self::default()
    }

    /// The prices that models of the gateway's list have. A model that tells neither price is left out: its tokens have
    /// no price, which is not the same as a price of zero.
    pub fn from_models<'a>(models: impl IntoIterator<Item = &'a Model>) -> Self {
        let prices = models.into_iter().filter_map(|model| {
            let price = Price { input: model.input_price_per_mtok, output: model.output_price_per_mtok };
            (price != Price::default()).then(|| (model.slug.clone(), price))
        });
        Self(prices.collect())
    }

    /// Sets the price of a million input tokens and of a million output tokens of a model, without a currency.
    pub fn with_price(mut self, model: impl Into<String>, input: Money, output: Money) -> Self {
        self.0.insert(model.into(), Price { input: Some(input), output: Some(output) });
        self
    }

    /// Whether a model has a price.
    pub fn contains(&self, model: &str) -> bool {
        self.0.contains_key(model)
    }

    /// The cost of tokens, and how many of them have no price.
    pub(crate) fn cost(&self, model: &str, prompt: u64, completion: u64, total: u64) -> (Money, u64) {
        let price = self.0.get(model).copied().unwrap_or_default();
        // Tokens that the gateway counts and does not call input or output.
        let mut unpriced = total.saturating_sub(prompt.saturating_add(completion));
        let mut cost = Money::ZERO;
        for (tokens, price) in [(prompt, price.input), (completion, price.output)] {
            let Some(price) = price else {
                unpriced = unpriced.saturating_add(tokens);
                continue;
            };
            cost += of_tokens(tokens, price);
        }
        (cost, unpriced)
    }
}

/// What tokens cost at a price for a million. The largest amount, if it is larger.
fn of_tokens(tokens: u64, price: Money) -> Money {
    let (mantissa, scale) = price.parts();
    let product = mantissa.checked_mul(i128::from(tokens));
    product.and_then(|product| Money::from_parts(product, scale + 6)).unwrap_or(Money::MAX)
}

/// What calls may have cost, as far as the client can tell: from [`UsageSnapshot::estimated_cost`]. The gateway's
/// accounting is authoritative.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CostEstimate {
    /// The sum of all tokens that have a price, without a currency.
    pub amount: Money,
    /// The models with tokens that have no price, sorted. Their tokens are not in `amount`.
    pub unpriced_models: Vec<String>,
    /// How many tokens have no price.
    pub unpriced_tokens: u64,
}

impl CostEstimate {
    /// Whether all tokens had a price.
    pub fn is_complete(&self) -> bool {
        self.unpriced_tokens == 0
    }
}

impl UsageSnapshot {
    /// What the tokens cost at these prices. An estimate: it knows only tokens that the gateway told, and no discounts,
    /// images, or minutes of audio. Tokens of models without a price are named, not taken for free.
    pub fn estimated_cost(&self, prices: &PriceTable) -> CostEstimate {
        let mut estimate = CostEstimate::default();
        for (model, sums) in self.by_model() {
            let (cost, unpriced) =
                prices.cost(&model, sums.prompt_tokens, sums.completion_tokens, sums.total_tokens);
            estimate.amount += cost;
            estimate.unpriced_tokens = estimate.unpriced_tokens.saturating_add(unpriced);
            if unpriced > 0 {
                estimate.unpriced_models.push(model);
            }
        }
        estimate
    }
}

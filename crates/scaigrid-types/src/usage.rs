//! Token counts of one call, and their sums.

use crate::lenient;
use serde::{Deserialize, Serialize};
use std::iter::Sum;
use std::ops::{Add, AddAssign};

/// Token counts of one call.
///
/// The three fields are documented for every chat reply (docs: `getting-started/your-first-integration`).
/// They are `None` when the server sent none. A system prompt may be rewritten on the server, so
/// `prompt_tokens` can exceed what was sent.
///
/// ```
/// use scaigrid_types::Usage;
///
/// let mut total = Usage::default();
/// total += Usage::new(25, 5);
/// total += Usage::new(30, 4);
/// assert_eq!(total.total(), 64);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens of the input.
    #[serde(default, deserialize_with = "lenient::opt_u64", skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
    /// Tokens of the output.
    #[serde(default, deserialize_with = "lenient::opt_u64", skip_serializing_if = "Option::is_none")]
    pub completion_tokens: Option<u64>,
    /// Both together.
    #[serde(default, deserialize_with = "lenient::opt_u64", skip_serializing_if = "Option::is_none")]
    pub total_tokens: Option<u64>,
}

impl Usage {
    /// From both counts; the total is their sum.
    pub fn new(prompt_tokens: u64, completion_tokens: u64) -> Self {
        Self {
            prompt_tokens: Some(prompt_tokens),
            completion_tokens: Some(completion_tokens),
            total_tokens: Some(prompt_tokens.saturating_add(completion_tokens)),
        }
    }

    /// Input tokens, 0 when not known.
    pub fn prompt(&self) -> u64 {
        self.prompt_tokens.unwrap_or_default()
    }

    /// Output tokens, 0 when not known.
    pub fn completion(&self) -> u64 {
        self.completion_tokens.unwrap_or_default()
    }

    /// All tokens: `total_tokens`, else the sum of the other two.
    pub fn total(&self) -> u64 {
        self.total_tokens.unwrap_or_else(|| self.prompt().saturating_add(self.completion()))
    }
}

/// Adds field by field; a total that one side lacks is computed first. Saturates.
impl Add for Usage {
    type Output = Usage;

    fn add(self, other: Usage) -> Usage {
        let either = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or_default().saturating_add(b.unwrap_or_default())),
        };
        let known = |usage: &Usage| *usage != Usage::default();
        Usage {
            prompt_tokens: either(self.prompt_tokens, other.prompt_tokens),
            completion_tokens: either(self.completion_tokens, other.completion_tokens),
            total_tokens: (known(&self) || known(&other)).then(|| self.total().saturating_add(other.total())),
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Usage) {
        *self = *self + other;
    }
}

/// Adds nothing for a reply without usage.
impl AddAssign<Option<Usage>> for Usage {
    fn add_assign(&mut self, other: Option<Usage>) {
        *self += other.unwrap_or_default();
    }
}

impl Sum for Usage {
    fn sum<I: Iterator<Item = Usage>>(usages: I) -> Usage {
        usages.fold(Usage::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_keep_what_is_known() {
        let partial: Usage =
            serde_json::from_str(r#"{"prompt_tokens": 5.0, "completion_tokens": null}"#).unwrap();
        assert_eq!(partial.total(), 5);
        let sum: Usage = [partial, Usage::default(), Usage::new(1, 2)].into_iter().sum();
        assert_eq!((sum.prompt(), sum.completion(), sum.total()), (6, 2, 8));
        assert_eq!(Usage::default() + Usage::default(), Usage::default());
        assert_eq!((Usage::new(u64::MAX, 1) + Usage::new(1, 1)).total(), u64::MAX);
    }
}

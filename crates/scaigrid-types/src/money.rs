//! Exact decimal amounts.

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

pub use rust_decimal::Decimal;

/// An exact decimal amount without a currency, such as a cost of `0.007275`.
///
/// The gateway sends amounts as decimal strings and documents no currency (docs: `reference/accounting`).
/// The scale is kept: `62.40` prints as `62.40`. Range: 28 significant digits; a longer fraction is rounded. A JSON number is accepted
/// too (assumed) and read as the shortest decimal that denotes it. Serialises as a string.
///
/// ```
/// use scaigrid_types::Money;
///
/// let total: Money = ["62.40", "0.007275"].iter().map(|text| text.parse::<Money>().unwrap()).sum();
/// assert_eq!(total.to_string(), "62.407275");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(Decimal);

/// The text is not a decimal amount that fits [`Money`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal amount of at most 28 digits")]
pub struct ParseMoneyError(());

impl Money {
    /// No money.
    pub const ZERO: Money = Money(Decimal::ZERO);

    /// The amount as a [`Decimal`] for arithmetic that this type does not offer.
    pub fn to_decimal(self) -> Decimal {
        self.0
    }

    /// The sum, or `None` when it does not fit.
    pub fn checked_add(self, other: Money) -> Option<Money> {
        self.0.checked_add(other.0).map(Money)
    }
}

impl From<Decimal> for Money {
    fn from(amount: Decimal) -> Self {
        Money(amount)
    }
}

impl FromStr for Money {
    type Err = ParseMoneyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // `from_scientific` rounds what does not fit, so it sees only what needs it.
        let amount = if text.contains(['e', 'E']) {
            Decimal::from_scientific(text)
        } else {
            // Exact as far as 28 digits go; a longer fraction is rounded rather than lost.
            Decimal::from_str_exact(text).or_else(|_| Decimal::from_str(text))
        };
        amount.map(Money).map_err(|_| ParseMoneyError(()))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Saturates at the largest amount.
impl Add for Money {
    type Output = Money;

    fn add(self, other: Money) -> Money {
        Money(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Money) {
        *self = *self + other;
    }
}

/// Saturates at the smallest amount.
impl Sub for Money {
    type Output = Money;

    fn sub(self, other: Money) -> Money {
        Money(self.0.saturating_sub(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(amounts: I) -> Money {
        amounts.fold(Money::ZERO, Add::add)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Amount;
        impl Visitor<'_> for Amount {
            type Value = Money;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal amount")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Money, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Money, E> {
                Ok(Money(value.into()))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Money, E> {
                Ok(Money(value.into()))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Money, E> {
                self.visit_str(&value.to_string())
            }
        }
        deserializer.deserialize_any(Amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_keep_their_scale_and_numbers_their_shortest_form() {
        for (json, text) in
            [("\"62.40\"", "62.40"), ("62.47", "62.47"), ("3", "3"), ("-1", "-1"), ("\"1e3\"", "1000")]
        {
            let money: Money = serde_json::from_str(json).unwrap();
            assert_eq!(money.to_string(), text);
            assert_eq!(serde_json::to_string(&money).unwrap(), format!("\"{text}\""));
        }
    }

    #[test]
    fn a_fraction_longer_than_fits_is_rounded() {
        let long: Money = "0.0072750000000000000000000000000".parse().unwrap();
        assert_eq!(long, "0.007275".parse().unwrap());
    }

    #[test]
    fn what_is_not_an_amount_is_an_error() {
        for json in ["\"\"", "\"12 EUR\"", "\"NaN\"", "true", "[]", "1e300", "\"1e300\""] {
            assert!(serde_json::from_str::<Money>(json).is_err(), "{json}");
        }
        assert!("123456789012345678901234567890123".parse::<Money>().is_err());
    }

    #[test]
    fn sums_saturate_instead_of_panicking() {
        let most = Money(Decimal::MAX);
        assert_eq!(most + most, most);
        assert_eq!(most.checked_add(most), None);
    }
}

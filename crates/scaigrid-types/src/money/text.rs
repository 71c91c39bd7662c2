//! Amounts as text, and in JSON.

use super::{Money, ParseMoneyError, rounded_quotient};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Significant digits that are looked at: more than fit, and few enough for 128 bits.
const MAX_DIGITS: u32 = 37;

impl FromStr for Money {
    type Err = ParseMoneyError;

    /// Digits with at most one point, a sign before them, and an exponent behind them if need be: `-62.40`, `1e3`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or(ParseMoneyError(()))
    }
}

fn parse(text: &str) -> Option<Money> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        // `parse` of an integer takes the same signs.
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let unsigned = number.strip_prefix(['-', '+']).unwrap_or(number);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = whole.bytes().chain(fraction.bytes());
    if whole.len() + fraction.len() == 0 || !digits.clone().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (mut mantissa, mut scale) = (0_i128, -i64::try_from(whole.len()).ok()?);
    let mut taken = 0;
    for digit in digits {
        if taken < MAX_DIGITS {
            mantissa = mantissa * 10 + i128::from(digit - b'0');
            taken += u32::from(mantissa != 0);
            scale += 1;
        }
    }
    // Digits of the whole part that were not taken are a larger power of ten; those of the fraction are too fine to count.
    let scale = scale - i64::from(exponent);
    if number.starts_with('-') {
        mantissa = -mantissa;
    }
    match u32::try_from(scale) {
        Ok(scale) => Money::from_parts(mantissa, scale),
        // Too fine for 32 bits cannot be: a text is shorter. So it is a power of ten.
        Err(_) if mantissa == 0 => Some(Money::ZERO),
        Err(_) => {
            let power = 10_i128.checked_pow(u32::try_from(-scale).ok()?)?;
            Money::from_parts(mantissa.checked_mul(power)?, 0)
        }
    }
}

/// A precision, as in `{:.2}`, rounds or adds zeros.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mantissa, scale) = self.parts();
        let places = f.precision().unwrap_or(usize::try_from(scale).unwrap_or_default());
        let dropped = scale.saturating_sub(u32::try_from(places).unwrap_or(u32::MAX));
        let (mantissa, scale) = (rounded_quotient(mantissa, dropped), scale - dropped);
        let shown = usize::try_from(scale).unwrap_or_default();
        let mut digits = format!("{:0>1$}", mantissa.unsigned_abs(), shown + 1);
        if places > 0 {
            digits.insert(digits.len() - shown, '.');
            digits.extend(std::iter::repeat_n('0', places - shown));
        }
        f.pad_integral(mantissa >= 0, "", &digits)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
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
                Ok(Money { mantissa: value.into(), scale: 0 })
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Money, E> {
                Ok(Money { mantissa: value.into(), scale: 0 })
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Money, E> {
                self.visit_str(&value.to_string())
            }
        }
        deserializer.deserialize_any(Amount)
    }
}

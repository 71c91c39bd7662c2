//! Exact decimal amounts.

mod text;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

/// An exact decimal amount without a currency, such as a cost of `0.007275`.
///
/// The gateway sends amounts as decimal strings and documents no currency (docs: `reference/accounting`).
/// The scale is kept: `62.40` prints as `62.40`, and equals `62.4`. Range: 28 significant digits; a longer fraction is rounded,
/// halves away from zero. A JSON number is accepted too (assumed) and read as the shortest decimal that denotes it. Serialises
/// as a string.
///
/// It adds, subtracts, and compares. For other arithmetic take [`parts`](Self::parts) to a decimal crate of your choice, or turn on
/// the feature `rust_decimal`, which converts both ways.
///
/// ```
/// use scaigrid_types::Money;
///
/// let total: Money = ["62.40", "0.007275"].iter().map(|text| text.parse::<Money>().unwrap()).sum();
/// assert_eq!(total.to_string(), "62.407275");
/// ```
#[derive(Clone, Copy, Default)]
pub struct Money {
    /// At most [`MAX_MANTISSA`], either sign.
    mantissa: i128,
    /// Digits behind the point, at most [`MAX_SCALE`].
    scale: u32,
}

/// 96 bits, the range of most decimal libraries.
const MAX_MANTISSA: i128 = (1 << 96) - 1;
const MAX_SCALE: u32 = 28;

/// The text is not a decimal amount that fits [`Money`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal amount of at most 28 digits")]
pub struct ParseMoneyError(());

impl Money {
    /// No money.
    pub const ZERO: Money = Money { mantissa: 0, scale: 0 };
    /// The largest amount, `79228162514264337593543950335`.
    pub const MAX: Money = Money { mantissa: MAX_MANTISSA, scale: 0 };
    /// The smallest amount, [`MAX`](Self::MAX) with a minus.
    pub const MIN: Money = Money { mantissa: -MAX_MANTISSA, scale: 0 };

    /// The amount `mantissa` × 10<sup>-`scale`</sup>, rounded when its fraction is longer than fits. `None` when it is out of range.
    ///
    /// ```
    /// use scaigrid_types::Money;
    ///
    /// assert_eq!(Money::from_parts(6240, 2).unwrap().to_string(), "62.40");
    /// ```
    pub fn from_parts(mantissa: i128, scale: u32) -> Option<Money> {
        let (mut mantissa, mut scale) = (mantissa, scale);
        while scale > MAX_SCALE || mantissa.unsigned_abs() > MAX_MANTISSA.unsigned_abs() {
            // All that is dropped at once: rounding digit by digit would round twice.
            let excess = scale.saturating_sub(MAX_SCALE).max(excess_digits(mantissa));
            if excess > scale {
                return None;
            }
            (mantissa, scale) = (rounded_quotient(mantissa, excess), scale - excess);
        }
        Some(Money { mantissa, scale })
    }

    /// The mantissa, and the number of digits behind the point (0 to 28): `62.40` is `(6240, 2)`.
    pub fn parts(self) -> (i128, u32) {
        (self.mantissa, self.scale)
    }

    /// The sum, or `None` when it does not fit.
    pub fn checked_add(self, other: Money) -> Option<Money> {
        let ((whole, fraction), (more, more_fraction)) = (self.split(), other.split());
        let (whole, fraction) = (whole + more, fraction + more_fraction);
        // The finer scale, or the finest that the whole part leaves room for.
        (0..=self.scale.max(other.scale)).rev().find_map(|scale| {
            let whole = whole.checked_mul(power_of_ten(scale)?)?;
            let mantissa = whole.checked_add(rounded_quotient(fraction, MAX_SCALE - scale))?;
            (mantissa.abs() <= MAX_MANTISSA).then_some(Money { mantissa, scale })
        })
    }

    /// The whole part, and the fraction as a multiple of 10⁻²⁸, each with the sign. Equal amounts have equal ones, whatever their
    /// scale, and they order as the amounts do.
    fn split(self) -> (i128, i128) {
        let unit = power_of_ten(self.scale).unwrap_or(1);
        let finest = power_of_ten(MAX_SCALE - self.scale).unwrap_or(1);
        (self.mantissa / unit, self.mantissa % unit * finest)
    }
}

/// `None` when it does not fit.
fn power_of_ten(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

/// How many digits a mantissa has too many.
fn excess_digits(mantissa: i128) -> u32 {
    let limit = MAX_MANTISSA.unsigned_abs();
    let fits = |&digits: &u32| mantissa.unsigned_abs() / 10_u128.pow(digits) <= limit;
    (0..=MAX_SCALE).find(fits).unwrap_or(MAX_SCALE)
}

/// Divides by a power of ten; halves go away from zero.
fn rounded_quotient(mantissa: i128, digits: u32) -> i128 {
    // Anything divided by more than fits is nothing.
    let Some(divisor) = power_of_ten(digits) else { return 0 };
    let (quotient, rest) = (mantissa / divisor, mantissa % divisor);
    match rest.unsigned_abs() >= divisor.unsigned_abs().div_ceil(2) {
        true => quotient + mantissa.signum(),
        false => quotient,
    }
}

impl PartialEq for Money {
    fn eq(&self, other: &Self) -> bool {
        self.split() == other.split()
    }
}

impl Eq for Money {}

impl Hash for Money {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.split().hash(state);
    }
}

impl Ord for Money {
    fn cmp(&self, other: &Self) -> Ordering {
        self.split().cmp(&other.split())
    }
}

impl PartialOrd for Money {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Money({self})")
    }
}

/// Saturates at the largest amount.
impl Add for Money {
    type Output = Money;

    fn add(self, other: Money) -> Money {
        // Only amounts of the same sign can leave the range.
        let limit = if self.mantissa < 0 { Money::MIN } else { Money::MAX };
        self.checked_add(other).unwrap_or(limit)
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
        self + Money { mantissa: -other.mantissa, scale: other.scale }
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(amounts: I) -> Money {
        amounts.fold(Money::ZERO, Add::add)
    }
}

#[cfg(feature = "rust_decimal")]
impl From<rust_decimal::Decimal> for Money {
    fn from(amount: rust_decimal::Decimal) -> Self {
        Money { mantissa: amount.mantissa(), scale: amount.scale() }
    }
}

#[cfg(feature = "rust_decimal")]
impl From<Money> for rust_decimal::Decimal {
    fn from(amount: Money) -> Self {
        let limit = if amount.mantissa < 0 { Self::MIN } else { Self::MAX };
        // The ranges are the same.
        Self::try_from_i128_with_scale(amount.mantissa, amount.scale).unwrap_or(limit)
    }
}

#[cfg(test)]
mod tests;

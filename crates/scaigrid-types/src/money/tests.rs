use super::*;
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::hash::{BuildHasher, RandomState};

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

#[test]
fn strings_keep_their_scale_and_numbers_their_shortest_form() {
    for (json, text) in [
        ("\"62.40\"", "62.40"),
        ("62.47", "62.47"),
        ("3", "3"),
        ("-1", "-1"),
        ("\"1e3\"", "1000"),
        ("\"12.5E-1\"", "1.25"),
        ("\"+.5\"", "0.5"),
        ("\"-0.05\"", "-0.05"),
        ("\"7.\"", "7"),
        ("1e-7", "0.0000001"),
        ("\"0e99\"", "0"),
        ("\"-0\"", "0"),
    ] {
        let money: Money = serde_json::from_str(json).unwrap();
        assert_eq!(money.to_string(), text);
        assert_eq!(serde_json::to_string(&money).unwrap(), format!("\"{text}\""));
    }
}

#[test]
fn a_fraction_longer_than_fits_is_rounded() {
    assert_eq!(money("0.0072750000000000000000000000000"), money("0.007275"));
    assert_eq!(money("0.99999999999999999999999999995").to_string(), "1.0000000000000000000000000000");
    assert_eq!(money("12345678901234567890123456789.5").to_string(), "12345678901234567890123456790");
    assert_eq!(money("-1234567890.12345678901234567850001").to_string(), "-1234567890.1234567890123456785");
    assert_eq!(money(&format!("1.{}", "0".repeat(100_000))), money("1"));
    assert_eq!(money("1e-2147483648"), Money::ZERO);
}

#[test]
fn what_is_not_an_amount_is_an_error() {
    for json in [
        "\"\"",
        "\"12 EUR\"",
        "\"NaN\"",
        "true",
        "[]",
        "1e300",
        "\"1e300\"",
        "\".\"",
        "\"-\"",
        "\"1.2.3\"",
        "\"--1\"",
        "\"1e\"",
        "\"1e2147483648\"",
        "\"1_000\"",
        "\"\u{0661}\"",
    ] {
        assert!(serde_json::from_str::<Money>(json).is_err(), "{json}");
    }
    assert!("123456789012345678901234567890123".parse::<Money>().is_err());
}

#[test]
fn a_precision_and_a_width_are_kept() {
    let places = |text: &str, places: usize| format!("{:.1$}", money(text), places);
    assert_eq!(places("62.405", 2), "62.41");
    assert_eq!(places("-62.4", 3), "-62.400");
    assert_eq!((places("7", 2), places("0.5", 0)), ("7.00".to_owned(), "1".to_owned()));
    assert_eq!(
        format!("{:>8}|{:<6}|{:>9.3}", money("1.5"), money("-2"), money("0.25")),
        "     1.5|-2    |    0.250"
    );
}

#[test]
fn sums_saturate_instead_of_panicking() {
    assert_eq!(Money::MAX + Money::MAX, Money::MAX);
    assert_eq!(Money::MIN - Money::MAX, Money::MIN);
    assert_eq!(Money::MAX.checked_add(Money::MAX), None);
    assert_eq!(Money::MAX - Money::MAX, Money::ZERO);
}

#[test]
fn parts_out_of_range_are_rounded_or_refused() {
    assert_eq!(Money::from_parts(i128::MAX, 0), None);
    assert_eq!(Money::from_parts(i128::MIN, 38).unwrap().to_string(), "-1.7014118346046923173168730372");
    assert_eq!(Money::from_parts(1, u32::MAX), Some(Money::ZERO));
}

fn amounts() -> impl Strategy<Value = (i128, u32)> {
    let mantissa = prop_oneof![-MAX_MANTISSA..=MAX_MANTISSA, -100_000..=100_000_i128];
    (mantissa, 0..=MAX_SCALE)
}

proptest! {
    /// A decimal library agrees about what amounts are and how they order, and about sums that need no rounding.
    #[test]
    fn as_rust_decimal(a in amounts(), b in amounts()) {
        let ours = |(mantissa, scale)| Money::from_parts(mantissa, scale).unwrap();
        let theirs = |(mantissa, scale)| Decimal::from_i128_with_scale(mantissa, scale);
        let ((a, x), (b, y)) = ((ours(a), theirs(a)), (ours(b), theirs(b)));
        prop_assert_eq!(a.to_string(), x.to_string());
        prop_assert_eq!(money(&x.to_string()).parts(), a.parts());
        prop_assert_eq!(a.cmp(&b), x.cmp(&y));
        if a == b {
            let state = RandomState::new();
            prop_assert_eq!(state.hash_one(a), state.hash_one(b));
        }
        match (a.checked_add(b), x.checked_add(y)) {
            (Some(sum), Some(other)) => {
                // Where digits are dropped, halves may go another way.
                let other = Money { mantissa: other.mantissa(), scale: other.scale() };
                let unit = Money { mantissa: 1, scale: sum.parts().1.min(other.parts().1) };
                let apart = if sum > other { sum - other } else { other - sum };
                prop_assert!(apart <= unit, "{} and {}", sum, other);
                if unit.scale == a.scale.max(b.scale) {
                    prop_assert_eq!(sum.parts(), other.parts());
                }
            }
            (sum, other) => prop_assert_eq!(sum.is_none(), other.is_none()),
        }
    }

    #[test]
    fn no_text_panics(text in "[-+0-9.eE]{0,60}") {
        if let Ok(amount) = text.parse::<Money>() {
            prop_assert_eq!(money(&amount.to_string()).parts(), amount.parts());
        }
    }
}

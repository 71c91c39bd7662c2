//! Decoding helpers for fields that real servers send in more than one form.

use crate::{Content, Money, Usage};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// How an optional field is read where real servers may send something else than is expected. By default strictly: null is
/// absent, and anything of another form an error.
pub(crate) trait Lenient: Sized {
    fn optional<'de, D>(deserializer: D) -> Result<Option<Self>, D::Error>
    where
        D: Deserializer<'de>,
        Self: Deserialize<'de>,
    {
        Option::deserialize(deserializer)
    }
}

/// For `deserialize_with`.
pub(crate) fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Lenient + Deserialize<'de>,
{
    T::optional(deserializer)
}

/// A number is its digits. Anything else is left out: no reply is worth losing for a time in another form.
impl Lenient for String {
    fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Ok(match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) => Some(text.into_owned()),
            Scalar::Number(number) => Some(number.to_string()),
            Scalar::Object | Scalar::Other => None,
        })
    }
}

/// Digits in a text are a number.
impl Lenient for f64 {
    fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Ok(match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            Scalar::Number(number) => Some(number),
            Scalar::Object | Scalar::Other => None,
        })
    }
}

impl Lenient for u64 {
    fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        opt_u64(deserializer)
    }
}

impl Lenient for u32 {
    fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        opt_u32(deserializer)
    }
}

impl Lenient for bool {}
impl Lenient for Value {}
impl Lenient for Map<String, Value> {}
impl Lenient for Money {}
impl Lenient for Usage {}
impl Lenient for Content {}
impl<T> Lenient for Vec<T> {}

/// A missing or null value becomes the default.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// An unsigned integer that may be written as a whole float (`20.0`).
pub(crate) fn opt_u64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    struct Whole;
    impl<'de> Visitor<'de> for Whole {
        type Value = Option<u64>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number of zero or more")
        }
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_any(Whole)
        }
        fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
            Ok(Some(value))
        }
        fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
            u64::try_from(value)
                .map(Some)
                .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(value), &self))
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and in the range")]
        fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
            // 2^53: above it a float no longer names one integer.
            if value.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&value) {
                Ok(Some(value as u64))
            } else {
                Err(E::invalid_value(serde::de::Unexpected::Float(value), &self))
            }
        }
    }
    deserializer.deserialize_option(Whole)
}

/// A string, or nothing when the value has another type: for undocumented fields that some servers use
/// for something else.
pub(crate) fn opt_string_or_ignore<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Ok(match Scalar::deserialize(deserializer)? {
        Scalar::Text(text) => Some(text.into_owned()),
        _ => None,
    })
}

/// Whole seconds of a time, which may have a fraction. Nothing when the value has another type.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the fraction is not wanted; not negative"
)]
pub(crate) fn opt_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(match Scalar::deserialize(deserializer)? {
        Scalar::Number(seconds) if seconds >= 0.0 => Some(seconds as u64),
        _ => None,
    })
}

/// An index that may be written as a whole float.
pub(crate) fn opt_u32<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    Ok(opt_u64(deserializer)?.map(|index| u32::try_from(index).unwrap_or(u32::MAX)))
}

/// A list of strings; elements of other types are skipped.
pub(crate) fn opt_strings<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    let elements: Option<Vec<Scalar<'de>>> = Option::deserialize(deserializer)?;
    let text = |element| match element {
        Scalar::Text(text) => Some(text.into_owned()),
        _ => None,
    };
    Ok(elements.map(|elements| elements.into_iter().filter_map(text).collect()))
}

/// A value that is not kept.
pub(crate) fn dropped<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<()>, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| None)
}

/// Whether the value of `error` says that there is one: an object, or a text that is not empty. Null, `false`, and the
/// like say that there is none.
pub(crate) fn is_error<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match Scalar::deserialize(deserializer)? {
        Scalar::Text(text) => !text.is_empty(),
        Scalar::Object => true,
        _ => false,
    })
}

/// Whether the value of `status` is `"error"`.
pub(crate) fn says_error<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(matches!(Scalar::deserialize(deserializer)?, Scalar::Text(text) if text == "error"))
}

/// Any value, kept as far as it is a text or a number. A text is borrowed where it can be.
enum Scalar<'a> {
    Text(Cow<'a, str>),
    Number(f64),
    Object,
    Other,
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Text(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E: Error>(self, text: String) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Text(Cow::Owned(text)))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Number(number as f64))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Number(number as f64))
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Number(number))
            }
            fn visit_unit<E: Error>(self) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Other)
            }
            fn visit_bool<E: Error>(self, _: bool) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Other)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar<'de>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Object)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Deserialize, PartialEq, Debug)]
    struct Sample {
        #[serde(default, deserialize_with = "super::opt_u64")]
        count: Option<u64>,
        #[serde(default, deserialize_with = "super::opt_string_or_ignore")]
        text: Option<String>,
        #[serde(default, deserialize_with = "super::opt_seconds")]
        created: Option<u64>,
        #[serde(default, deserialize_with = "super::null_as_default")]
        list: Vec<u8>,
    }

    fn decode(json: &str) -> Result<Sample, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn whole_floats_are_integers_and_null_is_absent() {
        assert_eq!(decode(r#"{"count":20.0}"#).unwrap().count, Some(20));
        assert_eq!(decode(r#"{"count":null,"list":null}"#).unwrap(), decode("{}").unwrap());
        for wrong in [r#"{"count":-1}"#, r#"{"count":1.5}"#, r#"{"count":1e30}"#, r#"{"count":"1"}"#] {
            assert!(decode(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_lose_their_fraction_and_odd_ones_are_ignored() {
        for (json, seconds) in [
            ("1713888715.123", Some(1_713_888_715)),
            ("7", Some(7)),
            ("\"x\"", None),
            ("-1", None),
            ("null", None),
            ("{}", None),
        ] {
            assert_eq!(decode(&format!(r#"{{"created":{json}}}"#)).unwrap().created, seconds, "{json}");
        }
    }

    #[test]
    fn text_of_another_type_is_ignored() {
        for other in ["1", "-1", "1.5", "true", "null", r#"{"a":[1]}"#, r#"[{"a":1}]"#] {
            assert_eq!(decode(&format!(r#"{{"text":{other}}}"#)).unwrap().text, None, "{other}");
        }
        assert_eq!(decode(r#"{"text":"x"}"#).unwrap().text.as_deref(), Some("x"));
    }
}

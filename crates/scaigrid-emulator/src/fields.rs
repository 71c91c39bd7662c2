//! Fields of a JSON body, with every problem of a body reported at once.

use crate::reply::Failure;
use scaigrid_types::FieldError;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// Reads fields and collects what is wrong with them. Null counts as absent, unknown keys are ignored (assumed).
#[derive(Debug)]
pub(crate) struct Fields {
    body: Map<String, Value>,
    problems: Vec<FieldError>,
}

impl Fields {
    /// The fields of a body, which must be a JSON object.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Failure> {
        let problem = |message: String| Failure::invalid(&[FieldError::new("body", message)]);
        Self::of(body).map_err(problem)
    }

    /// As [`read`](Self::read), or what is wrong with the text.
    pub(crate) fn of(text: &[u8]) -> Result<Self, String> {
        match serde_json::from_slice(text) {
            Ok(Value::Object(body)) => Ok(Self { body, problems: Vec::new() }),
            Ok(_) => Err("must be a JSON object".to_owned()),
            Err(error) => Err(format!("is not JSON: {error}")),
        }
    }

    /// As [`read`](Self::read), where no body at all counts as an empty object.
    pub(crate) fn read_optional(body: &[u8]) -> Result<Self, Failure> {
        Self::read(if body.is_empty() { b"{}" } else { body })
    }

    pub(crate) fn problem(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.problems.push(FieldError::new(field, message));
    }

    /// Whether the key is there, also with null.
    pub(crate) fn has_key(&self, name: &str) -> bool {
        self.body.contains_key(name)
    }

    /// Whether the field is there and was not read yet, valid or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.body.get(name).is_some_and(|value| !value.is_null())
    }

    /// The value, unless it is null.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.body.remove(name).filter(|value| !value.is_null())
    }

    /// The parsed value. `None` when it is absent, or invalid, which is then a problem with `message`.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(Value) -> Option<T>,
        message: &str,
    ) -> Option<T> {
        let value = parse(self.take(name)?);
        if value.is_none() {
            self.problem(name, message);
        }
        value
    }

    /// As [`parsed`](Self::parsed), but being absent is a problem, too.
    pub(crate) fn required<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(Value) -> Option<T>,
        message: &str,
    ) -> Option<T> {
        self.require(name);
        self.parsed(name, parse, message)
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.parsed(name, into_text, "must be a string")
    }

    /// A text with something in it.
    pub(crate) fn filled_text(&mut self, name: &str) -> Option<String> {
        self.parsed(name, filled_text, "must be a string that is not empty")
    }

    /// A text with something in it that must be there. Empty after a problem.
    pub(crate) fn required_text(&mut self, name: &str) -> String {
        self.require(name);
        self.filled_text(name).unwrap_or_default()
    }

    /// Makes it a problem when the field is absent.
    pub(crate) fn require(&mut self, name: &str) {
        if !self.has(name) {
            self.problem(name, "is required");
        }
    }

    pub(crate) fn object(&mut self, name: &str) -> Option<Map<String, Value>> {
        self.parsed(name, into_object, "must be an object")
    }

    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        self.parsed(name, |value| value.as_bool(), "must be a boolean")
    }

    pub(crate) fn whole(&mut self, name: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let message = match *range.end() {
            u64::MAX => format!("must be a whole number of at least {}", range.start()),
            end => format!("must be a whole number from {} to {end}", range.start()),
        };
        let within = |value| into_whole(&value).filter(|number| range.contains(number));
        self.parsed(name, within, &message)
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let message = format!("must be one of {}", words.join(", "));
        let find = |value: Value| {
            let text = value.as_str()?;
            choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice)
        };
        self.parsed(name, find, &message)
    }

    /// One of several words, as it is.
    pub(crate) fn word(&mut self, name: &str, words: &[&'static str]) -> Option<&'static str> {
        let choices: Vec<(&str, &'static str)> = words.iter().map(|word| (*word, *word)).collect();
        self.choice(name, &choices)
    }

    pub(crate) fn number(&mut self, name: &str, range: RangeInclusive<f64>) -> Option<f64> {
        let message = format!("must be a number from {} to {}", range.start(), range.end());
        self.parsed(name, |value| value.as_f64().filter(|number| range.contains(number)), &message)
    }

    /// Ends the reading: a `VALIDATION_ERROR` if anything was wrong.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        if self.problems.is_empty() { Ok(()) } else { Err(Failure::invalid(&self.problems)) }
    }

    /// Ends the reading of a part of something larger.
    pub(crate) fn into_problems(self) -> Vec<FieldError> {
        self.problems
    }
}

pub(crate) fn into_text(value: Value) -> Option<String> {
    if let Value::String(text) = value { Some(text) } else { None }
}

pub(crate) fn filled_text(value: Value) -> Option<String> {
    into_text(value).filter(|text| !text.trim().is_empty())
}

pub(crate) fn into_object(value: Value) -> Option<Map<String, Value>> {
    if let Value::Object(object) = value { Some(object) } else { None }
}

/// A number without a fraction; `1.0` is one too. Above 2^53 a float no longer names one integer.
fn into_whole(value: &Value) -> Option<u64> {
    let whole = |number: &f64| number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(number);
    value.as_u64().or_else(|| value.as_f64().filter(whole).map(|number| number as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: &str) -> Fields {
        Fields::read(body.as_bytes()).unwrap()
    }

    #[test]
    fn every_problem_is_named_and_null_is_absent() {
        let mut body = fields(r#"{"a":1,"b":" ","c":[],"d":"x","e":2.5,"f":null,"g":"no","h":-1}"#);
        assert_eq!(body.text("a"), None);
        assert_eq!(body.required_text("b"), "");
        assert_eq!(body.object("c"), None);
        assert_eq!(body.flag("d"), None);
        assert_eq!(body.whole("e", 1..=9), None);
        assert_eq!(body.required_text("f"), "");
        assert_eq!(body.choice("g", &[("yes", 1)]), None);
        assert_eq!(body.whole("h", 0..=u64::MAX), None);
        assert!(body.text("z").is_none() && !body.has("z"));
        let named: Vec<&str> = body.problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(named, ["a", "b", "c", "d", "e", "f", "g", "h"]);
        assert!(body.finish().is_err());
    }

    #[test]
    fn valid_fields_are_read() {
        let mut body = fields(r#"{"a":"x","b":{"k":1},"c":true,"d":3.0,"e":"two"}"#);
        assert_eq!(body.required_text("a"), "x");
        assert_eq!(body.object("b").unwrap().len(), 1);
        assert_eq!((body.flag("c"), body.whole("d", 3..=3)), (Some(true), Some(3)));
        assert_eq!(body.choice("e", &[("one", 1), ("two", 2)]), Some(2));
        assert!(body.finish().is_ok());
    }

    #[test]
    fn bodies_must_be_objects() {
        for body in ["", "{", "[]", "1"] {
            assert!(Fields::read(body.as_bytes()).is_err(), "{body}");
        }
        assert!(Fields::read_optional(b"").is_ok());
    }
}

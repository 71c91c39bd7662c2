//! Reads the fields of a flat JSON body and collects everything that is wrong with them.
//!
//! Null counts as absent. Unknown fields are ignored, as for chats.

use crate::reply::Failure;
use scaigrid_types::FieldError;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// The body as an object.
pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, Failure> {
    let problem = |message: String| Failure::invalid(&[FieldError::new("body", message)]);
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(problem("must be a JSON object".to_owned())),
        Err(error) => Err(problem(format!("is not JSON: {error}"))),
    }
}

/// The fields of one body.
pub(crate) struct Fields<'a> {
    body: &'a Map<String, Value>,
    problems: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(body: &'a Map<String, Value>) -> Self {
        Self { body, problems: Vec::new() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.body.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn problem(&mut self, name: impl Into<String>, message: impl Into<String>) {
        self.problems.push(FieldError::new(name, message));
    }

    /// A text that must be there and must not be blank. Empty after a problem.
    pub(crate) fn required_text(&mut self, name: &str) -> &'a str {
        match self.get(name) {
            None => self.problem(name, "is required"),
            Some(Value::String(text)) if text.trim().is_empty() => self.problem(name, "must not be empty"),
            Some(Value::String(text)) => return text,
            Some(_) => self.problem(name, "must be a string"),
        }
        ""
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<&'a str> {
        self.parsed(name, "must be a string", Value::as_str)
    }

    /// One of the `allowed` texts.
    pub(crate) fn one_of(&mut self, name: &str, allowed: &[&'static str]) -> Option<&'static str> {
        let message = format!("must be one of {}", allowed.join(", "));
        let find = |value: &Value| allowed.iter().copied().find(|known| value.as_str() == Some(known));
        self.parsed(name, &message, find)
    }

    /// A whole number; `3.0` is one too.
    pub(crate) fn whole(&mut self, name: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let message = match *range.end() {
            u64::MAX => format!("must be a whole number of at least {}", range.start()),
            end => format!("must be a whole number from {} to {end}", range.start()),
        };
        // Above 2^53 a float no longer names one integer.
        let is_exact =
            |number: &f64| number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(number);
        let whole =
            |value: &Value| value.as_u64().or_else(|| value.as_f64().filter(is_exact).map(|n| n as u64));
        self.parsed(name, &message, |value| whole(value).filter(|number| range.contains(number)))
    }

    pub(crate) fn number(&mut self, name: &str, range: RangeInclusive<f64>) -> Option<f64> {
        let message = format!("must be a number from {} to {}", range.start(), range.end());
        self.parsed(name, &message, |value| value.as_f64().filter(|number| range.contains(number)))
    }

    pub(crate) fn object(&mut self, name: &str) -> Option<&'a Map<String, Value>> {
        self.parsed(name, "must be an object", Value::as_object)
    }

    /// What `parse` makes of the field. `None` when it is absent, or invalid, which is then a problem.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &str,
        message: &str,
        parse: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let parsed = parse(self.get(name)?);
        if parsed.is_none() {
            self.problem(name, message);
        }
        parsed
    }

    /// # Errors
    /// `VALIDATION_ERROR` with every problem.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        if self.problems.is_empty() { Ok(()) } else { Err(Failure::invalid(&self.problems)) }
    }

    pub(crate) fn into_problems(self) -> Vec<FieldError> {
        self.problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(body: &Value) -> (Vec<String>, Option<u64>, Option<&'static str>) {
        let mut fields = Fields::new(body.as_object().unwrap());
        fields.required_text("model");
        let whole = fields.whole("n", 1..=10);
        let one = fields.one_of("style", &["vivid", "natural"]);
        fields.number("speed", 0.25..=4.0);
        fields.object("metadata");
        fields.text("voice");
        (fields.problems.into_iter().map(|problem| problem.field).collect(), whole, one)
    }

    #[test]
    fn every_problem_is_named_and_null_is_absent() {
        let all = ["model", "n", "style", "speed", "metadata", "voice"];
        for (body, problems) in [
            (json!({"model": "m"}), &all[..0]),
            (json!({"model": "m", "n": null, "style": null, "speed": 0.25, "extra": 1}), &all[..0]),
            (
                json!({"model": " ", "n": 11, "style": "bold", "speed": 5, "metadata": [], "voice": 1}),
                &all[..],
            ),
            (json!({"model": 1, "n": 0.5}), &all[..2]),
            (json!({"n": -1}), &all[..2]),
        ] {
            assert_eq!(read(&body).0, problems, "{body}");
        }
        assert_eq!(read(&json!({"model": "m", "n": 3.0, "style": "vivid"})).1, Some(3));
        assert_eq!(read(&json!({"model": "m", "n": 10, "style": "vivid"})).2, Some("vivid"));
    }

    #[test]
    fn a_body_is_an_object() {
        for body in ["", "[]", "1", "{"] {
            assert!(object(body.as_bytes()).is_err(), "{body}");
        }
        assert!(object(b"{}").is_ok());
    }
}

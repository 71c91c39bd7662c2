//! The fields of a JSON body, with every problem of a body reported at once.

use crate::reply::Failure;
use scaigrid_types::FieldError;
use serde_json::{Map, Value};

/// Reads fields and collects what is wrong with them. Unknown fields are ignored, and null counts as absent.
#[derive(Debug)]
pub(crate) struct Fields {
    object: Map<String, Value>,
    problems: Vec<FieldError>,
}

impl Fields {
    /// The body has to be a JSON object.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Failure> {
        let problem = |message: String| Failure::invalid(&[FieldError::new("body", message)]);
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Ok(Self { object, problems: Vec::new() }),
            Ok(_) => Err(problem("must be a JSON object".to_owned())),
            Err(error) => Err(problem(format!("is not JSON: {error}"))),
        }
    }

    /// The parsed field. `None` when it is absent, or invalid, which is then a problem with `message`.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&Value) -> Option<T>,
        message: &str,
    ) -> Option<T> {
        let value = parse(self.object.get(name).filter(|value| !value.is_null())?);
        if value.is_none() {
            self.problem(name, message);
        }
        value
    }

    /// As [`parsed`](Self::parsed), but being absent is a problem, too.
    pub(crate) fn required<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&Value) -> Option<T>,
        message: &str,
    ) -> Option<T> {
        if !self.has(name) {
            self.problem(name, "is required");
        }
        self.parsed(name, parse, message)
    }

    /// Whether the field is there, valid or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(|value| !value.is_null())
    }

    pub(crate) fn problem(&mut self, name: &str, message: &str) {
        self.problems.push(FieldError::new(name, message));
    }

    /// A `VALIDATION_ERROR` if there was any problem.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        if self.problems.is_empty() { Ok(()) } else { Err(Failure::invalid(&self.problems)) }
    }
}

/// A text that is not empty.
pub(crate) fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_are_collected() {
        let mut fields = Fields::read(br#"{"a":1,"b":null,"c":"x","e":""}"#).unwrap();
        assert_eq!(fields.required("c", text, "wrong").as_deref(), Some("x"));
        assert_eq!(fields.parsed("b", text, "wrong"), None);
        for name in ["a", "b", "d", "e"] {
            assert_eq!(fields.required(name, text, "wrong"), None);
        }
        let names: Vec<_> = fields.problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(names, ["a", "b", "d", "e"]);
        assert!(fields.finish().is_err());
        assert!(Fields::read(b"[]").is_err() && Fields::read(b"").is_err());
        assert!(Fields::read(b"{}").unwrap().finish().is_ok());
    }
}

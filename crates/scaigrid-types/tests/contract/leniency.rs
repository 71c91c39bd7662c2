//! The rules of lenient decoding, as properties of every reply type that is an object.

use crate::index::names;
use crate::leniency_cases::cases;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// A decoded reply: how it shows itself, and how it goes out again, if it can.
pub(crate) struct Decoded {
    pub(crate) shown: String,
    pub(crate) encoded: Option<Value>,
}

pub(crate) type Decode = Box<dyn Fn(&Value) -> Result<Decoded, String>>;

/// A reply type, and what is known about it. Places are JSON pointers.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) decode: Decode,
    /// All fields that the type names.
    pub(crate) full: Value,
    /// What must be there; all else is optional.
    pub(crate) required: Vec<&'static str>,
    /// What tells the type from another one; not required, but some of it must be there.
    pub(crate) telling: Vec<&'static str>,
    /// Open enums.
    pub(crate) enums: Vec<&'static str>,
    /// Values of any form, which are kept as they are.
    pub(crate) free: Vec<&'static str>,
    /// Objects that skip unknown fields; the others keep them. `*` is any index.
    pub(crate) skips: Vec<&'static str>,
}

impl Case {
    fn of(&self, value: &Value) -> Decoded {
        (self.decode)(value).unwrap_or_else(|error| panic!("{}: {error}: {value}", self.name))
    }

    /// Every place in `full` outside of free values, with what lies there.
    fn places(&self) -> Vec<(String, Value)> {
        fn walk(value: &Value, at: &str, free: &[&str], places: &mut Vec<(String, Value)>) {
            places.push((at.to_owned(), value.clone()));
            if free.contains(&at) {
                return;
            }
            let children: Vec<(String, &Value)> = match value {
                Value::Object(object) => object.iter().map(|(key, value)| (key.clone(), value)).collect(),
                Value::Array(items) => {
                    items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
                }
                _ => Vec::new(),
            };
            for (key, child) in children {
                walk(child, &format!("{at}/{key}"), free, places);
            }
        }
        let mut places = Vec::new();
        walk(&self.full, "", &self.free, &mut places);
        places
    }

    /// Places of object members.
    fn members(&self) -> Vec<String> {
        let is_member = |(at, _): &(String, Value)| {
            at.rsplit_once('/')
                .is_some_and(|(parent, _)| self.full.pointer(parent).is_some_and(Value::is_object))
        };
        self.places().into_iter().filter(is_member).map(|(at, _)| at).collect()
    }

    fn with(&self, at: &str, value: Value) -> Value {
        let mut changed = self.full.clone();
        *changed.pointer_mut(at).unwrap() = value;
        changed
    }

    fn without(&self, at: &str) -> Value {
        let (parent, key) = at.rsplit_once('/').unwrap();
        let mut changed = self.full.clone();
        changed.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
        changed
    }
}

/// `/choices/*/message` for `/choices/0/message`.
fn pattern(at: &str) -> String {
    let part = |part: &str| if part.parse::<usize>().is_ok() { "*".to_owned() } else { part.to_owned() };
    at.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn the_table_fits_itself() {
    for case in cases() {
        for at in case.required.iter().chain(&case.telling).chain(&case.enums).chain(&case.free) {
            assert!(case.full.pointer(at).is_some(), "{}: no {at}", case.name);
        }
        let patterns: Vec<_> = case.places().iter().map(|(at, _)| pattern(at)).collect();
        for skip in &case.skips {
            assert!(patterns.iter().any(|pattern| pattern == skip), "{}: no {skip}", case.name);
        }
    }
}

/// Every field has the name that the reference gives it, and goes out again under the same name.
#[test]
fn every_field_is_named_and_survives() {
    for case in cases() {
        let decoded = case.of(&case.full);
        assert!(!decoded.shown.contains("extra: {\""), "{}: {}", case.name, decoded.shown);
        if let Some(encoded) = decoded.encoded {
            assert_eq!(encoded, case.full, "{}", case.name);
        }
    }
}

#[test]
fn unknown_fields_are_kept_or_skipped_and_never_fail() {
    let unknown = json!({"deep": [1, {"x": null}], "text": "new"});
    for case in cases() {
        for (at, value) in case.places() {
            if !value.is_object() || case.free.contains(&at.as_str()) {
                continue;
            }
            let mut changed = case.full.clone();
            changed.pointer_mut(&at).unwrap()["x_unknown"] = unknown.clone();
            let decoded = case.of(&changed);
            let Some(encoded) = decoded.encoded else { continue };
            let is_skipped = case.skips.contains(&pattern(&at).as_str());
            let expected = if is_skipped { case.full.clone() } else { changed };
            assert_eq!(encoded, expected, "{} at {at:?}", case.name);
        }
    }
}

#[test]
fn null_is_absent() {
    for case in cases() {
        for at in case.members() {
            if case.required.contains(&at.as_str()) {
                continue;
            }
            let (null, absent) = (case.of(&case.with(&at, Value::Null)), case.of(&case.without(&at)));
            assert_eq!(null.shown, absent.shown, "{} at {at}", case.name);
            assert_eq!(null.encoded, absent.encoded, "{} at {at}", case.name);
        }
    }
}

#[test]
fn integers_and_whole_floats_are_the_same() {
    for case in cases() {
        let full = case.of(&case.full).shown;
        for (at, value) in case.places() {
            let Some(number) = value.as_f64().filter(|number| number.fract() == 0.0) else { continue };
            if case.free.contains(&at.as_str()) {
                continue;
            }
            let other = if value.is_f64() { json!(number as i64) } else { json!(number) };
            assert_eq!(case.of(&case.with(&at, other)).shown, full, "{} at {at}", case.name);
        }
    }
}

#[test]
fn what_is_required_is_named_when_it_is_missing() {
    for case in cases() {
        for at in &case.required {
            let name = at.rsplit_once('/').unwrap().1;
            let error =
                (case.decode)(&case.without(at)).err().unwrap_or_else(|| panic!("{}: {at}", case.name));
            assert!(error.contains(&format!("missing field `{name}`")), "{} at {at}: {error}", case.name);
            assert!((case.decode)(&case.with(at, Value::Null)).is_err(), "{}: null at {at}", case.name);
        }
    }
}

#[test]
fn what_is_required_is_enough() {
    for case in cases() {
        let mut least = json!({});
        // Takes its id from the request where the answer has none.
        if case.name == "batch.cancel" {
            continue;
        }
        for at in case.required.iter().chain(&case.telling).filter(|at| at.matches('/').count() == 1) {
            least[&at[1..]] = case.full.pointer(at).unwrap().clone();
        }
        let decoded = case.of(&least);
        // What is absent is not sent as null, but for a few fields that are documented to be null.
        let Some(Value::Object(encoded)) = decoded.encoded else { continue };
        let with_values: Map<_, _> = encoded
            .into_iter()
            .filter(|(_, value)| !value.is_null() && *value != json!([]) && *value != "")
            .collect();
        assert_eq!(Value::Object(with_values), least, "{}", case.name);
    }
}

#[test]
fn unknown_values_of_enums_survive() {
    for case in cases() {
        for at in &case.enums {
            let changed = case.with(at, json!("brand_new"));
            if let Some(encoded) = case.of(&changed).encoded {
                assert_eq!(encoded, changed, "{} at {at}", case.name);
            }
        }
    }
}

/// Texts where numbers are expected and the like fail with the place, and without the value.
#[test]
fn errors_show_no_values() {
    for case in cases() {
        for (at, value) in case.places() {
            if at.is_empty() {
                continue;
            }
            let wrong = if value.is_string() { json!([["sk_hidden"]]) } else { json!("sk_hidden") };
            if let Err(error) = (case.decode)(&case.with(&at, wrong)) {
                assert!(!error.contains("sk_hidden"), "{} at {at}: {error}", case.name);
            }
        }
    }
}

/// Calls without a case of their own, and why: what they answer with, or the call whose case has the same type.
const WITHOUT_A_CASE: [(&str, &str); 26] = [
    ("accounting.export", "a file"),
    ("api_keys.revoke", "nothing"),
    ("audio.synthesize", "a file"),
    ("audit.export", "a file"),
    ("batch.get", "batch.cancel"),
    ("batch.submit", "batch.cancel"),
    ("chat_stream", "chat"),
    ("health.detailed", "any JSON"),
    ("metrics", "text"),
    ("rooms.add_member", "nothing"),
    ("rooms.archive", "nothing"),
    ("rooms.create", "rooms.get"),
    ("rooms.update", "rooms.get"),
    ("scaimatrix.create_collection", "scaimatrix.collection"),
    ("scaimatrix.delete_collection", "nothing"),
    ("scaimatrix.delete_document", "nothing"),
    ("scaimatrix.fork_collection", "scaimatrix.collection"),
    ("scaimatrix.update_collection", "scaimatrix.collection"),
    ("scaimatrix.upload_document", "scaimatrix.document"),
    ("sessions.create", "sessions.get"),
    ("sessions.delete", "nothing"),
    ("sessions.stream_message", "chat"),
    ("sessions.update", "sessions.get"),
    ("webhooks.create", "webhooks.get"),
    ("webhooks.delete", "nothing"),
    ("webhooks.update", "webhooks.get"),
];

/// The names of fields on the wire are checked here alone: client and emulator share the types.
#[test]
fn every_reply_has_a_case() {
    let cases: BTreeSet<String> = cases().iter().map(|case| case.name.to_owned()).collect();
    let excused: BTreeSet<String> = WITHOUT_A_CASE.iter().map(|(name, _)| (*name).to_owned()).collect();
    let missing: Vec<_> =
        names().into_iter().filter(|name| !cases.contains(name) && !excused.contains(name)).collect();
    assert_eq!(missing, [""; 0], "calls whose reply has no case in leniency_cases.rs");
    for (name, why) in WITHOUT_A_CASE {
        assert!(names().contains(name) && !cases.contains(name), "{name} needs no excuse");
        let is_no_object = ["a file", "any JSON", "nothing", "text"].contains(&why);
        assert!(is_no_object || cases.contains(why), "{name}: no case {why}");
    }
}

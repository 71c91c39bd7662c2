//! The types against the wire reference: every JSON example of it, every call of its index, every shape that it assumes,
//! and its rules of lenient decoding.
//!
//! `examples.json` holds the examples. Each has the section it comes from, what it is, and its level: `documented`,
//! `sibling` (the docs of another product), `client` (seen in an integrator's client), or `assumed`. `filled` says what
//! was put in where the documentation leaves something out or gives names only.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod errors;
mod forms;
mod index;
mod leniency;
mod leniency_cases;
mod lists;
mod platform;
mod raw;
mod replies;
mod requests;
mod round_trips;
mod shapes;
mod streams;

use scaigrid_types::{Endpoint, ReplyError, ResponseBody};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// How many examples each section has. An example that is taken out must be taken out here, too.
const EXAMPLES: [(&str, usize); 29] = [
    ("2", 8),
    ("3.2", 2),
    ("3.3", 8),
    ("4.3", 1),
    ("5", 8),
    ("6.1", 1),
    ("6.2", 7),
    ("6.3", 6),
    ("6.4", 2),
    ("7", 5),
    ("8", 5),
    ("9", 3),
    ("10", 3),
    ("11.1", 3),
    ("11.2", 1),
    ("12", 5),
    ("13", 8),
    ("14.1", 8),
    ("14.2", 3),
    ("15.1", 7),
    ("15.2", 1),
    ("16.1", 4),
    ("16.2", 1),
    ("17", 5),
    ("18", 1),
    ("19", 2),
    ("20", 1),
    ("21.1", 12),
    ("21.2", 2),
];

/// The kinds of examples, each of which is checked as a whole somewhere here.
const KINDS: [&str; 18] = [
    "batch_line",
    "batch_result",
    "chunk",
    "error",
    "error_event",
    "event",
    "form",
    "line",
    "list",
    "message",
    "part",
    "raw_request",
    "raw_response",
    "request",
    "response",
    "sse",
    "tool",
    "tool_choice",
];

/// One example of the reference.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    section: String,
    kind: String,
    level: String,
    what: String,
    #[serde(default)]
    filled: Option<String>,
    json: Box<RawValue>,
}

impl Example {
    /// The JSON as it stands in the reference, apart from white space.
    fn text(&self) -> &str {
        self.json.get()
    }

    fn value(&self) -> Value {
        serde_json::from_str(self.text()).unwrap()
    }

    /// The text of an example that is no JSON.
    fn plain(&self) -> String {
        serde_json::from_str(self.text()).unwrap()
    }
}

fn examples() -> Vec<Example> {
    serde_json::from_str(include_str!("examples.json")).unwrap()
}

fn of_kind(kind: &str) -> Vec<Example> {
    let examples: Vec<Example> = examples().into_iter().filter(|example| example.kind == kind).collect();
    assert!(!examples.is_empty(), "no example is a {kind}");
    examples
}

fn example(what: &str) -> Example {
    examples().into_iter().find(|example| example.what == what).unwrap_or_else(|| panic!("no example {what}"))
}

/// Decodes a JSON answer as the client does.
fn decode<E: Endpoint>(endpoint: &E, json: &str) -> Result<E::Reply, ReplyError> {
    endpoint.decode(ResponseBody::new(json.as_bytes(), Some("application/json")))
}

/// The JSON body of a request, as text.
fn body<E: Endpoint>(endpoint: &E) -> String {
    let body = endpoint.body().unwrap().unwrap();
    assert_eq!(body.content_type, "application/json");
    String::from_utf8(body.as_bytes().unwrap().to_vec()).unwrap()
}

#[test]
fn no_example_is_lost() {
    let mut counts = BTreeMap::new();
    for example in examples() {
        *counts.entry(example.section).or_insert(0) += 1;
    }
    let expected: BTreeMap<_, _> = EXAMPLES.map(|(section, count)| (section.to_owned(), count)).into();
    assert_eq!(counts, expected);
}

#[test]
fn every_example_says_what_it_is() {
    let examples = examples();
    let names: BTreeSet<_> = examples.iter().map(|example| example.what.as_str()).collect();
    assert_eq!(names.len(), examples.len(), "two examples have the same name");
    let kinds: BTreeSet<_> = examples.iter().map(|example| example.kind.as_str()).collect();
    assert_eq!(kinds, KINDS.into(), "a kind that nothing checks");
    for example in &examples {
        let levels = ["documented", "sibling", "client", "assumed"];
        assert!(levels.contains(&example.level.as_str()), "{}: {}", example.what, example.level);
        assert_ne!(example.filled.as_deref(), Some(""), "{}", example.what);
    }
}

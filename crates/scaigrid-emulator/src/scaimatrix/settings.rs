//! What a client can set on a collection.

use crate::fields::Fields;
use crate::reply::Failure;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The largest chunk, in tokens (assumed, as the unit).
const MAX_CHUNK_SIZE: u64 = 8192;

/// Documented defaults.
const CHUNK_SIZE: u64 = 512;
const CHUNK_OVERLAP: u64 = 50;
const GRAPH_MAX_NODES: u64 = 250_000;
const GRAPH_MAX_EDGES: u64 = 500_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Strategy {
    Fixed,
    Paragraph,
    Semantic,
    Markdown,
    Code,
}

const STRATEGIES: [(&str, Strategy); 5] = [
    ("fixed", Strategy::Fixed),
    ("paragraph", Strategy::Paragraph),
    ("semantic", Strategy::Semantic),
    ("markdown", Strategy::Markdown),
    ("code", Strategy::Code),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DefaultAccess {
    Tenant,
    Restricted,
}

/// The documented fields of a collection, also as clients see them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) embedding_model: String,
    pub(crate) chunking_strategy: Strategy,
    pub(crate) chunk_size: u64,
    pub(crate) chunk_overlap: u64,
    pub(crate) graph_enabled: bool,
    pub(crate) graph_extraction_model: Option<String>,
    pub(crate) graph_max_nodes: Option<u64>,
    pub(crate) graph_max_edges: Option<u64>,
    pub(crate) storage_quota_bytes: Option<u64>,
    pub(crate) default_access: DefaultAccess,
}

impl Settings {
    /// Of a new collection. Assumed: the models are not looked up, so that any name does.
    pub(crate) fn read_new(mut fields: Fields) -> Result<Self, Failure> {
        fields.require("name");
        fields.require("embedding_model");
        let defaults = Self {
            name: String::new(),
            description: None,
            metadata: Map::new(),
            embedding_model: String::new(),
            chunking_strategy: Strategy::Paragraph,
            chunk_size: CHUNK_SIZE,
            chunk_overlap: CHUNK_OVERLAP,
            graph_enabled: false,
            graph_extraction_model: None,
            graph_max_nodes: Some(GRAPH_MAX_NODES),
            graph_max_edges: Some(GRAPH_MAX_EDGES),
            storage_quota_bytes: None,
            default_access: DefaultAccess::Tenant,
        };
        defaults.read(fields)
    }

    /// These settings, with what the fields set. Assumed: what is absent stays as it is.
    pub(crate) fn read(self, mut fields: Fields) -> Result<Self, Failure> {
        let name = fields.filled_text("name").unwrap_or(self.name);
        if !name.is_empty() && slug(&name).is_empty() {
            fields.problem("name", "must have a letter or a digit");
        }
        let chunk_size = fields.whole("chunk_size", 1..=MAX_CHUNK_SIZE).unwrap_or(self.chunk_size);
        // Half at most, so that chunks grow with the text and not with its square.
        let largest = chunk_size / 2;
        let overlap = fields.whole("chunk_overlap", 0..=largest);
        let settings = Self {
            name,
            description: fields.text("description").or(self.description),
            metadata: fields.object("metadata").unwrap_or(self.metadata),
            embedding_model: fields.filled_text("embedding_model").unwrap_or(self.embedding_model),
            chunking_strategy: fields
                .choice("chunking_strategy", &STRATEGIES)
                .unwrap_or(self.chunking_strategy),
            chunk_size,
            chunk_overlap: overlap.unwrap_or(self.chunk_overlap.min(largest)),
            graph_enabled: fields.flag("graph_enabled").unwrap_or(self.graph_enabled),
            graph_extraction_model: fields
                .filled_text("graph_extraction_model")
                .or(self.graph_extraction_model),
            graph_max_nodes: limit(&mut fields, "graph_max_nodes", self.graph_max_nodes),
            graph_max_edges: limit(&mut fields, "graph_max_edges", self.graph_max_edges),
            storage_quota_bytes: limit(&mut fields, "storage_quota_bytes", self.storage_quota_bytes),
            default_access: fields
                .choice(
                    "default_access",
                    &[("tenant", DefaultAccess::Tenant), ("restricted", DefaultAccess::Restricted)],
                )
                .unwrap_or(self.default_access),
        };
        if settings.graph_enabled && settings.graph_extraction_model.is_none() {
            fields.problem("graph_extraction_model", "is required with `graph_enabled`");
        }
        fields.finish()?;
        Ok(settings)
    }

    pub(crate) fn chunks_as(&self, other: &Self) -> bool {
        let key = |one: &Self| (one.chunking_strategy, one.chunk_size, one.chunk_overlap);
        key(self) == key(other)
    }

    pub(crate) fn has_graph_of(&self, other: &Self) -> bool {
        let key = |one: &Self| (one.graph_enabled, one.graph_extraction_model.clone());
        !self.graph_enabled || key(self) == key(other)
    }
}

/// Documented: null means unlimited, so here null is not the same as absent.
fn limit(fields: &mut Fields, name: &str, present: Option<u64>) -> Option<u64> {
    if fields.has_key(name) { fields.whole(name, 1..=u64::MAX) } else { present }
}

/// `Acme Handbook` becomes `acme-handbook` (assumed: only that the slug comes from the name is documented).
pub(crate) fn slug(name: &str) -> String {
    let name = name.to_lowercase();
    let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(body: Value) -> Fields {
        Fields::read(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        let settings = Settings::read_new(fields(json!({"name": "A", "embedding_model": "e"}))).unwrap();
        let expected = json!({"name": "A", "description": null, "metadata": {}, "embedding_model": "e",
            "chunking_strategy": "paragraph", "chunk_size": 512, "chunk_overlap": 50, "graph_enabled": false,
            "graph_extraction_model": null, "graph_max_nodes": 250000, "graph_max_edges": 500000,
            "storage_quota_bytes": null, "default_access": "tenant"});
        assert_eq!(json!(settings), expected);
        let unlimited = settings.clone().read(fields(json!({"graph_max_nodes": null}))).unwrap();
        assert_eq!(unlimited.graph_max_nodes, None);
        assert_eq!(unlimited.read(fields(json!({}))).unwrap().graph_max_nodes, None);
        let small = settings.read(fields(json!({"chunk_size": 10}))).unwrap();
        assert_eq!((small.chunk_size, small.chunk_overlap), (10, 5));
    }

    #[test]
    fn slugs_come_from_names() {
        for (name, expected) in [
            ("Acme Handbook", "acme-handbook"),
            ("  Q&A -- 2026 ", "q-a-2026"),
            ("Größe", "größe"),
            ("!", ""),
        ] {
            assert_eq!(slug(name), expected);
        }
    }
}

//! One document, and its way through ingestion.

use super::chunking::{self, MAX_CHUNKS, Span};
use super::settings::Settings;
use crate::ids;
use crate::times;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The documented stages, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    Pending,
    Processing,
    Chunking,
    Embedding,
    GraphExtracting,
    Indexed,
    Failed,
}

/// What a client uploads.
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) content_type: Option<String>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) size_bytes: usize,
    /// `None` for a file that is not UTF-8 text.
    pub(crate) text: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Document {
    id: String,
    pub(crate) name: String,
    content_type: Option<String>,
    metadata: Map<String, Value>,
    pub(crate) size_bytes: usize,
    text: Option<String>,
    pub(crate) stage: Stage,
    error_message: Option<String>,
    chunks: Vec<Span>,
    created_at: String,
    updated_at: String,
}

impl Document {
    pub(crate) fn new(upload: Upload) -> Self {
        let Upload { name, content_type, metadata, size_bytes, text } = upload;
        let now = times::now();
        Self {
            id: ids::with_prefix("doc_"),
            name,
            content_type,
            metadata,
            size_bytes,
            text,
            stage: Stage::Pending,
            error_message: None,
            chunks: Vec::new(),
            created_at: now.clone(),
            updated_at: now,
        }
    }

    /// The same under another id.
    pub(crate) fn copy(&self) -> Self {
        Self { id: ids::with_prefix("doc_"), ..self.clone() }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Whether ingestion is over, well or not.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Indexed | Stage::Failed)
    }

    /// What can be found: nothing before it is indexed.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &str> {
        let text = self.text.as_deref().filter(|_| self.stage == Stage::Indexed).unwrap_or_default();
        self.chunks.iter().filter_map(|(begin, end)| text.get(*begin..*end))
    }

    pub(crate) fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    /// One stage further. Whether that made it searchable.
    pub(crate) fn advance(&mut self, settings: &Settings) -> bool {
        if self.is_done() {
            return false;
        }
        self.updated_at = times::now();
        self.stage = match self.stage {
            Stage::Pending => Stage::Processing,
            Stage::Processing if self.text.is_none() => return self.fail("The file is not UTF-8 text."),
            Stage::Processing => Stage::Chunking,
            Stage::Chunking => return self.chunk(settings, Stage::Embedding),
            Stage::Embedding if settings.graph_enabled => Stage::GraphExtracting,
            _ => Stage::Indexed,
        };
        self.stage == Stage::Indexed
    }

    /// Chunks an indexed document anew.
    pub(crate) fn rechunk(&mut self, settings: &Settings) {
        if self.stage == Stage::Indexed {
            self.updated_at = times::now();
            self.chunk(settings, Stage::Indexed);
        }
    }

    fn chunk(&mut self, settings: &Settings, next: Stage) -> bool {
        self.chunks = chunking::chunks(self.text.as_deref().unwrap_or_default(), settings);
        match self.chunks.len() {
            0 => return self.fail("The file holds no text."),
            count if count > MAX_CHUNKS => return self.fail("The file has more than 10000 chunks."),
            _ => {}
        }
        self.stage = next;
        false
    }

    fn fail(&mut self, message: &str) -> bool {
        self.stage = Stage::Failed;
        self.error_message = Some(message.to_owned());
        self.chunks = Vec::new();
        false
    }

    /// As clients see it.
    pub(crate) fn view(&self, collection_id: &str) -> Value {
        json!({
            "id": self.id,
            "collection_id": collection_id,
            "name": self.name,
            "content_type": self.content_type,
            "metadata": self.metadata,
            "size_bytes": self.size_bytes,
            "status": self.stage,
            "error_message": self.error_message,
            "chunk_count": self.chunks.len(),
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        })
    }

    /// What it takes in memory, roughly, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let metadata = Value::Object(self.metadata.clone()).to_string().len();
        self.text.as_ref().map_or(0, String::len) + self.name.len() + metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::Fields;

    fn stages(text: Option<&str>, body: &str) -> (Vec<Stage>, Document) {
        let settings = Settings::read_new(Fields::read(body.as_bytes()).unwrap()).unwrap();
        let mut document = Document::new(Upload {
            name: "a.md".to_owned(),
            content_type: None,
            metadata: Map::new(),
            size_bytes: 1,
            text: text.map(str::to_owned),
        });
        let mut stages = vec![document.stage];
        while !document.is_done() {
            assert_eq!(document.chunks().count(), 0);
            let indexed = document.advance(&settings);
            stages.push(document.stage);
            assert_eq!(indexed, document.stage == Stage::Indexed);
        }
        assert!(!document.advance(&settings));
        (stages, document)
    }

    #[test]
    fn texts_pass_all_stages() {
        use Stage::{Chunking, Embedding, GraphExtracting, Indexed, Pending, Processing};
        let plain = r#"{"name":"a","embedding_model":"e"}"#;
        let (passed, document) = stages(Some("One.\n\nTwo."), plain);
        assert_eq!(passed, [Pending, Processing, Chunking, Embedding, Indexed]);
        assert_eq!(document.chunks().collect::<Vec<_>>(), ["One.", "Two."]);
        let graph = r#"{"name":"a","embedding_model":"e","graph_enabled":true,"graph_extraction_model":"m"}"#;
        let (passed, _) = stages(Some("One."), graph);
        assert_eq!(passed, [Pending, Processing, Chunking, Embedding, GraphExtracting, Indexed]);
    }

    #[test]
    fn what_cannot_be_read_fails() {
        let plain = r#"{"name":"a","embedding_model":"e"}"#;
        let many = "a\n\n".repeat(MAX_CHUNKS + 1);
        for (text, message) in [(None, "UTF-8"), (Some(" \n"), "no text"), (Some(many.as_str()), "10000")] {
            let (passed, document) = stages(text, plain);
            assert_eq!(passed.last(), Some(&Stage::Failed));
            let view = document.view("col_1");
            assert!(view["error_message"].as_str().unwrap().contains(message), "{view}");
            assert_eq!(view["chunk_count"], 0);
        }
    }
}

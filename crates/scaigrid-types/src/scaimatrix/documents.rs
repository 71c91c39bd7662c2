//! Documents.

use crate::macros::{endpoint, object, paginated, query};
use crate::open_enum::open_enum;
use crate::{
    Endpoint, InvalidRequest, Method, Multipart, Page, Path, ReplyError, RequestBody, ResponseBody, Upload,
};
use serde_json::{Map, Value};
use std::time::Duration;

/// Adds a document: `POST /v1/modules/scaimatrix/collections/{id}/documents`. Documented; the names of the form's fields are
/// seen in an integrator's client.
///
/// It is indexed later: see [`DocumentStatus`], and the clients' `wait_until_indexed`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UploadDocument {
    /// Where to.
    pub collection_id: String,
    /// The document.
    pub file: Upload,
    /// A name for people. Default: the file name.
    pub name: Option<String>,
    /// Free-form facts.
    pub metadata: Option<Map<String, Value>>,
}

impl UploadDocument {
    /// A document for a collection.
    pub fn new(collection_id: impl Into<String>, file: Upload) -> Self {
        Self { collection_id: collection_id.into(), file, name: None, metadata: None }
    }

    /// Sets the name for people.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Adds a free-form fact.
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.get_or_insert_default().insert(key.into(), value.into());
        self
    }
}

impl Endpoint for UploadDocument {
    type Reply = Document;

    fn name(&self) -> &'static str {
        "scaimatrix.upload_document"
    }

    fn method(&self) -> Method {
        Method::Post
    }

    fn path(&self) -> Path {
        documents(&self.collection_id)
    }

    fn body(&self) -> Result<Option<RequestBody>, InvalidRequest> {
        let metadata = self.metadata.clone().map(Value::Object);
        let form = Multipart::new().field_opt("name", self.name.as_ref()).field_opt("metadata", metadata);
        form.file("file", &self.file).into_body().map(Some)
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(120)
    }

    fn decode(&self, body: ResponseBody<'_>) -> Result<Document, ReplyError> {
        body.data()
    }
}

fn documents(collection_id: &str) -> Path {
    Path::from_static("/v1/modules/scaimatrix/collections").segment(collection_id).segment("documents")
}

query! {
    /// Lists a collection's documents: `GET /v1/modules/scaimatrix/collections/{id}/documents`. Documented; the parameters are
    /// assumed.
    ListDocuments(collection_id) {
        /// Most items of one page. Assumed.
        limit: u32,
        /// Where to go on: [`Page::next_cursor`] of the page before. Assumed.
        cursor: String,
    }
}

endpoint! {
    ListDocuments => Page<Document>, "scaimatrix.documents",
        Get "/v1/modules/scaimatrix/collections" / collection_id / "documents", page + query
}

paginated!(ListDocuments => Document);

/// One document: `GET /v1/modules/scaimatrix/collections/{id}/documents/{doc_id}`. Documented.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GetDocument {
    /// Whose.
    pub collection_id: String,
    /// Which.
    pub document_id: String,
}

impl GetDocument {
    /// A document of a collection.
    pub fn new(collection_id: impl Into<String>, document_id: impl Into<String>) -> Self {
        Self { collection_id: collection_id.into(), document_id: document_id.into() }
    }
}

endpoint! {
    GetDocument => Document, "scaimatrix.document",
        Get "/v1/modules/scaimatrix/collections" / collection_id / "documents" / document_id, data
}

/// Deletes a document: `DELETE /v1/modules/scaimatrix/collections/{id}/documents/{doc_id}`. Seen in an integrator's client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeleteDocument {
    /// Whose.
    pub collection_id: String,
    /// Which.
    pub document_id: String,
}

impl DeleteDocument {
    /// A document of a collection.
    pub fn new(collection_id: impl Into<String>, document_id: impl Into<String>) -> Self {
        Self { collection_id: collection_id.into(), document_id: document_id.into() }
    }
}

endpoint! {
    DeleteDocument => (), "scaimatrix.delete_document",
        Delete "/v1/modules/scaimatrix/collections" / collection_id / "documents" / document_id, empty
}

open_enum! {
    /// Where a document stands. Documented.
    DocumentStatus {
        /// Waits for its turn.
        Pending = "pending",
        /// Being read.
        Processing = "processing",
        /// Being cut.
        Chunking = "chunking",
        /// Vectors are being made.
        Embedding = "embedding",
        /// The graph is being made.
        GraphExtracting = "graph_extracting",
        /// Can be found.
        Indexed = "indexed",
        /// Cannot be indexed.
        Failed = "failed",
    }
}

impl DocumentStatus {
    /// Whether nothing more will happen: indexed, or failed.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Indexed | Self::Failed)
    }
}

object! {
    /// A document. `status` and `error_message` are documented, the rest is assumed.
    Document {
        ;
        /// Names it. Absent in some answers.
        id: String,
        /// A name for people.
        name: String,
        /// Where it stands.
        status: DocumentStatus,
        /// Why it failed.
        error_message: String,
        /// Free-form facts.
        metadata: Value,
        /// When it was uploaded.
        created_at: String,
    }
}

impl Document {
    /// Whether nothing more will happen. An unknown status counts as going on.
    pub fn is_final(&self) -> bool {
        self.status.as_ref().is_some_and(DocumentStatus::is_final)
    }
}

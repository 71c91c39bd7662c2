//! `/collections/{id}/documents`: upload, list, show, delete; and the ingestion that follows an upload.

use super::collection::Permission;
use super::document::{Document, Upload};
use super::store::no_document;
use crate::call::Call;
use crate::events::Event;
use crate::gateway::Gateway;
use crate::listing;
use crate::path::Param;
use crate::query::RawQuery;
use crate::reply::{Failure, Reply};
use crate::sync::lock;
use axum::extract::Query;
use axum::extract::multipart::{Multipart, MultipartError, MultipartRejection};
use axum::response::Response;
use bytes::Bytes;
use scaigrid_types::FieldError;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// What takes a document from one stage to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ingestion {
    /// So much time. With none, a document is done before the next request is read.
    Pace(Duration),
    /// Each `GET` of the document.
    Polls,
}

impl Default for Ingestion {
    fn default() -> Self {
        Self::Pace(Duration::ZERO)
    }
}

pub(crate) async fn upload(
    call: Call,
    Param(collection): Param<String>,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    call.created(store(&call, &collection, form).await.map(Reply::new))
}

async fn store(
    call: &Call,
    collection: &str,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Value, Failure> {
    lock(&call.gateway.collections).find(collection, &call.account.user_id, Permission::Write)?;
    let form = form.map_err(|error| Failure::invalid(&[FieldError::new("body", error.body_text())]))?;
    let document = Document::new(read(form).await?);
    let view = {
        let mut collections = lock(&call.gateway.collections);
        collections.add_document(collection, &call.account.user_id, document)?.view(collection)
    };
    if let Some(document) = view.get("id").and_then(Value::as_str) {
        begin(&call.gateway, collection.to_owned(), document.to_owned());
    }
    Ok(view)
}

/// The parts `file`, `name`, and `metadata`, the last one as JSON text. Other parts are ignored (assumed).
async fn read(mut form: Multipart) -> Result<Upload, Failure> {
    let broken = |error: MultipartError| Failure::invalid(&[FieldError::new("body", error.body_text())]);
    let mut file: Option<(Bytes, Option<String>, Option<String>)> = None;
    let mut name = None;
    let mut metadata = None;
    while let Some(part) = form.next_field().await.map_err(broken)? {
        match part.name() {
            Some("file") => {
                let file_name = part.file_name().map(str::to_owned);
                let content_type = part.content_type().map(str::to_owned);
                file = Some((part.bytes().await.map_err(broken)?, file_name, content_type));
            }
            Some("name") => name = Some(part.text().await.map_err(broken)?),
            Some("metadata") => metadata = Some(part.text().await.map_err(broken)?),
            _ => {}
        }
    }

    let mut problems = Vec::new();
    if file.is_none() {
        problems.push(FieldError::new("file", "is required"));
    }
    let (bytes, file_name, content_type) = file.unwrap_or_default();
    let name = name.or(file_name).filter(|name| !name.trim().is_empty()).unwrap_or_else(|| {
        problems.push(FieldError::new("name", "is required, because the file has no name"));
        String::new()
    });
    let metadata = metadata.map_or(Some(Map::new()), |text| serde_json::from_str(&text).ok());
    if metadata.is_none() {
        problems.push(FieldError::new("metadata", "must be a JSON object, as text"));
    }
    if !problems.is_empty() {
        return Err(Failure::invalid(&problems));
    }
    Ok(Upload {
        name,
        content_type,
        metadata: metadata.unwrap_or_default(),
        size_bytes: bytes.len(),
        text: String::from_utf8(bytes.into()).ok(),
    })
}

/// Lets ingestion run its course, unless polls drive it.
fn begin(gateway: &Arc<Gateway>, collection: String, document: String) {
    match gateway.settings.ingestion {
        Ingestion::Polls => {}
        Ingestion::Pace(Duration::ZERO) => while advance(gateway, &collection, &document) {},
        Ingestion::Pace(pace) => {
            let gateway = Arc::clone(gateway);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(pace).await;
                    if !advance(&gateway, &collection, &document) {
                        break;
                    }
                }
            });
        }
    }
}

/// Takes up the ingestion of all documents that are not done, in state that was loaded. Needs a runtime.
pub(crate) fn resume(gateway: &Arc<Gateway>) {
    let undone = lock(&gateway.collections).undone();
    for (collection, document) in undone {
        begin(gateway, collection, document);
    }
}

/// One stage further. Whether there are more.
fn advance(gateway: &Gateway, collection_id: &str, document_id: &str) -> bool {
    let mut collections = lock(&gateway.collections);
    let Some(collection) = collections.get_mut(collection_id) else { return false };
    let mut documents = collection.documents.iter_mut();
    let Some(document) = documents.find(|document| document.id() == document_id) else { return false };
    if document.advance(&collection.settings) {
        // The payload is assumed.
        gateway.events.emit(Event {
            event_type: "scaimatrix.document.indexed".to_owned(),
            source: "scaimatrix",
            payload: json!({
                "collection_id": collection_id,
                "document_id": document_id,
                "document_name": document.name,
                "chunk_count": document.chunk_count(),
            }),
        });
    }
    !document.is_done()
}

pub(crate) async fn list(call: Call, Param(collection): Param<String>, Query(pairs): RawQuery) -> Response {
    let collections = lock(&call.gateway.collections);
    let found = collections.find(&collection, &call.account.user_id, Permission::Write);
    let listed = found.and_then(|found| {
        let window = listing::only_window(pairs)?;
        Ok(listing::page(found.documents.iter().map(|document| document.view(&collection)), window))
    });
    call.paged_in_meta(listed)
}

pub(crate) async fn show(call: Call, Param((collection, document)): Param<(String, String)>) -> Response {
    let find = || {
        let collections = lock(&call.gateway.collections);
        let found = collections.find(&collection, &call.account.user_id, Permission::Write)?;
        let found = found.document(&document).ok_or_else(no_document)?;
        Ok(Reply::new(found.view(&collection)))
    };
    // Before a poll moves it: the user must be allowed to look.
    let view = find().and_then(|view| {
        if call.gateway.settings.ingestion != Ingestion::Polls {
            return Ok(view);
        }
        advance(&call.gateway, &collection, &document);
        find()
    });
    call.answer(view)
}

pub(crate) async fn delete(call: Call, Param((collection, document)): Param<(String, String)>) -> Response {
    let mut collections = lock(&call.gateway.collections);
    let found = collections.find_mut(&collection, &call.account.user_id, Permission::Write);
    let deleted = found.and_then(|found| {
        found.document(&document).ok_or_else(no_document)?;
        found.documents.retain(|one| one.id() != document);
        Ok(Reply::new(json!({"deleted": true})))
    });
    call.answer(deleted)
}

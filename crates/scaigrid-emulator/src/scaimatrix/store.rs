//! All collections.

use super::collection::{Collection, Permission};
use super::document::Document;
use crate::reply::Failure;
use scaigrid_types::ErrorCode;
use serde::{Deserialize, Serialize};

/// The most collections that are kept.
pub(crate) const MAX_COLLECTIONS: usize = 100;

/// The most documents in a collection.
pub(crate) const MAX_DOCUMENTS: usize = 1000;

/// The most text in all collections together, in bytes.
pub(crate) const MAX_BYTES: usize = 64 * 1024 * 1024;

pub(crate) fn no_collection() -> Failure {
    Failure::not_found("No collection has this id.")
}

pub(crate) fn no_document() -> Failure {
    Failure::not_found("The collection has no document with this id.")
}

/// All collections, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Collections {
    collections: Vec<Collection>,
}

impl Collections {
    pub(crate) fn all(&self) -> &[Collection] {
        &self.collections
    }

    /// The ids of collection and document, for each document that is not done.
    pub(crate) fn undone(&self) -> Vec<(String, String)> {
        let of = |collection: &Collection| -> Vec<(String, String)> {
            let undone = collection.documents.iter().filter(|document| !document.is_done());
            undone.map(|document| (collection.id().to_owned(), document.id().to_owned())).collect()
        };
        self.collections.iter().flat_map(of).collect()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Collection> {
        self.collections.iter().find(|collection| collection.id() == id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Collection> {
        self.collections.iter_mut().find(|collection| collection.id() == id)
    }

    /// The collection, if the user may do that much with it.
    pub(crate) fn find(&self, id: &str, user_id: &str, needed: Permission) -> Result<&Collection, Failure> {
        let collection = self.get(id).ok_or_else(no_collection)?;
        if collection.permission(user_id) < Some(needed) {
            let message = "You may not do this with the collection.";
            return Err(Failure::new(ErrorCode::AuthzPermissionDenied, message));
        }
        Ok(collection)
    }

    pub(crate) fn find_mut(
        &mut self,
        id: &str,
        user_id: &str,
        needed: Permission,
    ) -> Result<&mut Collection, Failure> {
        self.find(id, user_id, needed)?;
        self.get_mut(id).ok_or_else(no_collection)
    }

    pub(crate) fn add(&mut self, collection: Collection) -> Result<&Collection, Failure> {
        if self.collections.iter().any(|present| present.slug == collection.slug) {
            let message = format!("A collection has the slug `{}` already.", collection.slug);
            return Err(Failure::new(ErrorCode::SlugConflict, message));
        }
        if self.collections.len() >= MAX_COLLECTIONS {
            return Err(full("The emulator keeps no more than 100 collections: delete some."));
        }
        self.make_room(collection.bytes())?;
        let position = self.collections.len();
        self.collections.push(collection);
        self.collections.get(position).ok_or_else(no_collection)
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.collections.retain(|collection| collection.id() != id);
    }

    /// Adds a document to a collection that the user may write to.
    pub(crate) fn add_document(
        &mut self,
        id: &str,
        user_id: &str,
        document: Document,
    ) -> Result<&Document, Failure> {
        self.make_room(document.bytes())?;
        let collection = self.find_mut(id, user_id, Permission::Write)?;
        if collection.documents.len() >= MAX_DOCUMENTS {
            return Err(full("The emulator keeps no more than 1000 documents in a collection."));
        }
        let size = u64::try_from(document.size_bytes).unwrap_or(u64::MAX);
        let quota = collection.settings.storage_quota_bytes.unwrap_or(u64::MAX);
        if collection.stored().saturating_add(size) > quota {
            return Err(full("The document does not fit into the collection's `storage_quota_bytes`."));
        }
        collection.documents.push(document);
        collection.documents.last().ok_or_else(no_document)
    }

    /// Sums up anew each time: there are few collections, and uploads are rare.
    pub(crate) fn make_room(&self, bytes: usize) -> Result<(), Failure> {
        let sum = self.collections.iter().map(Collection::bytes).fold(bytes, usize::saturating_add);
        if sum > MAX_BYTES {
            return Err(full("The emulator keeps no more than 64 MiB of documents: delete some."));
        }
        Ok(())
    }
}

/// The code is documented for hard quotas.
fn full(message: &str) -> Failure {
    Failure::new(ErrorCode::QuotaExceeded, message)
}

#[cfg(test)]
mod tests {
    use super::super::document::Upload;
    use super::super::settings::Settings;
    use super::*;
    use crate::fields::Fields;
    use serde_json::{Map, json};

    fn collection(name: &str, quota: Option<u64>) -> Collection {
        let body = json!({"name": name, "embedding_model": "e", "storage_quota_bytes": quota});
        let fields = Fields::read(body.to_string().as_bytes()).unwrap();
        Collection::new("user_1", Settings::read_new(fields).unwrap())
    }

    fn document(text: &str) -> Document {
        Document::new(Upload {
            name: "a".to_owned(),
            content_type: None,
            metadata: Map::new(),
            size_bytes: text.len(),
            text: Some(text.to_owned()),
        })
    }

    #[test]
    fn collections_and_documents_are_limited() {
        let mut all = Collections::default();
        let id = all.add(collection("c", Some(10))).unwrap().id().to_owned();
        assert!(all.add(collection("C!", None)).is_err(), "the slug is taken");
        all.add_document(&id, "user_1", document("12345")).unwrap();
        all.add_document(&id, "user_2", document("12345")).unwrap();
        assert!(all.add_document(&id, "user_1", document("1")).is_err(), "over its quota");
        for number in 1..MAX_COLLECTIONS {
            all.add(collection(&number.to_string(), None)).unwrap();
        }
        assert!(all.add(collection("one more", None)).is_err());
        all.remove(&id);
        let id = all.add(collection("one more", None)).unwrap().id().to_owned();
        for _ in 0..MAX_DOCUMENTS {
            all.add_document(&id, "user_1", document("")).unwrap();
        }
        assert!(all.add_document(&id, "user_1", document("")).is_err());
        let other = all.collections[0].id().to_owned();
        assert!(all.add_document(&other, "user_1", document(&"x".repeat(MAX_BYTES))).is_err());

        let text = serde_json::to_string(&all).unwrap();
        let again: Collections = serde_json::from_str(&text).unwrap();
        assert_eq!(again.get(&id).unwrap().view("user_1"), all.get(&id).unwrap().view("user_1"));
    }
}

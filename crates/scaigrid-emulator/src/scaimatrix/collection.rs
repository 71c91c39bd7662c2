//! One collection, and who may do what with it.

use super::document::Document;
use super::settings::{DefaultAccess, Settings, slug};
use crate::ids;
use crate::times;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a user may do, the greater the more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Permission {
    Write,
    Manage,
}

/// The documented bits of access control.
const BITS: [(&str, u64); 8] = [
    ("read", 1),
    ("write", 2),
    ("delete", 4),
    ("ingest", 8),
    ("list", 16),
    ("read_permissions", 32),
    ("change_permissions", 64),
    ("take_ownership", 128),
];

impl Permission {
    /// Assumed: who may write may do everything with documents.
    fn bits(self) -> u64 {
        match self {
            Permission::Write => 1 | 2 | 4 | 8 | 16,
            Permission::Manage => 255,
        }
    }
}

/// Each documented right, and whether a user has it.
pub(crate) fn rights(permission: Option<Permission>) -> Value {
    let bits = permission.map_or(0, Permission::bits);
    let can: Value = BITS.iter().map(|(name, bit)| ((*name).to_owned(), json!(bits & bit != 0))).collect();
    json!({"can": can, "bits": bits})
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Collection {
    id: String,
    pub(crate) slug: String,
    owner_id: String,
    pub(crate) settings: Settings,
    pub(crate) documents: Vec<Document>,
    created_at: String,
    updated_at: String,
}

impl Collection {
    pub(crate) fn new(owner_id: &str, settings: Settings) -> Self {
        let now = times::now();
        Self {
            id: ids::with_prefix("col_"),
            slug: slug(&settings.name),
            owner_id: owner_id.to_owned(),
            settings,
            documents: Vec::new(),
            created_at: now.clone(),
            updated_at: now,
        }
    }

    /// Another collection with copies of all documents that are done.
    pub(crate) fn fork(&self, owner_id: &str, settings: Settings) -> Self {
        let done = self.documents.iter().filter(|document| document.is_done());
        Self { documents: done.map(Document::copy).collect(), ..Self::new(owner_id, settings) }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Assumed: the creator manages it, and `default_access` decides whether the others of the tenant may
    /// write to it, or nothing at all.
    pub(crate) fn permission(&self, user_id: &str) -> Option<Permission> {
        if self.owner_id == user_id {
            return Some(Permission::Manage);
        }
        (self.settings.default_access == DefaultAccess::Tenant).then_some(Permission::Write)
    }

    /// Assumed: the slug stays when the name changes, because others may hold it.
    pub(crate) fn apply(&mut self, settings: Settings) {
        self.settings = settings;
        self.updated_at = times::now();
    }

    pub(crate) fn document(&self, id: &str) -> Option<&Document> {
        self.documents.iter().find(|document| document.id() == id)
    }

    /// What is stored, in bytes as uploaded.
    pub(crate) fn stored(&self) -> u64 {
        let sizes = self.documents.iter().map(|document| document.size_bytes);
        u64::try_from(sizes.fold(0, usize::saturating_add)).unwrap_or(u64::MAX)
    }

    /// What it takes in memory, roughly, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let own = json!(self.settings).to_string().len();
        self.documents.iter().map(Document::bytes).fold(own, usize::saturating_add)
    }

    /// As a user sees it. `user_permission` is documented for lists.
    pub(crate) fn view(&self, user_id: &str) -> Value {
        let mut view = json!(self.settings);
        let facts = json!({
            "id": self.id,
            "slug": self.slug,
            "owner_id": self.owner_id,
            "user_permission": self.permission(user_id),
            "document_count": self.documents.len(),
            "storage_used_bytes": self.stored(),
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        });
        if let (Value::Object(view), Value::Object(facts)) = (&mut view, facts) {
            view.extend(facts);
        }
        view
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_bits() {
        let rights = |permission| rights(permission);
        assert_eq!(rights(Some(Permission::Manage))["can"]["take_ownership"], true);
        let write = rights(Some(Permission::Write));
        assert_eq!(
            (&write["can"]["ingest"], &write["can"]["change_permissions"]),
            (&json!(true), &json!(false))
        );
        assert_eq!((&rights(None)["bits"], &rights(None)["can"]["read"]), (&json!(0), &json!(false)));
    }
}

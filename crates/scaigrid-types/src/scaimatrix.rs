//! ScaiMatrix: collections of knowledge, their documents, and search.
//!
//! Source: docs `scaimatrix/reference/api`, `scaimatrix/concepts/acls`, and its tutorials. What is marked as *seen in an
//! integrator's client* is weaker than documented. Users have none of the module's permissions by default: expect
//! `AUTHZ_PERMISSION_DENIED`, or `MODULE_NOT_ENABLED`.

mod collections;
mod documents;
mod search;

pub use collections::{
    ChunkingStrategy, Collection, CollectionAccess, CollectionPermission, CreateCollection, DeleteCollection,
    ForkCollection, GetCollection, Limit, ListCollections, UpdateCollection,
};
pub use documents::{DeleteDocument, Document, DocumentStatus, GetDocument, ListDocuments, UploadDocument};
pub use search::{SearchCollection, SearchHit, SearchResults, SearchType};

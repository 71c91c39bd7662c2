//! Collections.

use crate::Page;
use crate::macros::{by_id, endpoint, object, paginated, query, request};
use crate::open_enum::open_enum;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

open_enum! {
    /// How documents are cut. Documented.
    ChunkingStrategy {
        /// After so many characters.
        Fixed = "fixed",
        /// At paragraphs; the default.
        Paragraph = "paragraph",
        /// By meaning.
        Semantic = "semantic",
        /// At Markdown's headings.
        Markdown = "markdown",
        /// At functions and types.
        Code = "code",
    }
}

open_enum! {
    /// Who may use a collection by default. Documented.
    CollectionAccess {
        /// All of the tenant; the default.
        Tenant = "tenant",
        /// Those who were given access.
        Restricted = "restricted",
    }
}

open_enum! {
    /// What the caller may do with a collection. Documented.
    CollectionPermission {
        /// Search.
        Read = "read",
        /// Add documents, too.
        Write = "write",
        /// Everything.
        Manage = "manage",
    }
}

/// How much there may be of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Limit {
    /// Not more than this.
    AtMost(u64),
    /// As much as there is; sent as null.
    Unlimited,
}

impl From<u64> for Limit {
    fn from(most: u64) -> Self {
        Self::AtMost(most)
    }
}

request! {
    /// Makes a collection: `POST /v1/modules/scaimatrix/collections`. All fields are documented. A name that gives the slug
    /// of another collection fails with `SLUG_CONFLICT`.
    CreateCollection {
        /// A name for people; the slug is made from it.
        name: String,
        /// The frontend slug of an embedding model.
        embedding_model: String,
        ;
        /// What it is for.
        description: String,
        /// Free-form facts.
        metadata: Map<String, Value>,
        /// How documents are cut. Default: at paragraphs.
        chunking_strategy: ChunkingStrategy,
        /// How large a chunk is. Default: 512; the unit is not documented.
        chunk_size: u64,
        /// How much of a chunk is in the next as well. Default: 50.
        chunk_overlap: u64,
        /// Whether a graph is made. Default: no.
        graph_enabled: bool,
        /// The frontend slug of the model that makes the graph; required with one.
        graph_extraction_model: String,
        /// Most nodes of the graph. Default: 250000.
        graph_max_nodes: Limit,
        /// Most edges of the graph. Default: 500000.
        graph_max_edges: u64,
        /// Most bytes that it may take. Default: no limit.
        storage_quota_bytes: Limit,
        /// Who may use it. Default: the tenant.
        default_access: CollectionAccess,
    }
}

endpoint! {
    CreateCollection => Collection, "scaimatrix.create_collection", Post "/v1/modules/scaimatrix/collections", data + json
}

query! {
    /// Lists collections: `GET /v1/modules/scaimatrix/collections`. Documented; the parameters are assumed.
    ListCollections {
        /// Most items of one page. Assumed.
        limit: u32,
        /// Where to go on: [`Page::next_cursor`] of the page before. Assumed.
        cursor: String,
    }
}

endpoint! {
    ListCollections => Page<Collection>, "scaimatrix.collections", Get "/v1/modules/scaimatrix/collections", page + query
}

paginated!(ListCollections => Collection);

by_id! {
    /// One collection: `GET /v1/modules/scaimatrix/collections/{id}`.
    GetCollection(id) => Collection, "scaimatrix.collection", Get "/v1/modules/scaimatrix/collections" / id, data
}

request! {
    /// Changes a collection: `PUT /v1/modules/scaimatrix/collections/{id}`. Documented, but not the fields: those of creating
    /// are assumed, and so is that they may be sent alone. The answer says in
    /// [`follow_ups`](Collection::follow_ups) what the change leads to.
    UpdateCollection(id) {
        ;
        /// A name for people.
        name: String,
        /// What it is for.
        description: String,
        /// The frontend slug of an embedding model.
        embedding_model: String,
        /// Free-form facts.
        metadata: Map<String, Value>,
        /// How documents are cut.
        chunking_strategy: ChunkingStrategy,
        /// How large a chunk is.
        chunk_size: u64,
        /// How much of a chunk is in the next as well.
        chunk_overlap: u64,
        /// Whether a graph is made.
        graph_enabled: bool,
        /// The frontend slug of the model that makes the graph.
        graph_extraction_model: String,
        /// Most nodes of the graph.
        graph_max_nodes: Limit,
        /// Most edges of the graph.
        graph_max_edges: u64,
        /// Most bytes that it may take.
        storage_quota_bytes: Limit,
        /// Who may use it.
        default_access: CollectionAccess,
    }
}

endpoint! {
    UpdateCollection => Collection, "scaimatrix.update_collection", Put "/v1/modules/scaimatrix/collections" / id, data or id + json
}

by_id! {
    /// Deletes a collection: `DELETE /v1/modules/scaimatrix/collections/{id}`. The answer's body is assumed.
    DeleteCollection(id) => (), "scaimatrix.delete_collection", Delete "/v1/modules/scaimatrix/collections" / id, empty
}

by_id! {
    /// Copies a collection: `POST /v1/modules/scaimatrix/collections/{id}/fork`. Documented, but neither body nor answer: that
    /// the copy comes back is assumed.
    ForkCollection(id) => Collection, "scaimatrix.fork_collection",
        Post "/v1/modules/scaimatrix/collections" / id / "fork", data
}

object! {
    /// A collection. The fields are documented for creating one and assumed in answers.
    Collection {
        /// Names it.
        id: String,
        ;
        /// A name for people.
        name: String,
        /// The name in addresses, made from the name.
        slug: String,
        /// What it is for.
        description: String,
        /// The frontend slug of its embedding model.
        embedding_model: String,
        /// Free-form facts.
        metadata: Map<String, Value>,
        /// How documents are cut.
        chunking_strategy: ChunkingStrategy,
        /// How large a chunk is.
        chunk_size: u64,
        /// How much of a chunk is in the next as well.
        chunk_overlap: u64,
        /// Whether it has a graph.
        graph_enabled: bool,
        /// The frontend slug of the model that makes the graph.
        graph_extraction_model: String,
        /// Most nodes of the graph. No limit, when absent.
        graph_max_nodes: u64,
        /// Most edges of the graph.
        graph_max_edges: u64,
        /// Most bytes that it may take. No limit, when absent.
        storage_quota_bytes: u64,
        /// Who may use it by default.
        default_access: CollectionAccess,
        /// What the caller may do. Documented for lists.
        user_permission: CollectionPermission,
        /// What a change leads to, such as `rechunk_recommended`; an object. Documented for changes.
        follow_ups: Value,
        /// When it was made.
        created_at: String,
    }
}

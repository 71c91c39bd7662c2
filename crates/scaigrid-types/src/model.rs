//! Models: `GET /v1/models` and `GET /v1/models/{slug}`.
//!
//! Source: docs `reference/models-and-routing`, `core-concepts/models-and-routing`.

use crate::lenient;
use crate::open_enum::open_enum;
use crate::{Endpoint, Method, Money, Page, Path, Query, ReplyError, ResponseBody};
use serde::{Deserialize, Serialize};
use serde_json::Value;

open_enum! {
    /// What a model works on. Documented, open set.
    Modality {
        /// Text conversations.
        Chat = "chat",
        /// Text to vectors.
        Embedding = "embedding",
        /// Text to images.
        Image = "image",
        /// Speech, in either direction.
        Audio = "audio",
    }
}

open_enum! {
    /// Whether a model is meant to be used. Documented, open set.
    ModelStatus {
        /// In use.
        Active = "active",
        /// Still served, to be replaced.
        Deprecated = "deprecated",
    }
}

open_enum! {
    /// How a model's backends are. `healthy` is documented here, the others for a backend; open set.
    HealthStatus {
        /// All is well.
        Healthy = "healthy",
        /// Works with restrictions.
        Degraded = "degraded",
        /// Fails.
        Unhealthy = "unhealthy",
        /// Cannot be reached.
        Unavailable = "unavailable",
    }
}

/// A model that the caller's tenant can see.
///
/// Only the slug is required. The price, capability, and id fields are documented for creating a model and
/// assumed here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Model {
    /// The name to call it by, such as `scailabs/poolnoodle-omni`.
    pub slug: String,
    /// The name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What it is. Assumed in answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it works on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modality: Option<Modality>,
    /// Tokens of input and output together that it can hold.
    #[serde(default, deserialize_with = "lenient::opt_u64", skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
    /// Most tokens of one output. May be absent.
    #[serde(default, deserialize_with = "lenient::opt_u64", skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u64>,
    /// Whether it is meant to be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ModelStatus>,
    /// How its backends are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_status: Option<HealthStatus>,
    /// Backends in service.
    #[serde(default, deserialize_with = "lenient::opt_u64", skip_serializing_if = "Option::is_none")]
    pub active_backend_count: Option<u64>,
    /// All backends.
    #[serde(default, deserialize_with = "lenient::opt_u64", skip_serializing_if = "Option::is_none")]
    pub total_backend_count: Option<u64>,
    /// Price of a million input tokens, without a currency. Assumed in answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_price_per_mtok: Option<Money>,
    /// Price of a million output tokens, without a currency. Assumed in answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_price_per_mtok: Option<Money>,
    /// Request parameters that apply when a request sets none; an object. Assumed in answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_params: Option<Value>,
    /// What it can do: an object of booleans such as `tool_use` and `streaming`. Assumed in answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Value>,
    /// Further facts, an object, such as a `persona_id`. Assumed in answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// An opaque id. Assumed in answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl Model {
    /// A model of which only the slug is known.
    pub fn new(slug: impl Into<String>) -> Self {
        Self { slug: slug.into(), ..Self::default() }
    }
}

/// Lists models: `GET /v1/models`. All filters are documented.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ListModels {
    /// Most items of one page. The server's default and maximum are not documented.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Where to go on: [`Page::next_cursor`] of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// Only models that work on this.
    #[serde(default)]
    pub modality: Option<Modality>,
    /// Only models of this status.
    #[serde(default)]
    pub status: Option<ModelStatus>,
}

impl ListModels {
    /// The first page of all models.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the page, in items.
    pub fn limit(mut self, items: u32) -> Self {
        self.limit = Some(items);
        self
    }

    /// Goes on after an earlier page.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    /// Only models that work on this.
    pub fn modality(mut self, modality: impl Into<Modality>) -> Self {
        self.modality = Some(modality.into());
        self
    }

    /// Only models of this status.
    pub fn status(mut self, status: impl Into<ModelStatus>) -> Self {
        self.status = Some(status.into());
        self
    }
}

impl Endpoint for ListModels {
    type Reply = Page<Model>;

    fn name(&self) -> &'static str {
        "models.list"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    fn path(&self) -> Path {
        Path::from_static("/v1/models")
    }

    fn query(&self) -> Query {
        Query::new()
            .with_opt("limit", self.limit)
            .with_opt("cursor", self.cursor.as_ref())
            .with_opt("modality", self.modality.as_ref())
            .with_opt("status", self.status.as_ref())
    }

    fn decode(&self, body: ResponseBody<'_>) -> Result<Page<Model>, ReplyError> {
        body.page()
    }
}

crate::macros::paginated!(ListModels => Model);

/// One model by slug: `GET /v1/models/{slug}`. The answer's body is assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetModel {
    slug: String,
}

impl GetModel {
    /// By slug, such as `tenant/acme/summarizer`.
    pub fn new(slug: impl Into<String>) -> Self {
        Self { slug: slug.into() }
    }
}

impl Endpoint for GetModel {
    type Reply = Model;

    fn name(&self) -> &'static str {
        "models.get"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    fn path(&self) -> Path {
        Path::from_static("/v1/models").segment(&self.slug)
    }

    fn decode(&self, body: ResponseBody<'_>) -> Result<Model, ReplyError> {
        body.data()
    }
}

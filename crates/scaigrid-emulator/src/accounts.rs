//! Users, their API keys, and what they may do.

mod api_keys;
mod caller;
mod permissions;
mod store;

pub(crate) use caller::Account;
pub(crate) use permissions::{Permissions, authorize, denied};
pub(crate) use store::Accounts;

use crate::gateway::Gateway;
use api_keys::{create_key, delete_key, list_keys, profile};
use axum::Router;
use axum::routing::{delete, get};
use std::sync::Arc;

/// The routes of API keys, and those of the caller's profile.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/v1/api-keys", get(list_keys).post(create_key))
        .route("/v1/api-keys/{id}", delete(delete_key))
        .route("/v1/me", get(profile))
        .route("/v1/auth/me", get(profile))
}

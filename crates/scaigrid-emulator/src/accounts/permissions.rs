//! Who may do what: the permissions of users, and which route needs which.

use super::caller::Account;
use crate::ids::RequestId;
use crate::reply::Failure;
use axum::extract::{Extension, MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use scaigrid_types::ErrorCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The core permissions. Documented.
pub(crate) const CORE: [&str; 15] = [
    "models:list",
    "models:use",
    "models:manage",
    "routing:view",
    "routing:manage",
    "accounting:view_own",
    "accounting:view_tenant",
    "accounting:view_partner",
    "accounting:manage_budgets",
    "users:manage",
    "api_keys:manage",
    "webhooks:manage",
    "modules:use",
    "modules:manage",
    "admin:access",
];

/// The permissions of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Permissions {
    /// Every permission, those of modules included.
    #[default]
    All,
    /// Only these.
    Only(BTreeSet<String>),
}

impl Permissions {
    pub(crate) fn allows(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(name),
        }
    }

    /// All names for a profile: the core permissions for a user who has everything.
    pub(crate) fn names(&self) -> Vec<String> {
        match self {
            Self::All => CORE.map(str::to_owned).to_vec(),
            Self::Only(names) => names.iter().cloned().collect(),
        }
    }
}

/// Which methods a rule is for.
#[derive(Clone, Copy)]
enum On {
    Post,
    Any,
    Delete,
    /// All but `GET` and `HEAD`.
    Change,
}

const VIEW_USAGE: &[&str] = &["accounting:view_own", "accounting:view_tenant", "accounting:view_partner"];

/// One of the permissions is needed. The first rule whose path is the route or above it decides; a route
/// without a rule needs none. Documented, but for those marked as assumed.
const RULES: &[(On, &str, &[&str])] = &[
    (On::Any, "/v1/inference", &["models:use"]),
    // Assumed: the other path of a chat.
    (On::Any, "/v1/chat", &["models:use"]),
    // Assumed, as they run inference.
    (On::Any, "/v1/sessions", &["models:use"]),
    (On::Any, "/v1/rooms", &["models:use"]),
    // Assumed.
    (On::Any, "/v1/models", &["models:list"]),
    (On::Change, "/v1/accounting/budgets", &["accounting:manage_budgets"]),
    (On::Any, "/v1/accounting", VIEW_USAGE),
    // Listing and creating are documented without one.
    (On::Delete, "/v1/api-keys", &["api_keys:manage"]),
    (On::Any, "/v1/webhooks", &["webhooks:manage"]),
    // The names are documented, and which call needs which is assumed.
    (On::Post, "/v1/modules/scaimatrix/collections/{id}/search", &["scaimatrix:search"]),
    (On::Change, "/v1/modules/scaimatrix/collections/{id}/documents", &["scaimatrix:ingest"]),
    (On::Change, "/v1/modules/scaimatrix", &["scaimatrix:manage"]),
    (On::Any, "/v1/modules/scaimatrix", &["scaimatrix:view"]),
    (On::Any, "/v1/modules", &["modules:use"]),
    (On::Any, "/v1/audit-log", &["admin:access", "accounting:view_partner"]),
    (On::Any, "/health/detailed", &["admin:access"]),
];

/// The permissions of which one is needed; none at all for some routes.
fn needed(method: &Method, route: &str) -> &'static [&'static str] {
    let is_read = *method == Method::GET || *method == Method::HEAD;
    let applies = |on: On| match on {
        On::Any => true,
        On::Post => *method == Method::POST,
        On::Delete => *method == Method::DELETE,
        On::Change => !is_read,
    };
    let is_below =
        |path: &str| route.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let rule = RULES.iter().find(|(on, path, _)| applies(*on) && is_below(path));
    rule.map_or(&[], |(_, _, names)| names)
}

/// Lets requests pass whose user has the permission that the route needs.
pub(crate) async fn authorize(
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    route: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let names = needed(request.method(), route.as_str());
    if names.is_empty() || names.iter().any(|name| account.may(name)) {
        return next.run(request).await;
    }
    denied(names).into_response(&id)
}

/// The user has none of these permissions.
pub(crate) fn denied(names: &[&str]) -> Failure {
    let message = format!("The user lacks the permission {}.", names.join(" or "));
    Failure::new(ErrorCode::AuthzPermissionDenied, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_above_a_route_decides() {
        let of = |method: Method, route: &str| needed(&method, route);
        assert_eq!(of(Method::POST, "/v1/inference/audio/transcribe"), ["models:use"]);
        assert_eq!(of(Method::GET, "/v1/inference/batch/{batch_id}"), ["models:use"]);
        assert_eq!(of(Method::GET, "/v1/models/{slug}"), ["models:list"]);
        assert_eq!(of(Method::POST, "/v1/accounting/budgets"), ["accounting:manage_budgets"]);
        assert_eq!(of(Method::GET, "/v1/accounting/budgets"), VIEW_USAGE);
        assert_eq!(of(Method::GET, "/v1/accounting/usage/summary"), VIEW_USAGE);
        assert_eq!(of(Method::DELETE, "/v1/api-keys/{key_id}"), ["api_keys:manage"]);
        assert!(of(Method::POST, "/v1/api-keys").is_empty());
        assert_eq!(of(Method::PUT, "/v1/webhooks/{webhook_id}"), ["webhooks:manage"]);
        let collection = "/v1/modules/scaimatrix/collections/{id}";
        assert_eq!(of(Method::GET, collection), ["scaimatrix:view"]);
        assert_eq!(of(Method::PUT, collection), ["scaimatrix:manage"]);
        assert_eq!(of(Method::POST, &format!("{collection}/search")), ["scaimatrix:search"]);
        assert_eq!(of(Method::POST, &format!("{collection}/documents")), ["scaimatrix:ingest"]);
        assert_eq!(of(Method::GET, &format!("{collection}/documents/{{document}}")), ["scaimatrix:view"]);
        assert_eq!(of(Method::GET, "/v1/modules/other"), ["modules:use"]);
        assert_eq!(of(Method::GET, "/v1/audit-log/export").len(), 2);
        assert!(of(Method::GET, "/v1/me").is_empty() && of(Method::GET, "/v1/modelsx").is_empty());
    }

    #[test]
    fn every_needed_permission_is_documented() {
        let module = ["scaimatrix:view", "scaimatrix:search", "scaimatrix:ingest", "scaimatrix:manage"];
        let mut needed = RULES.iter().flat_map(|(_, _, names)| *names);
        assert!(needed.all(|name| CORE.contains(name) || module.contains(name)));
    }

    #[test]
    fn a_user_has_all_permissions_or_only_some() {
        assert!(Permissions::All.allows("scaimatrix:search"));
        let some = Permissions::Only(["models:list".to_owned()].into());
        assert!(some.allows("models:list") && !some.allows("models:use"));
        assert_eq!((some.names().len(), Permissions::All.names().len()), (1, 15));
    }
}

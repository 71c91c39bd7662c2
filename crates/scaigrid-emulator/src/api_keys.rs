//! `/v1/api-keys` and the caller's profile.

use crate::accounts::{ApiKey, NewKey};
use crate::clock;
use crate::gateway::{Account, Gateway, PARTNER, TENANT};
use crate::ids::RequestId;
use crate::json_body::{Fields, filled_text};
use crate::listing;
use crate::permissions::{Permissions, denied};
use crate::query::{Parameters, RawQuery};
use crate::reply::{Failure, Reply, seal, seal_empty};
use crate::sync::lock;
use crate::times::{parse_rfc3339, rfc3339};
use axum::extract::{Extension, Path, Query, State};
use axum::response::Response;
use bytes::Bytes;
use scaigrid_types::ErrorCode;
use serde_json::{Value, json};
use std::sync::Arc;

/// The longest name, in bytes. Assumed.
const MAX_NAME: usize = 256;

/// Documented: the caller's keys, metadata only.
pub(crate) async fn list_keys(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    Query(pairs): RawQuery,
) -> Response {
    seal(&id, list(&gateway, &account, pairs))
}

pub(crate) async fn create_key(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
    body: Bytes,
) -> Response {
    seal(&id, create(&gateway, &account, &body))
}

/// Works at once for requests that come later. The answer is assumed.
pub(crate) async fn delete_key(
    State(gateway): State<Arc<Gateway>>,
    Extension(id): Extension<RequestId>,
    Path(key_id): Path<String>,
) -> Response {
    let missing = || Failure::not_found("No key has this id.");
    seal_empty(&id, gateway.revoke(&key_id).then_some(()).ok_or_else(missing))
}

/// `/v1/me` and `/v1/auth/me`. Documented: a profile with roles and permissions; the names are assumed.
pub(crate) async fn profile(
    State(gateway): State<Arc<Gateway>>,
    Extension(account): Extension<Arc<Account>>,
    Extension(id): Extension<RequestId>,
) -> Response {
    let user = lock(&gateway.accounts).user(&account.user_id).cloned();
    let profile = user.map(|user| {
        Reply::new(json!({
            "id": user.id,
            "email": user.email,
            "display_name": user.display_name,
            "tenant_id": TENANT,
            "partner_id": PARTNER,
            "roles": user.roles,
            "permissions": user.permissions.names(),
        }))
    });
    seal(&id, profile.ok_or_else(|| Failure::not_found("The user is gone.")))
}

fn list(gateway: &Gateway, account: &Account, pairs: Vec<(String, String)>) -> Result<Reply<Value>, Failure> {
    let mut query = Parameters::new(pairs);
    let window = listing::window(&mut query);
    query.finish()?;
    let keys = lock(&gateway.accounts).keys_of(&account.user_id);
    let (page, pagination) = listing::page(&keys, Some(window.limit), window.start);
    let items: Vec<Value> = page.iter().map(|key| wire(key, &account.permissions)).collect();
    Ok(Reply { data: json!({"items": items}), pagination })
}

fn create(gateway: &Gateway, account: &Account, body: &[u8]) -> Result<Reply<Value>, Failure> {
    let mut fields = Fields::read(body)?;
    let name = |value| filled_text(value).filter(|name| name.len() <= MAX_NAME);
    // Assumed to be required.
    let name = fields.required("name", name, "must be a text of 1 to 256 bytes");
    // A time that has passed is no problem: the key has then expired.
    let time = |value: Value| value.as_str().and_then(parse_rfc3339);
    let expires_ms = fields.parsed("expires_at", time, "must be an RFC 3339 time");
    let mut accounts = lock(&gateway.accounts);
    let assigned = fields.parsed("assigned_user_id", filled_text, "must be the id of a user");
    let user_id = assigned.unwrap_or_else(|| account.user_id.clone());
    let permissions = accounts.user(&user_id).map(|user| user.permissions.clone());
    if permissions.is_none() {
        fields.problem("assigned_user_id", "is nobody's id");
    }
    fields.finish()?;
    // Assumed: the key would act with the other user's permissions.
    if user_id != account.user_id && !account.may("api_keys:manage") {
        return Err(denied(&["api_keys:manage"]));
    }
    let name = name.unwrap_or_default();
    let created = accounts.create(NewKey { user_id, name, created_ms: clock::unix_millis(), expires_ms });
    let too_many = || Failure::new(ErrorCode::QuotaExceeded, "There are too many keys.");
    let (key, secret) = created.ok_or_else(too_many)?;
    let mut data = wire(&key, &permissions.unwrap_or_default());
    if let Value::Object(data) = &mut data {
        data.insert("key".to_owned(), Value::from(secret));
    }
    Ok(Reply::new(data))
}

/// Documented, but for `user_id`. Assumed: the scopes are the user's permissions.
fn wire(key: &ApiKey, permissions: &Permissions) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": permissions.names(),
        "user_id": key.user_id,
        "expires_at": key.expires_ms.map(rfc3339),
        "created_at": rfc3339(key.created_ms),
    })
}

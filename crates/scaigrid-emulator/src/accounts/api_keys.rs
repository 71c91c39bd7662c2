//! `/v1/api-keys` and the caller's profile.

use super::permissions::{Permissions, denied};
use super::store::{ApiKey, NewKey};
use crate::call::Call;
use crate::clock;
use crate::fields::{Fields, filled_text};
use crate::gateway::{PARTNER, TENANT};
use crate::listing::{self, Items};
use crate::path::Param;
use crate::query::{Pairs, RawQuery};
use crate::reply::{Failure, Reply};
use crate::sync::lock;
use crate::times::{parse_rfc3339, rfc3339};
use axum::extract::Query;
use axum::response::Response;
use bytes::Bytes;
use scaigrid_types::ErrorCode;
use serde_json::{Value, json};

/// The longest name, in bytes. Assumed.
const MAX_NAME: usize = 256;

/// Documented: the caller's keys, metadata only.
pub(crate) async fn list_keys(call: Call, Query(pairs): RawQuery) -> Response {
    call.answer(list(&call, pairs))
}

pub(crate) async fn create_key(call: Call, body: Bytes) -> Response {
    call.answer(create(&call, &body))
}

/// Works at once for requests that come later. The answer is assumed.
pub(crate) async fn delete_key(call: Call, Param(key): Param<String>) -> Response {
    let missing = || Failure::not_found("No key has this id.");
    call.done(call.gateway.revoke(&key).then_some(()).ok_or_else(missing))
}

/// `/v1/me` and `/v1/auth/me`. Documented: a profile with roles and permissions; the names are assumed.
pub(crate) async fn profile(call: Call) -> Response {
    let user = lock(&call.gateway.accounts).user(&call.account.user_id).cloned();
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
    call.answer(profile.ok_or_else(|| Failure::not_found("The user is gone.")))
}

fn list(call: &Call, pairs: Pairs) -> Result<Reply<Items<Value>>, Failure> {
    let window = listing::only_window(pairs)?;
    let keys = lock(&call.gateway.accounts).keys_of(&call.account.user_id);
    Ok(listing::reply(keys.iter().map(|key| wire(key, &call.account.permissions)), window))
}

fn create(call: &Call, body: &[u8]) -> Result<Reply<Value>, Failure> {
    let mut fields = Fields::read(body)?;
    let name = |value| filled_text(value).filter(|name| name.len() <= MAX_NAME);
    // Assumed to be required.
    let name = fields.required("name", name, "must be a text of 1 to 256 bytes");
    // A time that has passed is no problem: the key has then expired.
    let time = |value: Value| value.as_str().and_then(parse_rfc3339);
    let expires_ms = fields.parsed("expires_at", time, "must be an RFC 3339 time");
    let mut accounts = lock(&call.gateway.accounts);
    let assigned = fields.parsed("assigned_user_id", filled_text, "must be the id of a user");
    let user_id = assigned.unwrap_or_else(|| call.account.user_id.clone());
    let permissions = accounts.user(&user_id).map(|user| user.permissions.clone());
    if permissions.is_none() {
        fields.problem("assigned_user_id", "is nobody's id");
    }
    fields.finish()?;
    // Assumed: the key would act with the other user's permissions.
    if user_id != call.account.user_id && !call.account.may("api_keys:manage") {
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

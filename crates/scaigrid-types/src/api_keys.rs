//! API keys.
//!
//! Source: docs `reference/authentication`, `getting-started/authentication`.

use crate::macros::{by_id, endpoint, object, paginated, query, request};
use crate::{Page, Secret, lenient};
use serde::Deserialize;

request! {
    /// Makes an API key: `POST /v1/api-keys`. The fields are documented; that the name is required is assumed.
    CreateApiKey {
        /// A name for people.
        name: String,
        ;
        /// When it ends, in RFC 3339. Default: never.
        expires_at: String,
        /// Whose key it is. Default: the caller's.
        assigned_user_id: String,
    }
}

endpoint! {
    CreateApiKey => CreatedApiKey, "api_keys.create", Post "/v1/api-keys", data + json
}

query! {
    /// Lists the caller's keys, without the keys themselves: `GET /v1/api-keys`. Documented; the parameters are assumed.
    ListApiKeys {
        /// Most items of one page. Assumed.
        limit: u32,
        /// Where to go on: [`Page::next_cursor`] of the page before. Assumed.
        cursor: String,
    }
}

endpoint! {
    ListApiKeys => Page<ApiKey>, "api_keys.list", Get "/v1/api-keys", page + query
}

paginated!(ListApiKeys => ApiKey);

by_id! {
    /// Revokes a key, at once and for good: `DELETE /v1/api-keys/{key_id}`. Needs the permission `api_keys:manage`. The
    /// answer's body is assumed.
    RevokeApiKey(key_id) => (), "api_keys.revoke", Delete "/v1/api-keys" / key_id, empty
}

/// A new key. The gateway gives the key itself here and never again.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct CreatedApiKey {
    /// The key, `sgk_...`. Not shown by `Debug`. The reply's raw body holds it too.
    pub key: Secret,
    /// What can be shown.
    #[serde(flatten)]
    pub api_key: ApiKey,
}

object! {
    /// A key without the key itself. Documented for creating one, assumed in lists.
    ApiKey {
        /// Names it, such as `apikey_xyz`.
        id: String,
        ;
        /// A name for people.
        name: String,
        /// The begin of the key, to tell keys apart.
        prefix: String,
        /// What it may do.
        #[serde(deserialize_with = "lenient::opt_strings")]
        scopes: Vec<String>,
        /// When it ends. Never, when absent.
        expires_at: String,
        /// When it was made.
        created_at: String,
        /// The key itself, if the server sends it where it should not. Never kept.
        #[serde(deserialize_with = "lenient::dropped", skip_serializing)]
        key: (),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_there_once_and_never_printed() {
        let body = r#"{"id":"apikey_xyz","name":"n","key":"sgk_full_key_here_shown_once","prefix":"sgk_","scopes":["a"],"expires_at":null,"region":"eu"}"#;
        let created: CreatedApiKey = serde_json::from_str(body).unwrap();
        assert_eq!(created.key.expose(), "sgk_full_key_here_shown_once");
        assert_eq!(created.api_key.extra.len(), 1);
        let shown = format!("{created:?} {}", serde_json::to_string(&created.api_key).unwrap());
        assert!(!shown.contains("full_key"), "{shown}");
        let without = r#"{"id":"apikey_xyz"}"#;
        assert!(serde_json::from_str::<CreatedApiKey>(without).unwrap_err().to_string().contains("`key`"));
    }
}

//! `GET /media/{id}?token=…`: files that answers point to, such as images and the results of batches.
//!
//! Documented: such URLs point to the gateway's own media proxy, carry a short-lived token, and expire after one
//! hour by default. The path, and that no credential is needed, is assumed.

use crate::clock;
use crate::gateway::Gateway;
use crate::ids::{self, RequestId};
use crate::path::Param;
use crate::query::{Parameters, RawQuery};
use crate::reply::{self, Failure};
use crate::sync::lock;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use bytes::Bytes;
use scaigrid_types::ErrorCode;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// The most files that are kept, and their bytes together. The oldest go first.
const MAX_FILES: usize = 1_000;
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// The files, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct MediaStore {
    files: VecDeque<Medium>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Medium {
    id: String,
    token: String,
    /// When the token is no longer valid.
    expires_ms: i64,
    content_type: String,
    #[serde(with = "crate::base64_text")]
    bytes: Bytes,
}

/// Why a file is not handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Unknown,
    WrongToken,
    Expired,
}

impl MediaStore {
    /// Keeps a file and returns its id. Makes room for it first.
    fn add(&mut self, content_type: &str, bytes: Bytes, expires_ms: i64) -> String {
        let mut size: usize = self.files.iter().map(|file| file.bytes.len()).sum::<usize>() + bytes.len();
        while size > MAX_BYTES || self.files.len() >= MAX_FILES {
            let Some(oldest) = self.files.pop_front() else { break };
            size -= oldest.bytes.len();
        }
        let id = ids::with_prefix("media_");
        self.files.push_back(Medium {
            id: id.clone(),
            token: ids::with_prefix("mt_"),
            expires_ms,
            content_type: content_type.to_owned(),
            bytes,
        });
        id
    }

    /// The path and query of a file's URL. An expired token is replaced.
    fn link(&mut self, id: &str, now_ms: i64, lifetime_ms: i64) -> Option<String> {
        let file = self.files.iter_mut().find(|file| file.id == id)?;
        if file.expires_ms <= now_ms {
            file.token = ids::with_prefix("mt_");
            file.expires_ms = now_ms.saturating_add(lifetime_ms);
        }
        Some(format!("/media/{id}?token={}", file.token))
    }

    fn get(&self, id: &str, token: Option<&str>, now_ms: i64) -> Result<(&str, Bytes), Refusal> {
        let file = self.files.iter().find(|file| file.id == id).ok_or(Refusal::Unknown)?;
        if token != Some(file.token.as_str()) {
            return Err(Refusal::WrongToken);
        }
        if file.expires_ms <= now_ms {
            return Err(Refusal::Expired);
        }
        Ok((&file.content_type, file.bytes.clone()))
    }
}

/// Keeps a file and returns its id, for [`url`].
pub(crate) fn add(gateway: &Gateway, content_type: &str, bytes: Bytes) -> String {
    let expires_ms = clock::unix_millis().saturating_add(lifetime_ms(gateway));
    lock(&gateway.media).add(content_type, bytes, expires_ms)
}

/// A URL of the file that is valid now. `None` when the file had to make room for newer ones.
pub(crate) fn url(gateway: &Gateway, id: &str) -> Option<String> {
    let link = lock(&gateway.media).link(id, clock::unix_millis(), lifetime_ms(gateway))?;
    Some(format!("{}{link}", gateway.settings.media.base_url))
}

fn lifetime_ms(gateway: &Gateway) -> i64 {
    i64::try_from(gateway.settings.media.lifetime.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) async fn get_media(
    State(gateway): State<Arc<Gateway>>,
    Extension(id): Extension<RequestId>,
    Param(name): Param<String>,
    Query(pairs): RawQuery,
) -> Response {
    let token = Parameters::new(pairs).text("token");
    let media = lock(&gateway.media);
    let file = media.get(&name, token.as_deref(), clock::unix_millis());
    let refusal = match file {
        Ok((content_type, bytes)) => {
            return reply::raw(&id, content_type, bytes);
        }
        Err(refusal) => refusal,
    };
    // All three answers are assumed.
    let failure = match refusal {
        Refusal::Unknown => Failure::not_found("No file has this id, or no longer."),
        Refusal::WrongToken => Failure::new(ErrorCode::AuthzPermissionDenied, "The token is wrong."),
        Refusal::Expired => Failure::new(ErrorCode::AuthzPermissionDenied, "The URL has expired."),
    };
    failure.into_response(&id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(link: &str) -> &str {
        link.split_once("token=").unwrap().1
    }

    #[test]
    fn tokens_expire_and_are_renewed() {
        let mut store = MediaStore::default();
        let id = store.add("text/plain", Bytes::from("x"), 100);
        let first = store.link(&id, 99, 50).unwrap();
        assert!(first.starts_with(&format!("/media/{id}?token=mt_")));
        assert_eq!(store.get(&id, Some(token(&first)), 99), Ok(("text/plain", Bytes::from("x"))));
        assert_eq!(store.get(&id, Some(token(&first)), 100), Err(Refusal::Expired));
        assert_eq!(store.get(&id, Some("mt_"), 99), Err(Refusal::WrongToken));
        assert_eq!(store.get(&id, None, 99), Err(Refusal::WrongToken));
        assert_eq!(store.get("media_", None, 99), Err(Refusal::Unknown));
        let second = store.link(&id, 100, 50).unwrap();
        assert_ne!(first, second);
        assert_eq!(store.get(&id, Some(token(&first)), 100), Err(Refusal::WrongToken));
        assert!(store.get(&id, Some(token(&second)), 149).is_ok());
        assert_eq!(store.link("media_", 0, 50), None);
    }

    #[test]
    fn the_oldest_make_room() {
        let mut store = MediaStore::default();
        let first = store.add("a/b", Bytes::from("1"), 1);
        let second = store.add("a/b", Bytes::from("2"), 1);
        let large = store.add("a/b", Bytes::from(vec![0; MAX_BYTES - 1]), 1);
        assert!(store.link(&first, 0, 1).is_none());
        assert!(store.link(&second, 0, 1).is_some() && store.link(&large, 0, 1).is_some());
        let mut store = MediaStore::default();
        for _ in 0..MAX_FILES + 5 {
            store.add("a/b", Bytes::new(), 1);
        }
        assert_eq!(store.files.len(), MAX_FILES);
    }

    #[test]
    fn the_store_can_be_saved() {
        let mut store = MediaStore::default();
        let id = store.add("image/png", Bytes::from_static(&[0, 255, 7]), 9);
        let saved = serde_json::to_string(&store).unwrap();
        let mut loaded: MediaStore = serde_json::from_str(&saved).unwrap();
        let link = store.link(&id, 0, 1);
        assert_eq!(loaded.link(&id, 0, 1), link);
        assert_eq!(loaded.get(&id, Some(token(&link.unwrap())), 0).unwrap().1, [0, 255, 7][..]);
    }
}

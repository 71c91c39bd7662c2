//! Users and their API keys.

use super::permissions::Permissions;
use crate::ids;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// How many keys there are at most. Assumed: the gateway documents no limit.
pub(crate) const MAX_KEYS: usize = 1000;

/// Somebody in the emulator's one tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) display_name: String,
    pub(crate) roles: Vec<String>,
    pub(crate) permissions: Permissions,
}

impl User {
    fn numbered(number: usize, permissions: Permissions) -> Self {
        // `custom` stands for a role of the tenant's own.
        let role = if permissions == Permissions::All { "super_admin" } else { "custom" };
        Self {
            id: format!("user_{number}"),
            email: format!("user_{number}@emulator.example"),
            display_name: format!("User {number}"),
            roles: vec![role.to_owned()],
            permissions,
        }
    }
}

/// One key. The key itself is not in here, only its hash, as the gateway documents.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ApiKey {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) name: String,
    /// SHA-256 in hex.
    pub(crate) hash: String,
    pub(crate) prefix: String,
    pub(crate) created_ms: i64,
    pub(crate) expires_ms: Option<i64>,
    /// Whether it comes from the emulator's settings, and not from a call.
    from_settings: bool,
}

/// All users and all keys that were not revoked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Accounts {
    users: Vec<User>,
    keys: Vec<ApiKey>,
}

/// What a new key is made of.
#[derive(Debug)]
pub(crate) struct NewKey {
    pub(crate) user_id: String,
    pub(crate) name: String,
    pub(crate) created_ms: i64,
    pub(crate) expires_ms: Option<i64>,
}

impl Accounts {
    /// The keys of the settings: the first belongs to `user_1`, the second to `user_2`, and so on. Of a
    /// repeated key the first counts. Keys of earlier settings no longer count.
    pub(crate) fn install(&mut self, settings: Vec<(String, Permissions)>, now_ms: i64) {
        let hashes: Vec<String> = settings.iter().map(|(secret, _)| hash(secret)).collect();
        self.keys.retain(|key| !key.from_settings || hashes.contains(&key.hash));
        for (index, ((secret, permissions), hash)) in settings.into_iter().zip(&hashes).enumerate() {
            let user = User::numbered(index + 1, permissions);
            let name = format!("settings-{}", index + 1);
            let is_repeated = hashes.iter().take(index).any(|earlier| earlier == hash);
            match self.keys.iter_mut().find(|key| key.hash == *hash) {
                Some(known) if known.from_settings && !is_repeated => {
                    (known.user_id, known.name) = (user.id.clone(), name);
                }
                // Repeated, or made by a call.
                Some(_) => {}
                None => self.keys.push(ApiKey {
                    // The same at each start, as the key is.
                    id: ids::of_parts("apikey_", [hash.as_str()]),
                    user_id: user.id.clone(),
                    name,
                    hash: hash.clone(),
                    prefix: prefix(&secret),
                    created_ms: now_ms,
                    expires_ms: None,
                    from_settings: true,
                }),
            }
            self.users.retain(|known| known.id != user.id);
            self.users.push(user);
        }
    }

    pub(crate) fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// The key and its user, unless the key has expired.
    pub(crate) fn authenticate(&self, secret: &str, now_ms: i64) -> Option<(&ApiKey, &User)> {
        let hash = hash(secret);
        let key = self.keys.iter().find(|key| key.hash == hash)?;
        let is_valid = key.expires_ms.is_none_or(|end| now_ms < end);
        Some((key, self.user(&key.user_id)?)).filter(|_| is_valid)
    }

    /// The keys of a user, oldest first, also expired ones.
    pub(crate) fn keys_of(&self, user_id: &str) -> Vec<ApiKey> {
        self.keys.iter().filter(|key| key.user_id == user_id).cloned().collect()
    }

    /// Adds a key and returns it with its secret, or `None` when there are too many.
    pub(crate) fn create(&mut self, new: NewKey) -> Option<(ApiKey, String)> {
        if self.keys.len() >= MAX_KEYS {
            return None;
        }
        let secret = ids::secret("sgk_");
        let key = ApiKey {
            id: ids::with_prefix("apikey_"),
            user_id: new.user_id,
            name: new.name,
            hash: hash(&secret),
            prefix: prefix(&secret),
            created_ms: new.created_ms,
            expires_ms: new.expires_ms,
            from_settings: false,
        };
        self.keys.push(key.clone());
        Some((key, secret))
    }

    /// Removes a key; says whether there was one.
    pub(crate) fn revoke(&mut self, key_id: &str) -> bool {
        let before = self.keys.len();
        self.keys.retain(|key| key.id != key_id);
        self.keys.len() < before
    }

    /// The id of a key.
    pub(crate) fn id_of(&self, secret: &str) -> Option<String> {
        let hash = hash(secret);
        self.keys.iter().find(|key| key.hash == hash).map(|key| key.id.clone())
    }
}

/// What may be shown of a key. Nothing of one of another form, which may be short.
fn prefix(secret: &str) -> String {
    if secret.starts_with("sgk_") { "sgk_".to_owned() } else { String::new() }
}

fn hash(secret: &str) -> String {
    Sha256::digest(secret.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        // Writing to memory does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(user_id: &str, expires_ms: Option<i64>) -> NewKey {
        NewKey { user_id: user_id.into(), name: "n".into(), created_ms: 0, expires_ms }
    }

    #[test]
    fn keys_belong_to_users_and_end() {
        let mut accounts = Accounts::default();
        let only = Permissions::Only(["models:list".to_owned()].into());
        accounts.install(vec![("one".into(), Permissions::All), ("two".into(), only)], 5);
        let (key, secret) = accounts.create(new("user_1", Some(100))).unwrap();
        assert!(secret.starts_with("sgk_") && secret.len() >= 36);
        let user = |secret: &str, now| accounts.authenticate(secret, now).map(|(_, user)| user.id.clone());
        assert_eq!(user("one", 0).as_deref(), Some("user_1"));
        assert_eq!(user("two", 0).as_deref(), Some("user_2"));
        assert_eq!(user(&secret, 99).as_deref(), Some("user_1"));
        assert_eq!((user(&secret, 100), user("three", 0)), (None, None));
        assert_eq!(accounts.keys_of("user_1").len(), 2);
        assert!(accounts.revoke(&key.id) && !accounts.revoke(&key.id));
        assert!(accounts.authenticate(&secret, 0).is_none());
        let text = serde_json::to_string(&accounts).unwrap();
        assert!(!text.contains("\"one\"") && !text.contains(&secret));
    }

    #[test]
    fn new_settings_keep_created_keys_only() {
        let mut accounts = Accounts::default();
        accounts.install(vec![("one".into(), Permissions::All), ("two".into(), Permissions::All)], 0);
        let first = accounts.id_of("one").unwrap();
        let (_, secret) = accounts.create(new("user_2", None)).unwrap();
        accounts.install(vec![("one".into(), Permissions::All), ("one".into(), Permissions::All)], 1);
        assert_eq!(accounts.id_of("one"), Some(first));
        assert!(accounts.authenticate("two", 1).is_none());
        assert!(accounts.authenticate(&secret, 1).is_some());
        assert_eq!(accounts.keys_of("user_1").len(), 1);
    }

    #[test]
    fn the_number_of_keys_is_limited() {
        let mut accounts = Accounts::default();
        let made = (0..=MAX_KEYS).filter_map(|_| accounts.create(new("user_1", None))).count();
        assert_eq!(made, MAX_KEYS);
    }

    #[test]
    fn hashes_are_sha256() {
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

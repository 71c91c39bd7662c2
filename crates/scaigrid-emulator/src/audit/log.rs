//! The entries of the log.

use crate::gateway::{PARTNER, TENANT};
use crate::times::rfc3339;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// How many entries are kept. Then the oldest are forgotten.
const MAX_ENTRIES: usize = 10_000;

/// One changing request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) created_ms: i64,
    pub(crate) action: String,
    pub(crate) actor_id: String,
    pub(crate) actor_email: String,
    pub(crate) resource_type: String,
    pub(crate) resource_id: Option<String>,
    pub(crate) ip_address: String,
    pub(crate) user_agent: Option<String>,
    pub(crate) status_code: u16,
    pub(crate) request_id: String,
}

impl Entry {
    fn status(&self) -> &'static str {
        if self.status_code < 400 { "SUCCESS" } else { "FAILURE" }
    }

    /// Documented, but for the last three fields.
    pub(crate) fn wire(&self) -> Value {
        json!({
            "id": self.id,
            "timestamp": rfc3339(self.created_ms),
            "action": self.action,
            "actor_id": self.actor_id,
            "actor_email": self.actor_email,
            "actor_type": "user",
            "tenant_id": TENANT,
            "partner_id": PARTNER,
            "resource_type": self.resource_type,
            "resource_id": self.resource_id,
            "ip_address": self.ip_address,
            "user_agent": self.user_agent,
            "status": self.status(),
            "status_code": self.status_code,
            "request_id": self.request_id,
        })
    }
}

/// What a query asks for.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) from_ms: Option<i64>,
    pub(crate) until_ms: Option<i64>,
    pub(crate) action: Option<String>,
    pub(crate) actor_id: Option<String>,
    pub(crate) resource_type: Option<String>,
    pub(crate) resource_id: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) ip_address: Option<String>,
}

impl Wanted {
    fn has(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|text| text == value);
        is(&self.action, &entry.action)
            && is(&self.actor_id, &entry.actor_id)
            && is(&self.resource_type, &entry.resource_type)
            && is(&self.resource_id, entry.resource_id.as_deref().unwrap_or_default())
            && is(&self.status, entry.status())
            && is(&self.ip_address, &entry.ip_address)
            && self.from_ms.is_none_or(|from| entry.created_ms >= from)
            && self.until_ms.is_none_or(|until| entry.created_ms < until)
    }
}

/// All entries that are kept, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AuditLog {
    entries: VecDeque<Entry>,
}

impl AuditLog {
    pub(crate) fn push(&mut self, entry: Entry) {
        if self.entries.len() >= MAX_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(crate) fn select<'a>(&'a self, wanted: &'a Wanted) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(|entry| wanted.has(entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entries_are_forgotten() {
        let mut log = AuditLog::default();
        for number in 0..=MAX_ENTRIES {
            log.push(Entry {
                id: number.to_string(),
                created_ms: 0,
                action: "a".into(),
                actor_id: "u".into(),
                actor_email: "e".into(),
                resource_type: "r".into(),
                resource_id: None,
                ip_address: "127.0.0.1".into(),
                user_agent: None,
                status_code: 200,
                request_id: "req_1".into(),
            });
        }
        let wanted = Wanted::default();
        assert_eq!(log.select(&wanted).next().unwrap().id, "1");
        assert_eq!(log.select(&wanted).count(), MAX_ENTRIES);
    }
}

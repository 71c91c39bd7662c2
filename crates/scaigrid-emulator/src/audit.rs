//! Who changed what.

use crate::gateway::{PARTNER, TENANT};
use crate::times::rfc3339;
use axum::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// How many entries are kept. Then the oldest are forgotten.
const MAX_ENTRIES: usize = 10_000;

/// Last parts of paths that only read, though they are `POST`s.
const READS: [&str; 6] = ["search", "query", "traverse", "paths", "ask", "context"];

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

/// What a request does to which kind of thing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Action {
    /// Such as `budget.create`.
    pub(crate) name: String,
    /// Such as `budget`.
    pub(crate) resource_type: String,
}

/// Names what a request does, from its method and the template of its route. `None` for requests that are not
/// logged: those that read, and inference. Documented are `budget.create`, `budget.update`, and `budget.delete`;
/// the others are formed in the same way.
pub(crate) fn action(method: &Method, route: &str) -> Option<Action> {
    let verb = match method.as_str() {
        "POST" => "create",
        "PUT" | "PATCH" => "update",
        "DELETE" => "delete",
        _ => return None,
    };
    let parts: Vec<&str> = route.strip_prefix("/v1/")?.split('/').collect();
    let parts = match parts.as_slice() {
        ["inference" | "chat", ..] => return None,
        ["accounting", rest @ ..] | ["modules", _, rest @ ..] => rest,
        all => all,
    };
    if parts.last().is_some_and(|last| READS.contains(last)) {
        return None;
    }
    let mut words: Vec<String> =
        parts.iter().filter(|part| !part.starts_with('{')).map(|part| singular(part)).collect();
    // The last part is a verb when it is no plural and stands behind an id: `/webhooks/{webhook_id}/test`.
    let has_verb = match parts {
        [.., id, last] => verb == "create" && id.starts_with('{') && singular(last) == last.replace('-', "_"),
        _ => false,
    };
    let verb = if has_verb { words.pop()? } else { verb.to_owned() };
    let resource_type = words.last()?.clone();
    words.push(verb);
    Some(Action { name: words.join("."), resource_type })
}

/// `api-keys` becomes `api_key`, and `access` stays.
fn singular(part: &str) -> String {
    let is_plural = part.ends_with('s') && !part.ends_with("ss");
    let part = if is_plural { part.strip_suffix('s').unwrap_or(part) } else { part };
    part.replace('-', "_")
}

/// The value that the last parameter of a route has in a path.
pub(crate) fn last_parameter(route: &str, path: &str) -> Option<String> {
    let pairs = route.split('/').zip(path.split('/'));
    pairs.filter(|(part, _)| part.starts_with('{')).last().map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_named_after_routes() {
        let name = |method: &str, route| {
            let action = action(&Method::from_bytes(method.as_bytes()).unwrap(), route)?;
            Some((action.name, action.resource_type))
        };
        for (method, route, expected) in [
            ("POST", "/v1/accounting/budgets", Some(("budget.create", "budget"))),
            ("PUT", "/v1/accounting/budgets/{budget_id}", Some(("budget.update", "budget"))),
            ("POST", "/v1/api-keys", Some(("api_key.create", "api_key"))),
            ("DELETE", "/v1/api-keys/{key_id}", Some(("api_key.delete", "api_key"))),
            ("PATCH", "/v1/sessions/{id}", Some(("session.update", "session"))),
            ("POST", "/v1/sessions/{id}/messages", Some(("session.message.create", "message"))),
            ("POST", "/v1/rooms/{room_id}/members", Some(("room.member.create", "member"))),
            ("POST", "/v1/webhooks/{webhook_id}/test", Some(("webhook.test", "webhook"))),
            ("POST", "/v1/modules/scaimatrix/collections", Some(("collection.create", "collection"))),
            ("POST", "/v1/modules/scaimatrix/collections/{id}/fork", Some(("collection.fork", "collection"))),
            (
                "POST",
                "/v1/modules/scaimatrix/collections/{id}/re-chunk",
                Some(("collection.re_chunk", "collection")),
            ),
            (
                "PUT",
                "/v1/modules/scaimatrix/collections/{id}/access",
                Some(("collection.access.update", "access")),
            ),
            ("POST", "/v1/modules/scaimatrix/collections/{id}/search", None),
            ("POST", "/v1/inference/batch/{batch_id}/cancel", None),
            ("POST", "/v1/chat/completions", None),
            ("GET", "/v1/api-keys", None),
            ("POST", "/health", None),
        ] {
            let expected = expected.map(|(name, kind)| (name.to_owned(), kind.to_owned()));
            assert_eq!(name(method, route), expected, "{method} {route}");
        }
    }

    #[test]
    fn the_last_parameter_is_the_resource() {
        assert_eq!(last_parameter("/v1/a/{x}/b/{y}", "/v1/a/1/b/2").as_deref(), Some("2"));
        assert_eq!(last_parameter("/v1/a", "/v1/a"), None);
    }

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

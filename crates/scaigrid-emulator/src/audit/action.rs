//! What a request does, named after its route.

use axum::http::Method;

/// Last parts of paths that only read, though they are `POST`s.
const READS: [&str; 6] = ["search", "query", "traverse", "paths", "ask", "context"];

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
        ["inference", "batch", ..] => parts.get(1..).unwrap_or_default(),
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
            ("POST", "/v1/inference/batch", Some(("batch.create", "batch"))),
            ("POST", "/v1/inference/batch/{id}/cancel", Some(("batch.cancel", "batch"))),
            ("POST", "/v1/inference/embed", None),
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
}

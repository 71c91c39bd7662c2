//! The reply types, each with all of its fields.

use crate::leniency::{Case, Decoded};
use scaigrid_types::*;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Debug;

fn decoded<T: Debug + Serialize>(reply: &T) -> Decoded {
    Decoded { shown: format!("{reply:?}"), encoded: Some(serde_json::to_value(reply).unwrap()) }
}

/// A reply below `data`.
fn one<E: Endpoint<Reply: Debug + Serialize> + 'static>(endpoint: E, full: Value) -> Case {
    shown(endpoint, full, decoded)
}

fn shown<E: Endpoint + 'static>(endpoint: E, full: Value, show: fn(&E::Reply) -> Decoded) -> Case {
    let name = endpoint.name();
    case(name, full, move |value| {
        let reply = crate::decode(&endpoint, &json!({"data": value}).to_string());
        reply.map(|reply| show(&reply)).map_err(|error| error.to_string())
    })
}

/// An item of a list.
fn item<E: Paginated<Item: Debug + Serialize> + 'static>(endpoint: E, full: Value) -> Case {
    let name = endpoint.name();
    case(name, full, move |value| {
        let reply = crate::decode(&endpoint, &json!({"data": {"items": [value]}}).to_string());
        reply.map(|page| decoded(&page.items[0])).map_err(|error| error.to_string())
    })
}

fn case(
    name: &'static str,
    full: Value,
    decode: impl Fn(&Value) -> Result<Decoded, String> + 'static,
) -> Case {
    let none = Vec::new;
    Case {
        name,
        decode: Box::new(decode),
        full,
        required: none(),
        telling: none(),
        enums: none(),
        free: none(),
        skips: none(),
    }
}

impl Case {
    fn required(self, required: &[&'static str]) -> Self {
        Self { required: required.to_vec(), ..self }
    }

    fn telling(self, telling: &[&'static str]) -> Self {
        Self { telling: telling.to_vec(), ..self }
    }

    fn enums(self, enums: &[&'static str]) -> Self {
        Self { enums: enums.to_vec(), ..self }
    }

    fn free(self, free: &[&'static str]) -> Self {
        Self { free: free.to_vec(), ..self }
    }

    fn skips(self, skips: &[&'static str]) -> Self {
        Self { skips: skips.to_vec(), ..self }
    }
}

/// Those that a list gives, too, stand here once and are checked as items there.
pub(crate) fn cases() -> Vec<Case> {
    [inference(), conversations(), administration(), knowledge(), without_endpoint()]
        .into_iter()
        .flatten()
        .collect()
}

fn usage() -> Value {
    json!({"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12})
}

fn model() -> Value {
    json!({"slug": "tenant/acme/summarizer", "display_name": "Summarizer", "description": "Sums up", "modality": "chat",
        "context_window": 128_000, "max_output_tokens": 4096, "status": "active", "health_status": "healthy",
        "active_backend_count": 2, "total_backend_count": 3, "input_price_per_mtok": "2.50",
        "output_price_per_mtok": "10.00", "default_params": {"temperature": 0.3},
        "capabilities": {"tool_use": true}, "metadata": {"persona_id": "p"}, "id": "model_1"})
}

fn job() -> Value {
    json!({"id": "batch_1", "status": "completed", "output_file_url": "u", "error_file_url": "e",
        "request_counts": {"total": 4, "completed": 2, "failed": 1}, "endpoint_completion_window": "24h",
        "metadata": {"k": 1}, "created_at": "2026-04-22T10:00:00Z", "completed_at": "2026-04-22T11:00:00Z"})
}

fn inference() -> Vec<Case> {
    let chat = ChatRequest::new("m").user("a");
    let completion = json!({"id": "c", "object": "chat.completion", "created": 7, "model": "m", "usage": usage(),
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "a",
            "reasoning_content": "r", "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}}]});
    let models_enums = ["/modality", "/status", "/health_status"];
    let models_free = ["/default_params", "/capabilities", "/metadata"];
    let image = json!({"url": "u", "b64_json": "aGk=", "revised_prompt": "p"});
    let generate = |endpoint| {
        one::<GenerateRequest>(
            endpoint,
            json!({"id": "c", "model": "m", "text": "t",
        "content": "c", "usage": usage(), "choices": [{"index": 0, "text": "x", "finish_reason": "stop"}]}),
        )
    };
    let transcribe = TranscribeRequest::new("m", Upload::bytes("a.mp3", b"ID3"));
    vec![
        one(chat, completion)
            .enums(&[
                "/choices/0/finish_reason",
                "/choices/0/message/role",
                "/choices/0/message/tool_calls/0/type",
            ])
            .skips(&[
                "",
                "/usage",
                "/choices/*",
                "/choices/*/message",
                "/choices/*/message/tool_calls/*",
                "/choices/*/message/tool_calls/*/function",
            ]),
        item(ListModels::new(), model())
            .required(&["/slug"])
            .enums(&models_enums)
            .free(&models_free)
            .skips(&[""]),
        one(GetModel::new("s"), model())
            .required(&["/slug"])
            .enums(&models_enums)
            .free(&models_free)
            .skips(&[""]),
        one(
            EmbedRequest::new("m", "a"),
            json!({"data": [{"index": 0, "embedding": [0.5, 2.0]}], "model": "m", "usage": usage()}),
        )
        .required(&["/data/0/embedding"])
        .skips(&["", "/usage", "/data/*"]),
        one(
            GenerateImagesRequest::new("m", "p"),
            json!({"data": [image], "created": 7, "model": "m", "usage": usage()}),
        )
        .skips(&["/usage"]),
        one(
            transcribe,
            json!({"text": "a", "language": "en", "duration": 2.0,
                "segments": [{"text": "a", "id": 1, "start": 0.0, "end": 2.0}],
                "words": [{"word": "a", "start": 1.0, "end": 2.0}]}),
        ),
        generate(GenerateRequest::new("m", "p")).enums(&["/choices/0/finish_reason"]).skips(&["/usage"]),
        item(ListBatches::new(), job())
            .required(&["/id"])
            .enums(&["/status", "/endpoint_completion_window"])
            .free(&["/metadata"]),
        one(CancelBatch::new("b"), job()).enums(&["/status"]).free(&["/metadata"]),
    ]
}

fn conversations() -> Vec<Case> {
    let message =
        || json!({"id": "msg_1", "role": "assistant", "content": "hi", "created_at": "x", "usage": usage()});
    let session = || {
        json!({"id": "sess_1", "model": "m", "title": "t", "system_prompt": "s", "metadata": {"k": 1}, "status": "active",
            "messages": [message()], "created_at": "a", "updated_at": "b"})
    };
    let room = || {
        json!({"id": "room_1", "name": "n", "description": "d", "members": [{"id": "u", "type": "user", "role": "member"}],
            "messages": [{"id": "m", "content": "hi", "created_at": "a"}], "created_at": "a", "updated_at": "b"})
    };
    let session_enums = ["/status", "/messages/0/role"];
    let room_enums = ["/members/0/type", "/members/0/role"];
    let reply = |reply: &SessionReply| match reply {
        SessionReply::Message(message) => decoded(message),
        SessionReply::Completion(completion) => decoded(completion),
        other => panic!("{other:?}"),
    };
    vec![
        one(GetSession::new("s"), session())
            .required(&["/id"])
            .enums(&session_enums)
            .free(&["/metadata"])
            .skips(&["/messages/*/usage"]),
        item(ListSessions::new(), session())
            .required(&["/id"])
            .enums(&session_enums)
            .free(&["/metadata"])
            .skips(&["/messages/*/usage"]),
        shown(SendSessionMessage::new("s", "c"), message(), reply)
            .telling(&["/role"])
            .enums(&["/role"])
            .skips(&["/usage"]),
        one(GetRoom::new("r"), room()).required(&["/id"]).enums(&room_enums).free(&["/messages/0/content"]),
        item(ListRooms::new(), room()).required(&["/id"]).enums(&room_enums).free(&["/messages/0/content"]),
        one(SendRoomMessage::new("r", "c"), json!({"id": "m", "content": "hi", "created_at": "a"}))
            .free(&["/content"]),
    ]
}

fn administration() -> Vec<Case> {
    let key = json!({"id": "apikey_xyz", "name": "n", "prefix": "sgk_", "scopes": ["a"], "expires_at": "x", "created_at": "y"});
    let mut created = key.clone();
    created["key"] = json!("sgk_hidden");
    let webhook = json!({"id": "wh_1", "url": "u", "events": ["request.completed"], "status": "active", "max_retries": 5});
    let row = json!({"group_key": "m", "request_count": 1, "input_tokens": 2, "output_tokens": 3, "total_tokens": 5,
        "total_cost": "62.47", "backend_cost": "61.93"});
    let budget = json!({"id": "budget_xyz", "scope": "tenant", "scope_id": "t", "period": "monthly", "cost_limit": "500.00",
        "token_limit": 1, "request_limit": 2, "hard_action": "block", "soft_limit_pct": 1.0});
    let entry = json!({"id": "audit_1", "timestamp": "t", "action": "budget.create", "actor_id": "u", "actor_email": "e",
        "actor_type": "user", "tenant_id": "t", "partner_id": "p", "resource_type": "budget", "resource_id": "b",
        "ip_address": "i", "user_agent": "c", "status": "SUCCESS"});
    let record = json!({"id": "usage_1", "model": "m", "backend_id": "be", "user_id": "u", "tenant_id": "t", "tokens_in": 1,
        "tokens_out": 2, "cost": "0.007275", "latency_ms": 3, "created_at": "x"});
    let profile = json!({"id": "u", "email": "e", "display_name": "d", "tenant_id": "t", "partner_id": "p",
        "roles": ["tenant_user"], "permissions": ["models:use"]});
    let rows = |summary: &UsageSummary| decoded(&summary.rows[0]);
    let secret = |created: &CreatedApiKey| Decoded { shown: format!("{created:?}"), encoded: None };
    let not_ready = |reply: &Readiness| Decoded { shown: format!("{reply:?}"), encoded: None };
    let delivery = json!({"id": "del_1", "status_code": 500, "error_message": "e", "duration_ms": 7});
    let test = json!({"delivery_id": "del_1", "status_code": 200, "duration_ms": 142, "error": "e"});
    vec![
        shown(CreateApiKey::new("n"), created, secret).required(&["/id", "/key"]),
        item(ListApiKeys::new(), key).required(&["/id"]),
        one(GetMe, profile),
        item(ListUsage::new(), record).required(&["/id"]),
        shown(UsageSummaryQuery::default(), row, rows).telling(&["/request_count"]).skips(&[""]),
        one(GetBudget::new("b"), budget.clone()).enums(&["/scope", "/period", "/hard_action"]),
        item(ListBudgets::new(), budget).enums(&["/scope", "/period", "/hard_action"]),
        one(GetWebhook::new("w"), webhook.clone()).required(&["/id"]).enums(&["/status", "/events/0"]),
        item(ListWebhooks::new(), webhook).required(&["/id"]).enums(&["/status", "/events/0"]),
        one(TestWebhook::new("w"), test),
        item(ListDeliveries::new("w"), delivery).required(&["/id"]),
        item(ListAuditLog::new(), entry).enums(&["/actor_type", "/status"]),
        whole(GetHealth, json!({"status": "ok"}), decoded),
        whole(GetReadiness, json!({"status": "ready", "checks": {"database": "ok"}}), not_ready)
            .free(&["/checks"]),
    ]
}

/// A reply without an envelope.
fn whole<E: Endpoint + 'static>(endpoint: E, full: Value, show: fn(&E::Reply) -> Decoded) -> Case {
    let name = endpoint.name();
    case(name, full, move |value| {
        let reply = crate::decode(&endpoint, &value.to_string());
        reply.map(|reply| show(&reply)).map_err(|error| error.to_string())
    })
}

fn knowledge() -> Vec<Case> {
    let collection = json!({"id": "col_1", "name": "n", "slug": "n", "description": "d", "embedding_model": "m",
        "metadata": {"k": 1}, "chunking_strategy": "paragraph", "chunk_size": 512, "chunk_overlap": 50,
        "graph_enabled": true, "graph_extraction_model": "g", "graph_max_nodes": 250_000, "graph_max_edges": 500_000,
        "storage_quota_bytes": 7, "default_access": "tenant", "user_permission": "read",
        "follow_ups": {"rechunk_recommended": true}, "created_at": "x"});
    let enums = ["/chunking_strategy", "/default_access", "/user_permission"];
    let document = json!({"id": "doc_1", "name": "n", "status": "indexed", "error_message": "e", "metadata": {"k": 1},
        "created_at": "x"});
    let hit = json!({"document_id": "d", "document_name": "n", "content": "c", "score": 1.0});
    vec![
        one(GetCollection::new("c"), collection.clone())
            .required(&["/id"])
            .enums(&enums)
            .free(&["/metadata", "/follow_ups"]),
        item(ListCollections::new(), collection)
            .required(&["/id"])
            .enums(&enums)
            .free(&["/metadata", "/follow_ups"]),
        one(GetDocument::new("c", "d"), document.clone()).enums(&["/status"]).free(&["/metadata"]),
        item(ListDocuments::new("c"), document).enums(&["/status"]).free(&["/metadata"]),
        one(SearchCollection::new("c", "q"), json!({"results": [hit], "total": 1})),
    ]
}

fn without_endpoint() -> Vec<Case> {
    let event = json!({"event_type": "request.completed", "event_id": "evt_1", "source": "s", "tenant_id": "t",
        "partner_id": "p", "payload": {"tokens": 1}, "timestamp": "2026-04-22T14:30:00.000Z"});
    let completed = json!({"model": "m", "backend_id": "b", "latency_ms": 842, "tokens": 156});
    let line = json!({"custom_id": "req-1", "response": {"status_code": 200, "body": {"choices": []}}, "error": {"code": "X"}});
    vec![
        case("event", event, |value| {
            let event = WebhookEvent::from_body(value.to_string().as_bytes());
            event.map(|event| decoded(&event)).map_err(|error| error.to_string())
        })
        .required(&["/event_type", "/event_id"])
        .enums(&["/event_type"])
        .free(&["/payload"]),
        case("request.completed", completed, |value| {
            let event = json!({"event_type": "request.completed", "event_id": "e", "payload": value});
            let event = WebhookEvent::from_body(event.to_string().as_bytes()).unwrap();
            event.payload_as::<RequestCompleted>().map(|it| decoded(&it)).map_err(|error| error.to_string())
        }),
        case("result line", line, |value| {
            let line = BatchResult::from_line(value.to_string().as_bytes());
            line.map(|line| decoded(&line)).map_err(|error| error.to_string())
        })
        .required(&["/custom_id"])
        .free(&["/response/body", "/error"]),
    ]
}

//! Replies of the calls beside inference: the fields that each example shows.

use crate::{decode, example};
use scaigrid_types::*;
use serde_json::json;

/// Whether there is a case for the example.
pub(crate) fn check(what: &str, text: &str) -> bool {
    accounts(what, text) || conversations(what, text) || knowledge(what, text)
}

fn accounts(what: &str, text: &str) -> bool {
    match what {
        "created key" => {
            let created = decode(&CreateApiKey::new("production-integration"), text).unwrap();
            assert_eq!(created.key.expose(), "sgk_full_key_here_shown_once");
            let key = &created.api_key;
            assert_eq!(
                (key.id.as_str(), key.name.as_deref()),
                ("apikey_xyz", Some("production-integration"))
            );
            assert_eq!(
                (key.prefix.as_deref(), key.scopes.as_deref()),
                (Some("sgk_"), Some(&["models:use".to_owned()][..]))
            );
            assert_eq!(key.expires_at.as_deref(), Some("2027-04-22T00:00:00Z"));
            assert_eq!(key.created_at.as_deref(), Some("2026-04-22T10:00:00Z"));
            assert!(key.extra.is_empty() && !format!("{created:?}").contains("shown_once"));
        }
        "profile" => {
            let me = decode(&GetMe, text).unwrap();
            assert_eq!(
                (me.id.as_deref(), me.email.as_deref()),
                (Some("user_alice"), Some("alice@acme.example"))
            );
            assert_eq!(
                (me.tenant_id.as_deref(), me.partner_id.as_deref()),
                (Some("tenant_acme"), Some("partner_internal"))
            );
            assert_eq!(me.roles.as_deref().unwrap(), ["tenant_user"]);
            assert!(me.has_permission("models:use") && !me.has_permission("admin:access"));
        }
        "usage" => {
            let page = decode(&ListUsage::new(), text).unwrap();
            assert_eq!(page.next_cursor.as_deref(), Some("c2"));
            let record = &page.items[0];
            assert_eq!(
                (record.tokens_in, record.tokens_out, record.latency_ms),
                (Some(1247), Some(389), Some(842))
            );
            assert_eq!(record.cost.unwrap().to_string(), "0.007275");
            assert_eq!(
                (record.id.as_str(), record.model.as_deref()),
                ("usage_1", Some("scailabs/poolnoodle-omni"))
            );
            assert_eq!(
                (record.user_id.as_deref(), record.tenant_id.as_deref()),
                (Some("user_alice"), Some("tenant_acme"))
            );
            assert_eq!(record.backend_id.as_deref(), Some("be_openai_gpt4o"));
            assert_eq!(record.created_at.as_deref(), Some("2026-04-22T14:30:01Z"));
        }
        "summary" | "summary without status" | "summary as an object" => {
            let summary = decode(&UsageSummaryQuery::new(UsagePeriod::Day), text).unwrap();
            assert_eq!(summary.rows.len(), 1);
            let row = &summary.rows[0];
            let key = (what != "summary as an object").then_some("scailabs/poolnoodle-omni");
            assert_eq!((row.group_key.as_deref(), row.request_count), (key, Some(12_450)));
            assert_eq!((row.input_tokens, row.output_tokens), (Some(4_823_991), Some(1_287_332)));
            assert_eq!(row.total_tokens, Some(6_111_323));
            assert_eq!(row.total_cost.unwrap().to_string(), "62.47");
            assert_eq!(row.backend_cost.unwrap().to_string(), "61.93");
        }
        "budget" => {
            let budget = decode(&GetBudget::new("budget_xyz"), text).unwrap();
            assert_eq!((budget.id.as_deref(), budget.scope), (Some("budget_xyz"), Some(BudgetScope::Tenant)));
            assert_eq!(
                (budget.period, budget.scope_id.as_deref()),
                (Some(BudgetPeriod::Monthly), Some("tenant_acme"))
            );
            assert_eq!(budget.cost_limit.unwrap().to_string(), "500.00");
            assert_eq!((budget.token_limit, budget.request_limit), (Some(1_000_000), Some(5000)));
            assert_eq!((budget.hard_action, budget.soft_limit_pct), (Some(BudgetAction::Block), Some(0.8)));
        }
        "audit log" => {
            let page = decode(&ListAuditLog::new(), text).unwrap();
            let entry = &page.items[0];
            assert_eq!(
                (entry.id.as_deref(), entry.action.as_deref()),
                (Some("audit_1"), Some("budget.create"))
            );
            assert_eq!(
                (entry.actor_type.clone(), entry.status.clone()),
                (Some(ActorType::User), Some(AuditStatus::Success))
            );
            assert_eq!(entry.actor_email.as_deref(), Some("alice@acme.example"));
            assert_eq!(
                (entry.resource_type.as_deref(), entry.resource_id.as_deref()),
                (Some("budget"), Some("budget_xyz"))
            );
            assert_eq!(
                (entry.ip_address.as_deref(), entry.user_agent.as_deref()),
                (Some("198.51.100.42"), Some("curl/8.4.0"))
            );
            assert!(entry.timestamp.is_some() && entry.partner_id.is_some() && entry.extra.is_empty());
        }
        "health" => {
            let health = decode(&GetHealth, text).unwrap();
            assert_eq!((health.status.as_deref(), health.extra.len()), (Some("ok"), 0));
        }
        "ready" => {
            let ready = decode(&GetReadiness, text).unwrap();
            assert_eq!((ready.is_ready, ready.status.as_deref()), (true, Some("ready")));
            assert_eq!(json!(ready.checks), json!({"database": "ok", "redis": "ok", "modules": "ok"}));
            // 503 with the same form, and with anything else.
            let down = |body: &str| {
                let body = ResponseBody::new(body.as_bytes(), Some("application/json")).with_status(503);
                GetReadiness.decode(body).unwrap()
            };
            for status in ["not_ready", "error"] {
                let ready = down(&text.replace(r#""ready""#, &format!("{status:?}")));
                assert!(!ready.is_ready, "{ready:?}");
                assert_eq!((ready.status.as_deref(), ready.checks.len()), (Some(status), 3));
            }
            for odd in ["", "<html>", "[]", r#"{"error":{"code":"X"}}"#, r#"{"checks":["database"]}"#] {
                assert!(!down(odd).is_ready, "{odd}");
            }
            assert!(GetReadiness.accepts_status(503) && !GetHealth.accepts_status(503));
        }
        _ => return false,
    }
    true
}

fn conversations(what: &str, text: &str) -> bool {
    match what {
        "created session" => {
            let session = decode(&CreateSession::new("m"), text).unwrap();
            assert_eq!((session.id.as_str(), session.model), ("sess_abc123", None));
        }
        "session" => {
            for session in [
                decode(&GetSession::new("sess_abc123"), text).unwrap(),
                decode(&UpdateSession::new("sess_abc123"), text).unwrap(),
            ] {
                assert_eq!(
                    (session.id.as_str(), session.status),
                    ("sess_abc123", Some(SessionStatus::Active))
                );
                assert_eq!(
                    (session.title.as_deref(), session.system_prompt.as_deref()),
                    (Some("Product planning"), Some("Be brief."))
                );
                let messages = session.messages.unwrap();
                assert_eq!(
                    (&messages[0].role, &messages[0].content),
                    (&Some(Role::User), &Some("Hello".into()))
                );
                assert!(session.created_at < session.updated_at && session.extra.is_empty());
            }
        }
        "reply as a message" | "reply as a completion" => {
            let message = SendSessionMessage::new("sess_abc123", "c");
            let reply = decode(&message, text).unwrap();
            assert_eq!((reply.text().as_ref(), reply.usage()), ("Shorten it.", Some(&Usage::new(9, 3))));
            assert_eq!(matches!(reply, SessionReply::Message(_)), what == "reply as a message");
            let completion = decode(&StreamSessionMessage(&message), text).unwrap();
            assert_eq!(
                (completion.text().as_ref(), completion.usage),
                ("Shorten it.", Some(Usage::new(9, 3)))
            );
        }
        "room" => {
            for room in [
                decode(&CreateRoom::new("n"), text).unwrap(),
                decode(&GetRoom::new("room_1"), text).unwrap(),
                decode(&UpdateRoom::new("room_1"), text).unwrap(),
            ] {
                assert_eq!((room.id.as_str(), room.name.as_deref()), ("room_1", Some("Design Review")));
                assert_eq!(room.messages.unwrap()[0].content, Some(json!("Hello")));
                let member = &room.members.unwrap()[0];
                assert_eq!(
                    (&member.member_type, &member.role),
                    (&Some(RoomMemberType::User), &Some(RoomRole::Member))
                );
                assert!(room.extra.is_empty());
            }
        }
        "webhook" => {
            for webhook in [
                decode(&GetWebhook::new("wh_1"), text).unwrap(),
                decode(&CreateWebhook::new("u", []), text).unwrap(),
                decode(&UpdateWebhook::new("wh_1", "u", []), text).unwrap(),
            ] {
                assert_eq!((webhook.id.as_str(), webhook.status), ("wh_1", Some(WebhookStatus::Active)));
                assert_eq!(webhook.events, Some(vec![EventType::RequestCompleted]));
                assert_eq!((webhook.max_retries, webhook.url.is_some()), (Some(5), true));
            }
        }
        "webhook test" => {
            let test = decode(&TestWebhook::new("wh_1"), text).unwrap();
            assert_eq!((test.delivery_id.as_deref(), test.error), (Some("del_1"), None));
            assert_eq!((test.status_code, test.duration_ms), (Some(200), Some(142)));
        }
        "deliveries" => {
            let page = decode(&ListDeliveries::new("wh_1"), text).unwrap();
            let delivery = &page.items[0];
            assert_eq!((delivery.id.as_str(), delivery.error_message.as_deref()), ("del_1", Some("boom")));
            assert_eq!((delivery.status_code, delivery.duration_ms), (Some(500), Some(142)));
        }
        _ => return false,
    }
    true
}

fn knowledge(what: &str, text: &str) -> bool {
    match what {
        "collections" => {
            let page = decode(&ListCollections::new(), text).unwrap();
            assert_eq!(page.next_cursor.as_deref(), Some("c2"));
            assert_eq!(page.items[0].user_permission, Some(CollectionPermission::Write));
            assert_eq!(page.items[1].user_permission, None);
        }
        "updated collection" => {
            let collection = decode(&UpdateCollection::new("col_1"), text).unwrap();
            let follow_ups = json!({"graph_reextract": "queued", "rechunk_recommended": true});
            assert_eq!(collection.follow_ups, Some(follow_ups));
        }
        "uploaded document" => {
            let upload = UploadDocument::new("col_1", Upload::bytes("a.md", b"#"));
            let document = decode(&upload, text).unwrap();
            assert_eq!((document.id.as_deref(), document.is_final()), (Some("doc-9"), false));
            assert_eq!(document.status, Some(DocumentStatus::Pending));
        }
        "failed document" => {
            let document = decode(&GetDocument::new("col_1", "doc-9"), text).unwrap();
            assert_eq!((document.error_message.as_deref(), document.is_final()), (Some("bad file"), true));
        }
        "search results" => {
            let found = decode(&SearchCollection::new("col_1", "q"), text).unwrap();
            assert_eq!((found.total, found.results.len()), (Some(1), 1));
            let hit = &found.results[0];
            assert_eq!(
                (hit.document_id.as_deref(), hit.document_name.as_deref()),
                (Some("d1"), Some("a.md"))
            );
            assert_eq!((hit.content.as_deref(), hit.score), (Some("A"), Some(0.4)));
        }
        "deleted document" => {
            assert_eq!(decode(&DeleteDocument::new("col_1", "doc-9"), text), Ok(()));
        }
        _ => return false,
    }
    true
}

#[test]
fn the_event_of_the_reference() {
    let example = example("event");
    let event = WebhookEvent::from_body(example.text().as_bytes()).unwrap();
    assert_eq!((&event.event_type, event.event_id.as_str()), (&EventType::RequestCompleted, "evt_abc123"));
    assert_eq!(
        (event.source.as_deref(), event.tenant_id.as_deref()),
        (Some("inference_service"), Some("tenant_acme"))
    );
    assert_eq!(event.timestamp.as_deref(), Some("2026-04-22T14:30:00.000Z"));
    let completed: RequestCompleted = event.payload_as().unwrap();
    assert_eq!((completed.latency_ms, completed.tokens), (Some(842), Some(156)));
    assert_eq!((completed.model.as_deref(), completed.extra.len()), (Some("scailabs/poolnoodle-omni"), 0));
    assert_eq!(json!(event), example.value());
    assert!(event.extra.is_empty());
}

/// Section 16.3, but for the open end `swp.bunker.*`.
#[test]
fn every_documented_event_type_is_known() {
    let documented = "request.completed request.failed budget.soft_limit_reached budget.hard_limit_reached \
        scaikey.user.created scaikey.user.updated webhook.auto_disabled scaicore.activated scaicore.passivated \
        scaicore.deleted scaicore.checkpoint_pending scaicore.checkpoint_resolved scaiqueue.message.published \
        scaiqueue.message.claimed scaiqueue.message.completed scaiqueue.message.dead_lettered scaibunker.usage \
        scaibot.conversation.started scaibot.escalation.triggered scaimatrix.document.indexed \
        scaimatrix.crawl.completed";
    for text in documented.split_whitespace() {
        assert!(!matches!(EventType::from(text), EventType::Other(_)), "{text}");
    }
    assert_eq!(EventType::from("swp.bunker.started"), EventType::Other("swp.bunker.started".to_owned()));
}

/// The key is the whole secret, the message is the raw body. The digest was made with `openssl dgst -sha256 -hmac`.
#[cfg(feature = "webhook-signatures")]
#[test]
fn the_event_of_the_reference_is_signed_as_documented() {
    let example = example("event");
    let verifier = WebhookVerifier::new("whsec_random_32_chars_or_more");
    let signature = "sha256=406b881199142e670e736a045bd4abeafb4c5e0d540e3f6cf0f70ca30d8be24b";
    assert_eq!(verifier.sign(example.text().as_bytes()), signature);
    assert_eq!(verifier.verify(example.text().as_bytes(), Some(signature)).unwrap().event_id, "evt_abc123");
    assert!(SIGNATURE_HEADER.eq_ignore_ascii_case("X-ScaiGrid-Signature"));
    assert!(TIMESTAMP_HEADER.eq_ignore_ascii_case("X-ScaiGrid-Timestamp"));
}

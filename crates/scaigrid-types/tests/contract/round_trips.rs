//! Types that go both ways lose nothing.

use crate::{body, decode};
use scaigrid_types::*;
use serde_json::{Value, json};

fn webhook(value: &Value) -> Webhook {
    decode(&GetWebhook::new("wh_1"), &json!({"data": value}).to_string()).unwrap()
}

/// What came back goes out again as the full set, without the id, the secret, and the times.
#[test]
fn a_webhook_can_be_read_and_replaced() {
    let came = json!({"id": "wh/1", "url": "https://x.example", "events": ["request.completed", "swp.bunker.started"],
        "status": "paused", "max_retries": 7.0, "secret": "whsec_***", "region": {"zone": [1]},
        "created_at": "a", "updated_at": "b"});
    let update = webhook(&came).to_update().unwrap();
    let path = update.path();
    assert_eq!(path.segments().last(), Some("wh/1"));
    let sent: Value = serde_json::from_str(&body(&update)).unwrap();
    let expected = json!({"url": "https://x.example", "events": ["request.completed", "swp.bunker.started"],
        "status": "paused", "max_retries": 7, "region": {"zone": [1]}});
    assert_eq!(sent, expected);
    // And with what the caller changes.
    let changed: Value = serde_json::from_str(&body(&update.status("inactive").secret("whsec_new"))).unwrap();
    assert_eq!((&changed["status"], &changed["secret"]), (&json!("inactive"), &json!("whsec_new")));
}

/// Masked or not, the secret of an answer is neither kept nor sent nor shown.
#[test]
fn a_webhooks_secret_is_dropped() {
    for secret in [json!("whsec_hidden"), json!(null), json!({"masked": "hidden"}), json!(1)] {
        let webhook = webhook(&json!({"id": "w", "url": "u", "events": [], "secret": secret}));
        let shown = format!("{webhook:?} {} {}", json!(webhook), body(&webhook.to_update().unwrap()));
        assert!(!shown.contains("hidden") && webhook.extra.is_empty(), "{shown}");
    }
}

/// Servers read queries with these types: an unknown value reaches the query.
#[test]
fn queries_keep_values_that_they_do_not_know() {
    let list: ListModels =
        serde_json::from_value(json!({"modality": "video", "status": "retired", "limit": 5})).unwrap();
    let query = list.query();
    let pairs: Vec<_> = query.pairs().collect();
    assert_eq!(pairs, [("limit", "5"), ("modality", "video"), ("status", "retired")]);
    let summary: UsageSummaryQuery =
        serde_json::from_value(json!({"period": "year", "group_by": "key", "model": null})).unwrap();
    let query = summary.query();
    assert_eq!(query.pairs().collect::<Vec<_>>(), [("period", "year"), ("group_by", "key")]);
    // A cursor keeps the rest.
    let next = ListModels::new().modality("video").after("c2");
    assert_eq!(next.query().pairs().collect::<Vec<_>>(), [("cursor", "c2"), ("modality", "video")]);
}

/// What a builder sends for a value that it does not know.
#[test]
fn requests_take_values_that_they_do_not_know() {
    let sent = |json: String| serde_json::from_str::<Value>(&json).unwrap();
    let images = GenerateImagesRequest::new("m", "p").quality("ultra").style("noir").response_format("svg");
    let expected =
        json!({"model": "m", "prompt": "p", "quality": "ultra", "style": "noir", "response_format": "svg"});
    assert_eq!(sent(body(&images)), expected);
    let member = AddRoomMember::new("r", "agent", "a").role("observer");
    assert_eq!(sent(body(&member)), json!({"type": "agent", "id": "a", "role": "observer"}));
    let batch = SubmitBatch::from_url("u").endpoint_completion_window("2h");
    assert_eq!(sent(body(&batch))["endpoint_completion_window"], "2h");
    let collection = CreateCollection::new("n", "m").chunking_strategy("by_page").default_access("partner");
    assert_eq!(sent(body(&collection))["chunking_strategy"], "by_page");
    let webhook = CreateWebhook::new("u", [EventType::from("new.event")]).status("paused");
    assert_eq!(sent(body(&webhook)), json!({"url": "u", "events": ["new.event"], "status": "paused"}));
}

/// An answer goes back into the conversation, its unknown role and tool included.
#[test]
fn an_answer_becomes_a_message() {
    let reply = json!({"data": {"choices": [{"message": {"role": "narrator", "content": null, "reasoning": "r", "tool_calls": [
        {"id": "c", "type": "web_search", "function": {"name": "f", "arguments": {"q": 1}}}]}}]}});
    let chat = ChatRequest::new("m").user("a");
    let reply = decode(&chat, &reply.to_string()).unwrap();
    let turn = chat.message(&reply.choices[0].message).message(Message::tool_result("c", "found"));
    let sent: Value = serde_json::from_str(&body(&turn)).unwrap();
    let expected = json!([{"role": "user", "content": "a"},
        {"role": "narrator", "content": null, "tool_calls": [
            {"id": "c", "type": "web_search", "function": {"name": "f", "arguments": "{\"q\":1}"}}]},
        {"role": "tool", "content": "found", "tool_call_id": "c"}]);
    assert_eq!(sent["messages"], expected);
}

/// Messages, parts, and tools with keys that are not known come through a request unchanged.
#[test]
fn a_request_keeps_what_it_does_not_know() {
    let request = json!({"model": "m", "top_k": 40, "tool_choice": {"type": "any", "x": 1}, "stop": "END", "seed": -1,
        "tools": [{"type": "web_search"}, {"type": "function", "function": {"name": "f", "strict": true}}],
        "messages": [{"role": "developer", "content": "a", "name": "n"},
            {"role": "user", "content": [{"type": "video", "url": "u"}, {"type": "text", "text": "a", "cache": true},
                {"type": "input_audio", "input_audio": {"data": "x", "format": "flac"}}]}]});
    let read: ChatRequest = serde_json::from_value(request.clone()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&body(&read)).unwrap(), request);
}

/// What is documented to be possible, and what is not known of an answer.
#[test]
fn limits_may_be_none_and_answers_may_be_empty() {
    use scaigrid_types::{
        CancelBatch, CreateCollection, Limit, ResponseBody, SendRoomMessage, UpdateSession,
    };
    let create = CreateCollection::new("n", "m").graph_max_nodes(Limit::Unlimited).storage_quota_bytes(5_u64);
    let sent: Value = serde_json::from_str(&body(&create)).unwrap();
    assert_eq!((&sent["graph_max_nodes"], &sent["storage_quota_bytes"]), (&Value::Null, &json!(5)));
    assert!(sent.as_object().unwrap().contains_key("graph_max_nodes"));

    let empty = ResponseBody::new(b"", None).with_status(204);
    assert_eq!(CancelBatch::new("batch_1").decode(empty).unwrap().id, "batch_1");
    assert_eq!(UpdateSession::new("sess_1").decode(empty).unwrap().id, "sess_1");
    assert_eq!(SendRoomMessage::new("room_1", "hi").decode(empty).unwrap().id, None);
    // Nothing is known of what was made.
    assert!(scaigrid_types::ForkCollection::new("c").decode(empty).is_err());

    let webhook: scaigrid_types::Webhook = serde_json::from_value(json!({"id": "w", "url": "u"})).unwrap();
    assert_eq!(webhook.to_update(), None, "the events would be lost");
}

/// No reply is lost for a field in another form, least of all of a call that must not be repeated.
#[test]
fn fields_in_another_form_lose_no_reply() {
    use scaigrid_types::{GetMe, ResponseBody, SubmitBatch, TranscribeRequest, Upload};
    let submitted =
        br#"{"data":{"id":"batch_abc","status":"validating","created_at":1711471533,"completed_at":null}}"#;
    let job = SubmitBatch::from_url("s3://x").decode(ResponseBody::new(submitted, None)).unwrap();
    assert_eq!((job.created_at.as_deref(), job.is_final()), (Some("1711471533"), false));
    let me = GetMe.decode(ResponseBody::new(br#"{"data":{"id":7,"email":["a"]}}"#, None)).unwrap();
    assert_eq!((me.id.as_deref(), me.email), (Some("7"), None));
    let heard = br#"{"data":{"text":"hi","duration":"3.5","language":1}}"#;
    let transcribe = TranscribeRequest::new("m", Upload::bytes("a", ""));
    let heard = transcribe.decode(ResponseBody::new(heard, Some("application/json"))).unwrap();
    assert_eq!((heard.duration, heard.language.as_deref()), (Some(3.5), Some("1")));
    let envelope = ResponseBody::new(br#"{"error":{"code":"X"}}"#, None);
    assert!(transcribe.decode(envelope).is_err(), "JSON without a type is no text");
    assert!(transcribe.decode(ResponseBody::new(b"<html>", Some("text/html; charset=utf-8"))).is_err());
}

/// Addresses that are keys, and what is long, are not shown.
#[test]
fn nothing_secret_or_long_is_shown() {
    let image = json!({"url": "https://m.example/1?token=hidden", "b64_json": "hidden"});
    let image: scaigrid_types::Image = serde_json::from_value(image).unwrap();
    let job = json!({"id": "b", "output_file_url": "https://m.example/1?token=hidden", "error_file_url": "/x?t=hidden"});
    let job: scaigrid_types::BatchJob = serde_json::from_value(job).unwrap();
    let submit = scaigrid_types::SubmitBatch::from_url("https://s3.example/in?X-Amz-Signature=hidden");
    let key = json!({"id": "k", "key": "sgk_hidden"});
    let key: scaigrid_types::ApiKey = serde_json::from_value(key).unwrap();
    let shown = format!("{image:?} {job:?} {submit:?} {key:?} {}", json!(key));
    assert!(!shown.contains("hidden"), "{shown}");
    assert!(body(&submit).contains("Signature=hidden"), "it is sent");
}

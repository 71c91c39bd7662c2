//! Shapes that the reference assumes as alternatives, each on its own.

use crate::decode;
use scaigrid_types::*;
use serde_json::{Value, json};

fn data<E: Endpoint>(endpoint: &E, data: &Value) -> E::Reply {
    match decode(endpoint, &json!({"data": data}).to_string()) {
        Ok(reply) => reply,
        Err(error) => panic!("{error}: {data}"),
    }
}

/// Section 13: `id`, else `batch_id`; `output_file_url`, else `results_url`. Both may be there, and null is absent.
#[test]
fn a_job_has_two_names_for_id_and_results() {
    for names in [
        json!({"id": "b", "output_file_url": "u"}),
        json!({"batch_id": "b", "results_url": "u"}),
        json!({"id": "b", "batch_id": "b", "output_file_url": "u", "results_url": "u"}),
        json!({"batch_id": "other", "id": "b", "results_url": "other", "output_file_url": "u"}),
        json!({"id": null, "batch_id": "b", "output_file_url": null, "results_url": "u"}),
        json!({"id": "b", "batch_id": null, "output_file_url": "u", "results_url": null}),
    ] {
        let job = data(&GetBatch::new("b"), &names);
        assert_eq!((job.id.as_str(), job.output_file_url.as_deref()), ("b", Some("u")), "{names}");
        let page = data(&ListBatches::new(), &json!([names]));
        assert_eq!(page.items[0].id, "b");
    }
    let none = decode(&GetBatch::new("b"), r#"{"data":{"status":"queued"}}"#).unwrap_err();
    assert!(none.to_string().contains("missing field `id`"), "{none}");
}

/// Section 13: what ends polling. All else goes on.
#[test]
fn a_job_ends_with_four_statuses() {
    let is_final =
        |status: Value| data(&GetBatch::new("b"), &json!({"id": "b", "status": status})).is_final();
    for status in ["completed", "failed", "cancelled", "expired"] {
        assert!(is_final(json!(status)), "{status}");
    }
    for status in [json!("in_progress"), json!("paused"), json!(null)] {
        assert!(!is_final(status.clone()), "{status}");
    }
}

/// Section 14.1: a message, or a chat completion.
#[test]
fn a_session_reply_has_two_forms() {
    let send = SendSessionMessage::new("s", "c");
    for (form, is_message) in [
        (json!({"content": "hi"}), true),
        (json!({"id": "m", "role": "assistant", "content": [{"type": "text", "text": "hi"}]}), true),
        (json!({"content": "hi", "choices": null}), true),
        (json!({"message": null, "content": "hi"}), true),
        (json!({"choices": [{"message": {"role": "assistant", "content": "hi"}}]}), false),
        (json!({"choices": [{"message": {"content": "hi"}}], "content": null, "message": null}), false),
    ] {
        let reply = data(&send, &form);
        assert_eq!(
            (reply.text().as_ref(), matches!(reply, SessionReply::Message(_))),
            ("hi", is_message),
            "{form}"
        );
        assert_eq!(data(&StreamSessionMessage(&send), &form).text(), "hi");
    }
    // A message need not say anything.
    for called in
        [json!({"role": "assistant", "content": null}), json!({"role": "assistant", "tool_calls": []})]
    {
        assert_eq!(data(&send, &called).text(), "");
    }
    let neither = decode(&send, r#"{"data":{"status":"queued"}}"#).unwrap_err().to_string();
    assert_eq!(neither.matches("data").count(), 1, "{neither}");
}

/// Section 15.1: an array or an object, the key optional and nullable.
#[test]
fn a_summary_is_an_array_or_an_object() {
    let query = UsageSummaryQuery::new(UsagePeriod::Day);
    for (form, rows) in [
        (json!([]), 0),
        (json!({"items": []}), 0),
        (json!(null), 0),
        (json!([{"total_tokens": 3}, {"group_key": null, "total_tokens": 4}]), 2),
        (json!({"items": [{"total_tokens": 3}]}), 1),
        (json!({"request_count": 1, "total_tokens": 3}), 1),
        (json!({"total_cost": 0, "total_tokens": 3}), 1),
        (json!({"group_key": null, "total_tokens": 3}), 1),
        (json!({"total_tokens": 3}), 1),
        (json!({"input_tokens": 1, "output_tokens": 2, "total_tokens": 3, "new": {"x": 1}}), 1),
    ] {
        let summary = data(&query, &form);
        assert_eq!(summary.rows.len(), rows, "{form}");
        assert!(summary.rows.first().is_none_or(|row| row.total_tokens == Some(3)), "{form}");
    }
    let number = data(&query, &json!([{"total_cost": 62.47, "backend_cost": 61}])).totals();
    assert_eq!(
        (number.total_cost.unwrap().to_string(), number.backend_cost.unwrap().to_string()),
        ("62.47".into(), "61".into())
    );
}

/// Section 11.1: JSON means an envelope, anything else is the text.
#[test]
fn a_transcription_is_json_or_the_text_itself() {
    let request = TranscribeRequest::new("m", Upload::bytes("a.mp3", b"ID3"));
    let read =
        |body: &str, kind| request.decode(ResponseBody::new(body.as_bytes(), kind)).map(|reply| reply.text);
    for (text, kind) in [
        ("1\n00:00:00,000 --> 00:00:01,000\nHello\n", Some("application/x-subrip")),
        ("WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n", Some("text/vtt; charset=utf-8")),
        ("Hello there.", Some("text/plain")),
        ("Hello there.", None),
    ] {
        assert_eq!(read(text, kind), Ok(text.to_owned()));
    }
    assert_eq!(
        read(r#"{"data":{"text":"WEBVTT\n"}}"#, Some("application/json; charset=utf-8")),
        Ok("WEBVTT\n".to_owned())
    );
    assert!(matches!(read(r#"{"error":{"code":"X"}}"#, Some("application/json")), Err(ReplyError::Api(_))));
}

/// Files come raw, and an error comes as JSON. An export may be JSON itself.
#[test]
fn files_are_bytes_and_errors_are_json() {
    fn read<E: Endpoint<Reply = Vec<u8>>>(
        endpoint: &E,
        body: &[u8],
        kind: &str,
    ) -> Result<Vec<u8>, ReplyError> {
        endpoint.decode(ResponseBody::new(body, Some(kind)))
    }
    let sound = SynthesizeRequest::new("m", "i", "v");
    let (csv, json) = (ExportUsage::new().format(ExportFormat::Csv), ExportAuditLog::new().format("json"));
    let bytes = b"\xff\xfb\0".to_vec();
    assert_eq!(read(&sound, &bytes, "audio/mpeg"), Ok(bytes.clone()));
    assert_eq!(read(&csv, b"a,b\n", "text/csv"), Ok(b"a,b\n".to_vec()));
    assert_eq!(read(&json, br#"[{"id":"x"}]"#, "application/json"), Ok(br#"[{"id":"x"}]"#.to_vec()));
    let failure = br#"{"status":"error","error":{"code":"BACKEND_ERROR","message":"m"}}"#;
    for failed in [
        read(&sound, failure, "application/json"),
        read(&csv, failure, "application/json"),
        read(&json, failure, "application/json"),
    ] {
        assert!(matches!(failed, Err(ReplyError::Api(_))), "{failed:?}");
    }
    assert!(matches!(read(&sound, br#"{"data":{}}"#, "application/json"), Err(ReplyError::Decode(_))));
    assert!(sound.is_file(Some("audio/mpeg")) && !sound.is_file(Some("application/json")));
    assert!(csv.is_file(Some("text/csv")) && !csv.is_file(Some("application/json")));
    assert!(json.is_file(Some("application/json")));
    let metrics = GetMetrics.decode(ResponseBody::new(b"up 1\n", Some("text/plain; version=0.0.4")));
    assert_eq!(metrics, Ok("up 1\n".to_owned()));
}

/// Calls whose answer is not documented take an empty body and any envelope.
#[test]
fn an_answer_that_does_not_matter_may_be_anything() {
    fn read<E: Endpoint<Reply = ()>>(endpoint: &E) {
        for body in
            ["", "{}", r#"{"status":"ok"}"#, r#"{"data":null}"#, r#"{"data":{"deleted":true}}"#, "[]", "gone"]
        {
            assert_eq!(decode(endpoint, body), Ok(()), "{}, {body}", endpoint.name());
        }
        let failed = decode(endpoint, r#"{"status":"error"}"#);
        assert!(matches!(failed, Err(ReplyError::Api(_))), "{}", endpoint.name());
    }
    read(&RevokeApiKey::new("k"));
    read(&DeleteSession::new("s"));
    read(&ArchiveRoom::new("r"));
    read(&AddRoomMember::new("r", "bot", "b"));
    read(&DeleteWebhook::new("w"));
    read(&DeleteCollection::new("c"));
    read(&DeleteDocument::new("c", "d"));
}

/// Section 14.2: of a room's answer, all is assumed, and all but the id is optional.
#[test]
fn members_of_a_room_may_be_named_otherwise() {
    let room = data(
        &GetRoom::new("r"),
        &json!({"id": "r", "members": [{"user_id": "u"}, {"type": "bot", "id": "b"}]}),
    );
    let members = room.members.unwrap();
    assert_eq!(members[0].extra.get("user_id"), Some(&json!("u")));
    assert_eq!(members[1].member_type, Some(RoomMemberType::Bot));
}

/// Section 3.3: roles and permissions are arrays of strings; other elements must not fail.
#[test]
fn a_profile_may_hold_objects() {
    let me =
        data(&GetMe, &json!({"roles": [{"name": "x"}, "tenant_user", 1, null, ["y"]], "permissions": null}));
    assert_eq!((me.roles.unwrap().len(), me.permissions), (5, None));
}

/// Section 6.4: content, reasoning, and arguments in each of their forms.
#[test]
fn a_chat_reply_in_other_forms() {
    let chat = ChatRequest::new("m").user("a");
    let message =
        |message: Value| data(&chat, &json!({"choices": [{"message": message}]})).choices[0].message.clone();
    assert_eq!(message(json!({"content": null})).text(), "");
    assert_eq!(
        message(json!({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]})).text(),
        "ab"
    );
    assert_eq!(message(json!({"reasoning": "r"})).reasoning_content.as_deref(), Some("r"));
    assert_eq!(
        message(json!({"reasoning_content": "c", "reasoning": "r"})).reasoning_content.as_deref(),
        Some("c")
    );
    let arguments = |arguments: Value| {
        let calls =
            json!([{"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}]);
        message(json!({"content": null, "tool_calls": calls})).tool_calls[0].function.arguments.clone()
    };
    assert_eq!(arguments(json!("{\"a\":1}")), arguments(json!({"a": 1})));
    let numbered = data(&chat, &json!({"choices": [{}, {"index": null}, {"index": 7}]}));
    assert_eq!(numbered.choices.iter().map(|choice| choice.index).collect::<Vec<_>>(), [0, 1, 7]);
}

/// Section 23: money is a string or a number, and keeps its decimal text.
#[test]
fn money_may_be_a_number() {
    let amounts = |amount: Value| {
        [
            data(&GetBudget::new("b"), &json!({"cost_limit": amount})).cost_limit,
            data(&ListUsage::new(), &json!([{"id": "u", "cost": amount}])).items[0].cost,
            data(&GetModel::new("m"), &json!({"slug": "m", "input_price_per_mtok": amount}))
                .input_price_per_mtok,
            data(&UsageSummaryQuery::default(), &json!([{"total_cost": amount}])).rows[0].total_cost,
        ]
        .map(|money| money.unwrap().to_string())
    };
    for (amount, text) in [
        (json!("500.00"), "500.00"),
        (json!(500), "500"),
        (json!(0.007275), "0.007275"),
        (json!(1e-7), "0.0000001"),
        (json!("-1.50"), "-1.50"),
    ] {
        assert_eq!(amounts(amount), [text; 4]);
    }
}

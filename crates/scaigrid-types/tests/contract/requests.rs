//! Requests: what the builders send, against the examples.

use crate::{Example, body, of_kind};
use scaigrid_types::*;
use serde_json::{Map, Value, json};

/// How the body compares with the example.
enum Against {
    /// Byte for byte.
    Bytes,
    /// As JSON: the order of keys differs.
    Json,
    /// As JSON, without a key of the example that is not sent, for the reason given.
    Without(&'static str, #[allow(dead_code, reason = "for readers")] &'static str),
}
use Against::{Bytes, Json, Without};

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other}"),
    }
}

fn built(what: &str) -> (String, Against) {
    match what {
        "create key" => (
            body(&CreateApiKey::new("production-integration").expires_at("2027-04-22T00:00:00Z")),
            Without("assigned_user_id", "null is the default, and nulls are not sent"),
        ),
        "chat" => (
            body(
                &ChatRequest::new("scailabs/poolnoodle-omni")
                    .system("You generate conversation titles. Reply with ONLY the title, max 6 words.")
                    .user("Hey, what's a good recipe for carbonara?")
                    .max_tokens(20)
                    .temperature(0.3),
            ),
            Bytes,
        ),
        "embed several" => (
            body(
                &EmbedRequest::new("openai/text-embedding-3-small", ["first text", "second text"])
                    .dimensions(1536),
            ),
            Bytes,
        ),
        "embed one" => (body(&EmbedRequest::new("openai/text-embedding-3-small", "single string")), Bytes),
        "generate images" => (
            body(
                &GenerateImagesRequest::new("openai/dall-e-3", "A landscape painting")
                    .n(1)
                    .size("1024x1024")
                    .quality(ImageQuality::Standard)
                    .style(ImageStyle::Vivid)
                    .response_format(ImageResponseFormat::Url),
            ),
            Bytes,
        ),
        "synthesize" => (
            body(
                &SynthesizeRequest::new("openai/tts-1", "Hello there.", "alloy")
                    .response_format(AudioFileFormat::Mp3)
                    .speed(1.25),
            ),
            Bytes,
        ),
        "generate" => (
            body(
                &GenerateRequest::new("scailabs/poolnoodle-omni", "Once upon a time")
                    .max_tokens(200)
                    .temperature(0.8)
                    .stop(vec!["THE END".to_owned()])
                    .seed(42),
            ),
            Json,
        ),
        "submit batch" => (
            body(
                &SubmitBatch::from_url("s3://my-bucket/batch-input.jsonl")
                    .endpoint_completion_window(CompletionWindow::Hours24)
                    .metadata("project", "summarization-2026-q2"),
            ),
            Bytes,
        ),
        "submit batch inline" => (
            body(
                &SubmitBatch::inline_lines("{}\n")
                    .unwrap()
                    .endpoint_completion_window(CompletionWindow::Hours1),
            ),
            Bytes,
        ),
        "create session" => (
            body(
                &CreateSession::new("scailabs/poolnoodle-omni")
                    .title("Product planning")
                    .system_prompt("You are a product strategy consultant.")
                    .metadata("project_id", "proj_123"),
            ),
            Bytes,
        ),
        "create session of the reference" => (
            body(
                &CreateSession::new("scailabs/poolnoodle-omni")
                    .title("Product planning")
                    .system_prompt("You are a product strategist.")
                    .metadata("project_id", "proj_9"),
            ),
            Bytes,
        ),
        "update session" => (
            body(
                &UpdateSession::new("sess_abc123")
                    .title("Planning")
                    .system_prompt("Be brief.")
                    .metadata("k", 1)
                    .status(SessionStatus::Closed),
            ),
            Bytes,
        ),
        "send message" => (
            body(
                &SendSessionMessage::new("sess_abc123", "What should we do about the onboarding flow?")
                    .max_tokens(1000),
            ),
            Without("stream", "the call says it: a plain one leaves it out, the one that streams sends true"),
        ),
        "create room" => (
            body(
                &CreateRoom::new("Design Review")
                    .description("Weekly review channel")
                    .user("user_alice")
                    .bot("bot_reviewer"),
            ),
            Bytes,
        ),
        "add member" => (
            body(&AddRoomMember::new("room_1", RoomMemberType::User, "user_bob").role(RoomRole::Member)),
            Bytes,
        ),
        "create webhook" => (
            body(
                &CreateWebhook::new(
                    "https://your-service.example/webhooks",
                    [
                        EventType::RequestCompleted,
                        EventType::RequestFailed,
                        EventType::BudgetSoftLimitReached,
                    ],
                )
                .secret("whsec_random_32_chars_or_more")
                .status(WebhookStatus::Active)
                .max_retries(5),
            ),
            Bytes,
        ),
        "create collection" => (
            body(
                &CreateCollection::new("Acme Handbook", "openai/text-embedding-3-small")
                    .description("How we work")
                    .chunking_strategy(ChunkingStrategy::Paragraph)
                    .chunk_size(512)
                    .chunk_overlap(50)
                    .graph_enabled(true)
                    .graph_extraction_model("scailabs/poolnoodle-omni")
                    .default_access(CollectionAccess::Tenant),
            ),
            Json,
        ),
        "search" => {
            (body(&SearchCollection::new("col_1", "q").top_k(4).search_type(SearchType::Vector)), Bytes)
        }
        other => panic!("no case for {other}"),
    }
}

fn compare(example: &Example) {
    let (sent, against) = built(&example.what);
    let as_json = |text: &str| map(serde_json::from_str(text).unwrap());
    let mut expected = as_json(example.text());
    match against {
        Bytes => assert_eq!(sent, example.text(), "{}", example.what),
        Json => assert_eq!(as_json(&sent), expected, "{}", example.what),
        Without(key, _) => {
            assert!(expected.remove(key).is_some(), "{}: {key}", example.what);
            assert_eq!(as_json(&sent), expected, "{}", example.what);
        }
    }
}

#[test]
fn every_request_of_the_reference_can_be_built() {
    for example in of_kind("request") {
        compare(&example);
    }
}

/// A replaced webhook has the same fields as a new one.
#[test]
fn an_update_of_a_webhook_sends_what_creating_one_sends() {
    let update = UpdateWebhook::new(
        "wh_1",
        "https://your-service.example/webhooks",
        [EventType::RequestCompleted, EventType::RequestFailed, EventType::BudgetSoftLimitReached],
    )
    .secret("whsec_random_32_chars_or_more")
    .status(WebhookStatus::Active)
    .max_retries(5);
    assert_eq!(body(&update), crate::example("create webhook").text());
}

#[test]
fn lines_of_a_batch() {
    let mut input = BatchInput::new();
    let chat = ChatRequest::new("scailabs/poolnoodle-omni").user("Summarize: ...").max_tokens(100);
    let embed = EmbedRequest::new("openai/text-embedding-3-small", ["First text", "Second text"]);
    input.push("req-1", &chat).unwrap();
    input.push("req-3", &embed).unwrap();
    let expected: String = of_kind("batch_line").iter().map(|line| line.text().to_owned() + "\n").collect();
    assert_eq!(input.as_str(), expected);
}

#[test]
fn messages_parts_and_tools() {
    let call = ToolCall::function("call_1", "get_weather", r#"{"city":"Rome"}"#);
    let built = |what: &str| match what {
        "text message" => json!(Message::user("Hello")),
        "text part" => json!(ContentPart::text("What is this?")),
        "image part" => json!(ContentPart::ImageUrl {
            url: "https://example.com/a.png".to_owned(),
            detail: Some("high".to_owned()),
        }),
        "image part without detail" => json!(ContentPart::image_url("data:image/png;base64,aGk=")),
        "audio part" => json!(ContentPart::input_audio("UklGRg==", AudioFormat::Wav)),
        "assistant turn" => json!(Message::assistant_tool_calls(vec![call.clone()])),
        "tool result turn" => json!(Message::tool_result("call_1", "18 degrees")),
        "tool" => json!(Tool::from(
            FunctionDefinition::new("get_weather")
                .description("The weather in a city.")
                .parameters(json!({"type": "object", "properties": {"city": {"type": "string"}}}))
        )),
        "choice auto" => json!(ToolChoice::Auto),
        "choice none" => json!(ToolChoice::None),
        "choice required" => json!(ToolChoice::Required),
        "choice function" => json!(ToolChoice::Function("get_weather".to_owned())),
        other => panic!("no case for {other}"),
    };
    for example in ["message", "part", "tool", "tool_choice"].into_iter().flat_map(of_kind) {
        assert_eq!(built(&example.what), example.value(), "{}", example.what);
    }
}

/// The same, inside of a whole request, and as the emulator reads it.
#[test]
fn a_request_with_all_parts_and_tools_round_trips() {
    let mut request = json!({"model": "m", "messages": [], "tools": [crate::example("tool").value()]});
    let parts: Vec<Value> = of_kind("part").iter().map(Example::value).collect();
    let mut messages: Vec<Value> = of_kind("message").iter().map(Example::value).collect();
    messages.push(json!({"role": "user", "content": parts}));
    request["messages"] = json!(messages);
    for choice in of_kind("tool_choice") {
        request["tool_choice"] = choice.value();
        let read: ChatRequest = serde_json::from_value(request.clone()).unwrap();
        assert_eq!(json!(read), request);
        assert!(read.tools.iter().all(|tool| matches!(tool, Tool::Function(_))));
        let typed = read.messages.iter().filter_map(|message| match &message.content {
            Some(Content::Parts(parts)) => Some(parts),
            _ => None,
        });
        assert!(typed.flatten().all(|part| !matches!(part, ContentPart::Other(_))));
    }
}

#[test]
fn only_what_was_set_is_sent() {
    for (sent, expected) in [
        (
            body(&ChatRequest::new("m").user("a")),
            r#"{"model":"m","messages":[{"role":"user","content":"a"}]}"#,
        ),
        (body(&CreateApiKey::new("n")), r#"{"name":"n"}"#),
        (body(&EmbedRequest::new("m", "a")), r#"{"model":"m","input":"a"}"#),
        (body(&GenerateImagesRequest::new("m", "p")), r#"{"model":"m","prompt":"p"}"#),
        (body(&SynthesizeRequest::new("m", "i", "v")), r#"{"model":"m","input":"i","voice":"v"}"#),
        (body(&GenerateRequest::new("m", "p")), r#"{"model":"m","prompt":"p"}"#),
        (body(&SubmitBatch::from_url("u")), r#"{"input_file_url":"u"}"#),
        (body(&CreateSession::new("m")), r#"{"model":"m"}"#),
        (body(&UpdateSession::new("s")), "{}"),
        (body(&SendSessionMessage::new("s", "c")), r#"{"content":"c"}"#),
        (body(&CreateRoom::new("n")), r#"{"name":"n"}"#),
        (body(&UpdateRoom::new("r")), "{}"),
        (body(&AddRoomMember::new("r", "user", "u")), r#"{"type":"user","id":"u"}"#),
        (body(&SendRoomMessage::new("r", "c")), r#"{"content":"c"}"#),
        (body(&CreateWebhook::new("u", [])), r#"{"url":"u","events":[]}"#),
        (body(&UpdateWebhook::new("w", "u", [])), r#"{"url":"u","events":[]}"#),
        (body(&CreateCollection::new("n", "m")), r#"{"name":"n","embedding_model":"m"}"#),
        (body(&UpdateCollection::new("c")), "{}"),
        (body(&SearchCollection::new("c", "q")), r#"{"query":"q"}"#),
    ] {
        assert_eq!(sent, expected);
    }
}

/// An extra key goes out as it is; one that the request has a field for would go out twice.
#[test]
fn extra_keys_never_stand_in_the_body_twice() {
    let add = || AddRoomMember::new("r", "user", "u");
    assert_eq!(body(&add().extra("note", 1)), r#"{"type":"user","id":"u","note":1}"#);
    for key in ["type", "id", "role"] {
        assert!(add().extra(key, "x").body().is_err(), "{key}");
    }
    for key in ["model", "messages", "stream", "tools", "metadata"] {
        assert!(ChatRequest::new("m").extra(key, "x").body().is_err(), "{key}");
    }
    for key in ["content", "stream", "max_tokens"] {
        assert!(SendSessionMessage::new("s", "c").extra(key, "x").body().is_err(), "{key}");
    }
    assert!(CreateWebhook::new("u", []).extra("secret", "x").body().is_err());
}

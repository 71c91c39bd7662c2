//! Chats, embeddings, and raw completions.

use crate::{CHAT_MODEL, EMBEDDING_MODEL, question};
use scaigrid::{EmbedRequest, ErrorCode, FinishReason, GenerateRequest, Multipart, RawRequest, Role, Upload};
use scaigrid_emulator::Emulator;

run!(a_chat_is_answered_and_counted, |emulator, client| {
    let reply = wait!(client.chat(&question("What goes into a carbonara?").max_tokens(40))).unwrap();
    assert!(reply.text().to_lowercase().contains("carbonara"), "{}", reply.text());
    assert_eq!(reply.choices[0].message.role, Role::Assistant);
    let usage = reply.usage.unwrap();
    assert_eq!(usage.total(), usage.prompt() + usage.completion());
    let sent = emulator.requests().pop().unwrap();
    assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", "/v1/inference/chat"));
    assert_eq!(sent.header("authorization"), Some("Bearer [redacted]"));
    let body = serde_json::json!({"model": CHAT_MODEL, "max_tokens": 40,
        "messages": [{"role": "user", "content": "What goes into a carbonara?"}]});
    assert_eq!(sent.json().unwrap(), body);
});

run!(a_streamed_chat_says_the_same_as_a_plain_one, |_, client| {
    let question = question("What goes into a carbonara? Eggs, cheese, and guanciale do.");
    let plain = wait!(client.chat(&question)).unwrap();
    let mut stream = wait!(client.chat_stream(&question)).unwrap();
    let (mut text, mut chunks) = (String::new(), 0);
    while let Some(chunk) = wait!(stream.next()) {
        text.push_str(chunk.unwrap().text());
        chunks += 1;
    }
    assert_eq!(text, plain.text());
    assert!(chunks > 3, "{chunks}");
    assert_eq!(stream.usage(), plain.usage);
    let whole = wait!(wait!(client.chat_stream(&question)).unwrap().finish()).unwrap();
    assert_eq!(whole.text(), plain.text());
    assert_eq!(whole.choices[0].finish_reason, Some(FinishReason::Stop));
});

run!(embeddings_come_in_the_order_of_their_texts, Emulator::builder().unordered_embeddings(), |_, client| {
    let texts = ["apples and pears", "trains to Utrecht", "a bowl of rice", "rain in May"];
    let together = wait!(client.embed(&EmbedRequest::new(EMBEDDING_MODEL, texts))).unwrap();
    let sent: serde_json::Value = serde_json::from_slice(together.body()).unwrap();
    assert_ne!(sent["data"]["data"][0]["index"], 0, "the server's order is another one");
    assert_eq!(together.vectors().len(), texts.len());
    for (text, vector) in texts.iter().zip(together.vectors()) {
        let alone = wait!(client.embed(&EmbedRequest::new(EMBEDDING_MODEL, *text))).unwrap();
        assert_eq!(alone.vectors().next().unwrap(), vector, "{text}");
        assert_eq!(vector.len(), 1536, "as documented");
    }
    let short = EmbedRequest::new(EMBEDDING_MODEL, texts[0]).dimensions(8);
    assert_eq!(wait!(client.embed(&short)).unwrap().vectors().next().unwrap().len(), 8);
});

run!(a_prompt_is_continued, |emulator, client| {
    let request = GenerateRequest::new(CHAT_MODEL, "Once upon a time there was a lighthouse.");
    let generation = wait!(client.generate(&request)).unwrap();
    assert!(generation.text().contains("lighthouse"), "{}", generation.text());
    let short = wait!(client.generate(&request.max_tokens(5))).unwrap();
    assert_eq!(short.usage.unwrap().completion(), 5);
    assert_eq!(short.choices[0].finish_reason, Some(FinishReason::Length));
    assert!(generation.text().starts_with(short.text()));
    assert_eq!(emulator.requests().pop().unwrap().path, "/v1/inference/generate");
});

run!(models_that_cannot_do_it_are_refused, |_, client| {
    let unknown = EmbedRequest::new("openai/no-such-model", "x");
    assert_eq!(wait!(client.embed(&unknown)).unwrap_err().code(), Some(&ErrorCode::ModelNotFound));
    let chat = GenerateRequest::new(EMBEDDING_MODEL, "x");
    assert!(wait!(client.generate(&chat)).unwrap_err().field_errors().iter().any(|one| one.field == "model"));
    let empty = wait!(client.embed(&EmbedRequest::new(EMBEDDING_MODEL, Vec::<String>::new()))).unwrap_err();
    assert_eq!(empty.code(), Some(&ErrorCode::ValidationError));
});

run!(calls_without_a_type_go_through_the_raw_request, |emulator, client| {
    let body = serde_json::json!({"model": CHAT_MODEL, "messages": [{"role": "user", "content": "Hello."}]});
    let reply = wait!(client.send(&RawRequest::post("/v1/inference/chat").json(&body))).unwrap();
    assert!(reply["choices"][0]["message"]["content"].is_string());
    let users = RawRequest::get("/v1/users").query("status", "active").query("limit", 2);
    let error = wait!(client.send(&users)).unwrap_err();
    assert_eq!(error.code().unwrap().as_str(), "NOT_FOUND", "the emulator has no users");
    let sent = emulator.requests().pop().unwrap();
    assert_eq!((sent.path.as_str(), sent.query.as_deref()), ("/v1/users", Some("status=active&limit=2")));
    assert_eq!(error.request_id(), Some(sent.request_id.as_str()));
    let roles = RawRequest::put("/v1/users").segment("user/1").segment("roles");
    let roles = roles.json(&serde_json::json!({"roles": ["tenant_user"], "custom_role_ids": []}));
    wait!(client.send(&roles)).unwrap_err();
    let sent = emulator.requests().pop().unwrap();
    assert_eq!((sent.method.as_str(), sent.path.as_str()), ("PUT", "/v1/users/user%2F1/roles"));
    assert_eq!(sent.json().unwrap()["roles"][0], "tenant_user");
});

run!(forms_and_bare_answers_without_a_type, |emulator, client| {
    let form = Multipart::new().field("model", "openai/whisper-1").field("response_format", "srt");
    let form = form.file("file", &Upload::bytes("a.mp3", b"ID3"));
    let captions = RawRequest::post("/v1/inference/audio/transcribe").multipart(form);
    let captions = wait!(client.send(&captions)).unwrap();
    assert!(captions.is_null(), "no JSON");
    assert!(String::from_utf8_lossy(captions.body()).contains("-->"), "but its bytes are there");
    let sent = emulator.requests().pop().unwrap();
    assert!(sent.header("content-type").unwrap().starts_with("multipart/form-data"));
});

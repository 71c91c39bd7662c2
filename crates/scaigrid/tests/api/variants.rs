//! Every form of the wire that the public documents show reads the same.

use crate::{CHAT_MODEL, EMBEDDING_MODEL, question, quickly};
use scaigrid::retry::StandardPolicy;
use scaigrid::{
    BatchInput, CreateApiKey, CreateCollection, CreateRoom, CreateSession, CreateWebhook, EmbedRequest,
    ErrorCode, ErrorKind, EventType, GenerateImagesRequest, GenerateRequest, ListApiKeys, ListAuditLog,
    ListBatches, ListBudgets, ListCollections, ListDocuments, ListModels, ListRooms, ListSessions, ListUsage,
    ListWebhooks, RawRequest, SearchCollection, SendSessionMessage, SubmitBatch, SynthesizeRequest,
    TranscribeRequest, Upload, UploadDocument, UsagePeriod, UsageSummaryQuery,
};
use scaigrid_emulator::{Emulator, WireVariant};
use std::time::Duration;

/// Lists without a cursor: their first page is all there is.
fn has_cursor(variant: WireVariant) -> bool {
    use WireVariant::{ListBareArray, ListItems, ListObject};
    ![ListItems, ListBareArray, ListObject].contains(&variant)
}

fn one_question() -> SubmitBatch {
    let mut input = BatchInput::new();
    input.push("1", &question("Hello.")).unwrap();
    SubmitBatch::inline(&input).unwrap()
}

run!(lists_read_the_same_in_every_form, |emulator, client| {
    let mut collection = String::new();
    for name in ["a", "b", "c"] {
        wait!(client.submit_batch(&one_question())).unwrap();
        wait!(client.create_session(&CreateSession::new(CHAT_MODEL).title(name))).unwrap();
        wait!(client.create_room(&CreateRoom::new(name))).unwrap();
        let webhook = CreateWebhook::new("http://127.0.0.1:9/", [EventType::ScaiqueueMessageClaimed]);
        wait!(client.create_webhook(&webhook)).unwrap();
        wait!(client.create_api_key(&CreateApiKey::new(name))).unwrap();
        let made = wait!(client.create_collection(&CreateCollection::new(name, EMBEDDING_MODEL))).unwrap();
        collection.clone_from(&made.id);
        let budget = serde_json::json!({"scope": "tenant", "period": "total", "token_limit": 1_000_000});
        wait!(client.send(&RawRequest::post("/v1/accounting/budgets").json(&budget))).unwrap();
        wait!(client.embed(&EmbedRequest::new(EMBEDDING_MODEL, name))).unwrap();
    }
    for name in ["a.txt", "b.txt", "c.txt"] {
        let upload = UploadDocument::new(&collection, Upload::bytes(name, "text"));
        wait!(client.upload_document(&upload)).unwrap();
    }
    for batch in all!(client, ListBatches::new()) {
        wait!(client.wait_for_batch(batch.id, quickly())).unwrap();
    }
    macro_rules! reads_the_same {
        ($($list:expr, $id:expr;)+) => {$(
            let expected: Vec<_> = all!(client, $list).into_iter().map($id).collect();
            assert!(expected.len() > 2, "{}", stringify!($list));
            for variant in WireVariant::ALL {
                emulator.set_variant(*variant, true);
                let whole: Vec<_> = all!(client, $list).into_iter().map($id).collect();
                assert_eq!(whole, expected, "{variant}: {}", stringify!($list));
                let before = emulator.requests().len();
                let walked: Vec<_> = all!(client, $list.limit(2)).into_iter().map($id).collect();
                let pages = emulator.requests().len() - before;
                let is_bare = *variant == WireVariant::ModelsBareArray && stringify!($list).contains("Models");
                if has_cursor(*variant) && !is_bare {
                    assert_eq!((&walked, pages), (&expected, expected.len().div_ceil(2)), "{variant}");
                } else {
                    assert_eq!((&walked[..], pages), (&expected[..2], 1), "{variant}");
                }
                emulator.set_variant(*variant, false);
            }
        )+};
    }
    reads_the_same! {
        ListModels::new(), |one| one.slug;
        ListBatches::new(), |one| one.id;
        ListSessions::new(), |one| one.title.unwrap();
        ListRooms::new(), |one| one.name.unwrap();
        ListWebhooks::new(), |one| one.id;
        ListApiKeys::new(), |one| one.id;
        ListCollections::new(), |one| one.name.unwrap();
        ListDocuments::new(&collection), |one| one.name.unwrap();
        ListUsage::new(), |one| one.id;
        ListBudgets::new(), |one| one.id.unwrap();
        ListAuditLog::new(), |one| one.id.unwrap();
    }
});

run!(replies_read_the_same_in_every_form, |emulator, client| {
    let plain = wait!(client.chat(&question("Hello."))).unwrap();
    let collection = wait!(client.create_collection(&CreateCollection::new("c", EMBEDDING_MODEL))).unwrap();
    let upload = UploadDocument::new(&collection.id, Upload::bytes("a.txt", "Bread needs flour."));
    wait!(client.upload_document(&upload)).unwrap();
    for (number, variant) in WireVariant::ALL.iter().enumerate() {
        emulator.set_variant(*variant, true);
        let chat = wait!(client.chat(&question("Hello."))).unwrap();
        assert_eq!((chat.text(), chat.usage), (plain.text(), plain.usage), "{variant}");
        assert_eq!(
            chat.request_id(),
            Some(emulator.requests().pop().unwrap().request_id.as_str()),
            "{variant}"
        );
        let vectors = wait!(client.embed(&EmbedRequest::new(EMBEDDING_MODEL, "text"))).unwrap();
        assert_eq!(vectors.vectors().len(), 1, "{variant}");
        let text = wait!(client.generate(&GenerateRequest::new(CHAT_MODEL, "Once."))).unwrap();
        assert!(text.text().contains("Once"), "{variant}");
        let images = GenerateImagesRequest::new("openai/dall-e-2", "A boat");
        let images = wait!(client.generate_images(&images)).unwrap();
        assert!(images.data[0].url.is_some(), "{variant}");
        let speech = SynthesizeRequest::new("openai/tts-1", "Good evening.", "alloy");
        let speech = wait!(wait!(client.synthesize(&speech)).unwrap().collect_bytes(1 << 20)).unwrap();
        let heard = TranscribeRequest::new("openai/whisper-1", Upload::bytes("a.wav", speech));
        assert_eq!(wait!(client.transcribe(&heard)).unwrap().text, "Good evening.", "{variant}");

        let job = wait!(client.submit_batch(&one_question())).unwrap();
        let job = wait!(client.wait_for_batch(&job.id, quickly())).unwrap();
        let mut results = wait!(client.batch_results(&job)).unwrap();
        assert!(wait!(results.next()).unwrap().unwrap().is_success(), "{variant}");
        let session = wait!(client.create_session(&CreateSession::new(CHAT_MODEL))).unwrap();
        let said = SendSessionMessage::new(&session.id, "We travel to Ljubljana.");
        assert!(wait!(client.send_session_message(&said)).unwrap().text().contains("Ljubljana"), "{variant}");
        assert_eq!(
            wait!(client.session(&session.id)).unwrap().messages.as_ref().unwrap().len(),
            2,
            "{variant}"
        );
        let room = wait!(client.create_room(&CreateRoom::new("room"))).unwrap();
        assert_eq!(wait!(client.room(&room.id)).unwrap().name.as_deref(), Some("room"), "{variant}");

        assert_eq!(wait!(client.model(CHAT_MODEL)).unwrap().slug, CHAT_MODEL, "{variant}");
        let summary = wait!(client.usage_summary(&UsageSummaryQuery::new(UsagePeriod::Day))).unwrap();
        assert!(summary.totals().request_count.unwrap() > number as u64, "{variant}");
        let key = wait!(client.create_api_key(&CreateApiKey::new("k"))).unwrap();
        wait!(client.revoke_api_key(&key.api_key.id)).unwrap();
        assert!(wait!(client.me()).unwrap().has_permission("models:use"), "{variant}");
        assert!(wait!(client.readiness()).unwrap().is_ready, "{variant}");
        let webhook = CreateWebhook::new("http://127.0.0.1:9/", [EventType::ScaiqueueMessageClaimed]);
        let webhook = wait!(client.create_webhook(&webhook)).unwrap();
        assert_eq!(wait!(client.webhook(&webhook.id)).unwrap().events, webhook.events, "{variant}");
        assert_eq!(wait!(client.collection(&collection.id)).unwrap().name, collection.name, "{variant}");
        let found = SearchCollection::new(&collection.id, "flour");
        assert_eq!(wait!(client.search_collection(&found)).unwrap().results.len(), 1, "{variant}");
        emulator.set_variant(*variant, false);
    }
});

run!(errors_keep_their_meaning_in_every_form, |emulator, client| {
    for variant in WireVariant::ALL {
        emulator.set_variant(*variant, true);
        let wrong = wait!(client.chat(&question("").temperature(9.0))).unwrap_err();
        let missing = wait!(client.model("no/such-model")).unwrap_err();
        assert_eq!(missing.status().unwrap(), 404, "{variant}");
        let sent = emulator.requests().pop().unwrap();
        assert_eq!(missing.request_id(), Some(sent.request_id.as_str()), "{variant}");
        assert_eq!((wrong.attempts(), missing.attempts()), (1, 1), "{variant}");
        match variant {
            WireVariant::ErrorsNotJson => {
                assert_eq!((missing.kind(), missing.code()), (ErrorKind::Http, None));
                assert!(!missing.body().is_empty());
            }
            WireVariant::ErrorsUnknownCode => {
                assert_eq!(missing.code().unwrap().as_str(), "EMULATOR_MODEL_NOT_FOUND");
            }
            _ => {
                assert_eq!(missing.code(), Some(&ErrorCode::ModelNotFound), "{variant}");
                assert_eq!(wrong.code(), Some(&ErrorCode::ValidationError), "{variant}");
                let status = if *variant == WireVariant::Validation400 { 400 } else { 422 };
                assert_eq!(wrong.status().unwrap(), status, "{variant}");
                let is_named = wrong.field_errors().iter().any(|one| one.field == "temperature");
                // Another form is kept as it came.
                let details = wrong.api_error().unwrap().details.as_ref().unwrap();
                let is_object = *variant == WireVariant::DetailsObject && details["temperature"].is_string();
                assert!(is_named != is_object, "{variant}: {wrong}");
            }
        }
        emulator.set_variant(*variant, false);
    }
});

run!(streams_in_every_form, |emulator, client| {
    let limit = Duration::from_millis(80);
    let impatient = client_of!(emulator, emulator.api_key(), |builder| builder.stream_idle_timeout(limit));
    let request = question("What goes into a carbonara?");
    let plain = wait!(client.chat(&request)).unwrap();
    for variant in WireVariant::ALL {
        emulator.set_variant(*variant, true);
        if *variant == WireVariant::StreamStalls {
            let error = wait!(wait!(impatient.chat_stream(&request)).unwrap().finish()).unwrap_err();
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::IdleTimeout, 1));
            assert!(error.partial().is_some());
        } else {
            let outcome = wait!(wait!(client.chat_stream(&request)).unwrap().finish());
            if *variant == WireVariant::StreamWithoutDone {
                let error = outcome.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::StreamTruncated, "{error}");
                assert_eq!(error.partial().unwrap().text(), plain.text());
            } else {
                assert_eq!(outcome.unwrap().text(), plain.text(), "{variant}");
            }
        }
        emulator.set_variant(*variant, false);
    }
});

run!(hints_in_every_form, Emulator::builder().rate_limit_per_minute(1), |emulator, client| {
    let client = client.with_retry_policy(StandardPolicy::no_retries());
    wait!(client.models(&ListModels::new())).unwrap();
    for variant in WireVariant::ALL {
        if [WireVariant::ErrorsNotJson, WireVariant::ErrorsUnknownCode].contains(variant) {
            continue;
        }
        emulator.set_variant(*variant, true);
        let error = wait!(client.models(&ListModels::new())).unwrap_err();
        assert!(error.is_rate_limited(), "{variant}: {error}");
        // Half a second less in the body: the larger of body and header counts. 0 means no hint; then the time until the
        // limit resets does.
        let hint = error.retry_after().unwrap().as_secs_f64();
        assert!((0.5..=61.0).contains(&hint) && hint.fract() == 0.0, "{variant}: {hint}");
        assert_eq!(error.rate_limit().remaining, Some(0));
        emulator.set_variant(*variant, false);
    }
});

run!(calls_keep_to_the_documented_paths, |emulator, client| {
    for variant in [WireVariant::EmbeddingsPath, WireVariant::ChatCompletionsPath] {
        emulator.set_variant(variant, true);
    }
    wait!(client.chat(&question("Hello."))).unwrap();
    wait!(client.embed(&EmbedRequest::new(EMBEDDING_MODEL, "text"))).unwrap();
    let paths: Vec<_> = emulator.requests().into_iter().map(|sent| sent.path).collect();
    assert_eq!(paths, ["/v1/inference/chat", "/v1/inference/embed"]);
    let body = serde_json::json!({"model": EMBEDDING_MODEL, "input": "text"});
    let other = RawRequest::post("/v1/inference/embeddings").json(&body);
    assert!(wait!(client.send(&other)).unwrap()["data"].is_array(), "the other path is there, too");
});

//! Every operation of a client, once, with secrets wherever a request takes one.

use super::{Client, Download};
use crate::printed::Printed;
use crate::secrets::{MEDIA_TOKEN, WEBHOOK_SECRET};
use scaigrid::*;
use serde_json::json;
use std::time::Duration;

/// A call that gives a reply: what is asked with, and what comes back.
macro_rules! call {
    ($seen:ident, $client:ident.$name:ident($($argument:expr),* $(,)?)) => {{
        $( $seen.debug(stringify!($name), &$argument); )*
        $seen.reply(stringify!($name), wait!($client.$name($($argument),*)))
    }};
}

/// All lines, chunks, or items, and how it ends.
macro_rules! drain {
    ($seen:ident, $name:literal, $opened:expr) => {
        if let Some(mut opened) = $seen.result($name, $opened) {
            $seen.debug($name, &opened);
            while let Some(one) = wait!(opened.next()) {
                let Some(one) = $seen.result($name, one) else { break };
                if $seen.with_values {
                    $seen.debug($name, &one);
                }
            }
            $seen.debug($name, &opened);
        }
    };
}

macro_rules! download {
    ($seen:ident, $name:literal, $opened:expr) => {
        if let Some(download) = $seen.result($name, $opened) {
            let download: Download = download;
            $seen.debug($name, &download);
            $seen.text($name, &format!("{:?} {}", download.request_id(), download.retry_report()));
            let _ = $seen.result($name, wait!(download.collect_bytes(1 << 20)));
        }
    };
}

fn quickly<T>() -> Polling<'static, T> {
    Polling::new().interval(Duration::from_millis(10)).deadline(Duration::from_secs(1))
}

fn upload() -> Upload {
    Upload::bytes("a.txt", "a text")
}

calling! {
    /// All of them. `elsewhere` is another origin.
    fn all(client: &Client, elsewhere: &str, seen: &mut Printed) {
        wait!(inference(client, seen));
        wait!(files(client, elsewhere, seen));
        wait!(conversations(client, seen));
        wait!(administration(client, seen));
        wait!(collections(client, seen));
        wait!(generic(client, seen));
    }
}

calling! {
    fn inference(client: &Client, seen: &mut Printed) {
        let chat = ChatRequest::new("scailabs/poolnoodle-omni").user("Hello.");
        call!(seen, client.chat(&chat));
        drain!(seen, "chat_stream", wait!(client.chat_stream(&chat)));
        if let Some(stream) = seen.result("chat_stream", wait!(client.chat_stream(&chat))) {
            seen.text("chat_stream", &format!("{:?} {}", stream.request_id(), stream.retry_report()));
            let _ = seen.result("chat_stream.finish", wait!(stream.finish()));
        }
        call!(seen, client.embed(&EmbedRequest::new("openai/text-embedding-3-small", "x")));
        call!(seen, client.generate(&GenerateRequest::new("scailabs/poolnoodle-omni", "x")));
        call!(seen, client.transcribe(&TranscribeRequest::new("openai/whisper-1", upload())));
        let speech = SynthesizeRequest::new("openai/tts-1", "x", "alloy");
        seen.debug("synthesize", &speech);
        download!(seen, "synthesize", wait!(client.synthesize(&speech)));
        call!(seen, client.models(&ListModels::new()));
        call!(seen, client.model("scailabs/poolnoodle-omni"));
    }
}

calling! {
    /// Addresses with a token in them.
    fn files(client: &Client, elsewhere: &str, seen: &mut Printed) {
        if let Some(images) = call!(seen, client.generate_images(&GenerateImagesRequest::new("openai/dall-e-3", "x"))) {
            seen.keeper("generate_images", &images);
            for image in &images.data {
                let token = image.url.as_ref().and_then(|url| url.split_once("token="));
                seen.learnt.extend(token.map(|(_, token)| token.to_owned()));
                download!(seen, "download_image", wait!(client.download_image(image)));
            }
        }
        for origin in [client.base_url(), elsewhere] {
            let url = format!("{origin}/media/1?token={MEDIA_TOKEN}");
            let image: Image = serde_json::from_value(json!({"url": url})).unwrap();
            seen.debug("an image", &image);
            download!(seen, "download_image", wait!(client.download_image(&image)));
            download!(seen, "download_url", wait!(client.download_url(&url)));
            let job: BatchJob =
                serde_json::from_value(json!({"id": "b", "output_file_url": url, "error_file_url": url})).unwrap();
            seen.debug("a batch", &job);
            drain!(seen, "batch_results", wait!(client.batch_results(&job)));
            drain!(seen, "batch_errors", wait!(client.batch_errors(&job)));
        }
        for url in ["s3://bucket/a?token=", "//h/a?token=", "https://a b/?token=", "http://h/a\r\n?token=", "data:"] {
            let url = format!("{url}{MEDIA_TOKEN}");
            let _ = seen.result("download_url", wait!(client.download_url(&url)));
        }
        let input = SubmitBatch::from_url(format!("https://bucket.example/in?signature={MEDIA_TOKEN}"));
        call!(seen, client.submit_batch(&input));
        let mut input = BatchInput::new();
        input.push("1", &ChatRequest::new("scailabs/poolnoodle-omni").user("Hello.")).unwrap();
        if let Some(job) = call!(seen, client.submit_batch(&SubmitBatch::inline(&input).unwrap())) {
            seen.keeper("submit_batch", &job);
            call!(seen, client.batch(&job.id));
            let done = wait!(client.wait_for_batch(&job.id, quickly().interval(Duration::from_secs(3600))));
            seen.reply("wait_for_batch", done);
            call!(seen, client.cancel_batch(&job.id));
        }
        if let Some(batches) = call!(seen, client.batches(&ListBatches::new())) {
            seen.keeper("batches", &batches);
        }
        call!(seen, client.batch("b"));
        call!(seen, client.cancel_batch("b"));
        seen.reply("wait_for_batch", wait!(client.wait_for_batch("b", quickly())));
    }
}

calling! {
    fn conversations(client: &Client, seen: &mut Printed) {
        let made = call!(seen, client.create_session(&CreateSession::new("scailabs/poolnoodle-omni")));
        let id = made.map_or("s".to_owned(), |made| made.id.clone());
        call!(seen, client.sessions(&ListSessions::new()));
        call!(seen, client.session(&id));
        call!(seen, client.update_session(&UpdateSession::new(&id).title("t")));
        let message = SendSessionMessage::new(&id, "Hello.");
        call!(seen, client.send_session_message(&message));
        drain!(seen, "stream_session_message", wait!(client.stream_session_message(&message)));
        call!(seen, client.close_session(&id));
        call!(seen, client.delete_session(&id));
        let made = call!(seen, client.create_room(&CreateRoom::new("r")));
        let id = made.map_or("r".to_owned(), |made| made.id.clone());
        call!(seen, client.rooms(&ListRooms::new()));
        call!(seen, client.room(&id));
        call!(seen, client.update_room(&UpdateRoom::new(&id).name("n")));
        call!(seen, client.add_room_member(&AddRoomMember::new(&id, RoomMemberType::User, "u")));
        call!(seen, client.send_room_message(&SendRoomMessage::new(&id, "Hello.")));
        call!(seen, client.archive_room(&id));
    }
}

calling! {
    fn administration(client: &Client, seen: &mut Printed) {
        if let Some(made) = call!(seen, client.create_api_key(&CreateApiKey::new("ci"))) {
            seen.keeper("create_api_key", &made);
            seen.keeper("create_api_key", &made.api_key);
            seen.learnt.push(made.key.expose().to_owned());
            call!(seen, client.revoke_api_key(&made.api_key.id));
        }
        if let Some(keys) = call!(seen, client.api_keys(&ListApiKeys::new())) {
            seen.keeper("api_keys", &keys);
        }
        let hook = CreateWebhook::new("http://127.0.0.1:9/", [EventType::RequestFailed]).secret(WEBHOOK_SECRET);
        let made = call!(seen, client.create_webhook(&hook));
        made.iter().for_each(|made| seen.keeper("create_webhook", made));
        let id = made.map_or("w".to_owned(), |made| made.id.clone());
        if let Some(one) = call!(seen, client.webhook(&id)) {
            seen.keeper("webhook", &one);
        }
        let update = UpdateWebhook::new(&id, "http://127.0.0.1:9/", [EventType::RequestFailed]).secret(WEBHOOK_SECRET);
        if let Some(one) = call!(seen, client.update_webhook(&update)) {
            seen.keeper("update_webhook", &one);
        }
        if let Some(list) = call!(seen, client.webhooks(&ListWebhooks::new())) {
            seen.keeper("webhooks", &list);
        }
        call!(seen, client.test_webhook(&id));
        call!(seen, client.webhook_deliveries(&ListDeliveries::new(&id)));
        call!(seen, client.delete_webhook(&id));
        call!(seen, client.usage_records(&ListUsage::new()));
        call!(seen, client.usage_summary(&UsageSummaryQuery::new(UsagePeriod::Day)));
        download!(seen, "export_usage", wait!(client.export_usage(&ExportUsage::new())));
        call!(seen, client.budgets(&ListBudgets::new()));
        call!(seen, client.budget("b"));
        call!(seen, client.me());
        call!(seen, client.audit_log(&ListAuditLog::new()));
        download!(seen, "export_audit_log", wait!(client.export_audit_log(&ExportAuditLog::new())));
        call!(seen, client.health());
        call!(seen, client.readiness());
        call!(seen, client.detailed_health());
        call!(seen, client.metrics());
    }
}

calling! {
    fn collections(client: &Client, seen: &mut Printed) {
        let create = CreateCollection::new("c", "openai/text-embedding-3-small");
        let made = call!(seen, client.create_collection(&create));
        let id = made.map_or("c".to_owned(), |made| made.id.clone());
        call!(seen, client.collections(&ListCollections::new()));
        call!(seen, client.collection(&id));
        call!(seen, client.update_collection(&UpdateCollection::new(&id).chunk_size(200)));
        let uploaded = call!(seen, client.upload_document(&UploadDocument::new(&id, upload())));
        let document = uploaded.and_then(|one| one.id.clone()).unwrap_or("d".to_owned());
        seen.reply("wait_until_indexed", wait!(client.wait_until_indexed(&id, &document, quickly())));
        call!(seen, client.documents(&ListDocuments::new(&id)));
        call!(seen, client.document(&id, &document));
        call!(seen, client.search_collection(&SearchCollection::new(&id, "text")));
        call!(seen, client.delete_document(&id, &document));
        call!(seen, client.fork_collection(&id));
        call!(seen, client.delete_collection(&id));
    }
}

calling! {
    /// The operations that take any endpoint.
    fn generic(client: &Client, seen: &mut Printed) {
        call!(seen, client.send(&RawRequest::get("/v1/users")));
        drain!(seen, "pages", Ok(client.pages(ListModels::new().limit(2))));
        drain!(seen, "items", Ok(client.items(ListModels::new().limit(2))));
        seen.reply("wait_until", wait!(client.wait_until(&GetHealth, quickly(), |_| true)));
        let chat = ChatRequest::new("m").user("Hello.");
        drain!(seen, "send_stream", wait!(client.send_stream(&ChatStreamRequest(&chat))));
        download!(seen, "download", wait!(client.download(&ExportUsage::new())));
    }
}

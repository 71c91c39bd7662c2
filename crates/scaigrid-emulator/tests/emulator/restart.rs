//! An emulator that is stopped, and goes on from its state file.

use crate::calls::{download, form};
use crate::http::{call, call_as, chat, get, post};
use crate::receiver::Reaction;
use crate::receiver::Receiver;
use crate::state::Folder;
use crate::streams::wait_until;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use scaigrid_emulator::{Emulator, EmulatorBuilder};
use serde_json::{Value, json};
use std::time::Duration;

const BATCH: &str = "/v1/inference/batch";
const COLLECTIONS: &str = "/v1/modules/scaimatrix/collections";
const LONG: Duration = Duration::from_secs(60 * 60);

/// Makes something and returns its path.
fn make(emulator: &Emulator, path: &str, body: Value) -> String {
    let answer = call(emulator, "POST", path, &body);
    assert!(answer.status < 300, "{path}: {answer:?}");
    format!("{path}/{}", answer.json()["data"]["id"].as_str().unwrap())
}

fn webhook(emulator: &Emulator, url: &str, event: &str) -> String {
    make(emulator, "/v1/webhooks", json!({"url": url, "events": [event], "secret": "whsec_0123456789"}))
}

fn batch(emulator: &Emulator, lines: usize) -> String {
    let line = |number| json!({"custom_id": format!("{number}"), "method": "POST", "url": "/v1/inference/chat", "body": chat("hi")});
    let file: String = (0..lines).map(|number| format!("{}\n", line(number))).collect();
    make(emulator, BATCH, json!({"input_file_base64": STANDARD.encode(file)}))
}

fn document(emulator: &Emulator, collection: &str) -> String {
    let text = b"Carbonara needs eggs.\n\nBread needs flour.";
    let path = format!("{collection}/documents");
    let answer = form(emulator, &path, &[("file", Some(("recipes.md", "text/markdown")), text)]);
    assert_eq!(answer.status, 201, "{answer:?}");
    format!("{path}/{}", answer.json()["data"]["id"].as_str().unwrap())
}

fn data(emulator: &Emulator, path: &str) -> Value {
    let answer = get(emulator, path);
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    // Another start has another port.
    let text = answer.json()["data"].to_string().replace(emulator.base_url(), "http://emulator");
    serde_json::from_str(&text).unwrap()
}

fn wait_for(emulator: &Emulator, path: &str, status: &str) -> Value {
    wait_until(|| data(emulator, path)["status"] == status);
    data(emulator, path)
}

#[test]
fn every_store_is_there_again() {
    let folder = Folder::new("every-store");
    let receiver = Receiver::start(|_| Reaction::Answer(204));
    let first = folder.emulator().start().unwrap();
    let webhook = webhook(&first, &receiver.url(), "custom.event");
    first.emit_event("custom.event", json!({"n": 1}));
    let signed = receiver.next().header("x-scaigrid-signature").unwrap().to_owned();
    wait_until(|| data(&first, &format!("{webhook}/deliveries"))["items"][0]["status"] == "success");

    let session = make(&first, "/v1/sessions", json!({"model": crate::http::OMNI, "title": "s"}));
    call(&first, "POST", &format!("{session}/messages"), &json!({"content": "What is a room?"}));
    let room = make(&first, "/v1/rooms", json!({"name": "r"}));
    call(&first, "POST", &format!("{room}/messages"), &json!({"content": "Hello."}));
    let collection =
        make(&first, COLLECTIONS, json!({"name": "c", "embedding_model": "openai/text-embedding-3-small"}));
    let document = document(&first, &collection);
    let job = batch(&first, 2);
    wait_for(&first, &job, "completed");
    let picture = json!({"model": "openai/dall-e-3", "prompt": "a lake"});
    let picture = call(&first, "POST", "/v1/inference/images/generate", &picture).json()["data"].clone();
    make(&first, "/v1/accounting/budgets", json!({"scope": "tenant", "period": "total", "cost_limit": "9"}));
    let key = call(&first, "POST", "/v1/api-keys", &json!({"name": "k"})).json()["data"].clone();

    let paths = [
        webhook.clone(),
        format!("{webhook}/deliveries"),
        session.clone(),
        room,
        collection.clone(),
        document,
        job,
        "/v1/api-keys".to_owned(),
        "/v1/accounting/usage".to_owned(),
        "/v1/accounting/usage/summary?group_by=model".to_owned(),
        "/v1/accounting/budgets".to_owned(),
        "/v1/audit-log".to_owned(),
    ];
    let look =
        |emulator: &Emulator| -> Vec<Value> { paths.iter().map(|path| data(emulator, path)).collect() };
    let (before, ledger) = (look(&first), first.ledger());
    for (path, seen) in paths.iter().zip(&before) {
        assert!(seen["items"].as_array().is_none_or(|items| !items.is_empty()), "{path}: {seen}");
    }
    assert_eq!(before[4]["document_count"], 1);
    let file = |emulator: &Emulator, url: &Value| {
        let url = url.as_str().unwrap().rsplit_once("/media/").unwrap().1.to_owned();
        let answer = download(emulator, &json!(format!("{}/media/{url}", emulator.base_url())));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    };
    let urls = [&picture["data"][0]["url"], &before[6]["output_file_url"]];
    let files = urls.map(|url| file(&first, url));
    first.stop();

    let second = folder.emulator().start().unwrap();
    let after = look(&second);
    for ((path, before), after) in paths.iter().zip(before.iter()).zip(&after) {
        assert_eq!(before, after, "{path}");
    }
    assert_eq!(second.ledger(), ledger);
    assert_eq!(urls.map(|url| file(&second, url)), files);
    let key = key["key"].as_str().unwrap();
    assert_eq!(call_as(&second, key, "GET", "/v1/me", &Value::Null).status, 200);
    let found = call(&second, "POST", &format!("{collection}/search"), &json!({"query": "carbonara"}));
    assert_eq!(found.json()["data"]["total"], 1);
    let reply = call(&second, "POST", &format!("{session}/messages"), &json!({"content": "And then?"}));
    assert_eq!(reply.status, 200);
    // With the secret of before, which no answer shows.
    second.emit_event("custom.event", json!({"n": 2}));
    let delivered = receiver.next();
    assert!(delivered.header("x-scaigrid-signature").is_some_and(|text| text.len() == signed.len()));
    assert_eq!(delivered.json()["payload"]["n"], 2);
}

/// Nothing gets on by itself.
fn slow(builder: EmulatorBuilder) -> Emulator {
    builder.ingestion_pace(LONG).batch_pace(LONG).start().unwrap()
}

#[test]
fn documents_and_batches_go_on() {
    let folder = Folder::new("half-way");
    let first = slow(folder.emulator());
    let collection =
        make(&first, COLLECTIONS, json!({"name": "c", "embedding_model": "openai/text-embedding-3-small"}));
    let document = document(&first, &collection);
    let job = batch(&first, 3);
    assert_eq!(data(&first, &document)["status"], "pending");
    assert_eq!(data(&first, &job)["request_counts"]["completed"], 0);
    first.stop();

    let second = folder.emulator().start().unwrap();
    assert_eq!(wait_for(&second, &document, "indexed")["chunk_count"], 2);
    assert_eq!(wait_for(&second, &job, "completed")["request_counts"]["completed"], 3);
    assert_eq!(second.ledger().all.requests, 3);
    assert_eq!(get(&second, "/v1/accounting/usage").json()["data"]["items"][0]["user_id"], "user_1");
}

#[test]
fn deliveries_under_way_are_made_again() {
    let folder = Folder::new("deliveries");
    let first_reaction = |number| if number == 0 { Reaction::Silence } else { Reaction::Answer(200) };
    let receiver = Receiver::start(first_reaction);
    let first = folder.emulator().start().unwrap();
    let webhook = webhook(&first, &receiver.url(), "request.completed");
    post(&first, &chat("hello"));
    let sent = receiver.next();
    first.stop();

    let second = folder.emulator().start().unwrap();
    let again = receiver.next();
    // Documented: at least once, and the receiver knows repetitions by the event's id.
    assert_eq!(again.body, sent.body);
    wait_until(|| data(&second, &format!("{webhook}/deliveries"))["items"][0]["status"] == "success");
    let deliveries = data(&second, &format!("{webhook}/deliveries"))["items"].clone();
    assert_eq!((deliveries.as_array().unwrap().len(), &deliveries[0]["attempts"]), (1, &json!(1)));
}

#[test]
fn retries_go_on_where_they_were() {
    let folder = Folder::new("retries");
    let receiver = Receiver::start(|number| Reaction::Answer(if number == 0 { 500 } else { 200 }));
    let waits = [Duration::from_millis(50)];
    let first = folder.emulator().webhook_schedule(&waits).start().unwrap();
    let webhook = webhook(&first, &receiver.url(), "custom.event");
    first.emit_event("custom.event", json!({}));
    receiver.next();
    // Stopped with one attempt or with two, and in both cases all is well at the end.
    first.stop();
    let second = folder.emulator().webhook_schedule(&waits).start().unwrap();
    let path = format!("{webhook}/deliveries");
    wait_until(|| data(&second, &path)["items"][0]["status"] == "success");
    assert!(data(&second, &path)["items"][0]["attempts"].as_u64().unwrap() >= 1);
}

#[test]
fn an_event_of_the_last_moment_is_not_lost() {
    let folder = Folder::new("last-moment");
    let receiver = Receiver::start(|_| Reaction::Answer(200));
    let first = folder.emulator().start().unwrap();
    webhook(&first, &receiver.url(), "custom.event");
    for number in 0..20 {
        first.emit_event("custom.event", json!({"n": number}));
    }
    first.stop();
    let second = folder.emulator().start().unwrap();
    let mut numbers: Vec<u64> = Vec::new();
    while numbers.len() < 20 {
        let number = receiver.next().json()["payload"]["n"].as_u64().unwrap();
        // One that was under way may come twice.
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    drop(second);
}

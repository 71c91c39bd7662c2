//! ScaiMatrix: collections, documents, search.

use crate::http::{Answer, call, call_as, get, parse, raw, request};
use crate::receiver::{Reaction, Receiver};
use crate::streams::wait_until;
use scaigrid_emulator::{DEFAULT_API_KEY, Emulator};
use serde_json::{Value, json};
use std::time::Duration;

const COLLECTIONS: &str = "/v1/modules/scaimatrix/collections";
const RECIPES: &str = "Carbonara needs eggs and cheese.\n\nRisotto needs rice.\n\nBread needs flour.";

fn new(name: &str) -> Value {
    json!({"name": name, "embedding_model": "openai/text-embedding-3-small"})
}

/// Creates a collection and returns its path.
fn create(emulator: &Emulator, body: &Value) -> String {
    let answer = call(emulator, "POST", COLLECTIONS, body);
    assert_eq!(answer.status, 201, "{answer:?}");
    format!("{COLLECTIONS}/{}", answer.json()["data"]["id"].as_str().unwrap())
}

/// A part of a form: its disposition after `form-data; `, and its content.
type Part<'a> = (&'a str, &'a [u8]);

fn upload_as(emulator: &Emulator, key: &str, collection: &str, parts: &[Part<'_>]) -> Answer {
    let mut body = Vec::new();
    for (disposition, content) in parts {
        let head = format!("--border\r\nContent-Disposition: form-data; {disposition}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--border--\r\n");
    let authorization = format!("Authorization: Bearer {key}");
    let headers = [&authorization, "Content-Type: multipart/form-data; boundary=border", "Connection: close"];
    parse(&raw(emulator, &request("POST", &format!("{collection}/documents"), &headers, &body)).unwrap())
}

fn upload(emulator: &Emulator, collection: &str, parts: &[Part<'_>]) -> Answer {
    upload_as(emulator, emulator.api_key(), collection, parts)
}

/// Uploads a text and returns the document's path.
fn upload_text(emulator: &Emulator, collection: &str, name: &str, text: &str) -> String {
    let disposition = format!("name=\"file\"; filename=\"{name}\"");
    let answer = upload(emulator, collection, &[(&disposition, text.as_bytes())]);
    assert_eq!((answer.status, &answer.json()["data"]["status"]), (201, &json!("pending")));
    format!("{collection}/documents/{}", answer.json()["data"]["id"].as_str().unwrap())
}

fn search(emulator: &Emulator, collection: &str, body: Value) -> Value {
    call(emulator, "POST", &format!("{collection}/search"), &body).json()["data"].clone()
}

#[test]
fn collections_have_slugs_and_documented_defaults() {
    let emulator = Emulator::start().unwrap();
    let path = create(&emulator, &new("Acme Handbook"));
    let view = get(&emulator, &path).json()["data"].clone();
    assert_eq!((&view["slug"], &view["user_permission"]), (&json!("acme-handbook"), &json!("manage")));
    assert_eq!((&view["chunk_size"], &view["chunking_strategy"]), (&json!(512), &json!("paragraph")));
    assert_eq!((&view["graph_max_nodes"], &view["default_access"]), (&json!(250_000), &json!("tenant")));
    let clash = call(&emulator, "POST", COLLECTIONS, &new("ACME handbook!"));
    assert_eq!((clash.status, clash.code().as_str()), (409, "SLUG_CONFLICT"));

    let changed = call(&emulator, "PUT", &path, &json!({"name": "New", "chunk_size": 100})).json();
    assert_eq!(
        (&changed["data"]["name"], &changed["data"]["slug"]),
        (&json!("New"), &json!("acme-handbook"))
    );
    assert_eq!(changed["data"]["follow_ups"], json!({"rechunk_recommended": true}));
    let graph = json!({"graph_enabled": true, "graph_extraction_model": "scailabs/poolnoodle-omni"});
    let changed = call(&emulator, "PUT", &path, &graph).json();
    assert_eq!(changed["data"]["follow_ups"], json!({"graph_reextract": "queued"}));
    let changed = call(&emulator, "PUT", &path, &json!({"description": "d"})).json();
    assert!(changed["data"].get("follow_ups").is_none());

    let deleted = call(&emulator, "DELETE", &path, &Value::Null);
    assert_eq!((deleted.status, &deleted.json()["data"]), (200, &json!({"deleted": true})));
    assert_eq!(get(&emulator, &path).code(), "NOT_FOUND");
}

#[test]
fn lists_have_their_cursor_in_meta() {
    let emulator = Emulator::start().unwrap();
    for name in ["a", "b", "c"] {
        create(&emulator, &new(name));
    }
    let page = get(&emulator, &format!("{COLLECTIONS}?limit=2"));
    let body = page.json();
    assert_eq!(body["data"].as_array().unwrap().len(), 2);
    assert!(body.get("pagination").is_none());
    assert_eq!(
        (&body["meta"]["has_more"], &body["meta"]["request_id"]),
        (&json!(true), &json!(page.request_id()))
    );
    let cursor = body["meta"]["next_cursor"].as_str().unwrap();
    let body = get(&emulator, &format!("{COLLECTIONS}?limit=2&cursor={cursor}")).json();
    assert_eq!((&body["data"][0]["name"], &body["meta"]["has_more"]), (&json!("c"), &json!(false)));
    assert_eq!(body["meta"]["next_cursor"], Value::Null);
    assert_eq!(
        get(&emulator, &format!("{COLLECTIONS}?limit=0&cursor=x")).invalid_fields(),
        ["limit", "cursor"]
    );
}

#[test]
fn documents_are_uploaded_found_and_deleted() {
    let emulator = Emulator::start().unwrap();
    let collection = create(&emulator, &new("Recipes"));
    let parts: [Part<'_>; 4] = [
        ("name=\"name\"", b"Recipes of Rome"),
        ("name=\"other\"", b"ignored"),
        ("name=\"metadata\"", br#"{"year":2026}"#),
        ("name=\"file\"; filename=\"a.md\"", RECIPES.as_bytes()),
    ];
    let answer = upload(&emulator, &collection, &parts);
    let view = answer.json()["data"].clone();
    assert_eq!((answer.status, &view["status"]), (201, &json!("pending")));
    let path = format!("{collection}/documents/{}", view["id"].as_str().unwrap());
    let view = get(&emulator, &path).json()["data"].clone();
    assert_eq!((&view["status"], &view["chunk_count"]), (&json!("indexed"), &json!(3)));
    assert_eq!((&view["name"], &view["metadata"]["year"]), (&json!("Recipes of Rome"), &json!(2026)));
    assert_eq!(view["size_bytes"], RECIPES.len());
    upload_text(&emulator, &collection, "b.txt", "Nothing about food.");
    let list = get(&emulator, &format!("{collection}/documents?limit=1")).json();
    assert_eq!((&list["data"][0], &list["meta"]["has_more"]), (&view, &json!(true)));

    let found = search(
        &emulator,
        &collection,
        json!({"query": "eggs carbonara", "top_k": 4, "search_type": "vector"}),
    );
    assert_eq!(found["total"], 1);
    let hit = &found["results"][0];
    assert_eq!((&hit["document_id"], &hit["document_name"]), (&view["id"], &view["name"]));
    assert_eq!(hit["content"], "Carbonara needs eggs and cheese.");
    let score = hit["score"].as_f64().unwrap();
    assert!(score > 0.0 && score < 1.0);

    let total = |body: Value| search(&emulator, &collection, body)["total"].clone();
    assert_eq!(total(json!({"query": "needs"})), 3);
    assert_eq!(total(json!({"query": "needs", "top_k": 2, "search_type": "hybrid"})), 2);
    assert_eq!(total(json!({"query": "needs rice", "min_score": 0.5})), 1);
    assert_eq!(total(json!({"query": "xylophone"})), 0);

    let deleted = call(&emulator, "DELETE", &path, &Value::Null);
    assert_eq!((deleted.status, &deleted.json()["data"]), (200, &json!({"deleted": true})));
    assert_eq!(get(&emulator, &path).code(), "NOT_FOUND");
    assert_eq!(total(json!({"query": "needs"})), 0);
}

#[test]
fn a_client_that_polls_sees_all_stages() {
    let emulator = Emulator::builder().ingestion_by_polls().start().unwrap();
    let collection = create(&emulator, &new("Recipes"));
    let path = upload_text(&emulator, &collection, "a.md", RECIPES);
    let status = || get(&emulator, &path).json()["data"]["status"].as_str().unwrap().to_owned();
    let mut stages: Vec<String> = (0..3).map(|_| status()).collect();
    assert_eq!(search(&emulator, &collection, json!({"query": "rice"}))["total"], 0);
    stages.extend((0..2).map(|_| status()));
    assert_eq!(stages, ["processing", "chunking", "embedding", "indexed", "indexed"]);
    assert_eq!(search(&emulator, &collection, json!({"query": "rice"}))["total"], 1);
}

#[test]
fn ingestion_takes_its_time_and_is_reported() {
    let receiver = Receiver::start(|_| Reaction::Answer(200));
    let emulator = Emulator::builder().ingestion_pace(Duration::from_millis(2)).start().unwrap();
    let webhook = json!({"url": receiver.url(), "events": ["scaimatrix.document.indexed"]});
    assert_eq!(call(&emulator, "POST", "/v1/webhooks", &webhook).status, 201);
    let collection = create(&emulator, &new("Recipes"));
    let path = upload_text(&emulator, &collection, "a.md", RECIPES);
    let event = receiver.next().json();
    assert_eq!((&event["source"], &event["payload"]["chunk_count"]), (&json!("scaimatrix"), &json!(3)));
    assert!(path.ends_with(event["payload"]["document_id"].as_str().unwrap()));
    assert_eq!(get(&emulator, &path).json()["data"]["status"], "indexed");
    // One that is deleted on its way is no trouble.
    let gone = upload_text(&emulator, &collection, "b.md", RECIPES);
    call(&emulator, "DELETE", &gone, &Value::Null);
    let path = upload_text(&emulator, &collection, "c.md", RECIPES);
    wait_until(|| get(&emulator, &path).json()["data"]["status"] == "indexed");
}

#[test]
fn files_that_are_not_text_fail() {
    let emulator = Emulator::start().unwrap();
    let collection = create(&emulator, &new("Recipes"));
    for (content, message) in [(&b"\xff\xfe\x00"[..], "not UTF-8"), (b" \n", "no text"), (b"", "no text")] {
        let answer = upload(&emulator, &collection, &[("name=\"file\"; filename=\"a.bin\"", content)]);
        assert_eq!(answer.status, 201);
        let id = answer.json()["data"]["id"].as_str().unwrap().to_owned();
        let view = get(&emulator, &format!("{collection}/documents/{id}")).json()["data"].clone();
        assert_eq!(view["status"], "failed");
        assert!(view["error_message"].as_str().unwrap().contains(message), "{view}");
    }
}

#[test]
fn wrong_uploads_are_refused() {
    let emulator = Emulator::start().unwrap();
    let mut body = new("Small");
    body["storage_quota_bytes"] = json!(4);
    let collection = create(&emulator, &body);
    let file = |disposition| -> [Part<'static>; 2] { [(disposition, b"x"), ("name=\"metadata\"", b"[1]")] };
    assert_eq!(upload(&emulator, &collection, &[]).invalid_fields(), ["file", "name"]);
    assert_eq!(upload(&emulator, &collection, &file("name=\"file\"")).invalid_fields(), ["name", "metadata"]);
    let large: [Part<'_>; 1] = [("name=\"file\"; filename=\"a\"", b"12345")];
    let full = upload(&emulator, &collection, &large);
    assert_eq!((full.status, full.code().as_str()), (429, "QUOTA_EXCEEDED"));

    let documents = format!("{collection}/documents");
    assert_eq!(call(&emulator, "POST", &documents, &json!({})).invalid_fields(), ["body"]);
    let authorization = format!("Authorization: Bearer {DEFAULT_API_KEY}");
    let headers = [&authorization, "Content-Type: multipart/form-data; boundary=b", "Connection: close"];
    let cut = request(
        "POST",
        &documents,
        &headers,
        b"--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx",
    );
    assert_eq!(parse(&raw(&emulator, &cut).unwrap()).invalid_fields(), ["body"]);
    let unknown = format!("{COLLECTIONS}/col_x");
    assert_eq!(upload(&emulator, &unknown, &large).code(), "NOT_FOUND");
}

#[test]
fn wrong_collections_and_searches_are_refused() {
    let emulator = Emulator::start().unwrap();
    let create_wrong = |body: Value| call(&emulator, "POST", COLLECTIONS, &body).invalid_fields();
    assert_eq!(create_wrong(json!({})), ["name", "embedding_model"]);
    let body = json!({"name": "?", "embedding_model": "", "description": 1, "metadata": [],
        "chunking_strategy": "best", "chunk_size": 0, "chunk_overlap": -1, "graph_enabled": "no",
        "graph_extraction_model": 1, "graph_max_nodes": 0, "graph_max_edges": 0.5, "storage_quota_bytes": "x",
        "default_access": "all"});
    let mut wrong = create_wrong(body.clone());
    let mut expected: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
    wrong.sort();
    expected.sort();
    assert_eq!(wrong, expected);
    let mut graph = new("g");
    graph["graph_enabled"] = json!(true);
    assert_eq!(create_wrong(graph), ["graph_extraction_model"]);
    let mut overlap = new("o");
    overlap["chunk_size"] = json!(10);
    overlap["chunk_overlap"] = json!(6);
    assert_eq!(create_wrong(overlap), ["chunk_overlap"]);

    let path = create(&emulator, &new("c"));
    let body = json!({"top_k": 101, "min_score": 2, "search_type": 1});
    let wrong = call(&emulator, "POST", &format!("{path}/search"), &body);
    assert_eq!(wrong.invalid_fields(), ["query", "top_k", "min_score", "search_type"]);
    assert_eq!(call(&emulator, "PUT", &path, &json!({"chunk_size": "x"})).invalid_fields(), ["chunk_size"]);
    for path in [format!("{COLLECTIONS}/col_x"), format!("{COLLECTIONS}/%ff")] {
        for (method, rest) in [
            ("GET", ""),
            ("PUT", ""),
            ("DELETE", ""),
            ("POST", "/search"),
            ("POST", "/fork"),
            ("POST", "/re-chunk"),
            ("GET", "/documents"),
            ("GET", "/documents/doc_x"),
            ("DELETE", "/documents/doc_x"),
        ] {
            let answer = call(&emulator, method, &format!("{path}{rest}"), &json!({}));
            assert_eq!(answer.code(), "NOT_FOUND", "{method} {path}{rest}");
        }
    }
    for method in ["GET", "DELETE"] {
        assert_eq!(
            call(&emulator, method, &format!("{path}/documents/doc_x"), &Value::Null).code(),
            "NOT_FOUND"
        );
    }
}

#[test]
fn others_may_write_unless_access_is_restricted() {
    let emulator = Emulator::builder().api_key("one").api_key("two").start().unwrap();
    let path = create(&emulator, &new("c"));
    let id = path.rsplit('/').next().unwrap().to_owned();
    let as_two = |method, path: &str, body: Value| call_as(&emulator, "two", method, path, &body);
    let permission = || as_two("GET", COLLECTIONS, Value::Null).json()["data"][0]["user_permission"].clone();
    let rights = || {
        let path = format!("/v1/modules/scaimatrix/permissions/collection/{id}/effective");
        as_two("GET", &path, Value::Null).json()["data"].clone()
    };
    let file: [Part<'_>; 1] = [("name=\"file\"; filename=\"a\"", b"text")];
    assert_eq!(permission(), "write");
    assert_eq!(
        (&rights()["can"]["write"], &rights()["can"]["take_ownership"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(upload_as(&emulator, "two", &path, &file).status, 201);
    for (method, body) in [("PUT", json!({})), ("DELETE", Value::Null)] {
        let refused = as_two(method, &path, body);
        assert_eq!((refused.status, refused.code().as_str()), (403, "AUTHZ_PERMISSION_DENIED"));
    }
    call(&emulator, "PUT", &path, &json!({"default_access": "restricted"}));
    assert_eq!(permission(), Value::Null);
    assert_eq!(rights()["can"]["read"], false);
    assert_eq!(as_two("GET", &path, Value::Null).status, 403);
    assert_eq!(upload_as(&emulator, "two", &path, &file).status, 403);
    assert_eq!(as_two("POST", &format!("{path}/search"), json!({"query": "text"})).status, 403);
}

#[test]
fn collections_are_forked_and_chunked_anew() {
    let emulator = Emulator::start().unwrap();
    let path = create(&emulator, &new("Recipes"));
    let document = upload_text(&emulator, &path, "a.md", RECIPES);
    let fork = call(&emulator, "POST", &format!("{path}/fork"), &Value::Null);
    assert_eq!((fork.status, &fork.json()["data"]["slug"]), (201, &json!("recipes-fork")));
    assert_eq!(call(&emulator, "POST", &format!("{path}/fork"), &json!({})).code(), "SLUG_CONFLICT");
    let fork = format!("{COLLECTIONS}/{}", fork.json()["data"]["id"].as_str().unwrap());
    call(&emulator, "DELETE", &path, &Value::Null);
    assert_eq!(get(&emulator, &document).status, 404);
    let found = search(&emulator, &fork, json!({"query": "rice"}));
    assert_eq!(found["results"][0]["content"], "Risotto needs rice.");

    call(&emulator, "PUT", &fork, &json!({"chunking_strategy": "fixed"}));
    let done = call(&emulator, "POST", &format!("{fork}/re-chunk"), &Value::Null);
    assert_eq!(done.json()["data"], json!({"rechunked": 1}));
    assert_eq!(search(&emulator, &fork, json!({"query": "rice"}))["results"][0]["content"], RECIPES);
}

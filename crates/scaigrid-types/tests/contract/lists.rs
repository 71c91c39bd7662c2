//! Lists: every list call in every list shape.

use crate::of_kind;
use scaigrid_types::*;
use serde_json::{Value, json};

/// The number of items of an answer, and its cursor.
type Read = fn(&str) -> Result<(usize, Option<String>), ReplyError>;

fn read<E: Paginated>(list: E, json: &str) -> Result<(usize, Option<String>), ReplyError> {
    let page = crate::decode(&list, json)?;
    assert_eq!(page.has_more(), page.next_cursor.is_some());
    // The next page has the same query and another cursor.
    let next = list.after("next");
    let has_cursor = next.query().pairs().any(|pair| pair == ("cursor", "next"));
    assert!(has_cursor && next.path() == list.path());
    Ok((page.items.len(), page.next_cursor))
}

const LISTS: [(&str, Read); 12] = [
    ("models", |json| read(ListModels::new(), json)),
    ("batches", |json| read(ListBatches::new(), json)),
    ("sessions", |json| read(ListSessions::new().scope("tenant"), json)),
    ("rooms", |json| read(ListRooms::new(), json)),
    ("usage", |json| read(ListUsage::new().limit(2), json)),
    ("budgets", |json| read(ListBudgets::new(), json)),
    ("keys", |json| read(ListApiKeys::new(), json)),
    ("webhooks", |json| read(ListWebhooks::new(), json)),
    ("deliveries", |json| read(ListDeliveries::new("w").limit(2), json)),
    ("audit log", |json| read(ListAuditLog::new(), json)),
    ("collections", |json| read(ListCollections::new(), json)),
    ("documents", |json| read(ListDocuments::new("c"), json)),
];

/// The shapes show two items with an id; a model is named by its slug.
fn with_slugs(shape: &str) -> String {
    shape.replace(r#""id":"a""#, r#""id":"a","slug":"a""#).replace(r#""id":"b""#, r#""id":"b","slug":"b""#)
}

#[test]
fn every_list_reads_every_shape() {
    for example in of_kind("list") {
        let json = with_slugs(example.text());
        let cursor = json.contains("c2").then(|| "c2".to_owned());
        for (name, read) in LISTS {
            assert_eq!(read(&json), Ok((2, cursor.clone())), "{name}, {}", example.what);
        }
        let summary = crate::decode(&UsageSummaryQuery::default(), &json).unwrap();
        assert_eq!(summary.rows.len(), 2, "{}", example.what);
    }
}

/// A list ends when there is no more, or no cursor.
#[test]
fn every_list_ends() {
    let items = json!([{"id": "a", "slug": "a"}]);
    let ends = [
        json!({"data": {"items": items}}),
        json!({"data": items}),
        json!({"data": {"items": items}, "pagination": {"has_more": false, "next_cursor": "c2"}}),
        json!({"data": {"items": items}, "pagination": {"has_more": true, "next_cursor": null}}),
        json!({"data": {"items": items}, "pagination": {"has_more": true, "next_cursor": ""}}),
        json!({"data": {"items": items}, "pagination": {"has_more": true}}),
        json!({"data": {"items": items}, "pagination": null, "meta": null}),
        json!({"data": items, "meta": {"request_id": "req_1"}}),
        json!({"data": items, "meta": {"has_more": false, "next_cursor": null}}),
        json!({"data": {"jobs": items, "next_page_token": "", "total_count": 1}}),
        json!({"data": items, "has_more": false, "next_cursor": "c2"}),
    ];
    for (end, (name, read)) in ends.iter().flat_map(|end| LISTS.map(|list| (end, list))) {
        assert_eq!(read(&end.to_string()), Ok((1, None)), "{name}, {end}");
    }
}

/// Where the cursor is looked for, in order.
#[test]
fn the_first_cursor_counts() {
    let mut body = json!({"data": {"items": [], "next_cursor": "data"}, "pagination": {"next_cursor": "pagination"},
        "meta": {"next_cursor": "meta"}, "next_cursor": "top"});
    let cursor = |body: &Value| LISTS.map(|(_, read)| read(&body.to_string()).unwrap().1.unwrap());
    for place in ["pagination", "meta", "data", "top"] {
        assert_eq!(cursor(&body), LISTS.map(|_| place.to_owned()));
        match place {
            "data" => body["data"]["next_cursor"] = json!(null),
            place => body[place] = json!(null),
        }
        // Null counts as a last page only where nothing else has cursor data.
        if place == "data" {
            body["data"].as_object_mut().unwrap().remove("next_cursor");
        }
    }
}

/// Missing lists are empty, and what cannot be a list is an error that shows no value.
#[test]
fn empty_lists_and_what_is_no_list() {
    for (name, read) in LISTS {
        for empty in [
            json!({"data": []}),
            json!({"data": {"items": []}}),
            json!({"data": {"items": null}}),
            json!({"data": {}}),
        ] {
            assert_eq!(read(&empty.to_string()), Ok((0, None)), "{name}, {empty}");
        }
        for wrong in [json!({}), json!({"data": "secret"}), json!({"data": [7]}), json!("secret")] {
            let error = read(&wrong.to_string()).unwrap_err();
            assert!(matches!(error, ReplyError::Decode(_)), "{name}, {wrong}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}

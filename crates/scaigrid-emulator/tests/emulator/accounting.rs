//! Usage records and exports.

use crate::http::{
    Answer, OMNI, SUMMARY, chat, connect, get, post, post_as, read_frames, read_head, request, send,
};
use scaigrid_emulator::Emulator;
use scaigrid_types::Money;
use serde_json::{Value, json};
use std::io::Write;

const USAGE: &str = "/v1/accounting/usage";
const EXPORT: &str = "/v1/accounting/export";

fn items(answer: &Answer) -> Vec<Value> {
    answer.json()["data"]["items"].as_array().unwrap().clone()
}

/// A download: its head, and the chunks put together.
pub(crate) fn download(emulator: &Emulator, target: &str) -> (Answer, String) {
    let mut stream = connect(emulator);
    let authorization = format!("Authorization: Bearer {}", emulator.api_key());
    stream.write_all(&request("GET", target, &[&authorization], b"")).unwrap();
    let head = read_head(&mut stream);
    let (frames, end) = read_frames(&mut stream);
    end.unwrap();
    (head, String::from_utf8(frames.concat()).unwrap())
}

#[test]
fn each_call_leaves_a_record() {
    let emulator = Emulator::start().unwrap();
    let answer = post(&emulator, &chat("hello"));
    let used = answer.json()["data"]["usage"].clone();
    let record = items(&get(&emulator, USAGE)).remove(0);
    assert!(record["id"].as_str().unwrap().starts_with("usage_"));
    for (name, value) in [
        ("model", json!(OMNI)),
        ("backend_id", json!("be_emulator_omni")),
        ("user_id", json!("user_1")),
        ("tenant_id", json!("tenant_emulator")),
        ("tokens_in", used["prompt_tokens"].clone()),
        ("tokens_out", used["completion_tokens"].clone()),
        ("request_id", json!(answer.request_id())),
    ] {
        assert_eq!(record[name], value, "{name}");
    }
    assert!(record["latency_ms"].is_u64() && record["created_at"].as_str().unwrap().ends_with('Z'));
    assert!(record["cost"].as_str().unwrap().parse::<Money>().unwrap() > Money::ZERO);
}

#[test]
fn records_are_paged_and_filtered() {
    let emulator = Emulator::builder().api_key("one").api_key("two").start().unwrap();
    for text in ["a", "b", "c"] {
        post(&emulator, &chat(text));
    }
    post_as(
        &emulator,
        "two",
        &json!({"model": "scailabs/poolnoodle-mini", "messages": chat("d")["messages"]}),
    );
    let (mut seen, mut query) = (Vec::new(), "limit=3".to_owned());
    loop {
        let page = get(&emulator, &format!("{USAGE}?{query}"));
        seen.extend(items(&page));
        let Some(cursor) = page.json()["pagination"]["next_cursor"].as_str().map(str::to_owned) else {
            break;
        };
        query = format!("limit=3&cursor={cursor}");
    }
    assert_eq!(seen, items(&get(&emulator, USAGE)));
    for (query, count) in [
        ("", 4),
        ("period=day", 4),
        ("user_id=user_2", 1),
        ("model=scailabs/poolnoodle-omni", 3),
        ("backend_id=be_emulator_mini", 1),
        ("tenant_id=tenant_emulator", 4),
        ("tenant_id=other", 0),
        ("start=2999-01-01", 0),
        ("end=2020-01-01", 0),
        ("start=2020-01-01T00:00:00Z&end=2999-01-01", 4),
    ] {
        assert_eq!(items(&get(&emulator, &format!("{USAGE}?{query}"))).len(), count, "{query}");
    }
    let wrong = get(&emulator, &format!("{USAGE}?limit=1001&cursor=x&period=daily&start=x&end=y"));
    assert_eq!(wrong.invalid_fields(), ["limit", "cursor", "period", "start", "end"]);
    assert_eq!(get(&emulator, &format!("{EXPORT}?format=xml")).invalid_fields(), ["format"]);
}

#[test]
fn what_is_seen_depends_on_the_permissions() {
    let emulator = Emulator::builder()
        .api_key("admin")
        .api_key_with_permissions("own", ["accounting:view_own", "models:use"])
        .api_key_with_permissions("tenant", ["accounting:view_tenant"])
        .start()
        .unwrap();
    post_as(&emulator, "admin", &chat("a"));
    post_as(&emulator, "own", &chat("b"));
    let get = |key, target: &str| send(&emulator, "GET", target, Some(key), b"").unwrap();
    let users = |key| -> Vec<Value> {
        items(&get(key, USAGE)).into_iter().map(|record| record["user_id"].clone()).collect()
    };
    assert_eq!(users("own"), ["user_2"]);
    assert_eq!(users("tenant"), ["user_1", "user_2"]);
    assert_eq!(get("own", SUMMARY).json()["data"][0]["request_count"], 1);
    for (key, query, allowed) in [
        ("own", "user_id=user_2", false),
        ("own", "tenant_id=tenant_emulator", false),
        ("tenant", "user_id=user_2", true),
        ("tenant", "tenant_id=tenant_emulator", false),
        ("admin", "tenant_id=tenant_emulator", true),
    ] {
        for path in [USAGE, SUMMARY, EXPORT] {
            let status = get(key, &format!("{path}?{query}")).status;
            assert_eq!(status, if allowed { 200 } else { 403 }, "{key} {path} {query}");
        }
    }
}

#[test]
fn records_summary_export_and_ledger_add_up() {
    let emulator = Emulator::start().unwrap();
    for text in ["a", "a longer question?", "c"] {
        post(&emulator, &chat(text));
    }
    let records = items(&get(&emulator, USAGE));
    let sum = |name: &str| records.iter().map(|record| record[name].as_u64().unwrap()).sum::<u64>();
    let cost: Money =
        records.iter().map(|record| record["cost"].as_str().unwrap().parse::<Money>().unwrap()).sum();
    let summary = get(&emulator, SUMMARY).json()["data"][0].clone();
    assert_eq!(
        (summary["input_tokens"].as_u64(), summary["output_tokens"].as_u64()),
        (Some(sum("tokens_in")), Some(sum("tokens_out")))
    );
    assert_eq!(summary["total_cost"].as_str().unwrap().parse::<Money>().unwrap(), cost);

    let ledger = emulator.ledger();
    assert_eq!((ledger.all.requests, ledger.all.tokens_in, ledger.all.cost), (3, sum("tokens_in"), cost));
    assert_eq!(ledger.by_model[OMNI], ledger.all);

    let (head, json) = download(&emulator, &format!("{EXPORT}?format=json"));
    assert_eq!((head.status, head.header("content-type")), (200, Some("application/json")));
    assert!(head.header("x-scaigrid-request-id").is_some());
    assert_eq!(serde_json::from_str::<Vec<Value>>(&json).unwrap(), records);
    let (head, lines) = download(&emulator, &format!("{EXPORT}?format=ndjson&period=day"));
    assert_eq!(head.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(lines.lines().count(), 3);
    let (head, csv) = download(&emulator, &format!("{EXPORT}?format=csv&model={OMNI}"));
    assert_eq!(head.header("content-type"), Some("text/csv; charset=utf-8"));
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines.len() == 4 && lines[0].starts_with("id,model,backend_id,"));
    let id = records[0]["id"].as_str().unwrap();
    assert!(lines[1].starts_with(&format!("{id},{OMNI},be_emulator_omni,user_1,")), "{csv}");
    let (_, csv) = download(&emulator, &format!("{EXPORT}?user_id=nobody"));
    assert_eq!(csv.lines().count(), 1);
}

#[test]
fn an_export_can_be_cut() {
    let emulator = Emulator::start().unwrap();
    post(&emulator, &chat("a"));
    emulator.faults().push(scaigrid_emulator::Fault::cut_after(10));
    let answer = get(&emulator, EXPORT);
    assert_eq!((answer.status, answer.body.len()), (200, 10));
    assert!(answer.header("content-length").unwrap().parse::<usize>().unwrap() > 10);
}

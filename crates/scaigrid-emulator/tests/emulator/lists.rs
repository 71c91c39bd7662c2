//! Models and the usage summary.

use crate::http::{Answer, OMNI, SUMMARY, chat, get, post, post_as, send};
use scaigrid_emulator::{Emulator, Fault};
use scaigrid_types::{Model, Money, UsageSummaryRow};
use serde_json::json;

fn slugs(answer: &Answer) -> Vec<String> {
    let items = answer.json()["data"]["items"].clone();
    let models: Vec<Model> = serde_json::from_value(items).unwrap();
    models.into_iter().map(|model| model.slug).collect()
}

#[test]
fn models_are_listed_filtered_and_paged() {
    let emulator = Emulator::start().unwrap();
    let all = get(&emulator, "/v1/models");
    let expected = [
        OMNI,
        "scailabs/poolnoodle-mini",
        "openai/text-embedding-3-small",
        "openai/text-embedding-3-large",
        "openai/text-embedding-ada-002",
        "google/text-embedding-004",
        "mistral/mistral-embed",
        "openai/dall-e-3",
        "openai/dall-e-2",
        "stability/sd-xl",
        "openai/whisper-1",
        "openai/tts-1",
    ];
    assert_eq!(slugs(&all), expected);
    assert!(all.json().get("pagination").is_none());
    for (query, expected) in [
        ("modality=chat", &expected[..2]),
        ("modality=embedding", &expected[2..7]),
        ("modality=image", &expected[7..10]),
        ("modality=audio", &expected[10..]),
        ("modality=smell", &[]),
        ("status=deprecated", &expected[1..2]),
        ("modality=chat&status=active&limit=1", &expected[..1]),
    ] {
        assert_eq!(slugs(&get(&emulator, &format!("/v1/models?{query}"))), expected, "{query}");
    }

    let mut seen = Vec::new();
    let mut query = "limit=2".to_owned();
    loop {
        let page = get(&emulator, &format!("/v1/models?{query}"));
        seen.extend(slugs(&page));
        let body = page.json();
        let Some(pagination) = body.get("pagination") else { break };
        assert_eq!(pagination["has_more"], true);
        query = format!("limit=2&cursor={}", pagination["next_cursor"].as_str().unwrap());
    }
    assert_eq!(seen, expected);

    assert_eq!(get(&emulator, "/v1/models?limit=0&cursor=x").invalid_fields(), ["limit", "cursor"]);
    for limit in ["1001", "-1", "x", "", "99999999999999999999"] {
        assert_eq!(get(&emulator, &format!("/v1/models?limit={limit}")).invalid_fields(), ["limit"]);
    }
}

#[test]
fn a_model_is_found_by_its_encoded_slug() {
    let emulator = Emulator::start().unwrap();
    let answer = get(&emulator, "/v1/models/scailabs%2Fpoolnoodle-omni");
    let model: Model = serde_json::from_value(answer.json()["data"].clone()).unwrap();
    assert_eq!((model.slug.as_str(), model.context_window), (OMNI, Some(256_000)));
    assert_eq!(answer.json()["data"]["input_price_per_mtok"], "0.15");
    assert!(model.description.unwrap().contains("not an AI"));
    for unknown in ["poolnoodle-omni", "%2F", "%ff", "a%2Fb%2Fc", "%E2%82%AC"] {
        let answer = get(&emulator, &format!("/v1/models/{unknown}"));
        assert_eq!((answer.status, answer.code().as_str()), (404, "MODEL_NOT_FOUND"), "{unknown}");
    }
}

fn rows(answer: &Answer) -> Vec<UsageSummaryRow> {
    serde_json::from_value(answer.json()["data"].clone()).unwrap()
}

#[test]
fn the_summary_adds_up_what_was_served() {
    let emulator = Emulator::builder().api_key("one").api_key("two").start().unwrap();
    let (mut tokens_in, mut tokens_out) = (0, 0);
    for (model, text) in [(OMNI, "hello"), (OMNI, "a longer question?"), ("scailabs/poolnoodle-mini", "x")] {
        let mut body = chat(text);
        body["model"] = json!(model);
        let usage = post(&emulator, &body).json()["data"]["usage"].clone();
        tokens_in += usage["prompt_tokens"].as_u64().unwrap();
        tokens_out += usage["completion_tokens"].as_u64().unwrap();
    }
    // Failures do not count, and other users only without a filter.
    post(&emulator, &json!({}));
    emulator.faults().push(Fault::error("BACKEND_ERROR"));
    post(&emulator, &chat("fails"));
    post_as(&emulator, "two", &chat("other"));

    assert_eq!(rows(&get(&emulator, SUMMARY)).remove(0).request_count, Some(4));
    let total = rows(&get(&emulator, &format!("{SUMMARY}?user_id=user_1"))).remove(0);
    assert_eq!((total.group_key.as_deref(), total.request_count), (None, Some(3)));
    assert_eq!((total.input_tokens, total.output_tokens), (Some(tokens_in), Some(tokens_out)));
    assert_eq!(total.total_tokens, Some(tokens_in + tokens_out));

    let by_model = rows(&get(&emulator, &format!("{SUMMARY}?group_by=model&period=day&user_id=user_1")));
    let keys: Vec<_> = by_model.iter().map(|row| row.group_key.clone().unwrap()).collect();
    assert_eq!(keys, ["scailabs/poolnoodle-mini", OMNI]);
    let cost: Money = by_model.iter().map(|row| row.total_cost.unwrap()).sum();
    assert_eq!(Some(cost), total.total_cost);
    assert!(total.backend_cost.unwrap() < cost);

    let second = send(&emulator, "GET", &format!("{SUMMARY}?group_by=user"), Some("two"), b"").unwrap();
    let second = rows(&second).remove(1);
    assert_eq!((second.group_key.as_deref(), second.request_count), (Some("user_2"), Some(1)));
}

#[test]
fn summaries_are_filtered() {
    let emulator = Emulator::start().unwrap();
    let count = |query: &str| rows(&get(&emulator, &format!("{SUMMARY}?{query}"))).remove(0).request_count;
    assert_eq!(count(""), Some(0));
    assert!(rows(&get(&emulator, &format!("{SUMMARY}?group_by=tenant"))).is_empty());
    post(&emulator, &chat("hello"));
    for (query, expected) in [
        ("period=hour", 1),
        ("period=month&group_by=backend", 1),
        ("model=scailabs%2Fpoolnoodle-omni", 1),
        ("model=scailabs/poolnoodle-mini", 0),
        ("user_id=user_1&tenant_id=tenant_emulator&backend_id=be_emulator_omni", 1),
        ("user_id=user_2", 0),
        ("tenant_id=x", 0),
        ("backend_id=x", 0),
        ("start=2020-01-01&end=2999-12-31", 1),
        ("start=2999-01-01T00:00:00Z", 0),
        ("end=2020-01-01T00:00:00%2B02:00", 0),
    ] {
        assert_eq!(count(query), Some(expected), "{query}");
    }
    let wrong = get(&emulator, &format!("{SUMMARY}?period=daily&group_by=key&start=soon&end=2026-99-99"));
    assert_eq!(wrong.invalid_fields(), ["period", "group_by", "start", "end"]);
}

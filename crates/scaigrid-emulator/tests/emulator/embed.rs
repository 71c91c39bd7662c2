//! Embeddings.

use crate::calls::{booked, call, call_as};
use crate::http::{OMNI, get};
use scaigrid_emulator::{Emulator, count_tokens};
use serde_json::{Value, json};

const EMBED: &str = "/v1/inference/embed";
const SMALL: &str = "openai/text-embedding-3-small";

fn vectors(body: &Value) -> Vec<Vec<f64>> {
    let vector = |item: &Value| {
        item["embedding"].as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    };
    body["data"]["data"].as_array().unwrap().iter().map(vector).collect()
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn the_documented_example_is_answered() {
    let emulator = Emulator::start().unwrap();
    let texts = ["first text", "second text"];
    let answer = call(&emulator, EMBED, &json!({"model": SMALL, "input": texts, "dimensions": 1536}));
    assert_eq!(answer.status, 200);
    answer.request_id();
    let body = answer.json();
    let data = &body["data"];
    assert_eq!(
        (&body["status"], &data["object"], &data["model"]),
        (&json!("ok"), &json!("list"), &json!(SMALL))
    );
    let tokens: u64 = texts.iter().map(|text| count_tokens(text)).sum();
    assert_eq!(data["usage"], json!({"prompt_tokens": tokens, "total_tokens": tokens}));
    assert_eq!((&data["data"][0]["index"], &data["data"][1]["index"]), (&json!(0), &json!(1)));
    let vectors = vectors(&body);
    assert!(vectors.iter().all(|vector| (cosine(vector, vector) - 1.0).abs() < 1e-4));

    let single = call(&emulator, EMBED, &json!({"model": SMALL, "input": "first text"})).json();
    assert_eq!(self::vectors(&single), vectors[..1]);
    assert_eq!(booked(&emulator, SMALL), (2, tokens + 2, "0.00000012".to_owned()));
}

#[test]
fn each_model_has_its_documented_dimensions() {
    let emulator = Emulator::start().unwrap();
    let models = get(&emulator, "/v1/models?modality=embedding").json();
    let mut listed: Vec<String> = Vec::new();
    for (slug, dimensions) in [
        (SMALL, 1536),
        ("openai/text-embedding-3-large", 3072),
        ("openai/text-embedding-ada-002", 1536),
        ("google/text-embedding-004", 768),
        ("mistral/mistral-embed", 1024),
    ] {
        let answer = call(&emulator, EMBED, &json!({"model": slug, "input": "x"})).json();
        assert_eq!(vectors(&answer)[0].len(), dimensions, "{slug}");
        let short = call(&emulator, EMBED, &json!({"model": slug, "input": "x", "dimensions": 8})).json();
        assert_eq!(vectors(&short)[0].len(), 8);
        let too_many = json!({"model": slug, "input": "x", "dimensions": dimensions + 1});
        assert_eq!(call(&emulator, EMBED, &too_many).invalid_fields(), ["dimensions"]);
        listed.push(slug.to_owned());
    }
    let items = models["data"]["items"].as_array().unwrap();
    assert_eq!(items.iter().map(|item| item["slug"].as_str().unwrap()).collect::<Vec<_>>(), listed);
}

#[test]
fn a_search_finds_what_belongs_together() {
    let emulator = Emulator::start().unwrap();
    let documents = [
        "Refunds are paid within 14 days after we receive the returned item.",
        "The museum opens at nine and closes at five, except on Mondays.",
        "Preheat the oven to 220 degrees and bake the bread for 40 minutes.",
        "To reset your password, follow the link in the email we send you.",
    ];
    let embed =
        |input: Value| vectors(&call(&emulator, EMBED, &json!({"model": SMALL, "input": input})).json());
    let stored = embed(json!(documents));
    for (question, expected) in [
        ("How long does a refund take?", 0),
        ("When does the museum open?", 1),
        ("How long must bread be baked?", 2),
        ("I forgot my password", 3),
    ] {
        let asked = embed(json!(question)).remove(0);
        let scores: Vec<f64> = stored.iter().map(|vector| cosine(&asked, vector)).collect();
        let others =
            scores.iter().enumerate().filter(|(index, _)| *index != expected).map(|(_, score)| *score);
        assert!(scores[expected] > others.fold(0.0, f64::max) + 0.1, "{question}: {scores:?}");
    }
}

#[test]
fn the_order_can_be_another_one() {
    let texts = ["one", "two", "three"];
    let body = json!({"model": SMALL, "input": texts, "dimensions": 64});
    let ordered = call(&Emulator::start().unwrap(), EMBED, &body).json();
    let emulator = Emulator::builder().unordered_embeddings().start().unwrap();
    let unordered = call(&emulator, EMBED, &body).json();
    let items = unordered["data"]["data"].as_array().unwrap();
    assert_ne!(items[0]["index"], 0);
    let mut sorted = items.clone();
    sorted.sort_by_key(|item| item["index"].as_u64());
    assert_eq!(&json!(sorted), &ordered["data"]["data"]);
}

#[test]
fn what_is_wrong_is_named() {
    let emulator = Emulator::builder().api_key("a").api_key("poor").budget("poor", "0".parse().unwrap());
    let emulator = emulator.start().unwrap();
    for (body, fields) in [
        (json!({}), &["model", "input"][..]),
        (json!([]), &["body"]),
        (json!({"model": 1, "input": [], "dimensions": 0}), &["model", "input", "dimensions"]),
        (json!({"model": SMALL, "input": ["a", "", 1]}), &["input[1]", "input[2]"]),
        (json!({"model": SMALL, "input": ""}), &["input"]),
        (json!({"model": SMALL, "input": {"a": 1}}), &["input"]),
        (json!({"model": SMALL, "input": vec!["x"; 2049]}), &["input"]),
        (json!({"model": OMNI, "input": "x"}), &["model"]),
    ] {
        assert_eq!(call(&emulator, EMBED, &body).invalid_fields(), fields, "{body}");
    }
    let unknown = call(&emulator, EMBED, &json!({"model": "text-embedding-3-small", "input": "x"}));
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "MODEL_NOT_FOUND"));
    let refused = call_as(&emulator, "poor", EMBED, &json!({"model": SMALL, "input": "x"}));
    assert_eq!((refused.status, refused.code().as_str()), (429, "BUDGET_EXCEEDED"));
    let many = call(&emulator, EMBED, &json!({"model": SMALL, "input": vec!["x"; 2048], "dimensions": 1}));
    assert_eq!(many.json()["data"]["data"].as_array().unwrap().len(), 2048);
    assert_eq!(booked(&emulator, SMALL).0, 1);
}

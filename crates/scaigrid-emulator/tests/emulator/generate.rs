//! Raw completions.

use crate::calls::{booked, call, call_as};
use crate::http::OMNI;
use scaigrid_emulator::{Emulator, count_tokens};
use serde_json::{Value, json};

const GENERATE: &str = "/v1/inference/generate";

#[test]
fn the_documented_example_is_completed() {
    let emulator = Emulator::start().unwrap();
    let body = json!({"prompt": "Once upon a time", "model": OMNI, "max_tokens": 200, "temperature": 0.8,
        "stop": ["THE END"], "seed": 42});
    let answer = call(&emulator, GENERATE, &body);
    answer.request_id();
    let data = answer.json()["data"].clone();
    assert!(data["id"].as_str().unwrap().starts_with("cmpl-"));
    assert_eq!((&data["object"], &data["model"]), (&json!("text_completion"), &json!(OMNI)));
    let text = data["choices"][0]["text"].as_str().unwrap();
    assert_eq!(data["choices"], json!([{"index": 0, "text": text, "finish_reason": "stop"}]));
    assert!(text.contains("Once upon a time"));
    let (prompt, completion) = (count_tokens("Once upon a time"), count_tokens(text));
    let usage = json!({"prompt_tokens": prompt, "completion_tokens": completion,
        "total_tokens": prompt + completion});
    assert_eq!(data["usage"], usage);
    assert_eq!((booked(&emulator, OMNI).0, booked(&emulator, OMNI).1), (1, prompt + completion));
    let again = call(&emulator, GENERATE, &body).json();
    assert_eq!(again["data"]["choices"], data["choices"]);
}

#[test]
fn stop_and_max_tokens_cut() {
    let emulator = Emulator::start().unwrap();
    let choice = |more: Value| {
        let mut body = json!({"prompt": "one two three.", "model": OMNI});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let choice = call(&emulator, GENERATE, &body).json()["data"]["choices"][0].clone();
        (choice["text"].as_str().unwrap().to_owned(), choice["finish_reason"].as_str().unwrap().to_owned())
    };
    assert_eq!(choice(json!({})).0, "You wrote: one two three.");
    assert_eq!(choice(json!({"max_tokens": 4})), ("You wrote: one".to_owned(), "length".to_owned()));
    assert_eq!(choice(json!({"stop": ["x", " two"]})), ("You wrote: one".to_owned(), "stop".to_owned()));
}

#[test]
fn what_is_wrong_is_named() {
    let emulator = Emulator::builder().api_key("a").api_key("poor").budget("poor", "0".parse().unwrap());
    let emulator = emulator.start().unwrap();
    let wrong =
        json!({"model": " ", "prompt": 1, "max_tokens": 0, "temperature": 3, "stop": "x", "seed": 1.5});
    let fields = ["model", "prompt", "max_tokens", "temperature", "stop", "seed"];
    assert_eq!(call(&emulator, GENERATE, &wrong).invalid_fields(), fields);
    let other = json!({"model": "openai/dall-e-3", "prompt": "x"});
    assert_eq!(call(&emulator, GENERATE, &other).invalid_fields(), ["model"]);
    assert_eq!(call(&emulator, GENERATE, &json!({"model": "x", "prompt": "x"})).code(), "MODEL_NOT_FOUND");
    let refused = call_as(&emulator, "poor", GENERATE, &json!({"model": OMNI, "prompt": "x"}));
    assert_eq!(refused.code(), "BUDGET_EXCEEDED");
}

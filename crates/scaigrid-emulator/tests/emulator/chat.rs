//! Chats: the documented example, validation, models, tools, budgets.

use crate::http::{CHAT, OMNI, SUMMARY, chat, get, post, post_as, send};
use scaigrid_emulator::{DEFAULT_API_KEY, Emulator, count_tokens};
use scaigrid_types::ChatCompletion;
use serde_json::{Value, json};

fn titled(text: &str) -> Value {
    let system = "You generate conversation titles. Reply with ONLY the title, max 6 words.";
    json!({"model": OMNI, "max_tokens": 20, "temperature": 0.3, "messages": [
        {"role": "system", "content": system}, {"role": "user", "content": text}]})
}

#[test]
fn the_documented_example_gets_a_title() {
    let emulator = Emulator::start().unwrap();
    let answer = post(&emulator, &titled("Hey, what's a good recipe for carbonara?"));
    assert_eq!((answer.status, answer.text().as_str()), (200, "Good Recipe for Carbonara"));
    let body = answer.json();
    assert_eq!(body["status"], "ok");
    let completion: ChatCompletion = serde_json::from_value(body["data"].clone()).unwrap();
    assert!(completion.id.unwrap().starts_with("chatcmpl-"));
    assert_eq!(completion.object.as_deref(), Some("chat.completion"));
    assert_eq!(completion.model.as_deref(), Some(OMNI));
    assert!(completion.created.unwrap() > 1_700_000_000);
    assert_eq!(completion.choices.len(), 1);
    assert_eq!(completion.choices[0].finish_reason.as_ref().unwrap(), &"stop");
    let usage = completion.usage.unwrap();
    assert_eq!((usage.completion(), usage.total()), (4, usage.prompt() + 4));
}

#[test]
fn titles_stay_within_the_limit_for_all_kinds_of_snippets() {
    let emulator = Emulator::start().unwrap();
    for text in [
        "Hey, what's a good recipe for carbonara?",
        "how do i undo the last git commit",
        "I've been feeling tired lately and I don't know what to do about it",
        "Write a haiku about the sea.",
        "fn main() { println!(\"{}\", 1 + 1); }",
        "Traceback (most recent call last):\n  File \"a.py\", line 1\nZeroDivisionError: division by zero",
        "SELECT * FROM users WHERE id = 1;",
        "Kannst du mir einen Reiseplan für Rom erstellen?",
        "Hoe bak ik een brood zonder oven?",
        "東京のおすすめの観光地を三つ教えてください",
        "帮我写一封辞职信",
        "여름 휴가 계획 세우기",
        "ما هي عاصمة مصر؟",
        "Как приготовить борщ?",
        "🎉🎉🎉",
        "???",
        "",
        "a",
        "https://example.com",
        "Lopadotemachoselachogaleokranioleipsanodrimhypotrimmatosilphiokarabomelitokatakechymenokichl",
        "1234567890 42",
    ] {
        let title = post(&emulator, &titled(text)).text();
        assert!(!title.trim().is_empty(), "{text}");
        assert!(title.split_whitespace().count() <= 6, "{text}: {title}");
        assert_eq!(title, post(&emulator, &titled(text)).text());
    }
}

#[test]
fn limits_and_stop_texts_set_the_finish_reason() {
    let emulator = Emulator::start().unwrap();
    let ask = |key: &str, value: Value| {
        let mut body = chat("one two three.");
        body[key] = value;
        let answer = post(&emulator, &body);
        let choice = answer.json()["data"]["choices"][0].clone();
        let tokens = answer.json()["data"]["usage"]["completion_tokens"].as_u64().unwrap();
        assert_eq!(tokens, count_tokens(choice["message"]["content"].as_str().unwrap()));
        (choice["message"]["content"].clone(), choice["finish_reason"].clone())
    };
    assert_eq!(ask("max_tokens", json!(4)), (json!("You wrote: one"), json!("length")));
    assert_eq!(ask("stop", json!([" two", "x"])), (json!("You wrote: one"), json!("stop")));
    assert_eq!(ask("seed", json!(1)), (json!("You wrote: one two three."), json!("stop")));
}

#[test]
fn all_problems_of_a_request_are_named_at_once() {
    let emulator = Emulator::start().unwrap();
    for body in ["", "{", "nonsense", "\u{0}", "[]", "{\"model\":"] {
        let answer = send(&emulator, "POST", CHAT, Some(DEFAULT_API_KEY), body.as_bytes()).unwrap();
        assert_eq!(answer.invalid_fields(), ["body"], "{body}");
    }
    let deep = "[".repeat(100_000);
    let answer = send(&emulator, "POST", CHAT, Some(DEFAULT_API_KEY), deep.as_bytes()).unwrap();
    assert_eq!(answer.invalid_fields(), ["body"]);
    let body = json!({"messages": [{"content": "x"}, {"role": "user", "content": "x"}],
        "temperature": 3, "top_p": 1.5, "max_tokens": 0, "stream": "yes"});
    let answer = post(&emulator, &body);
    let expected = ["model", "messages[0].role", "max_tokens", "temperature", "top_p", "stream"];
    assert_eq!(answer.invalid_fields(), expected);
    assert_eq!(get(&emulator, SUMMARY).json()["data"][0]["request_count"], 0);
}

#[test]
fn only_known_chat_models_answer() {
    let emulator = Emulator::start().unwrap();
    let ask = |model: &str| {
        let mut body = chat("hello");
        body["model"] = json!(model);
        post(&emulator, &body)
    };
    assert_eq!((ask("poolnoodle-omni").status, ask("x").code().as_str()), (404, "MODEL_NOT_FOUND"));
    assert_eq!(ask("openai/text-embedding-3-small").invalid_fields(), ["model"]);
    assert_eq!(ask("scailabs/poolnoodle-mini").status, 200);
}

#[test]
fn forced_tools_are_called_and_results_are_answered() {
    let emulator = Emulator::start().unwrap();
    let mut body = chat("What is the weather in Paris?");
    body["tools"] = json!([{"type": "function", "function": {"name": "weather", "parameters":
        {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]);
    // Left to the model: text.
    assert!(post(&emulator, &body).text().contains("weather in Paris"));
    body["tool_choice"] = json!({"type": "function", "function": {"name": "weather"}});
    let answer = post(&emulator, &body);
    let completion: ChatCompletion = serde_json::from_value(answer.json()["data"].clone()).unwrap();
    assert_eq!(completion.finish_reason().unwrap(), &"tool_calls");
    let call = &completion.tool_calls()[0];
    assert_eq!(
        (call.function.name.as_str(), call.function.arguments.as_str()),
        ("weather", r#"{"city":"Paris"}"#)
    );
    let expected = count_tokens("weather") + count_tokens(r#"{"city":"Paris"}"#);
    assert_eq!(completion.usage.unwrap().completion(), expected);

    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": null, "tool_calls": [call]}));
    messages.push(json!({"role": "tool", "tool_call_id": call.id, "content": "18 degrees"}));
    assert_eq!(post(&emulator, &body).text(), "The tool returned: 18 degrees");

    body["tool_choice"] = json!({"type": "function", "function": {"name": "other"}});
    assert_eq!(post(&emulator, &body).invalid_fields(), ["tool_choice"]);
}

#[test]
fn a_used_up_budget_refuses_chats_without_a_hint() {
    let builder = Emulator::builder().api_key("rich").api_key("poor");
    let emulator = builder.budget("poor", "0.000001".parse().unwrap()).start().unwrap();
    assert_eq!(post_as(&emulator, "poor", &chat("hello")).status, 200);
    let refused = post_as(&emulator, "poor", &chat("hello"));
    assert_eq!((refused.status, refused.code().as_str()), (429, "BUDGET_EXCEEDED"));
    assert!(refused.header("retry-after").is_none());
    assert!(refused.json()["error"].get("retry_after").is_none());
    assert!(refused.header("x-scaigrid-ratelimit-remaining").is_some());
    // Validation comes first, other routes and keys go on.
    assert_eq!(post_as(&emulator, "poor", &json!({})).status, 422);
    assert_eq!(send(&emulator, "GET", "/v1/models", Some("poor"), b"").unwrap().status, 200);
    assert_eq!(post_as(&emulator, "rich", &chat("hello")).status, 200);
}

#[test]
fn large_conversations_are_answered() {
    let emulator = Emulator::start().unwrap();
    for text in ["word ".repeat(100_000), "One two. ".repeat(50_000), "x".repeat(400_000), "。".repeat(9)] {
        assert_eq!(post(&emulator, &titled(&text)).status, 200);
        assert_eq!(post(&emulator, &chat(&text)).status, 200);
    }
    let message = json!({"role": "user", "content": "Tell me about a topic, please."});
    let body = json!({"model": OMNI, "messages": vec![message; 5_000]});
    assert_eq!(post(&emulator, &body).status, 200);
}

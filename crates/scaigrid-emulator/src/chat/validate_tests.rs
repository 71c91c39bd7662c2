use super::*;
use proptest::prelude::*;
use scaigrid_types::ChatRequest;
use serde_json::json;

fn fields(body: Value) -> Vec<String> {
    problems(&body).into_iter().map(|problem| problem.field).collect()
}

#[test]
fn valid_requests_have_no_problems() {
    let user = json!([{"role": "user", "content": "hi"}]);
    let tool = json!({"type": "function", "function": {"name": "f", "description": null}});
    let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    for body in [
        json!({"model": "m", "messages": user}),
        json!({"model": "m", "messages": user, "max_tokens": 20.0, "temperature": 2, "top_p": 0, "seed": -1,
            "stop": ["a", ""], "stream": false, "metadata": {"a": 1}, "unknown": [], "tools": null}),
        json!({"model": "m", "messages": user, "tools": [tool, {"type": "web"}], "tool_choice": "required"}),
        json!({"model": "m", "messages": user, "tools": [tool],
            "tool_choice": {"type": "function", "function": {"name": "f"}}}),
        json!({"model": "m", "messages": [{"role": "assistant", "content": null, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "x"}]},
            {"role": "developer", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}),
    ] {
        assert_eq!(problems(&body), [], "{body}");
    }
}

#[test]
fn all_problems_are_named_at_once() {
    assert_eq!(fields(json!([])), ["body"]);
    assert_eq!(fields(json!({})), ["model", "messages"]);
    assert_eq!(fields(json!({"model": " ", "messages": []})), ["model", "messages"]);
    let body = json!({"model": 1, "messages": [{"content": "x"}, "x", {"role": "user"},
            {"role": "", "content": 1}, {"role": "user", "content": [{"type": "text"}, 1]},
            {"role": "assistant", "tool_calls": [{}], "tool_call_id": 1}],
        "max_tokens": 0, "temperature": 2.1, "top_p": -0.1, "seed": 0.5, "stop": [1], "stream": 1,
        "tools": [{}, {"type": "function", "function": {"name": "", "parameters": []}}],
        "tool_choice": "any", "metadata": []});
    let expected = [
        "model",
        "messages[0].role",
        "messages[1]",
        "messages[2].content",
        "messages[3].role",
        "messages[3].content",
        "messages[4].content[0].text",
        "messages[4].content[1]",
        "messages[5].tool_calls[0]",
        "messages[5].tool_call_id",
        "max_tokens",
        "temperature",
        "top_p",
        "seed",
        "stop",
        "stream",
        "tools[0].type",
        "tools[1].function.name",
        "tools[1].function.parameters",
        "tool_choice",
        "metadata",
    ];
    assert_eq!(fields(body), expected);
}

#[test]
fn wrong_tool_choices_are_refused() {
    let user = json!([{"role": "user", "content": "hi"}]);
    for choice in [json!("required"), json!({"type": "function", "function": {"name": "g"}}), json!(1)] {
        let body = json!({"model": "m", "messages": user, "tool_choice": choice});
        assert_eq!(fields(body), ["tool_choice"]);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop_oneof![Just("function"), Just("text"), Just("required"), Just("user"), Just("é")]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let key = prop::sample::select(vec![
            "model",
            "messages",
            "role",
            "content",
            "type",
            "text",
            "tools",
            "tool_choice",
            "function",
            "name",
            "arguments",
            "tool_calls",
            "id",
            "stop",
            "max_tokens",
            "stream",
            "seed",
            "metadata",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6).prop_map(|pairs| {
                pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>()
            }),
        ]
    })
}

/// Bodies that get further than the outermost check.
fn any_request() -> impl Strategy<Value = Value> {
    (any_json(), any_json()).prop_map(|(rest, messages)| {
        let mut body = json!({"model": "m", "messages": messages});
        if let (Value::Object(body), Value::Object(rest)) = (&mut body, rest) {
            body.extend(rest);
        }
        body
    })
}

proptest! {
    #[test]
    fn no_json_makes_it_panic_and_what_is_valid_decodes(body in prop_oneof![any_json(), any_request()]) {
        if problems(&body).is_empty() {
            let decoded = serde_json::from_value::<ChatRequest>(body.clone());
            prop_assert!(decoded.is_ok(), "{body}: {decoded:?}");
        }
    }
}

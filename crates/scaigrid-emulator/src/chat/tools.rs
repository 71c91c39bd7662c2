//! Forced tool calls, with arguments made from the function's JSON Schema.

use crate::ids;
use crate::text;
use scaigrid_types::{ChatRequest, FunctionDefinition, Role, Tool, ToolCall, ToolChoice};
use serde_json::{Map, Value, json};

/// The call that the request forces. `None` when the choice is left to the model: the emulator then answers in
/// text.
pub(crate) fn call(request: &ChatRequest) -> Option<ToolCall> {
    let mut functions = request.tools.iter().filter_map(function);
    let (name, parameters) = match request.tool_choice.as_ref()? {
        ToolChoice::Required => functions.next()?,
        ToolChoice::Function(name) => functions.find(|(known, _)| known == name)?,
        // A named function with further keys.
        ToolChoice::Other(choice) => {
            let name = choice.pointer("/function/name")?.as_str()?;
            functions.find(|(known, _)| *known == name)?
        }
        _ => return None,
    };
    let said = request.messages.iter().rfind(|message| message.role == Role::User);
    let word = text::key_word(&said.map(|message| message.text()).unwrap_or_default());
    let arguments = Value::Object(arguments(parameters, &word)).to_string();
    // The same request gets the same id; the next call of a conversation, which is longer, another one.
    let length = request.messages.len().to_string();
    let id = ids::of_parts("call_", [length.as_str(), name, arguments.as_str()]);
    Some(ToolCall::function(id, name, arguments))
}

/// Name and schema of a function, also of one with keys that the types do not know.
fn function(tool: &Tool) -> Option<(&str, Option<&Value>)> {
    match tool {
        Tool::Function(FunctionDefinition { name, parameters, .. }) => Some((name, parameters.as_ref())),
        Tool::Other(tool) => {
            Some((tool.pointer("/function/name")?.as_str()?, tool.pointer("/function/parameters")))
        }
        _ => None,
    }
}

/// One value for each required property.
fn arguments(schema: Option<&Value>, word: &str) -> Map<String, Value> {
    let required = schema.and_then(|schema| schema.get("required")).and_then(Value::as_array);
    let names = required.into_iter().flatten().filter_map(Value::as_str);
    let property = |name: &str| schema?.get("properties")?.get(name);
    names.map(|name| (name.to_owned(), argument(property(name), word))).collect()
}

/// A fixed value, or the first allowed one, or a simple one of the right type. Null for lists, objects, and
/// types that are not named.
fn argument(schema: Option<&Value>, word: &str) -> Value {
    let get = |key: &str| schema.and_then(|schema| schema.get(key));
    if let Some(value) = get("const").or_else(|| get("enum")?.get(0)) {
        return value.clone();
    }
    let kind = match get("type") {
        // Such as `["string", "null"]`.
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
        kind => kind.and_then(Value::as_str),
    };
    match kind {
        Some("string") => json!(word),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forced(choice: ToolChoice) -> Option<ToolCall> {
        let schema = json!({"type": "object", "required": ["city", "days", "metric", "unit", "tags", "odd"],
            "properties": {"city": {"type": "string"}, "days": {"type": ["integer", "null"]},
                "metric": {"type": "boolean"}, "unit": {"enum": ["C", "F"]}, "tags": {"type": "array"},
                "optional": {"type": "string"}}});
        let request = ChatRequest::new("m")
            .user("What is the weather in Paris?")
            .tool(FunctionDefinition::new("first"))
            .tool(FunctionDefinition::new("weather").parameters(schema))
            .tool_choice(choice);
        call(&request)
    }

    #[test]
    fn forced_calls_have_all_required_arguments() {
        assert_eq!(forced(ToolChoice::Required).unwrap().function.arguments, "{}");
        let call = forced(ToolChoice::Function("weather".into())).unwrap().function;
        assert_eq!(call.name, "weather");
        let expected =
            json!({"city": "Paris", "days": 1, "metric": true, "unit": "C", "tags": null, "odd": null});
        assert_eq!(call.parse_arguments::<Value>().unwrap(), expected);
    }

    #[test]
    fn a_free_choice_forces_nothing() {
        for choice in [ToolChoice::Auto, ToolChoice::None, ToolChoice::Function("unknown".into())] {
            assert_eq!(forced(choice), None);
        }
        let odd = json!({"type": "function", "function": {"name": "first"}, "x": 1});
        assert_eq!(forced(ToolChoice::Other(odd)).unwrap().function.name, "first");
    }
}

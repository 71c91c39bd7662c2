//! Checks a chat request and names every problem at once.
//!
//! It works on plain JSON, because decoding into the typed request would stop at the first problem. Null counts
//! as absent. Unknown keys are ignored (assumed: the documentation does not say what the gateway does).

use scaigrid_types::FieldError;
use serde_json::{Map, Value};

/// All problems of the body, in the order of its documented fields. Empty for a valid request.
pub(crate) fn problems(body: &Value) -> Vec<FieldError> {
    let Value::Object(body) = body else {
        return vec![FieldError::new("body", "must be a JSON object")];
    };
    let mut check = Check { body, problems: Vec::new() };
    check.model();
    check.messages();
    check.number("max_tokens", "must be a whole number of at least 1", |value| whole(value) && value >= 1.0);
    check.number("temperature", "must be a number from 0 to 2", |value| (0.0..=2.0).contains(&value));
    check.number("top_p", "must be a number from 0 to 1", |value| (0.0..=1.0).contains(&value));
    check.that("seed", "must be a whole number", |value| value.as_i64().is_some());
    check.that("stop", "must be a string or a list of strings", |value| match value {
        Value::Array(texts) => texts.iter().all(Value::is_string),
        other => other.is_string(),
    });
    check.that("stream", "must be a boolean", Value::is_boolean);
    check.tools();
    check.that("metadata", "must be an object", Value::is_object);
    check.problems
}

/// Above 2^53 a float no longer names one integer.
fn whole(value: f64) -> bool {
    value.fract() == 0.0 && value <= 9_007_199_254_740_992.0
}

struct Check<'a> {
    body: &'a Map<String, Value>,
    problems: Vec<FieldError>,
}

impl<'a> Check<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.body.get(name).filter(|value| !value.is_null())
    }

    fn problem(&mut self, field: impl Into<String>, message: &str) {
        self.problems.push(FieldError::new(field, message));
    }

    fn that(&mut self, name: &str, message: &str, is_valid: impl FnOnce(&Value) -> bool) {
        if self.get(name).is_some_and(|value| !is_valid(value)) {
            self.problem(name, message);
        }
    }

    fn number(&mut self, name: &str, message: &str, is_valid: impl FnOnce(f64) -> bool) {
        self.that(name, message, |value| value.as_f64().is_some_and(is_valid));
    }

    fn model(&mut self) {
        match self.get("model") {
            None => self.problem("model", "is required"),
            Some(Value::String(slug)) if slug.trim().is_empty() => {
                self.problem("model", "must not be empty");
            }
            Some(Value::String(_)) => {}
            Some(_) => self.problem("model", "must be a string"),
        }
    }

    fn messages(&mut self) {
        match self.get("messages") {
            None => self.problem("messages", "is required"),
            Some(Value::Array(messages)) if messages.is_empty() => {
                self.problem("messages", "must not be empty");
            }
            Some(Value::Array(messages)) => {
                for (index, message) in messages.iter().enumerate() {
                    self.message(&format!("messages[{index}]"), message);
                }
            }
            Some(_) => self.problem("messages", "must be a list"),
        }
    }

    fn message(&mut self, path: &str, message: &Value) {
        let Value::Object(message) = message else {
            return self.problem(path, "must be an object");
        };
        let get = |name: &str| message.get(name).filter(|value| !value.is_null());
        match get("role") {
            None => self.problem(format!("{path}.role"), "is required"),
            Some(Value::String(role)) if !role.is_empty() => {}
            Some(_) => self.problem(format!("{path}.role"), "must be a string that is not empty"),
        }
        match get("content") {
            Some(Value::String(_)) => {}
            Some(Value::Array(parts)) => self.parts(path, parts),
            Some(_) => self.problem(format!("{path}.content"), "must be a string or a list of parts"),
            // Assumed: only an assistant's turn may be without content, when it calls tools.
            None if get("role").and_then(Value::as_str) == Some("assistant") => {}
            None => self.problem(format!("{path}.content"), "is required"),
        }
        match get("tool_calls") {
            None => {}
            Some(Value::Array(calls)) => self.calls(path, calls),
            Some(_) => self.problem(format!("{path}.tool_calls"), "must be a list"),
        }
        if get("tool_call_id").is_some_and(|id| !id.is_string()) {
            self.problem(format!("{path}.tool_call_id"), "must be a string");
        }
    }

    fn parts(&mut self, path: &str, parts: &[Value]) {
        for (index, part) in parts.iter().enumerate() {
            let path = format!("{path}.content[{index}]");
            match part.get("type").and_then(Value::as_str) {
                None => self.problem(path, "must be an object with a `type`"),
                Some("text") if !part.get("text").is_some_and(Value::is_string) => {
                    self.problem(format!("{path}.text"), "must be a string");
                }
                Some(_) => {}
            }
        }
    }

    fn calls(&mut self, path: &str, calls: &[Value]) {
        for (index, call) in calls.iter().enumerate() {
            let text = |pointer: &str| call.pointer(pointer).is_some_and(Value::is_string);
            if !(text("/id") && text("/function/name") && text("/function/arguments")) {
                let message = "must have an `id`, `function.name`, and `function.arguments`, all strings";
                self.problem(format!("{path}.tool_calls[{index}]"), message);
            }
        }
    }

    fn tools(&mut self) {
        let tools = match self.get("tools") {
            None => &[],
            Some(Value::Array(tools)) => tools.as_slice(),
            Some(_) => return self.problem("tools", "must be a list"),
        };
        for (index, tool) in tools.iter().enumerate() {
            match tool.get("type").and_then(Value::as_str) {
                None => self.problem(format!("tools[{index}].type"), "is required"),
                Some("function") => self.function(index, tool),
                // Other kinds of tools are assumed to be possible.
                Some(_) => {}
            }
        }
        self.tool_choice(tools);
    }

    fn function(&mut self, index: usize, tool: &Value) {
        let path = format!("tools[{index}].function");
        let function = tool.get("function");
        let has = |name: &str, is_valid: fn(&Value) -> bool| {
            let value = function.and_then(|function| function.get(name));
            value.is_none_or(|value| value.is_null() || is_valid(value))
        };
        if function_name(tool).is_none_or(str::is_empty) {
            self.problem(format!("{path}.name"), "must be a string that is not empty");
        }
        if !has("description", Value::is_string) {
            self.problem(format!("{path}.description"), "must be a string");
        }
        if !has("parameters", Value::is_object) {
            self.problem(format!("{path}.parameters"), "must be a JSON Schema object");
        }
    }

    fn tool_choice(&mut self, tools: &[Value]) {
        match self.get("tool_choice") {
            None => {}
            Some(Value::String(choice)) => match choice.as_str() {
                "auto" | "none" => {}
                "required" if tools.iter().any(|tool| function_name(tool).is_some()) => {}
                "required" => self.problem("tool_choice", "`required` needs a function in `tools`"),
                _ => self.problem("tool_choice", "must be auto, none, required, or a named function"),
            },
            Some(choice) => match function_name(choice) {
                Some(name) if tools.iter().any(|tool| function_name(tool) == Some(name)) => {}
                Some(_) => self.problem("tool_choice", "names a function that is not in `tools`"),
                None => self.problem("tool_choice", "must be auto, none, required, or a named function"),
            },
        }
    }
}

fn function_name(value: &Value) -> Option<&str> {
    value.pointer("/function/name")?.as_str()
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;

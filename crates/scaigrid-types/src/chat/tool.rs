//! Tools. All shapes here are assumed to be OpenAI's; the documentation names tools without showing them.

use crate::lenient;
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value, json};

/// A tool that the model may call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Tool {
    /// A function: `{"type":"function","function":{…}}`.
    Function(FunctionDefinition),
    /// Any other tool, as raw JSON.
    Other(Value),
}

/// The description of a function for the model.
///
/// ```
/// use scaigrid_types::{FunctionDefinition, Tool};
/// use serde_json::json;
///
/// let tool: Tool = FunctionDefinition::new("get_weather")
///     .description("The weather in a city.")
///     .parameters(json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}))
///     .into();
/// assert_eq!(serde_json::to_value(&tool).unwrap()["function"]["name"], "get_weather");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FunctionDefinition {
    /// The name that the model calls it by.
    pub name: String,
    /// What it does, for the model. Optional.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A JSON Schema of the arguments. Optional.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
    /// Keys that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl FunctionDefinition {
    /// A function without description and parameters.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Sets what the function does, for the model.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the JSON Schema of the arguments.
    pub fn parameters(mut self, schema: Value) -> Self {
        self.parameters = Some(schema);
        self
    }
}

impl From<FunctionDefinition> for Tool {
    fn from(function: FunctionDefinition) -> Self {
        Tool::Function(function)
    }
}

impl Serialize for Tool {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Tool::Function(function) => {
                json!({"type": "function", "function": function}).serialize(serializer)
            }
            Tool::Other(tool) => tool.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Tool {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let function = match value.as_object() {
            Some(tool) if tool.len() == 2 && tool.get("type") == Some(&json!("function")) => {
                tool.get("function")
            }
            _ => None,
        };
        match function {
            Some(function) => {
                FunctionDefinition::deserialize(function).map(Tool::Function).map_err(de::Error::custom)
            }
            None => Ok(Tool::Other(value)),
        }
    }
}

/// Whether and which tool the model must call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ToolChoice {
    /// `"auto"`: the model decides.
    Auto,
    /// `"none"`: no tool is called.
    None,
    /// `"required"`: some tool is called.
    Required,
    /// The named function is called.
    Function(String),
    /// Any other choice, as raw JSON.
    Other(Value),
}

impl Serialize for ToolChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ToolChoice::Auto => serializer.serialize_str("auto"),
            ToolChoice::None => serializer.serialize_str("none"),
            ToolChoice::Required => serializer.serialize_str("required"),
            ToolChoice::Function(name) => {
                json!({"type": "function", "function": {"name": name}}).serialize(serializer)
            }
            ToolChoice::Other(choice) => choice.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ToolChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(match value.as_str() {
            Some("auto") => ToolChoice::Auto,
            Some("none") => ToolChoice::None,
            Some("required") => ToolChoice::Required,
            _ => {
                let named = value
                    .pointer("/function/name")
                    .and_then(Value::as_str)
                    .map(|name| ToolChoice::Function(name.to_owned()));
                // Only when the typed form says all that came.
                match named {
                    Some(named) if serde_json::to_value(&named).is_ok_and(|typed| typed == value) => named,
                    _ => ToolChoice::Other(value),
                }
            }
        })
    }
}

/// A call that the model wants made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolCall {
    /// Names the call; goes back in [`Message::tool_result`](crate::Message::tool_result). Empty when the
    /// server sent none.
    #[serde(default, deserialize_with = "lenient::null_as_default")]
    pub id: String,
    /// The kind of tool; `function` when the server sent none.
    #[serde(rename = "type", default = "function_kind", deserialize_with = "kind_or_function")]
    pub kind: String,
    /// The function and its arguments.
    #[serde(default, deserialize_with = "lenient::null_as_default")]
    pub function: FunctionCall,
}

fn function_kind() -> String {
    "function".to_owned()
}

fn kind_or_function<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(function_kind))
}

impl ToolCall {
    /// A call of a function. `arguments` is JSON text.
    pub fn function(id: impl Into<String>, name: impl Into<String>, arguments: impl Into<String>) -> Self {
        let function = FunctionCall { name: name.into(), arguments: arguments.into() };
        Self { id: id.into(), kind: function_kind(), function }
    }
}

/// The function that the model wants called.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FunctionCall {
    /// Its name.
    #[serde(default, deserialize_with = "lenient::null_as_default")]
    pub name: String,
    /// The arguments as JSON text. Written by a model: it may be invalid. A server that sends an object
    /// instead of text is understood.
    #[serde(default, deserialize_with = "text_of_arguments")]
    pub arguments: String,
}

impl FunctionCall {
    /// Decodes the arguments.
    ///
    /// # Errors
    /// When they are not JSON of the expected form; models do produce such text.
    pub fn parse_arguments<T: de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.arguments)
    }
}

fn text_of_arguments<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_round_trip() {
        for (value, choice) in [
            (json!("auto"), ToolChoice::Auto),
            (json!("none"), ToolChoice::None),
            (json!("required"), ToolChoice::Required),
            (json!({"type": "function", "function": {"name": "f"}}), ToolChoice::Function("f".into())),
            (json!("any"), ToolChoice::Other(json!("any"))),
            (
                json!({"type": "function", "function": {"name": "f"}, "x": 1}),
                ToolChoice::Other(json!({"type": "function", "function": {"name": "f"}, "x": 1})),
            ),
        ] {
            assert_eq!(serde_json::from_value::<ToolChoice>(value.clone()).unwrap(), choice);
            assert_eq!(serde_json::to_value(choice).unwrap(), value);
        }
    }

    #[test]
    fn tools_round_trip_with_unknown_keys() {
        for value in [
            json!({"type": "function", "function": {"name": "f", "strict": true}}),
            json!({"type": "web_search", "max": 3}),
        ] {
            let tool: Tool = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(serde_json::to_value(tool).unwrap(), value);
        }
        assert!(serde_json::from_value::<Tool>(json!({"type": "function", "function": {}})).is_err());
    }

    #[test]
    fn arguments_may_be_text_object_or_null() {
        let call = |arguments: Value| {
            serde_json::from_value::<ToolCall>(
                json!({"id": null, "type": null, "function": {"name": "f", "arguments": arguments}}),
            )
            .unwrap()
        };
        assert_eq!(call(json!("{\"a\":1}")), call(json!({"a": 1})));
        assert_eq!(call(json!(null)).function.arguments, "");
        assert_eq!(call(json!({"a": 1})).function.parse_arguments::<Value>().unwrap(), json!({"a": 1}));
        assert!(call(json!("{")).function.parse_arguments::<Value>().is_err());
    }
}

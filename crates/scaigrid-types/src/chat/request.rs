//! The chat request.

use super::{ChatCompletion, Content, Message, Tool, ToolChoice};
use crate::lenient;
use crate::request_body::{refuse_named, refuse_not_finite};
use crate::{Endpoint, InvalidRequest, Method, Path, ReplaySafety, ReplyError, RequestBody, ResponseBody};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A chat completion request: `POST /v1/inference/chat`.
///
/// Only what you set is sent. Source: docs `reference/inference`; every field except `extra` is documented.
///
/// ```
/// use scaigrid_types::ChatRequest;
///
/// let request = ChatRequest::new("scailabs/poolnoodle-omni")
///     .system("Reply with one word.")
///     .user("What colour is the sky?")
///     .max_tokens(5)
///     .temperature(0.3)
///     .extra("top_k", 40);
/// assert_eq!(request.messages.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatRequest {
    /// The frontend slug, such as `scailabs/poolnoodle-omni`. Required.
    #[serde(default)]
    pub model: String,
    /// The conversation so far, oldest first. Required.
    #[serde(default)]
    pub messages: Vec<Message>,
    /// At most this many tokens are produced; the model's `max_output_tokens` caps it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::opt_u64")]
    pub max_tokens: Option<u64>,
    /// Randomness from 0.0 to 2.0. The default depends on the provider, usually 1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Nucleus sampling, from 0.0 to 1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Asks for repeatable output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Texts that end the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// Whether the answer is a stream. Left to the client: a plain call refuses `Some(true)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    /// Tools that the model may call. The element shape is assumed.
    #[serde(default, deserialize_with = "lenient::null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// Whether and which tool must be called. The values are assumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// A free-form map. Documented without a meaning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Further top-level keys, for parameters that this type does not name. Whether the gateway takes a key
    /// that it does not know is not documented.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Keys that have a field of their own and must not be in `extra` as well.
const NAMED_KEYS: [&str; 11] = [
    "model",
    "messages",
    "max_tokens",
    "temperature",
    "top_p",
    "seed",
    "stop",
    "stream",
    "tools",
    "tool_choice",
    "metadata",
];

impl ChatRequest {
    /// A request to a model without messages.
    pub fn new(model: impl Into<String>) -> Self {
        Self { model: model.into(), ..Self::default() }
    }

    /// Appends a message.
    pub fn message(mut self, message: impl Into<Message>) -> Self {
        self.messages.push(message.into());
        self
    }

    /// Appends messages.
    pub fn messages(mut self, messages: impl IntoIterator<Item = Message>) -> Self {
        self.messages.extend(messages);
        self
    }

    /// Appends instructions for the model.
    pub fn system(self, content: impl Into<Content>) -> Self {
        self.message(Message::system(content))
    }

    /// Appends what the person says.
    pub fn user(self, content: impl Into<Content>) -> Self {
        self.message(Message::user(content))
    }

    /// Appends what the model said earlier.
    pub fn assistant(self, content: impl Into<Content>) -> Self {
        self.message(Message::assistant(content))
    }

    /// Limits the output, in tokens.
    pub fn max_tokens(mut self, tokens: u64) -> Self {
        self.max_tokens = Some(tokens);
        self
    }

    /// Sets the randomness, from 0.0 to 2.0.
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Sets nucleus sampling, from 0.0 to 1.0.
    pub fn top_p(mut self, top_p: f64) -> Self {
        self.top_p = Some(top_p);
        self
    }

    /// Asks for repeatable output.
    pub fn seed(mut self, seed: i64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets the text or texts that end the output.
    pub fn stop(mut self, stop: impl Into<Stop>) -> Self {
        self.stop = Some(stop.into());
        self
    }

    /// Adds a tool that the model may call.
    pub fn tool(mut self, tool: impl Into<Tool>) -> Self {
        self.tools.push(tool.into());
        self
    }

    /// Adds tools.
    pub fn tools(mut self, tools: impl IntoIterator<Item = impl Into<Tool>>) -> Self {
        self.tools.extend(tools.into_iter().map(Into::into));
        self
    }

    /// Sets whether and which tool must be called.
    pub fn tool_choice(mut self, choice: ToolChoice) -> Self {
        self.tool_choice = Some(choice);
        self
    }

    /// Adds a key to the metadata.
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    /// Adds a top-level key that this type does not name.
    pub fn extra(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(key.into(), value.into());
        self
    }
}

/// Checks what would otherwise go out as something else than it looks like: keys that appear twice, a stream
/// where a plain answer is awaited, and numbers that JSON writes as `null`.
fn check(request: &ChatRequest) -> Result<(), InvalidRequest> {
    refuse_named(&request.extra, &NAMED_KEYS)?;
    for message in &request.messages {
        refuse_named(&message.extra, &["role", "content", "tool_calls", "tool_call_id"])?;
    }
    for tool in &request.tools {
        if let Tool::Function(function) = tool {
            refuse_named(&function.extra, &["name", "description", "parameters"])?;
        }
    }
    refuse_not_finite([("temperature", request.temperature), ("top_p", request.top_p)])
}

impl Endpoint for ChatRequest {
    type Reply = ChatCompletion;

    fn name(&self) -> &'static str {
        "chat"
    }

    fn method(&self) -> Method {
        Method::Post
    }

    fn path(&self) -> Path {
        Path::from_static("/v1/inference/chat")
    }

    fn body(&self) -> Result<Option<RequestBody>, InvalidRequest> {
        check(self)?;
        if self.stream == Some(true) {
            return Err(InvalidRequest::new(
                "`stream` is true, but this call awaits a plain answer: unset it",
            ));
        }
        RequestBody::json(self).map(Some)
    }

    fn replay_safety(&self) -> ReplaySafety {
        ReplaySafety::Inference
    }

    fn decode(&self, body: ResponseBody<'_>) -> Result<ChatCompletion, ReplyError> {
        body.data()
    }

    fn operation(&self) -> Option<&'static str> {
        Some("chat")
    }

    fn requested_model(&self) -> Option<&str> {
        Some(&self.model)
    }

    fn facts<'a>(&self, reply: &'a ChatCompletion) -> crate::ReplyFacts<'a> {
        reply.into()
    }
}

/// The same request, answered as a stream: `POST /v1/inference/chat` with `"stream": true`.
///
/// Its [`decode`](Endpoint::decode) is for a gateway that answers with a plain reply all the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChatStreamRequest<'a>(pub &'a ChatRequest);

impl Endpoint for ChatStreamRequest<'_> {
    type Reply = ChatCompletion;

    fn name(&self) -> &'static str {
        "chat_stream"
    }

    fn method(&self) -> Method {
        self.0.method()
    }

    fn path(&self) -> Path {
        self.0.path()
    }

    fn body(&self) -> Result<Option<RequestBody>, InvalidRequest> {
        check(self.0)?;
        // The field would stand beside ours.
        let body = match self.0.stream {
            None => RequestBody::streamed(self.0),
            Some(_) => RequestBody::json(&ChatRequest { stream: Some(true), ..self.0.clone() }),
        };
        body.map(Some)
    }

    fn accept(&self) -> &'static str {
        "text/event-stream"
    }

    fn replay_safety(&self) -> ReplaySafety {
        self.0.replay_safety()
    }

    fn decode(&self, body: ResponseBody<'_>) -> Result<ChatCompletion, ReplyError> {
        self.0.decode(body)
    }

    fn operation(&self) -> Option<&'static str> {
        self.0.operation()
    }

    fn requested_model(&self) -> Option<&str> {
        self.0.requested_model()
    }

    fn facts<'a>(&self, reply: &'a ChatCompletion) -> crate::ReplyFacts<'a> {
        reply.into()
    }
}

/// One text or several that end the output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Stop {
    /// One text.
    One(String),
    /// Several texts.
    Many(Vec<String>),
}

impl Stop {
    /// The texts.
    pub fn texts(&self) -> &[String] {
        match self {
            Stop::One(text) => std::slice::from_ref(text),
            Stop::Many(texts) => texts,
        }
    }
}

impl From<&str> for Stop {
    fn from(text: &str) -> Self {
        Stop::One(text.to_owned())
    }
}

impl From<String> for Stop {
    fn from(text: String) -> Self {
        Stop::One(text)
    }
}

impl<T: Into<String>> From<Vec<T>> for Stop {
    fn from(texts: Vec<T>) -> Self {
        Stop::Many(texts.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<String>, const N: usize> From<[T; N]> for Stop {
    fn from(texts: [T; N]) -> Self {
        Stop::Many(texts.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_request_of_the_integration_guide() {
        let request = ChatRequest::new("scailabs/poolnoodle-omni")
            .system("You generate conversation titles. Reply with ONLY the title, max 6 words.")
            .user("Hey, what's a good recipe for carbonara?")
            .max_tokens(20)
            .temperature(0.3);
        let expected = r#"{"model":"scailabs/poolnoodle-omni","messages":[{"role":"system","content":"You generate conversation titles. Reply with ONLY the title, max 6 words."},{"role":"user","content":"Hey, what's a good recipe for carbonara?"}],"max_tokens":20,"temperature":0.3}"#;
        let body = request.body().unwrap().unwrap();
        assert_eq!(String::from_utf8_lossy(body.as_bytes().unwrap()), expected);
        assert_eq!(serde_json::from_str::<ChatRequest>(expected).unwrap(), request);
    }

    #[test]
    fn a_full_request_round_trips() {
        let value = json!({"model": "m", "messages": [], "max_tokens": 1, "temperature": 0.5, "top_p": 0.9,
            "seed": -3, "stop": ["a", "b"], "stream": false, "tools": [{"type": "x"}], "tool_choice": "auto",
            "metadata": {"k": 1}, "top_k": 40});
        let request: ChatRequest = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(request.extra, *json!({"top_k": 40}).as_object().unwrap());
        assert_eq!(serde_json::to_value(&request).unwrap(), value);
        assert_eq!(ChatRequest::new("m").stop("x").stop.unwrap().texts(), ["x"]);
    }

    #[test]
    fn a_streamed_request_says_so_once() {
        for stream in [None, Some(false), Some(true)] {
            let request = ChatRequest { stream, ..ChatRequest::new("m").extra("k", 1) };
            let body = ChatStreamRequest(&request).body().unwrap().unwrap();
            let body = std::str::from_utf8(body.as_bytes().unwrap()).unwrap();
            assert_eq!(body.matches("\"stream\":true").count(), 1, "{body}");
            assert_eq!(body.matches("stream").count(), 1, "{body}");
        }
    }

    #[test]
    fn what_would_not_arrive_as_meant_is_refused() {
        let error = |request: ChatRequest| request.body().unwrap_err().to_string();
        assert!(error(ChatRequest::new("m").extra("model", "other")).contains("`model`"));
        let mut message = Message::user("a");
        message.extra.insert("role".into(), "system".into());
        assert!(error(ChatRequest::new("m").message(message)).contains("`role`"));
        let mut function = crate::FunctionDefinition::new("f");
        function.extra.insert("name".into(), "g".into());
        assert!(error(ChatRequest::new("m").tool(function)).contains("`name`"));
        assert!(error(ChatRequest::new("m").temperature(f64::NAN)).contains("`temperature`"));
        let streaming = ChatRequest { stream: Some(true), ..ChatRequest::new("m") };
        assert!(error(streaming).contains("`stream`"));
    }
}

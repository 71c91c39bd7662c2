//! Puts the chunks of a stream together.

use super::{
    AssistantMessage, ChatChunk, ChatCompletion, Choice, ChunkChoice, Content, FinishReason, Role, ToolCall,
    ToolCallDelta,
};
use crate::{ReplyFacts, Usage};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Chunks in, the completion out that a plain call would have given.
///
/// ```
/// use scaigrid_types::{ChatAccumulator, ChatChunk, ChunkChoice, Delta};
///
/// let mut reply = ChatAccumulator::new();
/// for text in ["Hel", "lo"] {
///     let mut chunk = ChatChunk::default();
///     chunk.choices = ChunkChoice::new(0, Delta::text(text)).into();
///     reply.push(&chunk);
/// }
/// assert_eq!(reply.snapshot().text(), "Hello");
/// ```
#[derive(Clone, Debug, Default)]
pub struct ChatAccumulator {
    id: Option<Arc<str>>,
    object: Option<Arc<str>>,
    created: Option<u64>,
    model: Option<Arc<str>>,
    /// The choice that came first, and its index. Usually it stays the only one, and a map is a long way to it.
    first: Option<(u32, PartialChoice)>,
    /// In boxes: the map has room for eleven from the first on.
    others: BTreeMap<u32, Box<PartialChoice>>,
    usage: Option<Usage>,
    chunks: u64,
    size: usize,
}

/// The order of calls: by index, and calls that share one in the order they came.
type CallKey = (u32, u32);

/// What a choice or a call counts for beside its text, so that endless empty ones meet a size limit too. In bytes.
const ENTRY_SIZE: usize = 256;

#[derive(Clone, Debug, Default)]
struct PartialChoice {
    role: Option<Role>,
    content: Option<String>,
    reasoning_content: Option<String>,
    tool_calls: BTreeMap<CallKey, ToolCall>,
    /// The call that pieces with an index belong to.
    by_index: HashMap<u32, CallKey>,
    by_id: HashMap<String, CallKey>,
    finish_reason: Option<FinishReason>,
}

impl ChatAccumulator {
    /// For a new stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a chunk.
    pub fn push(&mut self, chunk: &ChatChunk) {
        self.chunks += 1;
        keep_first(&mut self.id, &chunk.id);
        keep_first(&mut self.object, &chunk.object);
        keep_first(&mut self.model, &chunk.model);
        keep_first(&mut self.created, &chunk.created);
        for choice in &chunk.choices {
            let added = match &mut self.first {
                Some((index, first)) if *index == choice.index => first.push(choice),
                _ => self.push_another(choice),
            };
            self.size += added;
        }
        // Some servers send running totals: the last one counts.
        if chunk.usage.is_some() {
            self.usage = chunk.usage;
        }
    }

    #[cold]
    fn push_another(&mut self, choice: &ChunkChoice) -> usize {
        let index = choice.index;
        if self.first.is_none() {
            return ENTRY_SIZE + self.first.insert((index, PartialChoice::default())).1.push(choice);
        }
        let begun = if self.others.contains_key(&index) { 0 } else { ENTRY_SIZE };
        begun + self.others.entry(index).or_default().push(choice)
    }

    /// The choices by index.
    fn choices(&self) -> impl Iterator<Item = (u32, &PartialChoice)> {
        let first = self.first.as_ref().map(|(index, choice)| (*index, choice));
        let split = first.map_or(0, |(index, _)| index);
        let before = self.others.range(..split).map(|(index, choice)| (*index, &**choice));
        let behind = self.others.range(split..).map(|(index, choice)| (*index, &**choice));
        before.chain(first).chain(behind)
    }

    /// The completion as far as it has come.
    pub fn snapshot(&self) -> ChatCompletion {
        let owned = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        let object = match self.object.as_deref() {
            Some("chat.completion.chunk") => Some("chat.completion".to_owned()),
            _ => owned(&self.object),
        };
        ChatCompletion {
            id: owned(&self.id),
            object,
            created: self.created,
            model: owned(&self.model),
            choices: self.choices().map(|(index, partial)| partial.snapshot(index)).collect(),
            usage: self.usage,
        }
    }

    /// What the reply tells of itself, as far as it has come.
    pub fn facts(&self) -> ReplyFacts<'_> {
        let reasons = self.choices().filter_map(|(_, partial)| partial.finish_reason.as_ref());
        ReplyFacts::new()
            .id(self.id.as_deref())
            .model(self.model.as_deref())
            .usage(self.usage)
            .finish_reasons(reasons.map(FinishReason::as_str))
    }

    /// Token counts as far as they have come.
    pub fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// How many chunks have come.
    pub fn chunks(&self) -> u64 {
        self.chunks
    }

    /// About how many bytes the reply takes: its text, reasoning, and tool calls, and a fixed amount for each choice and
    /// call.
    pub fn size(&self) -> usize {
        self.size
    }
}

fn keep_first<T: Clone>(kept: &mut Option<T>, new: &Option<T>) {
    if kept.is_none() && new.is_some() {
        keep(kept, new);
    }
}

/// What happens once in a stream stays out of the way of what happens with each chunk.
#[cold]
#[inline(never)]
fn keep<T: Clone>(kept: &mut Option<T>, new: &Option<T>) {
    kept.clone_from(new);
}

/// The number of bytes added.
fn append(text: &mut Option<String>, new: &Option<String>) -> usize {
    let Some(new) = new else { return 0 };
    text.get_or_insert_default().push_str(new);
    new.len()
}

/// The text, if it says something.
fn named(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

impl PartialChoice {
    fn push(&mut self, choice: &ChunkChoice) -> usize {
        let delta = &choice.delta;
        keep_first(&mut self.role, &delta.role);
        let mut size = append(&mut self.content, &delta.content);
        size += append(&mut self.reasoning_content, &delta.reasoning_content);
        for call in &delta.tool_calls {
            size += self.push_call(call);
        }
        if choice.finish_reason.is_some() {
            keep(&mut self.finish_reason, &choice.finish_reason);
        }
        size
    }

    fn push_call(&mut self, delta: &ToolCallDelta) -> usize {
        let key = self.key_of(delta);
        let mut size = 0;
        let call = self.tool_calls.entry(key).or_insert_with(|| {
            size += ENTRY_SIZE;
            ToolCall::function("", "", "")
        });
        for (text, new) in [
            (&mut call.id, &delta.id),
            (&mut call.kind, &delta.kind),
            (&mut call.function.name, &delta.function.name),
        ] {
            if let Some(new) = named(new) {
                size += new.len();
                new.clone_into(text);
            }
        }
        let arguments = delta.function.arguments.as_deref().unwrap_or_default();
        call.function.arguments.push_str(arguments);
        if let Some(index) = delta.index {
            self.by_index.insert(index, key);
        }
        if let Some(id) = named(&delta.id) {
            self.by_id.insert(id.to_owned(), key);
        }
        size + arguments.len()
    }

    /// By index, else by id, else a new id begins a new call, and without either the last call goes on. A piece that
    /// brings another id and a name begins a new call too, although its index is taken: some servers number all calls 0.
    fn key_of(&self, delta: &ToolCallDelta) -> CallKey {
        let (id, name) = (named(&delta.id), named(&delta.function.name));
        if let Some(index) = delta.index {
            let Some(key) = self.by_index.get(&index) else { return (index, 0) };
            let known = self.tool_calls.get(key).map(|call| call.id.as_str()).unwrap_or_default();
            let is_another = name.is_some() && !known.is_empty() && id.is_some_and(|id| id != known);
            return if is_another { (index, key.1.saturating_add(1)) } else { *key };
        }
        let last = self.tool_calls.last_key_value().map(|(key, _)| *key);
        match id {
            Some(id) => {
                let next = last.map_or((0, 0), |(index, _)| (index.saturating_add(1), 0));
                self.by_id.get(id).copied().unwrap_or(next)
            }
            None => last.unwrap_or_default(),
        }
    }

    fn snapshot(&self, index: u32) -> Choice {
        // A stream announces the role with an empty text; a plain reply that only calls tools has none.
        let is_void = !self.tool_calls.is_empty() && self.content.as_deref() == Some("");
        let message = AssistantMessage {
            role: self.role.clone().unwrap_or(Role::Assistant),
            content: self.content.clone().filter(|_| !is_void).map(Content::Text),
            tool_calls: self.tool_calls.values().cloned().collect(),
            reasoning_content: self.reasoning_content.clone(),
        };
        Choice { index, message, finish_reason: self.finish_reason.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn accumulate(chunks: &[Value]) -> ChatCompletion {
        let mut accumulator = ChatAccumulator::new();
        for chunk in chunks {
            accumulator.push(&serde_json::from_value(chunk.clone()).unwrap());
        }
        assert_eq!(accumulator.chunks(), chunks.len() as u64);
        accumulator.snapshot()
    }

    fn delta(index: u32, delta: Value) -> Value {
        json!({"choices": [{"index": index, "delta": delta}]})
    }

    fn calls(deltas: &[Value]) -> Vec<(String, String, String)> {
        let chunks: Vec<_> = deltas.iter().map(|calls| delta(0, json!({"tool_calls": calls}))).collect();
        let calls = accumulate(&chunks).tool_calls().to_vec();
        calls.into_iter().map(|call| (call.id, call.function.name, call.function.arguments)).collect()
    }

    fn call(id: &str, name: &str, arguments: &str) -> (String, String, String) {
        (id.into(), name.into(), arguments.into())
    }

    #[test]
    fn choices_are_kept_apart_and_usage_is_the_last() {
        let usage = |n: u64| json!({"prompt_tokens": 5, "completion_tokens": n, "total_tokens": 5 + n});
        let reply = accumulate(&[
            json!({"id": "c", "object": "chat.completion.chunk", "created": 7, "model": "m", "usage": usage(1),
                "choices": [{"index": 0, "delta": {"role": "assistant", "content": "a"}}]}),
            delta(1, json!({"content": "x"})),
            delta(0, json!({"content": "b", "reasoning": "r"})),
            json!({"choices": [{"index": 1, "delta": {}, "finish_reason": "stop"}]}),
            json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}], "usage": null}),
            json!({"choices": [], "usage": usage(2)}),
        ]);
        let expected = json!({"id": "c", "object": "chat.completion", "created": 7, "model": "m", "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "ab", "reasoning_content": "r"}, "finish_reason": "length"},
            {"index": 1, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}], "usage": usage(2)});
        assert_eq!(serde_json::to_value(reply).unwrap(), expected);
    }

    #[test]
    fn choices_come_out_by_index() {
        let mut chunks = [2, 0, 3, 1, 2, 0].map(|index| delta(index, json!({"content": index.to_string()})));
        let choices = accumulate(&chunks).choices;
        let texts: Vec<_> =
            choices.iter().map(|choice| choice.message.content.as_ref().unwrap().text()).collect();
        assert_eq!(texts, ["00", "1", "22", "3"]);
        chunks.reverse();
        assert_eq!(accumulate(&chunks).choices, choices);
    }

    #[test]
    fn tool_calls_come_together_by_index_id_or_order() {
        let f = |value: Value| value;
        assert_eq!(
            calls(&[
                f(
                    json!([{"index": 1, "id": "c2", "function": {"name": "g", "arguments": "{"}}, {"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{"}}])
                ),
                f(
                    json!([{"index": 0, "function": {"arguments": "}"}}, {"index": 1, "id": "", "function": {"name": "", "arguments": "}"}}])
                ),
            ]),
            [call("c1", "f", "{}"), call("c2", "g", "{}")]
        );
        assert_eq!(
            calls(&[
                json!([{"id": "c1", "function": {"name": "f", "arguments": "{"}}]),
                json!([{"id": "c2", "function": {"name": "g", "arguments": "{}"}}]),
                json!([{"id": "c1", "function": {"arguments": "}"}}]),
            ]),
            [call("c1", "f", "{}"), call("c2", "g", "{}")]
        );
        assert_eq!(
            calls(&[
                json!([{"id": "c1", "function": {"name": "f"}}]),
                json!([{"function": {"arguments": "{}"}}])
            ]),
            [call("c1", "f", "{}")]
        );
    }

    #[test]
    fn calls_that_share_an_index_stay_apart() {
        let two = [
            json!([{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{"}}]),
            json!([{"index": 0, "function": {"arguments": "}"}}]),
            json!([{"index": 0, "id": "b", "function": {"name": "g", "arguments": "{"}}]),
            json!([{"index": 0, "function": {"arguments": "}"}}]),
        ];
        assert_eq!(calls(&two), [call("a", "f", "{}"), call("b", "g", "{}")]);
    }

    #[test]
    fn empty_entries_have_a_size() {
        let mut accumulator = ChatAccumulator::new();
        for index in 0..100 {
            accumulator.push(
                &serde_json::from_value(delta(index, json!({"tool_calls": [{"id": index.to_string()}]})))
                    .unwrap(),
            );
        }
        assert!(accumulator.size() >= 200 * ENTRY_SIZE);
    }

    #[test]
    fn a_completion_survives_as_one_chunk() {
        let completion: ChatCompletion = serde_json::from_value(json!({"id": "c", "object": "chat.completion",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}}]}, "finish_reason": "tool_calls"}],
            "usage": {"total_tokens": 3}})).unwrap();
        let mut accumulator = ChatAccumulator::new();
        accumulator.push(&ChatChunk::from(completion.clone()));
        assert_eq!(accumulator.snapshot(), completion);
    }

    #[test]
    fn an_empty_text_beside_tool_calls_is_none() {
        let chunks =
            [delta(0, json!({"content": ""})), delta(0, json!({"tool_calls": [{"index": 0, "id": "c"}]}))];
        assert_eq!(accumulate(&chunks).choices[0].message.content, None);
        assert_eq!(accumulate(&chunks[..1]).choices[0].message.content, Some("".into()));
    }
}

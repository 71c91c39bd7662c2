//! Cuts an answer into the chunks of a stream.

use super::completion_id;
use super::generate::Answer;
use crate::clock;
use crate::text;
use scaigrid_types::{
    AssistantMessage, ChatChunk, ChunkChoice, Content, Delta, FinishReason, ToolCall, ToolCallDelta,
};
use std::sync::Arc;

/// One chunk.
pub(crate) struct Piece {
    pub(crate) chunk: ChatChunk,
    /// What it brings of the answer's completion tokens.
    pub(crate) tokens: u64,
    pub(crate) is_last: bool,
}

/// Role, then content and tool calls, then finish reason and usage. Each piece is made when it is asked for.
pub(crate) fn pieces(
    model: Arc<str>,
    answer: Answer,
    chunk_tokens: u64,
) -> impl Iterator<Item = Piece> + Send {
    let Answer { message, finish_reason, usage } = answer;
    let mut whole = ChatChunk::default();
    whole.id = Some(Arc::from(completion_id()));
    whole.object = Some(Arc::from("chat.completion.chunk"));
    whole.created = Some(clock::unix_seconds());
    whole.model = Some(model);

    let mut end = whole.clone();
    end.choices = choice(Delta::default(), Some(finish_reason)).into();
    end.usage = Some(usage);
    let delta = move |(delta, tokens): (Delta, u64)| {
        let mut chunk = whole.clone();
        chunk.choices = choice(delta, None).into();
        Piece { chunk, tokens, is_last: false }
    };
    let end = Piece { chunk: end, tokens: 0, is_last: true };
    deltas(message, chunk_tokens).map(delta).chain(std::iter::once(end))
}

fn choice(delta: Delta, finish_reason: Option<FinishReason>) -> ChunkChoice {
    let mut choice = ChunkChoice::new(0, delta);
    choice.finish_reason = finish_reason;
    choice
}

/// The deltas, each with the tokens that it brings.
fn deltas(message: AssistantMessage, chunk_tokens: u64) -> impl Iterator<Item = (Delta, u64)> + Send {
    let mut first = Delta::default();
    first.role = Some(message.role);
    // A text begins empty; a message that only calls tools has none at all.
    first.content = message.content.as_ref().map(|_| String::new());
    let text = message.content.as_ref().map(Content::text).unwrap_or_default().into_owned();
    let text = text::pieces(text, chunk_tokens).map(|piece| {
        let tokens = text::count_tokens(&piece);
        (Delta::text(piece), tokens)
    });
    let calls = (0_u32..).zip(message.tool_calls);
    let calls = calls.flat_map(move |(index, call)| call_deltas(index, call, chunk_tokens));
    std::iter::once((first, 0)).chain(text).chain(calls)
}

fn call_deltas(index: u32, call: ToolCall, chunk_tokens: u64) -> impl Iterator<Item = (Delta, u64)> + Send {
    let tokens = text::count_tokens(&call.function.name);
    let begin = ToolCallDelta::begin(index, call.id, call.function.name);
    let arguments = text::pieces(call.function.arguments, chunk_tokens).map(move |piece| {
        let tokens = text::count_tokens(&piece);
        (ToolCallDelta::arguments(index, piece), tokens)
    });
    std::iter::once((begin, tokens)).chain(arguments).map(|(call, tokens)| {
        let mut delta = Delta::default();
        delta.tool_calls = vec![call];
        (delta, tokens)
    })
}

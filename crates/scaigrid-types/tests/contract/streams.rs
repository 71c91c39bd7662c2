//! Frames of streams.

use crate::{example, of_kind};
use scaigrid_types::*;
use serde_json::{Value, json};

/// The frames of an example: the event's name, and the data. Enough for these; the full grammar is the transport's.
fn frames(what: &str) -> Vec<(String, String)> {
    let text = example(what).plain();
    let field = |frame: &str, name: &str| {
        let line = frame.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_default().to_owned()
    };
    text.trim_end().split("\n\n").map(|frame| (field(frame, "event"), field(frame, "data"))).collect()
}

fn chunk(decoder: &mut ChunkDecoder, json: &str) -> ChatChunk {
    match decoder.decode(json) {
        Ok(ChatStreamData::Chunk(chunk)) => chunk,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_chunk_of_the_reference_round_trips() {
    for example in of_kind("chunk") {
        let decoded = chunk(&mut ChunkDecoder::new(), example.text());
        assert_eq!(json!(decoded), example.value(), "{}", example.what);
        assert_eq!(decoded.raw(), Some(example.text()));
    }
}

#[test]
fn the_frames_of_a_success_give_the_whole_reply() {
    let frames = frames("success frames");
    assert_eq!(frames.last().unwrap().1, "[DONE]");
    let (mut decoder, mut reply) = (ChunkDecoder::new(), ChatAccumulator::new());
    for (event, data) in &frames[..frames.len() - 1] {
        assert_eq!(event, "");
        reply.push(&chunk(&mut decoder, data));
    }
    let reply = reply.snapshot();
    assert_eq!((reply.text().as_ref(), reply.finish_reason()), ("Hel", Some(&FinishReason::Stop)));
    assert_eq!(reply.usage, Some(Usage::new(9, 2)));
    assert_eq!(reply.object.as_deref(), Some("chat.completion"));
}

#[test]
fn the_frames_of_a_failure() {
    let frames = frames("error frames");
    assert_eq!((frames[0].0.as_str(), frames[1].1.as_str(), frames.len()), ("error", "[DONE]", 2));
    assert_eq!(frames[0].1, example("error event").text());
    let failure = ErrorEnvelope::from_event(&frames[0].1);
    assert_eq!(failure.error.code, Some(ErrorCode::BackendError));
    assert_eq!(failure.error.message.as_deref(), Some("upstream closed the connection"));
    // Assumed: two more fields.
    let more = r#"{"code":"BACKEND_RATE_LIMITED","message":"m","retry_after":2.5,"request_id":"req_1"}"#;
    let failure = ErrorEnvelope::from_event(more);
    assert_eq!((failure.error.retry_after, failure.request_id()), (Some(2.5), Some("req_1")));
}

#[test]
fn chunks_are_read_leniently() {
    let read = |value: Value| ChunkDecoder::new().decode(&value.to_string()).unwrap();
    // What has no choices is something else; usage alone is a chunk.
    for other in
        [json!({"status": "searching"}), json!({}), json!("found 3 results"), json!({"choices": null})]
    {
        assert_eq!(read(other.clone()), ChatStreamData::Other, "{other}");
    }
    let usage = read(json!({"choices": [], "usage": {"prompt_tokens": 9.0, "total_tokens": null}}));
    let ChatStreamData::Chunk(usage) = usage else { panic!("{usage:?}") };
    assert_eq!(usage.usage.unwrap().prompt_tokens, Some(9));
    // Documented: `choices[0].delta.content`. All else may be absent, null, or unknown.
    let same = [
        json!({"choices": [{"delta": {"content": "Hi"}}]}),
        json!({"id": null, "object": null, "created": null, "model": null, "usage": null, "error": null, "choices": [
            {"index": null, "finish_reason": null, "delta": {"role": null, "content": "Hi", "tool_calls": null,
                "reasoning_content": null, "reasoning": null}}]}),
        json!({"x": {"y": [1]}, "choices": [{"index": 0.0, "x": [1], "delta": {"x": 1, "content": [{"type": "text", "text": "Hi"}]}}]}),
    ];
    let chunks = same.map(read);
    assert_eq!(chunks[0], chunks[1]);
    assert_eq!(chunks[0], chunks[2]);
    let ChatStreamData::Chunk(known) = &chunks[0] else { panic!() };
    assert_eq!(known.text(), "Hi");
}

/// Enums in chunks are open, and tool calls come together by index.
#[test]
fn unknown_values_and_pieces_of_calls() {
    let value = json!({"choices": [{"index": 0, "finish_reason": "moderated", "delta": {"role": "narrator", "tool_calls": [
        {"index": 0, "id": "c", "type": "web_search", "function": {"name": "f", "arguments": "{"}}]}}]});
    let mut decoder = ChunkDecoder::new();
    let first = chunk(&mut decoder, &value.to_string());
    assert_eq!(json!(first), value);
    let rest = r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"type":null,"id":null,"function":{"name":null,"arguments":"}"}}]}}]}"#;
    let mut reply = ChatAccumulator::new();
    reply.push(&first);
    reply.push(&chunk(&mut decoder, rest));
    let reply = reply.snapshot();
    let call = &reply.tool_calls()[0];
    assert_eq!((call.kind.as_str(), call.function.arguments.as_str()), ("web_search", "{}"));
    assert_eq!(reply.finish_reason(), Some(&FinishReason::Other("moderated".to_owned())));
}

//! Streams that go well, and clients that leave them.

use crate::http::{
    Answer, SUMMARY, chat, connect, get, post, post_as, read_answer, read_frame, read_frames, read_head,
    request, stream_bytes,
};
use scaigrid_emulator::{DEFAULT_API_KEY, Emulator, Fault, StreamFault};
use scaigrid_types::{ChatAccumulator, ChatChunk, ChatCompletion};
use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The head, and all frames of a stream that ended properly.
pub(crate) fn stream(emulator: &Emulator, body: &Value) -> (Answer, Vec<String>) {
    let mut connection = connect(emulator);
    connection.write_all(&stream_bytes(body)).unwrap();
    let head = read_head(&mut connection);
    let (frames, end) = read_frames(&mut connection);
    end.unwrap();
    (head, frames.into_iter().map(|frame| String::from_utf8(frame).unwrap()).collect())
}

/// The JSON of all chunks before `[DONE]`.
fn chunks(frames: &[String]) -> Vec<Value> {
    let (last, chunks) = frames.split_last().unwrap();
    assert_eq!(last, "data: [DONE]\n\n");
    let json =
        |frame: &String| frame.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap().to_owned();
    chunks.iter().map(|frame| serde_json::from_str(&json(frame)).unwrap()).collect()
}

fn accumulated(chunks: &[Value]) -> ChatCompletion {
    let mut accumulator = ChatAccumulator::new();
    chunks.iter().for_each(|chunk| accumulator.push(&serde_json::from_value(chunk.clone()).unwrap()));
    accumulator.snapshot()
}

fn plain(emulator: &Emulator, body: &Value) -> ChatCompletion {
    serde_json::from_value(post(emulator, body).json()["data"].clone()).unwrap()
}

fn with_tool(text: &str) -> Value {
    let mut body = chat(text);
    body["tools"] = json!([{"type": "function", "function": {"name": "weather", "parameters":
        {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]);
    body["tool_choice"] = json!("required");
    body
}

/// Booked requests and tokens, once they are as expected or time is up.
pub(crate) fn booked(emulator: &Emulator, requests: u64) -> (u64, u64) {
    wait_until(|| get(emulator, SUMMARY).json()["data"][0]["request_count"] == requests);
    let row = get(emulator, SUMMARY).json()["data"][0].clone();
    (row["input_tokens"].as_u64().unwrap(), row["output_tokens"].as_u64().unwrap())
}

#[allow(clippy::disallowed_methods, reason = "measures real waiting")]
pub(crate) fn wait_until(mut is_so: impl FnMut() -> bool) -> Duration {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(10), "it did not happen");
        std::thread::yield_now();
    }
    begin.elapsed()
}

#[test]
fn the_skeleton_is_the_documented_one() {
    let emulator = Emulator::start().unwrap();
    let (head, frames) = stream(&emulator, &chat("one two."));
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
    assert_eq!(head.header("cache-control"), Some("no-cache"));
    assert_eq!(head.header("transfer-encoding"), Some("chunked"));
    assert_eq!(head.header("content-length"), None);
    assert!(head.header("x-scaigrid-request-id").unwrap().starts_with("req_"));
    assert!(head.header("x-scaigrid-ratelimit-remaining").is_some());

    let chunks = chunks(&frames);
    let names = |key: &str| chunks.iter().map(|chunk| chunk[key].clone()).collect::<Vec<_>>();
    for key in ["id", "object", "created", "model"] {
        assert!(names(key).iter().all(|value| *value == chunks[0][key] && !value.is_null()), "{key}");
    }
    assert_eq!(chunks[0]["object"], "chat.completion.chunk");
    let choices: Vec<Value> = chunks.iter().map(|chunk| chunk["choices"][0].clone()).collect();
    let content = |text: &str| json!({"index": 0, "delta": {"content": text}, "finish_reason": null});
    assert_eq!(
        choices,
        [
            json!({"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": null}),
            content("You"),
            content(" wrote"),
            content(":"),
            content(" one"),
            content(" two"),
            content("."),
            json!({"index": 0, "delta": {}, "finish_reason": "stop"}),
        ]
    );
    let (last, others) = chunks.split_last().unwrap();
    assert_eq!(last["usage"], json!({"prompt_tokens": 3, "completion_tokens": 6, "total_tokens": 9}));
    assert!(others.iter().all(|chunk| chunk.get("usage").is_none()));
    let [recorded] = emulator.requests().try_into().unwrap();
    assert_eq!((recorded.status, recorded.client_left), (Some(200), false));
}

#[test]
fn a_stream_puts_together_what_a_plain_call_gives() {
    for chunk_tokens in [0, 1, 2, 3, 7, u64::MAX] {
        let emulator = Emulator::builder().stream_chunk_tokens(chunk_tokens).start().unwrap();
        let mut bodies: Vec<Value> =
            ["hello", "", "東京のおすすめ 🎉🎉\u{301}", "  \n", "مرحبا بالعالم. Как?"]
                .map(chat)
                .into_iter()
                .chain([with_tool("What is the weather in Paris?"), with_tool("")])
                .collect();
        for (key, value) in [("max_tokens", json!(3)), ("stop", json!("You")), ("stop", json!(" wrote"))] {
            let mut body = chat("one two three.");
            body[key] = value;
            bodies.push(body);
        }
        for body in bodies {
            let mut plain = plain(&emulator, &body);
            let streamed = accumulated(&chunks(&stream(&emulator, &body).1));
            assert!(streamed.id.as_ref().unwrap().starts_with("chatcmpl-") && streamed.id != plain.id);
            (plain.id, plain.created) = (streamed.id.clone(), streamed.created);
            assert_eq!(plain, streamed, "{body}");
        }
    }
}

#[test]
fn tool_calls_begin_with_their_name() {
    let emulator = Emulator::start().unwrap();
    let body = with_tool("What is the weather in Paris?");
    let chunks = chunks(&stream(&emulator, &body).1);
    let delta = |index: usize| chunks[index]["choices"][0]["delta"].clone();
    assert_eq!(delta(0), json!({"role": "assistant"}));
    let id = delta(1)["tool_calls"][0]["id"].clone();
    assert!(id.as_str().unwrap().starts_with("call_"));
    assert_eq!(
        delta(1),
        json!({"tool_calls": [{"index": 0, "id": id, "type": "function",
            "function": {"name": "weather", "arguments": ""}}]})
    );
    assert_eq!(delta(2), json!({"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}));
    assert!(chunks.len() > 6);
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "tool_calls");
    let completion = accumulated(&chunks);
    assert_eq!(completion.choices[0].message.content, None);
    assert_eq!(completion.tool_calls()[0].function.arguments, r#"{"city":"Paris"}"#);
    assert_eq!(post(&emulator, &body).json()["data"]["choices"][0]["message"]["content"], Value::Null);
}

#[test]
fn errors_before_the_first_byte_are_as_without_a_stream() {
    let builder = Emulator::builder().api_key("one").api_key("poor").rate_limit_per_minute(5);
    let emulator = builder.budget("poor", "0".parse().unwrap()).start().unwrap();
    let ask = |key: &str, change: Value| {
        let mut body = chat("hello");
        body["stream"] = json!(true);
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = post_as(&emulator, key, &body);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        answer.request_id();
        (answer.status, answer.code())
    };
    assert_eq!(ask("one", json!({"messages": []})), (422, "VALIDATION_ERROR".to_owned()));
    assert_eq!(ask("one", json!({"stream": "yes"})), (422, "VALIDATION_ERROR".to_owned()));
    assert_eq!(ask("one", json!({"model": "x"})), (404, "MODEL_NOT_FOUND".to_owned()));
    assert_eq!(ask("poor", json!({})), (429, "BUDGET_EXCEEDED".to_owned()));
    assert_eq!(ask("none", json!({})), (401, "AUTH_TOKEN_INVALID".to_owned()));
    emulator.faults().push(Fault::error("BACKEND_TIMEOUT"));
    assert_eq!(ask("one", json!({})), (504, "BACKEND_TIMEOUT".to_owned()));
    assert_eq!(ask("one", json!({"model": "x"})).0, 404);
    assert_eq!(ask("one", json!({"model": "x"})).0, 404);
    assert_eq!(ask("one", json!({})), (429, "RATE_LIMITED".to_owned()));
    assert!(emulator.requests().iter().all(|request| !request.client_left));
}

#[test]
fn a_connection_serves_again_after_a_stream() {
    let emulator = Emulator::start().unwrap();
    let mut connection = connect(&emulator);
    for _ in 0..3 {
        connection.write_all(&stream_bytes(&chat("hello"))).unwrap();
        assert_eq!(read_head(&mut connection).status, 200);
        assert!(read_frames(&mut connection).1.is_ok());
    }
    let authorization = format!("Authorization: Bearer {DEFAULT_API_KEY}");
    connection.write_all(&request("GET", "/v1/models", &[&authorization], b"")).unwrap();
    assert_eq!(read_answer(&mut connection).status, 200);
    assert!(emulator.requests().iter().all(|request| request.connection == 0 && !request.client_left));
}

#[test]
fn a_stream_is_booked_when_its_usage_is_out() {
    let emulator = Emulator::start().unwrap();
    for served in 1..20 {
        stream(&emulator, &chat("one two."));
        let row = get(&emulator, SUMMARY).json()["data"][0].clone();
        assert_eq!(
            (&row["request_count"], &row["input_tokens"], &row["output_tokens"]),
            (&json!(served), &json!(3 * served), &json!(6 * served))
        );
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "measures real waiting")]
fn the_pace_is_kept_and_chunks_come_at_once() {
    let pace = Duration::from_millis(300);
    let emulator = Emulator::builder().stream_pace(pace).stream_chunk_tokens(3).start().unwrap();
    let mut connection = connect(&emulator);
    connection.write_all(&stream_bytes(&chat("one two."))).unwrap();
    read_head(&mut connection);
    let mut times = vec![Instant::now()];
    while read_frame(&mut connection).unwrap().is_some() {
        times.push(Instant::now());
    }
    let waits: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // Role, two of text, finish, `[DONE]`.
    assert_eq!(waits.len(), 5);
    assert!(waits[0] < pace && waits[4] < pace, "{waits:?}");
    assert!(waits[1..4].iter().all(|wait| *wait >= pace / 2), "{waits:?}");
}

#[test]
fn a_slow_reader_holds_the_stream_up() {
    let emulator = Emulator::start().unwrap();
    let text = "word ".repeat(1_000);
    let mut body = chat(&text);
    // Its answer would be short; a recorded stream can be as long as need be.
    let frame = vec![b'x'; 64 * 1024];
    emulator.faults().push(Fault::stream(StreamFault::frames(std::iter::repeat_n(frame, 1_000))));
    body["stream"] = json!(true);
    let mut connection = connect(&emulator);
    connection.write_all(&stream_bytes(&body)).unwrap();
    read_head(&mut connection);
    assert_eq!(read_frame(&mut connection).unwrap().unwrap().len(), 64 * 1024);
    // Neither is done nor gone while the client reads nothing, and others are served.
    assert_eq!(post(&emulator, &chat("hello")).status, 200);
    assert!(!emulator.requests()[0].client_left);
    let (frames, end) = read_frames(&mut connection);
    assert!(frames.len() == 999 && end.is_ok());
}

/// Leaves after `frames` frames; how long it took the emulator to see it.
fn leave(emulator: &Emulator, frames: usize, leave: impl FnOnce(TcpStream)) -> Duration {
    let mut connection = connect(emulator);
    connection.write_all(&stream_bytes(&chat("one two."))).unwrap();
    read_head(&mut connection);
    (0..frames).for_each(|_| assert!(read_frame(&mut connection).unwrap().is_some()));
    assert!(emulator.requests().iter().all(|request| !request.client_left));
    leave(connection);
    wait_until(|| emulator.requests()[0].client_left)
}

/// Whether it happens at once: not more slowly each time, as by a timer, though the machine may be busy now and
/// then.
fn is_prompt(mut take_time: impl FnMut() -> Duration) -> bool {
    (0..10).any(|_| take_time() < Duration::from_millis(100))
}

#[test]
fn a_client_that_leaves_is_noticed_and_billed_for_what_was_sent() {
    let hour = Duration::from_secs(3600);
    let reset = |connection: TcpStream| {
        socket2::SockRef::from(&connection).set_linger(Some(Duration::ZERO)).unwrap();
    };
    for (fault, frames, tokens) in [
        (StreamFault::stall(), 0, 0),
        (StreamFault::stall().after_chunks(3), 3, 2),
        (StreamFault::stall().after_chunks(99), 8, 6),
        (StreamFault::new().paced(hour), 0, 0),
    ] {
        for leave_by in [drop as fn(TcpStream), reset] {
            let once = || {
                let emulator = Emulator::builder().fault(Fault::stream(fault.clone())).start().unwrap();
                let took = leave(&emulator, frames, leave_by);
                assert_eq!(booked(&emulator, 1), (3, tokens), "{fault:?}");
                assert_eq!(emulator.requests()[0].status, Some(200));
                took
            };
            assert!(is_prompt(once), "{fault:?}");
        }
    }
    assert!(is_prompt(|| {
        let emulator = Emulator::builder().stream_pace(hour).start().unwrap();
        let took = leave(&emulator, 1, drop);
        assert_eq!(booked(&emulator, 1), (3, 0));
        took
    }));
}

#[test]
fn a_client_that_does_not_read_can_leave_too() {
    let frame = vec![b'x'; 1024 * 1024];
    assert!(is_prompt(|| {
        let emulator = Emulator::start().unwrap();
        let frames = std::iter::repeat_n(frame.clone(), 64);
        emulator.faults().push(Fault::stream(StreamFault::frames(frames)));
        leave(&emulator, 1, drop)
    }));
}

#[test]
fn a_client_that_leaves_before_the_answer_is_noticed() {
    assert!(is_prompt(|| {
        let emulator = Emulator::start().unwrap();
        emulator.faults().push(Fault::delay(Duration::from_secs(3600)));
        let mut connection = connect(&emulator);
        connection.write_all(&stream_bytes(&chat("hello"))).unwrap();
        wait_until(|| !emulator.requests().is_empty());
        drop(connection);
        let took = wait_until(|| emulator.requests()[0].client_left);
        assert_eq!(emulator.requests()[0].status, None);
        assert_eq!(get(&emulator, SUMMARY).json()["data"][0]["request_count"], 0);
        took
    }));
}

#[test]
fn clients_that_leave_at_done_have_stayed() {
    let emulator = Emulator::start().unwrap();
    for _ in 0..50 {
        let mut connection = connect(&emulator);
        connection.write_all(&stream_bytes(&chat("hello"))).unwrap();
        read_head(&mut connection);
        while read_frame(&mut connection).unwrap().unwrap() != b"data: [DONE]\n\n" {}
    }
    assert!(emulator.requests().iter().all(|request| !request.client_left));
}

#[test]
fn chunks_survive_the_types() {
    let emulator = Emulator::start().unwrap();
    for chunk in chunks(&stream(&emulator, &chat("hello")).1) {
        let typed: ChatChunk = serde_json::from_value(chunk.clone()).unwrap();
        assert_eq!(serde_json::to_value(typed).unwrap(), chunk);
    }
}

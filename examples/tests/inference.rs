//! The programs that embed, hear, speak, and call tools, run as a newcomer would.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use scaigrid_emulator::{Emulator, Fault};
use serde_json::json;
use support::run;

const SIMILARITY: &str = env!("CARGO_BIN_EXE_similarity");

#[test]
fn similar_texts_come_first() {
    let ran = run(SIMILARITY, None, &[], "").ok();
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!((lines.len(), lines[0]), (5, " 1.000  How do I bake bread at home?"));
    assert!(lines[1].ends_with("Baking bread in a home oven takes an hour."), "{lines:?}");
    assert!(ran.stderr.contains("SCAIGRID_API_KEY is not set") && ran.stderr.contains("tokens: "));

    let ran = run(SIMILARITY, None, &["red cars", "blue ships", "a red car"], "").ok();
    assert_eq!(ran.stdout.lines().nth(1).map(|line| &line[6..]), Some("  a red car"));
    let ran = run(SIMILARITY, None, &[], "red cars\n\n  blue ships\n").ok();
    assert_eq!(ran.stdout.lines().last().map(|line| &line[6..]), Some("  blue ships"));
}

#[test]
fn many_texts_take_several_calls_and_their_order_does_not_matter() {
    let emulator = Emulator::builder().unordered_embeddings().start().unwrap();
    let input: String = (0..300).map(|number| format!("text number {number}\n")).collect();
    let ran = run(SIMILARITY, Some(&emulator), &[], &input).ok();
    assert_eq!(ran.stdout.lines().count(), 300);
    assert_eq!(ran.stdout.lines().next(), Some(" 1.000  text number 0"));
    assert_eq!(emulator.requests().len(), 2);
    assert!(!ran.stderr.contains("not set"));

    let short = r#"{"data":{"data":[{"index":0,"embedding":[1.0]}]}}"#;
    emulator.faults().push(Fault::response(200, "application/json", short));
    run(SIMILARITY, Some(&emulator), &["a", "b"], "").failed(1, "error: 1 vectors came back for 2 texts");
    emulator.faults().push(Fault::error("MODEL_ACCESS_DENIED"));
    run(SIMILARITY, Some(&emulator), &["a"], "").failed(1, "MODEL_ACCESS_DENIED");
    run(SIMILARITY, None, &["--wat"], "").failed(2, "usage: similarity [TEXT]...");
    assert_eq!(run(SIMILARITY, None, &["--help"], "").ok().stdout, "usage: similarity [TEXT]...\n");
}

const TRANSCRIBE: &str = env!("CARGO_BIN_EXE_transcribe");

#[test]
fn without_a_file_a_sentence_is_spoken_and_heard() {
    let ran = run(TRANSCRIBE, None, &[], "").ok();
    assert_eq!(ran.stdout, "It was a bright cold day in April. The clocks were striking.\n");
    assert!(ran.stderr.contains("bytes of speech were made") && ran.stderr.contains("request id: req_"));

    let ran = run(TRANSCRIBE, None, &["--format", "srt"], "").ok();
    assert!(ran.stdout.starts_with("1\n00:00:00,000 --> 00:00:01,"), "{ran:?}");
    let ran = run(TRANSCRIBE, None, &["--format=vtt"], "").ok();
    assert!(ran.stdout.starts_with("WEBVTT\n"), "{ran:?}");
    let ran = run(TRANSCRIBE, None, &["--format=verbose_json", "--language=de"], "").ok();
    let heard: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&heard["language"], &heard["segments"][1]["id"]), (&"de".into(), &1.into()));
}

#[test]
fn a_file_is_transcribed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("talk.mp3");
    std::fs::write(&file, b"ID3").unwrap();
    let file = file.to_str().unwrap();
    let ran = run(TRANSCRIBE, None, &[file], "").ok();
    assert_eq!(ran.stdout, "This is the transcript of talk.mp3, 3 bytes of audio/mpeg.\n");

    run(TRANSCRIBE, None, &[file, "--format", "braille"], "").failed(1, "response_format");
    run(TRANSCRIBE, None, &["nowhere.mp3"], "").failed(1, "nowhere.mp3");
    run(TRANSCRIBE, None, &[file, file], "").failed(2, "there is no place for");
}

const SPEAK: &str = env!("CARGO_BIN_EXE_speak");

#[test]
fn speech_is_saved_and_can_be_heard() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hello.wav");
    let path = file.to_str().unwrap();
    let ran = run(SPEAK, None, &["--out", path, "--voice", "nova", "Hello", "there."], "").ok();
    assert_eq!(ran.stdout, format!("{path}\n"));
    let bytes = std::fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"RIFF") && ran.stderr.contains(&format!("\n{} bytes\n", bytes.len())));
    assert_eq!(run(TRANSCRIBE, None, &[path], "").ok().stdout, "Hello there.\n");

    run(SPEAK, None, &["--out", path], "From standard input.").ok();
    assert_eq!(run(TRANSCRIBE, None, &[path], "").ok().stdout, "From standard input.\n");
    run(SPEAK, None, &["--out", "x.mp3"], "").failed(1, "wav (the default) and pcm only");
    run(SPEAK, None, &["--out", folder.path().join("no/a.wav").to_str().unwrap()], "")
        .failed(1, "cannot be written");
}

/// Neither half a file nor its partial file is left.
#[cfg(unix)]
#[test]
fn speech_that_is_stopped_leaves_nothing() {
    let emulator = Emulator::builder().stream_pace(std::time::Duration::from_secs(60)).start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hello.wav");
    let mut command = support::command(SPEAK, Some(&emulator));
    let mut child = support::start(command.arg("--out").arg(&file).args(["one", "two"]), "");
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    support::read_until(&mut stderr, "type: audio/wav");
    support::interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

const TOOL_LOOP: &str = env!("CARGO_BIN_EXE_tool_loop");

#[test]
fn the_emulator_calls_the_tool_and_answers_with_its_result() {
    let ran = run(TOOL_LOOP, None, &[], "").ok();
    assert_eq!(ran.stdout, "The tool returned: Paris: 14 °C, clouds\n");
    assert!(ran.stderr.contains(r#"weather({"city":"Paris"}) = Paris: 14 °C, clouds"#), "{ran:?}");
    let ran = run(TOOL_LOOP, None, &["Is it cold in Springfield?"], "").ok();
    assert_eq!(ran.stdout, "The tool returned: error: no weather station in Springfield\n");
    run(TOOL_LOOP, None, &["--rounds", "many"], "").failed(2, "--rounds needs a number");
}

/// A model that calls several tools, some of them badly.
#[test]
fn calls_go_on_until_there_is_a_text() {
    let emulator = Emulator::start().unwrap();
    let calls = |calls: &[(&str, &str)]| {
        let calls = calls.iter().enumerate().map(|(number, (name, arguments))| {
            json!({"id": format!("call_{number}"), "type": "function",
                "function": {"name": name, "arguments": arguments}})
        });
        let message = json!({"role": "assistant", "content": null, "tool_calls": calls.collect::<Vec<_>>()});
        let body = json!({"data": {"choices": [{"message": message, "finish_reason": "tool_calls"}]}});
        Fault::response(200, "application/json", body.to_string())
    };
    let many = [("weather", r#"{"city":"oslo"}"#), ("fahrenheit", "{"), ("launch", "{}")];
    emulator.faults().push(calls(&many));
    emulator.faults().push(calls(&[("fahrenheit", r#"{"celsius":-2}"#)]));
    let ran = run(TOOL_LOOP, Some(&emulator), &["How cold is it in Oslo, in °F?"], "").ok();
    assert_eq!(ran.stdout, "The tool returned: 28.4 °F\n");

    let requests = emulator.requests();
    let bodies: Vec<_> = requests.iter().map(|request| request.json().unwrap()).collect();
    assert_eq!(bodies.len(), 3);
    assert_eq!((&bodies[0]["tool_choice"], &bodies[2]["tool_choice"]), (&"required".into(), &"auto".into()));
    let results: Vec<_> = bodies[2]["messages"].as_array().unwrap().iter().skip(2).collect();
    assert_eq!(results[0]["content"], "Oslo: -2 °C, snow");
    assert!(results[1]["content"].as_str().unwrap().starts_with("error: EOF"), "{results:?}");
    assert_eq!(results[2]["content"], "error: there is no tool launch");
    assert_eq!((&results[2]["tool_call_id"], &results[4]["content"]), (&"call_2".into(), &"28.4 °F".into()));

    emulator.faults().repeat(calls(&many), 3);
    run(TOOL_LOOP, Some(&emulator), &["--rounds=3"], "").failed(1, "no answer after 3 rounds");
    let last = emulator.requests().last().unwrap().json().unwrap();
    assert_eq!(last["tool_choice"], "none");
}

//! The programs that embed, hear, speak, and call tools, run as a newcomer would.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use scaigrid_emulator::{Emulator, Fault};
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

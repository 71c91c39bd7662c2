//! The batch program, run as a newcomer would, and killed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "the programs run in real time")]

mod support;

use scaigrid_emulator::{Emulator, Fault};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Duration;
use support::run;

const BATCH: &str = env!("CARGO_BIN_EXE_batch");

/// The lines of the output.
fn answers(out: &Path) -> Vec<Value> {
    let text = fs::read_to_string(out).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn prompts_are_answered_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("answers.jsonl");
    let arguments = ["--out", out.to_str().unwrap()];
    let ran = run(BATCH, None, &arguments, "").ok();
    assert_eq!(ran.stdout, format!("{}\n", out.display()));
    assert!(
        ran.stderr.contains(" of 3, in_progress\n") && ran.stderr.ends_with("\n3 of 3, completed\n"),
        "{ran:?}"
    );
    assert_eq!(answers(&out)[1]["prompt"], "Why is the sky blue?");
    assert_eq!(files(folder.path()), 1, "the state is gone");

    let prompts = folder.path().join("prompts.txt");
    fs::write(&prompts, "Bake bread.\n\n  Mend \"bicycles\".\nBake bread.\n").unwrap();
    run(BATCH, None, &["--out", out.to_str().unwrap(), prompts.to_str().unwrap()], "").ok();
    let answers = answers(&out);
    assert_eq!(answers.len(), 3);
    for (answer, word) in answers.iter().zip(["bread", "bicycles", "bread"]) {
        for field in ["prompt", "text"] {
            assert!(answer[field].as_str().unwrap().to_lowercase().contains(word), "{answer}");
        }
        assert_eq!(answer.get("error"), None);
    }
}

#[test]
fn failed_prompts_are_told_and_fail_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("answers.jsonl");
    let arguments = ["--out", out.to_str().unwrap(), "--model", "openai/tts-1"];
    let ran = run(BATCH, None, &arguments, "One.\nTwo.\n");
    let ran = ran.failed(1, "error: the batch is completed: 2 of 2 prompts have no answer");
    assert!(ran.stdout.contains("answers.jsonl"));
    let error = answers(&out)[0]["error"].as_str().unwrap().to_owned();
    assert!(error.starts_with("VALIDATION_ERROR: "), "{error}");
    run(BATCH, None, &["nowhere.txt"], "").failed(1, "nowhere.txt: ");
    let blank = folder.path().join("blank.txt");
    fs::write(&blank, "\n \n").unwrap();
    let arguments = ["--out", out.to_str().unwrap(), blank.to_str().unwrap()];
    run(BATCH, None, &arguments, "").failed(1, "the batch has no lines");
    assert_eq!(files(folder.path()), 2, "there is no state of what was not submitted");
    run(BATCH, None, &["--interval", "-1"], "").failed(2, "negative");
    let elsewhere = folder.path().join("no/answers.jsonl");
    run(BATCH, None, &["--out", elsewhere.to_str().unwrap()], "").failed(1, "cannot be written");
}

/// As other gateways may do it: in any order, failed lines in a file of their own, and one line lost.
#[test]
fn results_are_put_together_from_both_files() {
    let emulator = Emulator::start().unwrap();
    let url = |name: &str| format!("{}/{name}", emulator.base_url());
    let job = json!({"data": {"batch_id": "b1", "status": "completed", "results_url": url("out"),
        "error_file_url": url("err")}});
    let line = |id: &str, body: Value| json!({"custom_id": id, "response": {"body": body}}).to_string();
    let said = |text: &str| json!({"choices": [{"message": {"content": text}}]});
    let failed = json!({"custom_id": "1", "error": {"code": "MODEL_UNAVAILABLE", "message": "gone"}});
    for (path, body) in [
        ("/v1/inference/batch", json!({"data": {"batch_id": "b1"}}).to_string()),
        ("/v1/inference/batch/b1", job.to_string()),
        ("/out", [line("3", said("four")), line("0", said("one")), line("x", said("?"))].join("\n")),
        ("/err", failed.to_string()),
    ] {
        let kind = if path.starts_with("/v1") { "application/json" } else { "application/x-ndjson" };
        emulator.faults().push(Fault::response(200, kind, body).for_path(path));
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("answers.jsonl");
    let prompts = "1\n2\n3\n4\n";
    let ran = run(BATCH, Some(&emulator), &["--out", out.to_str().unwrap()], prompts);
    ran.failed(1, "2 of 4 prompts have no answer");
    let expected = [
        json!({"prompt": "1", "text": "one"}),
        json!({"prompt": "2", "error": "MODEL_UNAVAILABLE: gone"}),
        json!({"prompt": "3", "error": "there is no result"}),
        json!({"prompt": "4", "text": "four"}),
    ];
    assert_eq!(answers(&out), expected);
}

/// A gateway that outlives the program, a folder, and three prompts.
struct Killed {
    emulator: Emulator,
    folder: tempfile::TempDir,
}

impl Killed {
    const PROMPTS: &str = "Bake bread.\nMend bicycles.\nPlant trees.\n";

    /// A run that was killed while it waited.
    fn while_waiting() -> Self {
        // Long enough for the program to be killed, also on a busy machine.
        let emulator = Emulator::builder().batch_pace(Duration::from_millis(250)).start().unwrap();
        let this = Self { emulator, folder: tempfile::tempdir().unwrap() };
        let mut command = support::command(BATCH, Some(&this.emulator));
        let mut child = support::start(command.args(this.arguments()), Self::PROMPTS);
        let is_waiting = || this.calls("GET") > 0 && this.state()["batch_id"].is_string();
        assert!((0..2000).any(|_| {
            std::thread::sleep(Duration::from_millis(5));
            is_waiting()
        }));
        child.kill().unwrap();
        assert_eq!(support::end(child).code, None);
        assert!(!this.out().exists());
        this
    }

    fn out(&self) -> std::path::PathBuf {
        self.folder.path().join("answers.jsonl")
    }

    fn arguments(&self) -> [String; 3] {
        ["--interval=0.02".to_owned(), "--out".to_owned(), self.out().display().to_string()]
    }

    fn state_file(&self) -> std::path::PathBuf {
        self.folder.path().join("answers.jsonl.state")
    }

    fn state(&self) -> Value {
        fs::read(self.state_file()).map_or(Value::Null, |text| serde_json::from_slice(&text).unwrap())
    }

    fn calls(&self, method: &str) -> usize {
        self.emulator.requests().iter().filter(|request| request.method == method).count()
    }

    fn again(&self, prompts: &str) -> support::Ran {
        let arguments = self.arguments();
        run(BATCH, Some(&self.emulator), &arguments.each_ref().map(String::as_str), prompts)
    }

    fn assert_all_answered_once(&self) {
        assert_eq!(self.calls("POST"), 1, "exactly one batch was submitted");
        let answers = answers(&self.out());
        let prompts: Vec<_> = answers.iter().map(|answer| answer["prompt"].as_str().unwrap()).collect();
        assert_eq!(prompts, Self::PROMPTS.lines().collect::<Vec<_>>());
        assert!(answers.iter().all(|answer| answer["text"].is_string()), "{answers:?}");
        assert_eq!(files(self.folder.path()), 1, "the state is gone");
    }
}

#[test]
fn a_killed_program_waits_on_when_it_is_started_again() {
    let killed = Killed::while_waiting();
    let ran = killed.again(Killed::PROMPTS).ok();
    assert!(ran.stderr.contains("3 of 3, completed"), "{ran:?}");
    killed.assert_all_answered_once();
    // Done with: the same prompts are a new batch.
    killed.again(Killed::PROMPTS).ok();
    assert_eq!(killed.calls("POST"), 2);
}

/// Between submitting and writing the id down.
#[test]
fn a_program_that_never_learned_the_id_finds_its_batch() {
    let killed = Killed::while_waiting();
    let mut state = killed.state();
    state["batch_id"] = Value::Null;
    fs::write(killed.state_file(), state.to_string()).unwrap();
    killed.again(Killed::PROMPTS).ok();
    killed.assert_all_answered_once();
}

#[test]
fn a_refused_submission_leaves_no_state() {
    let emulator = Emulator::start().unwrap();
    let killed = Killed { emulator, folder: tempfile::tempdir().unwrap() };
    killed.emulator.faults().push(Fault::error("QUOTA_EXCEEDED"));
    killed.again(Killed::PROMPTS).failed(1, "QUOTA_EXCEEDED");
    assert_eq!(files(killed.folder.path()), 0);
    killed.again("Other prompts.\n").ok();
}

/// The gateway did not get the submission, or the program not its answer.
#[test]
fn a_submission_that_failed_is_made_up_for() {
    for (fault, submissions) in [(Fault::reset(), 2), (Fault::cut_after(5), 1)] {
        let emulator = Emulator::start().unwrap();
        let killed = Killed { emulator, folder: tempfile::tempdir().unwrap() };
        killed.emulator.faults().push(fault.for_path("/v1/inference/batch"));
        killed.again(Killed::PROMPTS).failed(1, "batch.submit");
        killed.again(Killed::PROMPTS).ok();
        assert_eq!(killed.calls("POST"), submissions);
        assert_eq!(answers(&killed.out()).len(), 3);
    }
}

#[test]
fn a_batch_of_something_else_is_not_lost() {
    let killed = Killed::while_waiting();
    let state = killed.state();
    killed.again("Other prompts.\n").failed(1, "is about a batch of other prompts or of another gateway");
    let arguments = killed.arguments();
    let arguments = arguments.each_ref().map(String::as_str);
    run(BATCH, None, &arguments, Killed::PROMPTS).failed(1, "another gateway");
    assert_eq!(killed.state(), state);
    // A gateway that has forgotten it is no reason to submit again unasked.
    fs::write(killed.state_file(), json!({"batch_id": "batch_unknown"}).to_string()).unwrap();
    killed.again(Killed::PROMPTS).failed(1, "answers.jsonl.state: missing field");
    let mut unknown = state.clone();
    unknown["batch_id"] = "batch_unknown".into();
    fs::write(killed.state_file(), unknown.to_string()).unwrap();
    killed.again(Killed::PROMPTS).failed(1, "NOT_FOUND");
    fs::write(killed.state_file(), state.to_string()).unwrap();
    killed.again(Killed::PROMPTS).ok();
    killed.assert_all_answered_once();
}

//! Both title generators, run as a newcomer would.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use scaigrid_emulator::{Emulator, Fault};
use std::io::Write;
use std::process::{Command, Output, Stdio};

const BOTH: [&str; 2] =
    [env!("CARGO_BIN_EXE_title_generator"), env!("CARGO_BIN_EXE_title_generator_blocking")];

fn run(
    program: &str,
    arguments: &[&str],
    variables: &[(&str, &str)],
    input: &str,
) -> (Output, String, String) {
    let mut child = Command::new(program)
        .args(arguments)
        .env_remove("SCAIGRID_API_KEY")
        .env_remove("SCAIGRID_BASE_URL")
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8(bytes.clone()).unwrap());
    (output, stdout, stderr)
}

fn assert_title(stdout: &str, word: &str) {
    let title = stdout.strip_suffix('\n').unwrap();
    assert!((1..=6).contains(&title.split_whitespace().count()), "{title:?}");
    assert!(title.to_lowercase().contains(word), "{title:?}");
    assert!(!title.contains('\n'));
}

#[test]
fn without_a_key_the_emulator_answers_and_says_so() {
    for program in BOTH {
        let (output, stdout, stderr) = run(program, &[], &[], "");
        assert!(output.status.success(), "{stderr}");
        assert_title(&stdout, "carbonara");
        for part in
            ["SCAIGRID_API_KEY is not set", "request id: req_", "tokens: ", "accounted today: 1 calls"]
        {
            assert!(stderr.contains(part), "{part}: {stderr}");
        }
        assert!(!stderr.contains("retried"));
    }
}

#[test]
fn snippets_come_as_arguments_or_on_stdin() {
    for program in BOTH {
        let (_, stdout, _) = run(program, &["How do I sharpen a kitchen knife?"], &[], "");
        assert_title(&stdout, "knife");
        let (_, stdout, _) = run(program, &[], &[], "My bicycle brakes squeak when it rains.\n");
        assert_title(&stdout, "brakes");
        let (_, stdout, stderr) = run(program, &["Growing tomatoes", "Fixing bicycles"], &[], "");
        assert_eq!(stdout.lines().count(), 2);
        assert!(stderr.contains("accounted today: 2 calls"), "{stderr}");
    }
}

#[test]
fn retries_can_be_seen() {
    for program in BOTH {
        let (output, stdout, stderr) = run(program, &["--fail-twice"], &[], "");
        assert!(output.status.success(), "{stderr}");
        assert_title(&stdout, "carbonara");
        assert_eq!(stderr.matches("BACKEND_ERROR (HTTP 502)").count(), 2, "{stderr}");
    }
}

#[test]
fn with_a_key_the_given_gateway_answers() {
    let emulator = Emulator::builder().api_key("sgk_from_the_environment").start().unwrap();
    let variables = [("SCAIGRID_API_KEY", emulator.api_key()), ("SCAIGRID_BASE_URL", emulator.base_url())];
    for program in BOTH {
        let (output, stdout, stderr) = run(program, &[], &variables, "");
        assert!(output.status.success() && !stderr.contains("emulator"), "{stderr}");
        assert_title(&stdout, "carbonara");
    }
    assert_eq!(emulator.requests().len(), 4);
    for program in BOTH {
        emulator.faults().push(Fault::error("BUDGET_EXCEEDED"));
        let (output, stdout, stderr) = run(program, &[], &variables, "");
        assert!(!output.status.success() && stdout.is_empty());
        assert!(
            stderr.contains("an administrator must raise it") && stderr.contains("BUDGET_EXCEEDED"),
            "{stderr}"
        );
        assert!(!stderr.contains("sgk_from_the_environment"));
    }
    assert_eq!(emulator.requests().len(), 6);
}

#[test]
fn mistakes_are_explained() {
    for program in BOTH {
        for (arguments, variables, part) in [
            (&["--what"][..], &[][..], "unknown option --what"),
            (&["--fail-twice"], &[("SCAIGRID_API_KEY", "sgk_x")], "unset SCAIGRID_API_KEY"),
            (&[], &[("SCAIGRID_API_KEY", "")], "SCAIGRID_API_KEY: the credential is blank"),
            (&[], &[("SCAIGRID_API_KEY", "sgk_x"), ("SCAIGRID_BASE_URL", "nowhere")], "https://nowhere"),
        ] {
            let (output, _, stderr) = run(program, arguments, variables, "");
            assert!(!output.status.success());
            assert!(stderr.contains(part), "{part}: {stderr}");
        }
    }
}

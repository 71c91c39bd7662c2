//! The program: its first line, its arguments, its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scaigrid-emulator"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

/// Starts it on a free port and reads its first line.
fn start(arguments: &[&str]) -> (Child, String) {
    let mut child = program(arguments).args(["--listen", "127.0.0.1:0"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim_end().to_owned())
}

/// Sends a signal to the child and waits for its end.
fn end(mut child: Child, signal: &str) -> (Option<i32>, String) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (child.wait().unwrap().code(), stderr)
}

#[test]
fn the_first_line_is_the_url_and_signals_end_it() {
    for signal in ["INT", "TERM"] {
        let (child, url) = start(&["--api-key", "my-own-key", "--rate-limit", "3"]);
        let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        let request = "GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer my-own-key\r\n\
            Connection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("ratelimit-limit: 3"), "{answer}");
        // An idle connection must not hold it up.
        let _idle = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        let (code, stderr) = end(child, signal);
        assert_eq!(code, Some(0));
        assert!(stderr.contains(&format!("SCAIGRID_BASE_URL={url}")));
        assert!(!stderr.contains("my-own-key"), "{stderr}");
    }
}

#[test]
fn chats_can_fail_and_streams_can_be_slow() {
    let (child, url) = start(&[
        "--fail",
        "1",
        "--stream-pace",
        "1",
        "--batch-pace",
        "1",
        "--ingestion-pace",
        "1",
        "--webhook-time-scale",
        "10",
        "--api-key",
        "my-own-key",
    ]);
    let body =
        r#"{"model":"scailabs/poolnoodle-omni","messages":[{"role":"user","content":"hi"}],"stream":true}"#;
    let call = || {
        let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        let head = "POST /v1/inference/chat HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer my-own-key\r\n";
        write!(stream, "{head}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(call().starts_with("HTTP/1.1 502") && call().contains("data: [DONE]"));
    assert_eq!(end(child, "TERM").0, Some(0));
}

#[test]
fn the_default_key_is_shown() {
    let (child, _) = start(&[]);
    assert!(end(child, "TERM").1.contains(scaigrid_emulator::DEFAULT_API_KEY));
}

#[test]
fn wrong_arguments_end_with_2() {
    for arguments in [
        &["--nope"][..],
        &["file"],
        &["--listen"],
        &["--listen", "somewhere"],
        &["--listen", "0.0.0.0:0"],
        &["--rate-limit", "many"],
        &["--api-key", ""],
        &["--stream-pace", "-1"],
        &["--fail", "65536"],
        &["--variant", "nothing"],
        &["--webhook-time-scale", "-1"],
        &["--state"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && output.stderr.starts_with(b"scaigrid-emulator: "));
    }
}

#[test]
fn a_taken_port_ends_with_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&["--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains(&format!("cannot listen on {address}: ")));
}

#[test]
fn variants_and_a_state_file_can_be_set() {
    let path = std::env::temp_dir().join(format!("scaigrid-emulator-{}-program.json", std::process::id()));
    let file = path.to_str().unwrap();
    let variants = ["--variant", "without-meta", "--variant", "list-bare-array"];
    let (child, url) = start(&[&variants[..], &["--state", file, "--api-key", "my-own-key"]].concat());
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let head = "GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer my-own-key\r\n";
    write!(stream, "{head}Connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(r#""data":[{"#) && !answer.contains(r#""meta":"#), "{answer}");
    assert_eq!(end(child, "TERM").0, Some(0));
    std::fs::write(&path, "broken").unwrap();
    let output = run(&["--state", file, "--listen", "127.0.0.1:0"]);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("not the state of an emulator"));
}

#[test]
fn help_and_version_are_printed() {
    let help = run(&["--help"]);
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(help.status.success() && text.contains("--rate-limit"));
    let readme = include_str!("../../README.md");
    for variant in scaigrid_emulator::WireVariant::ALL {
        assert!(text.contains(variant.name()) && readme.contains(variant.name()), "{variant}");
    }
    let flags: Vec<&str> = text.split([' ', ',']).filter(|word| word.starts_with("--")).collect();
    assert!(flags.len() > 10);
    for flag in flags {
        assert!(readme.contains(flag), "{flag}");
    }
    let version = run(&["-V"]);
    assert_eq!(
        String::from_utf8(version.stdout).unwrap().trim_end(),
        concat!("scaigrid-emulator ", env!("CARGO_PKG_VERSION"))
    );
}

//! Faults of connections, and faults that are drawn.

use crate::http::{CHAT, chat, connect, get, post, read_answer, request};
use scaigrid_emulator::{DEFAULT_API_KEY, Emulator, Fault};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

fn chat_on(stream: &mut TcpStream) {
    let authorization = format!("Authorization: Bearer {DEFAULT_API_KEY}");
    stream
        .write_all(&request("POST", CHAT, &[&authorization], chat("hello").to_string().as_bytes()))
        .unwrap();
}

fn all_closed(emulator: &Emulator) {
    let pause = Duration::from_millis(5);
    let mut pauses = (0..1000).map(|_| std::thread::park_timeout(pause));
    while emulator.open_connections() > 0 {
        pauses.next().expect("all connections close within seconds");
    }
}

#[test]
fn a_stall_says_its_bytes_and_then_nothing_until_the_client_leaves() {
    for bytes in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"] {
        let emulator = Emulator::builder().fault(Fault::stall(bytes)).start().unwrap();
        let mut stream = connect(&emulator);
        chat_on(&mut stream);
        let mut said = vec![0; bytes.len()];
        stream.read_exact(&mut said).unwrap();
        assert_eq!(said, bytes.as_bytes());
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let silence = stream.read(&mut [0; 1]).unwrap_err().kind();
        assert!(matches!(silence, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{silence}");
        assert_eq!(emulator.open_connections(), 1);
        drop(stream);
        all_closed(&emulator);
    }
}

#[test]
fn a_hang_up_comes_behind_a_whole_answer() {
    for (fault, resets) in [(Fault::hang_up(), false), (Fault::hang_up().with_reset(), true)] {
        let emulator = Emulator::builder().fault(fault).start().unwrap();
        let mut stream = connect(&emulator);
        chat_on(&mut stream);
        let answer = read_answer(&mut stream);
        assert_eq!((answer.status, answer.header("connection")), (200, None));
        match stream.read(&mut [0; 1]) {
            Ok(0) => assert!(!resets),
            Err(error) => assert!(resets && error.kind() == ErrorKind::ConnectionReset, "{error}"),
            Ok(_) => panic!("more than an answer"),
        }
        all_closed(&emulator);
        assert_eq!(post(&emulator, &chat("hello")).status, 200);
    }
}

#[test]
fn a_reset_before_the_request_hits_the_next_connection() {
    let emulator = Emulator::start().unwrap();
    let mut old = connect(&emulator);
    chat_on(&mut old);
    assert_eq!(read_answer(&mut old).status, 200);
    emulator.faults().push(Fault::reset_before_request());
    chat_on(&mut old);
    assert_eq!(read_answer(&mut old).status, 200);
    let mut new = connect(&emulator);
    let error = new.read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!((emulator.requests().len(), emulator.received(), emulator.accepted_connections()), (2, 2, 2));
    drop(old);
    all_closed(&emulator);
}

#[test]
fn a_source_draws_faults_for_what_the_queue_leaves() {
    let mut seen = Vec::new();
    let emulator = Emulator::builder()
        .without_recording()
        .fault(Fault::error("BACKEND_ERROR"))
        .fault_source(move |request| {
            seen.push(format!("{} {} {}", request.method(), request.path(), request.is_stream()));
            (seen.len() == 2).then(|| Fault::response(418, "text/plain", seen.join(",")))
        })
        .start()
        .unwrap();
    assert_eq!(post(&emulator, &chat("hello")).status, 502);
    assert_eq!(get(&emulator, "/v1/models").status, 200);
    let mut streamed = chat("hello");
    streamed["stream"] = true.into();
    let answer = post(&emulator, &streamed);
    let seen = String::from_utf8(answer.body).unwrap();
    assert_eq!((answer.status, seen.as_str()), (418, "GET /v1/models false,POST /v1/inference/chat true"));
    assert_eq!((emulator.received(), emulator.requests().len()), (3, 0));
}

#[test]
fn usage_adds_up_without_recording() {
    let recording = Emulator::start().unwrap();
    let sparing = Emulator::builder().without_recording().start().unwrap();
    let summary = |emulator: &Emulator| {
        (0..20).for_each(|_| assert_eq!(post(emulator, &chat("hello")).status, 200));
        get(emulator, crate::http::SUMMARY).json()["data"].clone()
    };
    let (all, merged) = (summary(&recording), summary(&sparing));
    assert_eq!(all, merged);
    assert!(all.to_string().contains("20"), "{all}");
}

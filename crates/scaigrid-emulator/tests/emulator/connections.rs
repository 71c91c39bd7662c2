//! Faults of connections, and faults that are drawn.

use crate::http::{
    CHAT, chat, connect, get, post, read_answer, read_frames, read_head, request, stream_bytes,
};
use scaigrid_emulator::{DEFAULT_API_KEY, Emulator, Fault, Faults, StreamFault};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

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
        assert!(!emulator.requests()[0].client_left);
        drop(stream);
        all_closed(&emulator);
        let request = &emulator.requests()[0];
        assert_eq!((request.status, request.client_left), (None, true));
    }
}

#[test]
fn a_stall_ends_also_when_its_bytes_are_not_read() {
    let fault = Fault::stall(vec![b'x'; 16 * 1024 * 1024]);
    let emulator = Emulator::builder().fault(fault).start().unwrap();
    let mut stream = connect(&emulator);
    chat_on(&mut stream);
    stream.read_exact(&mut [0; 1]).unwrap();
    drop(stream);
    all_closed(&emulator);
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
        let request = &emulator.requests()[0];
        assert_eq!((request.status, request.client_left), (Some(200), false));
        assert_eq!(post(&emulator, &chat("hello")).status, 200);
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "measures real waiting")]
fn a_hang_up_can_wait_and_choose_its_path() {
    let wait = Duration::from_millis(50);
    let fault = Fault::hang_up().after(wait).for_path("/v1/inference/");
    let emulator = Emulator::builder().fault(fault).start().unwrap();
    let mut stream = connect(&emulator);
    let authorization = format!("Authorization: Bearer {DEFAULT_API_KEY}");
    stream.write_all(&request("GET", "/v1/models", &[&authorization], b"")).unwrap();
    assert_eq!(read_answer(&mut stream).status, 200);
    let began = Instant::now();
    chat_on(&mut stream);
    assert_eq!(read_answer(&mut stream).status, 200);
    assert!(began.elapsed() >= wait);
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    assert_eq!(emulator.accepted_connections(), 1);
}

#[test]
fn a_stream_hangs_up_behind_its_last_event() {
    let emulator = Emulator::builder().fault(Fault::hang_up()).start().unwrap();
    let mut stream = connect(&emulator);
    stream.write_all(&stream_bytes(&chat("hello"))).unwrap();
    assert_eq!(read_head(&mut stream).status, 200);
    let (frames, end) = read_frames(&mut stream);
    assert!(frames.concat().ends_with(b"data: [DONE]\n\n"));
    assert_eq!(end.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    all_closed(&emulator);
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
fn a_reset_before_the_request_holds_up_no_other_connection() {
    let emulator = Emulator::start().unwrap();
    // Neither applies.
    let fault = Fault::reset_before_request().for_path("/elsewhere").after(Duration::from_secs(600));
    emulator.faults().repeat(fault, 3);
    let mut doomed = [connect(&emulator), connect(&emulator), connect(&emulator)];
    // The queue of the listener is in order, so that this is the fourth.
    assert_eq!(post(&emulator, &chat("hello")).status, 200);
    for stream in &mut doomed {
        assert_eq!(stream.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
    assert_eq!((emulator.received(), emulator.accepted_connections()), (1, 4));
    drop(doomed);
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
fn drawn_faults_that_do_not_suit_do_not_happen() {
    let mut number = 0;
    let builder = Emulator::builder().fault_source(move |_| {
        number += 1;
        match number {
            1 => Some(Fault::stream(StreamFault::error("BACKEND_ERROR"))),
            2 => Some(Fault::reset_before_request()),
            _ => Some(Fault::error("MODEL_UNAVAILABLE").for_path("/elsewhere")),
        }
    });
    let emulator = builder.clone().start().unwrap();
    let status = |emulator: &Emulator| post(emulator, &chat("hello")).status;
    assert_eq!((status(&emulator), status(&emulator)), (200, 200));
    // The path is not looked at, and clones share the source.
    assert_eq!((status(&emulator), status(&builder.start().unwrap())), (503, 503));
}

#[test]
fn a_source_may_use_the_queue_and_shows_no_secret() {
    let queue = Arc::new(OnceLock::<Faults>::new());
    let own_queue = Arc::clone(&queue);
    let emulator = Emulator::builder().fault_source(move |request| {
        own_queue.get().unwrap().push(Fault::error("MODEL_UNAVAILABLE"));
        assert!(String::from_utf8_lossy(request.body()).contains("hello"));
        Some(Fault::response(200, "text/plain", format!("{request:?}")))
    });
    let emulator = emulator.start().unwrap();
    queue.set(emulator.faults().clone()).unwrap();
    let debug = String::from_utf8(post(&emulator, &chat("hello")).body).unwrap();
    assert!(debug.contains("POST") && debug.contains(CHAT), "{debug}");
    assert!(!debug.contains(DEFAULT_API_KEY) && !debug.contains("hello"), "{debug}");
    assert_eq!(post(&emulator, &chat("hello")).status, 503);
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

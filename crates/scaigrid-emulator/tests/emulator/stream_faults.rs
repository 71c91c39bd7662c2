//! Every fault of streams, as a client sees it.

use crate::http::{
    Answer, chat, connect, get, parse, post, raw, read_frame, read_frames, read_head, stream_bytes,
};
use crate::streams::{booked, stream};
use flate2::write::GzDecoder;
use scaigrid_emulator::{Emulator, Fault, LineEnd, StreamFault};
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

/// Of `chat("one two.")`: role, six tokens, finish.
const CHUNKS: usize = 8;

/// Head, frames, and how the body ended, of a stream with a fault. The client has not left.
fn with(fault: impl Into<Option<StreamFault>>) -> (Emulator, Answer, Vec<String>, io::Result<()>) {
    let emulator = Emulator::start().unwrap();
    if let Some(fault) = fault.into() {
        emulator.faults().push(Fault::stream(fault));
    }
    let mut connection = connect(&emulator);
    connection.write_all(&stream_bytes(&chat("one two."))).unwrap();
    let head = read_head(&mut connection);
    let (frames, end) = read_frames(&mut connection);
    let [request] = emulator.requests().try_into().unwrap();
    assert_eq!((request.status, request.client_left), (Some(200), false));
    let frames = frames.into_iter().map(|frame| String::from_utf8(frame).unwrap()).collect();
    (emulator, head, frames, end)
}

fn whole(fault: StreamFault) -> Vec<String> {
    let (_, _, frames, end) = with(fault);
    end.unwrap();
    frames
}

#[test]
fn errors_come_after_so_many_chunks() {
    for (after, frames_before, tokens) in [(0, 0, 0), (3, 3, 2), (usize::MAX, CHUNKS, 6)] {
        let fault = StreamFault::error("BACKEND_ERROR").after_chunks(after);
        let (emulator, _, frames, end) = with(fault);
        end.unwrap();
        let error = "event: error\ndata: {\"code\":\"BACKEND_ERROR\",\"message\":\"Backend error (injected fault).\"}\n\n";
        assert_eq!(frames[frames_before..], [error, "data: [DONE]\n\n"]);
        assert!(frames[..frames_before].iter().all(|frame| frame.contains("\"choices\"")));
        assert_eq!(booked(&emulator, 1), (3, tokens));
    }
    let fault = StreamFault::error("NEW_CODE").message("m \u{2028}\n\"").retry_after(1.5).without_done();
    assert_eq!(
        whole(fault),
        [
            "event: error\ndata: {\"code\":\"NEW_CODE\",\"message\":\"m \u{2028}\\n\\\"\",\"retry_after\":1.5}\n\n"
        ]
    );
    assert!(!whole(StreamFault::error("X").retry_after(f64::NAN))[0].contains("retry_after"));
}

#[test]
fn cuts_are_exact_and_end_in_three_ways() {
    let all = with(None).2.concat();
    // Ids differ from stream to stream, lengths do not.
    for length in [0, 1, 7, 200, 333, all.len() - 1, all.len(), usize::MAX] {
        let sent = length.min(all.len());
        let (_, head, frames, end) = with(StreamFault::cut(length));
        assert_eq!((head.status, frames.concat().len()), (200, sent));
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let (_, _, frames, end) = with(StreamFault::cut(length).cleanly());
        assert!(end.is_ok() && frames.concat().len() == sent);
        let (_, _, frames, end) = with(StreamFault::cut(length).with_reset());
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(frames.concat().len(), sent);
    }
    let role = with(None).2[0].len();
    assert_eq!(booked(&with(StreamFault::cut(role)).0, 1), (3, 0));
    assert_eq!(booked(&with(StreamFault::cut(role + 1)).0, 1), (3, 1));
}

#[test]
fn the_cut_for_all_answers_cuts_streams_too() {
    let emulator = Emulator::builder().fault(Fault::cut_after(10)).start().unwrap();
    let answer = parse(&raw(&emulator, &stream_bytes(&chat("hello"))).unwrap());
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/event-stream")));
    assert_eq!(answer.body, b"A\r\ndata: {\"id\r\n");
    assert_eq!(emulator.requests()[0].status, Some(200));
}

#[test]
fn faults_for_all_answers_replace_a_stream() {
    let emulator = Emulator::start().unwrap();
    let call = |fault: Fault| {
        emulator.faults().push(fault);
        raw(&emulator, &stream_bytes(&chat("hello")))
    };
    assert_eq!(call(Fault::reset()).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert!(call(Fault::close()).unwrap().is_empty());
    assert_eq!(call(Fault::raw("x")).unwrap(), b"x");
    assert!(emulator.requests().iter().all(|request| !request.client_left));
    emulator.faults().push(Fault::response(200, "text/event-stream", "data: [DONE]\n\n"));
    emulator.faults().push(Fault::delay(Duration::from_millis(1)));
    let mut connection = connect(&emulator);
    connection.write_all(&stream_bytes(&chat("hello"))).unwrap();
    assert_eq!(crate::http::read_answer(&mut connection).body, b"data: [DONE]\n\n");
    assert_eq!(stream(&emulator, &chat("hello")).0.status, 200);
}

#[test]
fn stalls_are_silent() {
    for (fault, frames) in [
        (StreamFault::stall(), 0),
        (StreamFault::stall().prefix(": hi\n"), 1),
        (StreamFault::stall().after_chunks(2).comments(), 4),
    ] {
        let emulator = Emulator::builder().fault(Fault::stream(fault)).start().unwrap();
        let mut connection = connect(&emulator);
        connection.write_all(&stream_bytes(&chat("hello"))).unwrap();
        assert_eq!(read_head(&mut connection).status, 200);
        (0..frames).for_each(|_| assert!(read_frame(&mut connection).unwrap().is_some()));
        connection.set_read_timeout(Some(Duration::from_millis(80))).unwrap();
        let silence = connection.read(&mut [0]).unwrap_err().kind();
        assert!(matches!(silence, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut));
        // Others are served, and stopping does not wait.
        assert_eq!(post(&emulator, &chat("hello")).status, 200);
    }
}

#[test]
fn done_can_be_missing() {
    let frames = whole(StreamFault::new().without_done());
    assert!(frames.len() == CHUNKS && frames[CHUNKS - 1].contains("usage"));
}

#[test]
fn anything_can_come_first() {
    for prefix in ["\u{feff}", ": hi\n\n", "event: status\ndata: {\"a\":1}\n\n", "retry: 1\n\n"] {
        let frames = whole(StreamFault::new().prefix(prefix));
        assert_eq!((frames.len(), frames[0].as_str()), (CHUNKS + 2, prefix));
    }
}

#[test]
fn lines_can_end_otherwise() {
    let lines = |end: LineEnd| whole(StreamFault::error("X").after_chunks(1).line_ends(end).comments());
    let lf = lines(LineEnd::Lf).concat();
    assert!(!lf.contains('\r') && !lines(LineEnd::Cr).concat().contains('\n'));
    assert_eq!(lines(LineEnd::CrLf).concat().matches("\r\n").count(), lf.matches('\n').count());
    assert_eq!(lines(LineEnd::Cr)[0], ": keep-alive\r\r");
    assert_eq!(lines(LineEnd::CrLf)[3], "data: [DONE]\r\n\r\n");
}

#[test]
fn comments_come_before_each_chunk() {
    let frames = whole(StreamFault::new().comments());
    assert_eq!(frames.len(), 2 * CHUNKS + 1);
    assert!(frames[..2 * CHUNKS].iter().step_by(2).all(|frame| frame == ": keep-alive\n\n"));
}

#[test]
fn a_plain_completion_can_come_instead() {
    let emulator = Emulator::builder().fault(Fault::stream(StreamFault::as_json())).start().unwrap();
    let mut body = chat("one two.");
    body["stream"] = true.into();
    let answer = post(&emulator, &body);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.text(), "You wrote: one two.");
    answer.request_id();
    assert_eq!(booked(&emulator, 1), (3, 6));
}

#[test]
fn each_gzip_frame_can_be_read_at_once() {
    for (fault, is_whole) in
        [(StreamFault::new(), true), (StreamFault::cut(300), false), (StreamFault::cut(300).cleanly(), true)]
    {
        let emulator = Emulator::builder().fault(Fault::stream(fault.gzip())).start().unwrap();
        let mut connection = connect(&emulator);
        connection.write_all(&stream_bytes(&chat("one two."))).unwrap();
        let head = read_head(&mut connection);
        assert_eq!(head.header("content-encoding"), Some("gzip"));
        let mut inflate = GzDecoder::new(Vec::new());
        while let Ok(Some(frame)) = read_frame(&mut connection) {
            let before = inflate.get_ref().len();
            inflate.write_all(&frame).and_then(|()| inflate.flush()).unwrap();
            let text = inflate.get_ref();
            assert!(text.len() > before && (text.ends_with(b"\n\n") || text.len() == 300));
        }
        assert_eq!(inflate.try_finish().is_ok(), is_whole);
        let text = inflate.get_ref();
        assert!(text.starts_with(b"data: {\"id\"") && (text.len() == 300 || text.ends_with(b"[DONE]\n\n")));
    }
}

#[test]
fn recorded_frames_are_sent_as_they_are() {
    let frames = ["data: \u{fffd}", "\r", "\r", "", "data: [DONE]"];
    let (emulator, head, sent, end) = with(StreamFault::frames(frames).comments().prefix("no"));
    end.unwrap();
    assert_eq!(sent, ["data: \u{fffd}", "\r", "\r", "data: [DONE]"]);
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    assert_eq!(booked(&emulator, 1), (3, 0));
    assert!(whole(StreamFault::frames(Vec::<String>::new())).is_empty());
    let bytes: &[u8] = b"\xff\xfe";
    let emulator = Emulator::builder().fault(Fault::stream(StreamFault::frames([bytes]))).start().unwrap();
    let mut connection = connect(&emulator);
    connection.write_all(&stream_bytes(&chat("hello"))).unwrap();
    read_head(&mut connection);
    assert_eq!(read_frames(&mut connection).0, [bytes]);
}

#[test]
#[allow(clippy::disallowed_methods, reason = "measures real waiting")]
fn a_single_stream_can_be_slow() {
    let pace = Duration::from_millis(20);
    for (fault, chunks) in [(StreamFault::new(), CHUNKS), (StreamFault::frames(["a", "b"]), 2)] {
        let begin = Instant::now();
        whole(fault.paced(pace));
        let (least, took) = (pace * u32::try_from(chunks).unwrap(), begin.elapsed());
        assert!(took >= least, "{took:?}");
    }
}

#[test]
fn the_content_type_can_be_odd() {
    let head = |name: &str| with(StreamFault::new().content_type(name)).1;
    let odd = "Text/Event-Stream; charset=UTF-8";
    assert_eq!(head(odd).header("content-type"), Some(odd));
    assert_eq!(head("a\nb").header("content-type"), None);
}

#[test]
fn stream_faults_wait_for_a_stream_and_are_used_up_by_it() {
    let emulator = Emulator::start().unwrap();
    emulator.faults().push(Fault::stream(StreamFault::error("X")));
    assert_eq!(post(&emulator, &chat("hello")).status, 200);
    assert_eq!(get(&emulator, "/v1/models").status, 200);
    assert_eq!(emulator.faults().len(), 1);
    let refused = raw(
        &emulator,
        b"POST /v1/inference/chat HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
        Content-Length: 15\r\n\r\n{\"stream\":true}",
    );
    assert_eq!(parse(&refused.unwrap()).status, 401);
    assert!(emulator.faults().is_empty());
}

//! The decoder of server-sent events, against the rules of the WHATWG standard.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use scaigrid_transport::sse::{DEFAULT_MAX_EVENT_BYTES, Decoder, EventTooLarge};
use serde::Deserialize;

#[derive(Clone, Debug, PartialEq)]
struct Event {
    name: String,
    data: String,
    id: String,
}

fn feed(decoder: &mut Decoder, mut piece: &[u8], events: &mut Vec<Event>) -> Result<(), EventTooLarge> {
    while let Some(event) = decoder.next(&mut piece)? {
        events.push(Event { name: event.name.into(), data: event.data.into(), id: event.id.into() });
    }
    assert!(piece.is_empty(), "all input is used up");
    Ok(())
}

/// As [`decode`], with a small limit: the events before it is met, and whether it was.
fn decode_limited<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Event>, bool) {
    let mut decoder = Decoder::with_max_event_bytes(8);
    let mut events = Vec::new();
    for piece in pieces {
        if feed_until_error(&mut decoder, piece, &mut events).is_err() {
            return (events, true);
        }
    }
    (events, false)
}

fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Event>, Decoder) {
    let mut decoder = Decoder::with_max_event_bytes(16 * 1024 * 1024);
    let mut events = Vec::new();
    for piece in pieces {
        feed(&mut decoder, piece, &mut events).unwrap();
    }
    (events, decoder)
}

/// The cases of `data/sse-decoder.json`.
#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    title: String,
    chunks: Vec<Chunk>,
    events: Vec<Expected>,
    retry: Option<u64>,
    last_event_id: Option<String>,
}

#[derive(Deserialize)]
struct Chunk {
    utf8: Option<String>,
    hex: Option<String>,
    times: Option<usize>,
}

#[derive(Deserialize)]
struct Expected {
    event: String,
    data: String,
    id: String,
    data_repeat: Option<(String, usize)>,
    data_join: Option<(String, String, usize)>,
}

impl Case {
    fn pieces(&self) -> Vec<Vec<u8>> {
        let piece = |chunk: &Chunk| {
            let bytes = match (&chunk.utf8, &chunk.hex) {
                (Some(text), _) => text.as_bytes().to_vec(),
                (None, Some(hex)) => {
                    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
                    (0..hex.len()).step_by(2).map(digit).collect()
                }
                (None, None) => panic!("{}: a chunk without bytes", self.id),
            };
            bytes.repeat(chunk.times.unwrap_or(1))
        };
        self.chunks.iter().map(piece).collect()
    }

    fn expected(&self) -> Vec<Event> {
        let event = |event: &Expected| {
            let data = match (&event.data_repeat, &event.data_join) {
                (Some((text, times)), _) => text.repeat(*times),
                (None, Some((text, separator, times))) => vec![text.as_str(); *times].join(separator),
                (None, None) => event.data.clone(),
            };
            Event { name: event.event.clone(), data, id: event.id.clone() }
        };
        self.events.iter().map(event).collect()
    }

    fn check(&self, how: &str, (events, decoder): (Vec<Event>, Decoder)) {
        assert!(events == self.expected(), "{} {} ({how}): {events:?}", self.id, self.title);
        assert_eq!(decoder.retry(), self.retry, "{} ({how})", self.id);
        if let Some(id) = &self.last_event_id {
            assert_eq!(decoder.last_event_id(), id, "{} ({how})", self.id);
        }
    }
}

fn cases() -> Vec<Case> {
    let cases: Cases = serde_json::from_str(include_str!("data/sse-decoder.json")).unwrap();
    assert_eq!(cases.cases.len(), 62);
    cases.cases
}

#[test]
fn every_case_as_given_whole_byte_by_byte_and_cut_at_every_offset() {
    for case in cases() {
        let pieces = case.pieces();
        let whole = pieces.concat();
        case.check("as given", decode(pieces.iter().map(Vec::as_slice)));
        case.check("whole", decode([&whole[..]]));
        case.check("byte by byte", decode(whole.chunks(1)));
        // Cuts of large inputs, where the middle is all alike: around both ends.
        let cuts = (0..=whole.len()).filter(|cut| whole.len() < 5000 || *cut < 40 || whole.len() - cut < 40);
        for cut in cuts {
            let (first, second) = whole.split_at(cut);
            case.check(&format!("cut at {cut}"), decode([first, second]));
        }
    }
}

/// An event that is whole in its piece is not put together, but only behind another event.
#[test]
fn every_case_behind_another_event() {
    for case in cases() {
        let whole = case.pieces().concat();
        if whole.starts_with(b"\xEF") {
            continue;
        }
        for first in ["data: 0\n\n", "data: 0\r\n\r\n", "data: 0\r\r"] {
            let behind = [first.as_bytes(), &whole].concat();
            let cuts = [0, first.len() - 1, first.len(), behind.len().min(first.len() + 9)];
            for cut in cuts {
                let (before, after) = behind.split_at(cut);
                let (mut events, decoder) = decode([before, after]);
                // A CR that ends the block takes the LF that follows.
                if first.ends_with('\r') && whole.starts_with(b"\n") {
                    continue;
                }
                assert_eq!(events.remove(0).data, "0");
                case.check(&format!("behind {first:?}, cut at {cut}"), (events, decoder));
            }
        }
    }
}

#[test]
fn asking_for_the_unfinished_changes_nothing_that_comes() {
    let mut events = Vec::new();
    let mut decoder = Decoder::with_max_event_bytes(8);
    assert!(feed_until_error(&mut decoder, b"data: x\n\ndata: 0123456789\n\n", &mut events).is_err());
    decoder.unfinished();
    assert_eq!(decoder.next(&mut &b"data: x\n\n"[..]), Err(EventTooLarge { limit: 8 }));

    let (mut events, mut decoder) = decode([&b"id: 5\ndata: a"[..]]);
    decoder.unfinished();
    feed(&mut decoder, b"\ndata: b\n\n", &mut events).unwrap();
    assert_eq!((events[0].data.as_str(), events[0].id.as_str()), ("b", "5"));

    let mut decoder = Decoder::new();
    decoder.unfinished();
    events.clear();
    feed(&mut decoder, b"data: a\n\n\xEF\xBB\xBFdata: b\n\n", &mut events).unwrap();
    assert_eq!(events.len(), 1, "a mark in the middle is no mark");
}

#[test]
fn an_event_comes_out_with_its_blank_line() {
    for (piece, count) in [("data: a\r\r", 1), ("data: a\r\n\r", 1), ("data: a\n\n", 1), ("data: a\r\n", 0)] {
        assert_eq!(decode([piece.as_bytes()]).0.len(), count, "{piece:?}");
    }
}

#[test]
fn an_unfinished_event_is_reported_and_not_given_out() {
    for (text, unfinished) in [
        ("data: x\n\n", None),
        ("", None),
        (": comment", None),
        ("event: x\n", None),
        ("\u{feff}", None),
        ("data: x\n\ndata: [DONE]", Some("[DONE]")),
        ("data: x\n\ndata: [DONE]\n", Some("[DONE]")),
        ("data: a\ndata: b", Some("a\nb")),
        ("data: a\nda", Some("a")),
    ] {
        let (_, mut decoder) = decode([text.as_bytes()]);
        assert_eq!(
            decoder.unfinished().map(|event| event.data.to_owned()).as_deref(),
            unfinished,
            "{text:?}"
        );
        assert_eq!(decoder.unfinished(), None, "only once");
    }
}

/// Feeds `piece` until the limit is met. How many bytes that took.
fn until_too_large(limit: usize, piece: &[u8]) -> usize {
    let mut decoder = Decoder::with_max_event_bytes(limit);
    let mut events = Vec::new();
    let mut fed = 0;
    while fed < 100 * limit {
        fed += piece.len();
        if let Err(error) = feed_until_error(&mut decoder, piece, &mut events) {
            assert_eq!(error, EventTooLarge { limit });
            assert_eq!(decoder.next(&mut &b"data: x\n\n"[..]), Err(error), "nothing comes after it");
            return fed;
        }
    }
    panic!("no limit");
}

fn feed_until_error(
    decoder: &mut Decoder,
    mut piece: &[u8],
    events: &mut Vec<Event>,
) -> Result<(), EventTooLarge> {
    while let Some(event) = decoder.next(&mut piece)? {
        events.push(Event { name: event.name.into(), data: event.data.into(), id: event.id.into() });
    }
    Ok(())
}

#[test]
fn endless_lines_and_many_small_lines_meet_the_limit() {
    const LIMIT: usize = 64 * 1024;
    for piece in [&b"xxxxxxxxxxxxxxxx"[..], b"data:xxxxxxxxxxx", b"data: 0123456789\n", b"data\n"] {
        let fed = until_too_large(LIMIT, piece);
        assert!(fed <= 6 * LIMIT, "{fed}");
    }
    assert_eq!(DEFAULT_MAX_EVENT_BYTES, 8 * 1024 * 1024);
    let exact = format!("data: {}\n\n", "x".repeat(LIMIT));
    let mut decoder = Decoder::with_max_event_bytes(LIMIT);
    assert_eq!(decoder.next(&mut exact.as_bytes()).unwrap().unwrap().data.len(), LIMIT);
}

#[test]
fn the_limit_counts_the_same_however_the_line_is_cut() {
    let long = "x".repeat(40);
    for line in
        [format!("event: {long}"), format!("id: {long}"), format!("x: {long}"), format!("data: {long}")]
    {
        let text = format!("data: a\n\n{line}\ndata: x\n\n");
        let (events, met) = decode_limited([text.as_bytes()]);
        assert_eq!((events.len(), met), (1, true), "{line}");
        assert_eq!(decode_limited(text.as_bytes().chunks(1)), (events, met), "{line}");
    }
    // Each of three invalid bytes becomes three.
    assert!(decode_limited([&b"data: \xff\xff\xff\n\n"[..]]).1);
}

#[test]
fn an_endless_comment_is_skipped_and_not_kept() {
    let mut decoder = Decoder::with_max_event_bytes(1024);
    let mut events = Vec::new();
    feed(&mut decoder, b": ", &mut events).unwrap();
    for _ in 0..1000 {
        feed(&mut decoder, &[b'x'; 1000], &mut events).unwrap();
    }
    assert!(format!("{decoder:?}").contains("buffered: 0"));
    feed(&mut decoder, b"\ndata: x\n\n", &mut events).unwrap();
    assert_eq!(events.len(), 1);
}

/// Bytes that steer the decoder into its corners.
fn stream_bytes() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just(b"data".to_vec()),
        Just(b"data: a\n\n".to_vec()),
        Just(b"data:b\r\n\r\n".to_vec()),
        Just(b"data: c\r\n\n".to_vec()),
        Just(b"id\n".to_vec()),
        Just(b"event: e".to_vec()),
        Just(b"id: 1".to_vec()),
        Just(b"retry: 5".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\n\n".to_vec()),
        Just(b": ".to_vec()),
        Just(b":".to_vec()),
        Just(b"\xEF\xBB\xBF".to_vec()),
        Just(b"\xE2\x82".to_vec()),
        Just("\u{20ac}".as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_events(bytes in stream_bytes(), cuts in proptest::collection::vec(0usize..200, 0..12)) {
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|window| &bytes[window[0]..window[1]]);
        prop_assert_eq!(decode_limited([&bytes[..]]), decode_limited(pieces.clone()));
        let (whole, mut at_once) = decode([&bytes[..]]);
        let (in_pieces, mut piecewise) = decode(pieces);
        prop_assert_eq!(whole, in_pieces);
        prop_assert_eq!(at_once.retry(), piecewise.retry());
        prop_assert_eq!(at_once.last_event_id(), piecewise.last_event_id());
        prop_assert_eq!(at_once.unfinished(), piecewise.unfinished());
    }
}

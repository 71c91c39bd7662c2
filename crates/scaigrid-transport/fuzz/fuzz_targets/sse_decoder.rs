//! Any bytes in any chunking: no panic, no endless loop, and the same events as at once.
//!
//! The first byte of the input says how the rest is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scaigrid_transport::sse::Decoder;

/// Small, so that the limit is met often.
const LIMIT: usize = 256;

/// Name, data, and id of each event, whether the limit was met, and what was left over.
type Outcome = (Vec<(String, String, String)>, bool, Option<String>);

fn decode<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut decoder = Decoder::with_max_event_bytes(LIMIT);
    let mut events = Vec::new();
    for mut piece in pieces {
        loop {
            match decoder.next(&mut piece) {
                Ok(Some(event)) => {
                    assert!(event.data.len() + event.name.len() <= LIMIT + "message".len());
                    events.push((event.name.into(), event.data.into(), event.id.into()));
                }
                Ok(None) => break,
                Err(_) => return (events, true, None),
            }
        }
        assert!(piece.is_empty());
    }
    let rest = decoder.unfinished().map(|event| event.data.to_owned());
    (events, false, rest)
}

fuzz_target!(|input: &[u8]| {
    let Some((&cut, bytes)) = input.split_first() else { return };
    let whole = decode(std::iter::once(bytes));
    let in_pieces = decode(bytes.chunks(usize::from(cut % 17) + 1));
    let (first, second) = bytes.split_at(usize::from(cut).min(bytes.len()));
    let in_two = decode([first, second].into_iter());
    assert_eq!(whole, in_pieces);
    assert_eq!(whole, in_two);
});

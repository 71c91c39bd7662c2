//! Cuts a text into chunks.

use super::settings::{Settings, Strategy};
use crate::text::first_tokens;

/// Where a chunk begins and ends in its text, in bytes.
pub(crate) type Span = (usize, usize);

/// The most chunks of a document.
pub(crate) const MAX_CHUNKS: usize = 10_000;

/// The chunks of a text: paragraphs, and those that are too long in overlapping parts. `fixed` takes the whole
/// text as one paragraph; the other strategies do the same as `paragraph`. No more than one above
/// [`MAX_CHUNKS`].
pub(crate) fn chunks(text: &str, settings: &Settings) -> Vec<Span> {
    let paragraphs: Box<dyn Iterator<Item = Span>> = match settings.chunking_strategy {
        Strategy::Fixed => Box::new(std::iter::once((0, text.len()))),
        _ => Box::new(paragraphs(text)),
    };
    let parts = |span| parts(text, span, settings.chunk_size, settings.chunk_overlap);
    paragraphs.flat_map(parts).take(MAX_CHUNKS + 1).collect()
}

/// What lies between lines without any visible letter.
fn paragraphs(text: &str) -> impl Iterator<Item = Span> + '_ {
    let mut lines = text.split_inclusive('\n');
    let mut position = 0;
    std::iter::from_fn(move || {
        let mut begin = None;
        for line in lines.by_ref() {
            let start = position;
            position += line.len();
            match (begin, line.trim().is_empty()) {
                (None, true) => {}
                (None, false) => begin = Some(start),
                (Some(begin), true) => return Some((begin, start)),
                (Some(_), false) => {}
            }
        }
        begin.map(|begin| (begin, position))
    })
}

/// A paragraph in parts of `size` tokens that share `overlap` tokens with the part before.
fn parts(text: &str, (begin, end): Span, size: u64, overlap: u64) -> impl Iterator<Item = Span> + '_ {
    let mut next = Some(begin);
    std::iter::from_fn(move || {
        let start = next.take()?;
        let rest = text.get(start..end)?;
        let start = start + (rest.len() - rest.trim_start().len());
        let rest = rest.trim_start();
        if rest.is_empty() {
            return None;
        }
        let part = first_tokens(rest, size);
        if part.len() < rest.len() {
            // At least one token further, whatever the overlap.
            let step = first_tokens(rest, size.saturating_sub(overlap).max(1));
            next = Some(start + step.len());
        }
        Some((start, start + part.trim_end().len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::Fields;
    use proptest::prelude::*;

    fn settings(strategy: &str, size: u64, overlap: u64) -> Settings {
        let body = format!(
            r#"{{"name":"a","embedding_model":"e","chunking_strategy":"{strategy}","chunk_size":{size},
                "chunk_overlap":{overlap}}}"#
        );
        Settings::read_new(Fields::read(body.as_bytes()).unwrap()).unwrap()
    }

    fn texts(text: &str, settings: &Settings) -> Vec<String> {
        chunks(text, settings).into_iter().map(|(begin, end)| text[begin..end].to_owned()).collect()
    }

    #[test]
    fn paragraphs_are_chunks() {
        let text = "\n \nFirst line,\nsecond line.\n\n  Third.\r\n\r\n\nFourth";
        let expected = ["First line,\nsecond line.", "Third.", "Fourth"];
        assert_eq!(texts(text, &settings("paragraph", 512, 50)), expected);
        assert_eq!(texts(text, &settings("markdown", 512, 50)), expected);
        assert_eq!(texts(" \n\n ", &settings("paragraph", 512, 50)), [""; 0]);
        assert_eq!(texts("", &settings("fixed", 512, 50)), [""; 0]);
    }

    #[test]
    fn long_paragraphs_are_cut_with_overlap() {
        let text = "a b c d e f g\n\nh";
        assert_eq!(texts(text, &settings("paragraph", 4, 1)), ["a b c d", "d e f g", "h"]);
        assert_eq!(texts(text, &settings("paragraph", 3, 0)), ["a b c", "d e f", "g", "h"]);
        assert_eq!(texts(text, &settings("fixed", 4, 2)), ["a b c d", "c d e f", "e f g\n\nh"]);
    }

    #[test]
    fn there_is_an_end_to_chunks() {
        let text = "a\n\n".repeat(MAX_CHUNKS * 2);
        assert_eq!(chunks(&text, &settings("paragraph", 512, 50)).len(), MAX_CHUNKS + 1);
    }

    proptest! {
        #[test]
        fn every_token_is_in_a_chunk(text in "[a-z€\n .]{0,200}", size in 1_u64..9, fixed in any::<bool>()) {
            let settings = settings(if fixed { "fixed" } else { "code" }, size, size / 2);
            let mut covered = 0;
            for (begin, end) in chunks(&text, &settings) {
                prop_assert!(text.get(covered.min(begin)..begin).unwrap().trim().is_empty());
                prop_assert!(crate::count_tokens(&text[begin..end]) <= size);
                covered = covered.max(end);
            }
            prop_assert!(text[covered..].trim().is_empty());
        }
    }
}

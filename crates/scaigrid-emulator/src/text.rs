//! The text generator: pure functions from a conversation to an answer. Nothing here is an AI.

mod answer;
mod clauses;
mod lexicon;
mod phrases;
mod title;
mod tokens;

pub(crate) use answer::{answer, key_word};
pub(crate) use lexicon::Lexicon;
pub(crate) use title::{title, word_limit};
pub use tokens::count_tokens;
pub(crate) use tokens::{first_tokens, pieces};

/// Whether a system prompt asks for a title: it has a word that begins with "title".
pub(crate) fn asks_for_title(system: &str) -> bool {
    let mut words = system.split(|letter: char| !letter.is_alphanumeric());
    words.any(|word| word.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("title")))
}

/// The first `limit` characters, as a reader counts them.
fn first_graphemes(text: &str, limit: usize) -> &str {
    use unicode_segmentation::UnicodeSegmentation;
    let end = text.grapheme_indices(true).nth(limit).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_title_asks_for_one() {
        for yes in ["You generate conversation titles.", "TITLE:", "a title-like line", "give a \"title\""] {
            assert!(asks_for_title(yes), "{yes}");
        }
        for no in ["", "You are entitled to an answer", "subtitles", "Be brief.", "titl", "ｔｉｔｌｅ"] {
            assert!(!asks_for_title(no), "{no}");
        }
    }

    #[test]
    fn graphemes_are_not_torn() {
        assert_eq!(first_graphemes("e\u{301}a", 1), "e\u{301}");
        assert_eq!(first_graphemes("👩‍👩‍👧x", 1), "👩‍👩‍👧");
        assert_eq!(first_graphemes("ab", 9), "ab");
    }
}

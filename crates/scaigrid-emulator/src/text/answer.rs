//! Plain answers: the sentences of the conversation that say most about it.

use super::clauses::{Word, clauses, prose};
use super::first_graphemes;
use super::phrases::Topic;
use unicode_segmentation::UnicodeSegmentation;

/// The longest answer, in words, and in characters for text without spaces.
const MAX_WORDS: usize = 60;
const MAX_CHARACTERS: usize = 600;

/// Sentences that are weighed.
const MAX_SENTENCES: usize = 500;

/// The longest topic of a question, in words.
const MAX_TOPIC: usize = 8;

/// An answer to what was said, oldest first. It quotes and never claims to know anything.
pub(crate) fn answer<'a>(messages: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<String> = messages.into_iter().map(prose).collect();
    let topic = Topic::new(texts.iter().map(|text| clauses(text)).collect());
    let sentences: Vec<&str> = texts.iter().flat_map(|text| sentences(text)).take(MAX_SENTENCES).collect();
    match sentences.as_slice() {
        [] => "Your messages hold no words to answer to.".to_owned(),
        [only] => {
            let phrase = joined(&topic.best_phrase(MAX_TOPIC));
            let about =
                if phrase.is_empty() { only.trim_end_matches(['?', '.', '!']) } else { phrase.as_str() };
            if only.ends_with(['?', '？']) {
                format!("You asked about: {}.", shortened(about))
            } else {
                format!("You wrote: {}", shortened(only))
            }
        }
        several => format!("From your messages: {}", shortened(&most_telling(several, &topic))),
    }
}

/// The word of a text that says most: a name rather than another word, else the last of the heaviest. Empty for
/// a text without words.
pub(crate) fn key_word(text: &str) -> String {
    let topic = Topic::new(vec![clauses(text)]);
    let mut best: (f64, String) = (0.0, String::new());
    for clause in clauses(text) {
        for (index, word) in clause.words.into_iter().enumerate() {
            // The first word of a sentence is always capitalised.
            let is_name = index > 0 && word.text.chars().next().is_some_and(char::is_uppercase);
            let weight = topic.weight(&word) * if is_name { 2.0 } else { 1.0 };
            if weight >= best.0 && weight > 0.0 || best.1.is_empty() {
                best = (weight, word.text);
            }
        }
    }
    best.1
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let sentences = text.lines().flat_map(UnicodeSegmentation::unicode_sentences);
    sentences.map(str::trim).filter(|sentence| sentence.chars().any(char::is_alphanumeric))
}

/// The two sentences whose words weigh most, in their order in the conversation.
fn most_telling(sentences: &[&str], topic: &Topic) -> String {
    let weight = |sentence: &str| -> f64 {
        let clauses = clauses(sentence);
        clauses.iter().flat_map(|clause| &clause.words).map(|word| topic.weight(word)).sum()
    };
    let mut weighed: Vec<(usize, f64)> = sentences.iter().map(|text| weight(text)).enumerate().collect();
    // Stable: among equals the first wins.
    weighed.sort_by(|a, b| b.1.total_cmp(&a.1));
    weighed.truncate(2);
    weighed.sort_by_key(|(index, _)| *index);
    let chosen = weighed.iter().filter_map(|(index, _)| sentences.get(*index).copied());
    chosen.collect::<Vec<_>>().join(" ")
}

fn joined(words: &[Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// At most 60 words and 600 characters, with `…` where something was left out.
fn shortened(text: &str) -> String {
    // The fixed words before a quotation count too.
    let words: Vec<&str> = text.split_whitespace().collect();
    let kept = words.get(..MAX_WORDS - 3).unwrap_or(&words).join(" ");
    let cut = first_graphemes(&kept, MAX_CHARACTERS);
    if words.len() > MAX_WORDS - 3 || cut.len() < kept.len() { format!("{cut}…") } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn answers_quote_the_conversation() {
        for (messages, expected) in [
            (&["What's a good recipe for carbonara?"][..], "You asked about: good recipe for carbonara."),
            (&["How are you?"], "You asked about: How are you."),
            (&["I like pasta."], "You wrote: I like pasta."),
            (&["🎉", ""], "Your messages hold no words to answer to."),
            (
                &["I cook. Fresh pasta needs flour and eggs. Fresh pasta cooks fast. Bye."],
                "From your messages: Fresh pasta needs flour and eggs. Fresh pasta cooks fast.",
            ),
        ] {
            assert_eq!(answer(messages.iter().copied()), expected);
        }
    }

    #[test]
    fn the_key_word_is_a_name_if_there_is_one() {
        for (text, word) in [
            ("What is the weather in Paris today?", "Paris"),
            ("search for cheap flights", "flights"),
            ("how are you", "how"),
            ("", ""),
        ] {
            assert_eq!(key_word(text), word, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gets_a_short_answer(messages in prop::collection::vec(".{0,900}", 0..4)) {
            let answer = answer(messages.iter().map(String::as_str));
            prop_assert!(!answer.is_empty() && answer.split_whitespace().count() <= MAX_WORDS);
        }
    }
}

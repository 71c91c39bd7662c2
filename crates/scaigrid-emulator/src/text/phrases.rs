//! Finds the phrase that says best what a text is about.

use super::clauses::{Clause, Word};
use super::lexicon::{Kind, Lexicon};
use std::collections::HashMap;
use std::ops::Range;

/// Clauses of a whole conversation that are taken into account; later ones hardly count anyway.
const MAX_CLAUSES: usize = 500;

/// The clauses of a conversation with what is needed to weigh their words.
pub(crate) struct Topic {
    /// One list for each message, oldest first.
    messages: Vec<Vec<Clause>>,
    lexicon: &'static Lexicon,
    kinds: HashMap<&'static str, Kind>,
    /// How often each content word occurs.
    counts: HashMap<String, usize>,
}

impl Topic {
    pub(crate) fn new(mut messages: Vec<Vec<Clause>>) -> Self {
        let mut room = MAX_CLAUSES;
        for message in &mut messages {
            message.truncate(room);
            room -= message.len();
        }
        let words = || messages.iter().flatten().flat_map(|clause| &clause.words);
        let lexicon = Lexicon::of(words().map(|word| word.folded.as_str()));
        let kinds = lexicon.table();
        let mut counts = HashMap::new();
        for word in words().filter(|word| !kinds.contains_key(word.folded.as_str())) {
            *counts.entry(stem(&word.folded).to_owned()).or_default() += 1;
        }
        Self { messages, lexicon, kinds, counts }
    }

    /// What a word does.
    pub(crate) fn kind(&self, word: &Word) -> Kind {
        self.kinds.get(word.folded.as_str()).copied().unwrap_or(Kind::Content)
    }

    /// How much a word says. Words that only hold a sentence together say nothing.
    pub(crate) fn weight(&self, word: &Word) -> f64 {
        let kind = self.kind(word);
        if !matches!(kind, Kind::Content | Kind::Opener) {
            return 0.0;
        }
        let count = self.counts.get(stem(&word.folded)).copied().unwrap_or(1);
        let base = 1.0 + (count as f64).ln();
        let is_number = word.text.chars().all(char::is_numeric);
        if kind == Kind::Opener || is_number || self.lexicon.is_weak(&word.folded) {
            return base * 0.5;
        }
        // A name, such as `iPhone`, `API`, `NullPointerException`, or `read_file`.
        if word.text.chars().skip(1).any(|letter| letter.is_uppercase() || letter == '_') {
            base * 1.2
        } else {
            base
        }
    }

    /// The best phrase of at most `limit` words, or nothing when no word says anything.
    pub(crate) fn best_phrase(&self, limit: usize) -> Vec<Word> {
        let mut best: (f64, &[Word]) = (0.0, &[]);
        let phrases = self.phrases(limit);
        for (factor, phrase) in &phrases {
            for window in self.windows(phrase, limit) {
                let weight: f64 =
                    phrase.get(window.clone()).into_iter().flatten().map(|word| self.weight(word)).sum();
                let score = weight * factor * self.wholeness(phrase, &window);
                // Among equals the first wins.
                if score > best.0 + 1e-9 {
                    best = (score, phrase.get(window).unwrap_or_default());
                }
            }
        }
        best.1.to_vec()
    }

    /// All phrases with a factor: early messages and early clauses count more, and so do questions.
    fn phrases(&self, limit: usize) -> Vec<(f64, Vec<Word>)> {
        let mut phrases = Vec::new();
        for (number, message) in self.messages.iter().enumerate() {
            for (position, clause) in message.iter().enumerate() {
                let age = 0.85_f64.powi(number.min(20) as i32) * 0.93_f64.powi(position.min(20) as i32);
                let factor = if clause.is_question { age * 1.4 } else { age };
                let parts = clause.words.split(|word| self.kind(word) == Kind::Breaker);
                phrases.extend(parts.map(|part| (factor, self.tidy(part, limit))));
            }
        }
        phrases
    }

    /// Without fillers, without what only opens a sentence, and without articles when room is short.
    fn tidy(&self, part: &[Word], limit: usize) -> Vec<Word> {
        let mut words: Vec<Word> =
            part.iter().filter(|word| self.kind(word) != Kind::Filler).cloned().collect();
        let start = words.iter().position(|word| self.kind(word) == Kind::Content).unwrap_or(words.len());
        words.drain(..start);
        if words.len() > limit {
            words.retain(|word| self.kind(word) != Kind::Article);
        }
        words
    }

    /// All runs of at most `limit` words that begin and end with a content word.
    fn windows<'a>(&'a self, words: &'a [Word], limit: usize) -> impl Iterator<Item = Range<usize>> + 'a {
        let is_edge = |at: usize| words.get(at).is_some_and(|word| self.kind(word) == Kind::Content);
        let starts = (0..words.len()).filter(move |start| is_edge(*start));
        starts.flat_map(move |start| {
            let ends = start..words.len().min(start.saturating_add(limit));
            ends.filter(move |end| is_edge(*end)).map(move |end| start..end + 1)
        })
    }

    /// Less than 1 for a run that tears words apart which belong together: "three" of "three sentences".
    fn wholeness(&self, words: &[Word], window: &Range<usize>) -> f64 {
        let is_torn = |word: Option<&Word>| word.is_some_and(|word| self.kind(word) == Kind::Content);
        let before = window.start.checked_sub(1).and_then(|at| words.get(at));
        // "good" may go from "good recipe".
        let torn_before = is_torn(before.filter(|word| !self.lexicon.is_weak(&word.folded)));
        let torn_after = is_torn(words.get(window.end));
        0.7_f64.powi(i32::from(torn_before) + i32::from(torn_after))
    }
}

/// Singular and plural count as one word. Crude, but only used for counting.
fn stem(word: &str) -> &str {
    match word.strip_suffix('s') {
        Some(singular) if singular.chars().count() > 2 && !singular.ends_with('s') => singular,
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::super::clauses::clauses;
    use super::*;

    fn best(messages: &[&str], limit: usize) -> String {
        let topic = Topic::new(messages.iter().map(|text| clauses(text)).collect());
        let words: Vec<String> = topic.best_phrase(limit).into_iter().map(|word| word.text).collect();
        words.join(" ")
    }

    #[test]
    fn scaffolding_goes_and_connectors_stay_inside() {
        assert_eq!(best(&["Hey, what's a good recipe for carbonara?"], 6), "good recipe for carbonara");
        assert_eq!(best(&["Can you tell me about the history of Rome?"], 6), "history of Rome");
        assert_eq!(best(&["I want to know how I get from Berlin to Munich"], 6), "Berlin to Munich");
        assert_eq!(best(&["how are you?"], 6), "");
    }

    #[test]
    fn limits_hold_and_never_leave_a_connector_at_an_edge() {
        assert_eq!(best(&["good recipe for carbonara"], 3), "recipe for carbonara");
        assert_eq!(best(&["recipe for carbonara"], 2), "recipe");
        assert_eq!(best(&["good recipe for carbonara"], 1), "recipe");
        assert_eq!(best(&["a recipe"], 0), "");
        assert_eq!(
            best(&["Summarize the plot of Hamlet in three sentences."], 6),
            "Summarize plot of Hamlet"
        );
    }

    #[test]
    fn repeated_words_and_questions_count_more() {
        let text = "I sit in an office. My nginx fails. How do I configure nginx as a reverse proxy?";
        assert_eq!(best(&[text], 6), "configure nginx as a reverse proxy");
    }
}

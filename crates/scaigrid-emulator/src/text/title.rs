//! Titles for conversations, made from the conversation's own words.

use super::clauses::{Clause, Word, clauses, is_unspaced, prose};
use super::first_graphemes;
use super::lexicon::Kind;
use super::phrases::Topic;

/// When the system prompt names no limit, in words.
const DEFAULT_LIMIT: usize = 6;
/// No title is longer, whatever the system prompt allows, in words.
const MAX_LIMIT: usize = 30;
/// A word is cut here, in characters.
const MAX_WORD: usize = 24;
/// A title without spaces is cut here, in characters.
const MAX_UNSPACED: usize = 16;

const UNTITLED: &str = "Untitled Conversation";

/// The word limit that a system prompt asks for, such as "max 6 words", "at most five words", or "a 6-word
/// title": the number before the word "words". "Fewer than 7 words" means 6. Default: 6.
pub(crate) fn word_limit(system: &str) -> usize {
    let system = system.to_lowercase();
    let words: Vec<&str> =
        system.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    for (index, pair) in words.windows(2).enumerate() {
        let [number, unit] = pair else { continue };
        let is_unit = ["word", "wort", "wörter", "worte", "mots", "palabras", "woord"];
        let Some(limit) = number_of(number).filter(|_| is_unit.iter().any(|name| unit.starts_with(name)))
        else {
            continue;
        };
        let before = words.get(index.saturating_sub(2)..index).unwrap_or_default();
        // "no more than" includes the number, "fewer than", "less than" and "under" do not.
        let excludes = matches!(before, [.., "fewer" | "less", "than"] | [.., "under" | "below"]);
        return limit.saturating_sub(usize::from(excludes)).clamp(1, MAX_LIMIT);
    }
    DEFAULT_LIMIT
}

fn number_of(word: &str) -> Option<usize> {
    const NAMES: [&str; 13] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve",
    ];
    let number = word.parse().ok().or_else(|| NAMES.iter().position(|name| *name == word));
    number.filter(|number| *number > 0)
}

/// A title of at most `limit` words for what `messages` say, oldest first. Never empty; the same messages
/// always give the same title. A limit of 0 counts as 1.
pub(crate) fn title<'a>(messages: impl IntoIterator<Item = &'a str>, limit: usize) -> String {
    let limit = limit.max(1);
    let texts: Vec<String> = messages.into_iter().map(prose).collect();
    let all: Vec<Vec<Clause>> = texts.iter().map(|text| clauses(text)).collect();
    let Some(longest) = all.iter().flatten().max_by_key(|clause| clause.words.len().min(limit)) else {
        return joined(UNTITLED.split(' ').take(limit).map(str::to_owned));
    };
    if texts.iter().find(|text| text.chars().any(char::is_alphanumeric)).is_some_and(|text| is_unspaced(text))
    {
        return unspaced_title(&all, limit);
    }
    // Such as "How are you": better than nothing.
    let fallback = longest.words.iter().take(limit).cloned().collect();
    let topic = Topic::new(all);
    let phrase = Some(topic.best_phrase(limit)).filter(|phrase| !phrase.is_empty());
    title_case(&phrase.unwrap_or(fallback), &topic)
}

/// The first clause that is no greeting.
fn unspaced_title(messages: &[Vec<Clause>], limit: usize) -> String {
    const GREETINGS: [&str; 9] = [
        "こんにちは",
        "こんばんは",
        "おはよう",
        "おはようございます",
        "すみません",
        "你好",
        "您好",
        "請問",
        "สวัสดี",
    ];
    let clauses = || messages.iter().flatten();
    let is_greeting = |clause: &&Clause| matches!(clause.words.as_slice(), [word] if GREETINGS.contains(&word.folded.as_str()));
    let clause = clauses().find(|clause| !is_greeting(clause)).or_else(|| clauses().next());
    let words = clause.map(|clause| clause.words.as_slice()).unwrap_or_default();
    let text = joined(words.iter().take(limit).map(|word| word.text.clone()));
    first_graphemes(&text, MAX_UNSPACED).trim_end().to_owned()
}

fn title_case(words: &[Word], topic: &Topic) -> String {
    let last = words.len().saturating_sub(1);
    joined(words.iter().enumerate().map(|(index, word)| {
        let is_small = matches!(topic.kind(word), Kind::Article | Kind::Connector);
        let text = if is_small && word.folded.chars().count() <= 4 && index != 0 && index != last {
            word.folded.clone()
        } else {
            capitalised(&word.text)
        };
        let cut = first_graphemes(&text, MAX_WORD);
        // Cutting may leave a sign at the end.
        let tidy = cut.trim_end_matches(|letter: char| !letter.is_alphanumeric());
        if cut.len() < text.len() && !tidy.is_empty() { tidy.to_owned() } else { cut.to_owned() }
    }))
}

/// With a capital first letter, also behind hyphens. Words with inner capitals, and names from programs such
/// as `foo_bar` or `node.js`, stay as they are.
fn capitalised(word: &str) -> String {
    let is_name = word.chars().skip(1).any(char::is_uppercase)
        || word.contains(['_', '.', '/', '\\', ':', '@', '$'])
        || word.chars().any(char::is_numeric);
    if is_name {
        return word.to_owned();
    }
    let capital = |part: &str| {
        let mut letters = part.chars();
        let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
        first + letters.as_str()
    };
    word.split('-').map(capital).collect::<Vec<_>>().join("-")
}

fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "title_tests.rs"]
mod tests;

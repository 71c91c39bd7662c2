//! `POST /collections/{id}/search`: plain text search, where the gateway compares vectors.

use super::collection::Permission;
use crate::call::Call;
use crate::fields::Fields;
use crate::path::Param;
use crate::reply::{Failure, Reply};
use crate::sync::lock;
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Assumed, as the range.
const DEFAULT_TOP_K: u64 = 10;
const MAX_TOP_K: u64 = 100;

/// The words of a query that count.
const MAX_WORDS: usize = 64;

pub(crate) async fn search(call: Call, Param(collection): Param<String>, body: Bytes) -> Response {
    call.answer(find(&call, &collection, &body).map(Reply::new))
}

fn find(call: &Call, collection: &str, body: &[u8]) -> Result<Value, Failure> {
    let collections = lock(&call.gateway.collections);
    let collection = collections.find(collection, &call.account.user_id, Permission::Write)?;
    let mut fields = Fields::read(body)?;
    let query = fields.required_text("query");
    let top_k = fields.whole("top_k", 1..=MAX_TOP_K).unwrap_or(DEFAULT_TOP_K);
    let score = |value: Value| value.as_f64().filter(|score| (0.0..=1.0).contains(score));
    let min_score = fields.parsed("min_score", score, "must be a number from 0 to 1").unwrap_or(0.0);
    // The value set is not documented, and all values do the same here.
    fields.filled_text("search_type");
    fields.finish()?;

    let documents = collection.documents.iter();
    let chunks = documents.flat_map(|document| document.chunks().map(move |chunk| (document, chunk)));
    let (documents, chunks): (Vec<_>, Vec<&str>) = chunks.unzip();
    let scores = scores(&query, &chunks);
    let mut hits: Vec<_> = documents.into_iter().zip(chunks).zip(scores).collect();
    hits.retain(|(_, score)| *score > 0.0 && *score >= min_score);
    // Stable: among equals the oldest document and its first chunk win.
    hits.sort_by(|a, b| b.1.total_cmp(&a.1));
    hits.truncate(usize::try_from(top_k).unwrap_or(usize::MAX));
    let result = |((document, chunk), score): (_, f64)| -> Value {
        let document: &super::document::Document = document;
        json!({
            "document_id": document.id(),
            "document_name": document.name,
            "content": chunk,
            "score": score,
        })
    };
    let results: Vec<Value> = hits.into_iter().map(result).collect();
    Ok(json!({"total": results.len(), "results": results}))
}

/// How well each text fits, from 0 to below 1: BM25, divided by what a text could reach at most.
fn scores(query: &str, texts: &[&str]) -> Vec<f64> {
    /// How soon repetitions of a word stop to count.
    const SATURATION: f64 = 0.5;
    /// How much a long text has to have more.
    const LENGTH: f64 = 0.75;

    let mut words: HashMap<String, usize> = HashMap::new();
    for_each_word(query, |word| {
        let next = words.len();
        if next < MAX_WORDS && !words.contains_key(word) {
            words.insert(word.to_owned(), next);
        }
    });
    let counted: Vec<(Vec<u32>, usize)> = texts.iter().map(|text| count(text, &words)).collect();

    let number = counted.len() as f64;
    let mean = counted.iter().map(|(_, length)| *length as f64).sum::<f64>() / number.max(1.0);
    let rarity = |word: usize| {
        let has_word = |(counts, _): &&(Vec<u32>, usize)| counts.get(word).is_some_and(|count| *count > 0);
        let texts = counted.iter().filter(has_word).count() as f64;
        (1.0 + (number - texts + 0.5) / (texts + 0.5)).ln()
    };
    let rarities: Vec<f64> = (0..words.len()).map(rarity).collect();
    let most: f64 = rarities.iter().sum();
    let score = |(counts, length): &(Vec<u32>, usize)| {
        let relative = *length as f64 / mean.max(1.0);
        let damping = SATURATION * (1.0 - LENGTH + LENGTH * relative);
        let part = |(count, rarity): (&u32, &f64)| rarity * f64::from(*count) / (f64::from(*count) + damping);
        let sum: f64 = counts.iter().zip(&rarities).map(part).sum();
        // Six digits, so that the text of a score is the same everywhere.
        if most > 0.0 { (sum / most * 1e6).round() / 1e6 } else { 0.0 }
    };
    counted.iter().map(score).collect()
}

/// How often each word occurs, and how many words there are.
fn count(text: &str, words: &HashMap<String, usize>) -> (Vec<u32>, usize) {
    let mut counts = vec![0_u32; words.len()];
    let mut length = 0;
    for_each_word(text, |word| {
        length += 1;
        if let Some(count) = words.get(word).and_then(|position| counts.get_mut(*position)) {
            *count = count.saturating_add(1);
        }
    });
    (counts, length)
}

/// Runs of letters and digits, in lower case.
fn for_each_word(text: &str, mut take: impl FnMut(&str)) {
    let mut lower = String::new();
    for word in text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
        lower.clear();
        lower.extend(word.chars().flat_map(char::to_lowercase));
        take(&lower);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn better_texts_score_higher() {
        let texts = ["Pasta with eggs and pasta.", "Pasta with cream.", "Rice with eggs.", "Bread."];
        let scores = scores("PASTA, eggs?", &texts);
        assert!(scores[0] > scores[1] && scores[0] > scores[2] && scores[1] > 0.0, "{scores:?}");
        assert_eq!(scores[3], 0.0);
    }

    #[test]
    fn a_rare_word_counts_more() {
        let scores = scores("common rare", &["common a", "common b", "common c", "rare d"]);
        assert!(scores[3] > scores[0]);
    }

    #[test]
    fn nothing_finds_nothing() {
        assert_eq!(scores("", &["a"]), [0.0]);
        assert_eq!(scores("a", &[]), [0.0; 0]);
        assert_eq!(scores("?!", &["a", ""]), [0.0, 0.0]);
    }

    proptest! {
        #[test]
        fn scores_are_from_0_to_1(query in ".{0,40}", texts in prop::collection::vec("[a-c ]{0,40}", 0..6)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            for query in [query.as_str(), "a b c"] {
                prop_assert!(scores(query, &texts).iter().all(|score| (0.0..=1.0).contains(score)));
            }
        }
    }
}

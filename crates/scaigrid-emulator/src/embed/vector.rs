//! A text as a vector: feature hashing, no AI.
//!
//! Each word, without its ending, and each run of three letters in a word is a feature. A feature's hash says
//! which coordinate it adds to, and with which sign. Texts that share words get vectors that point the same way,
//! different forms of a word included; words that mean the same without sharing letters stay apart.

use crate::ids;
use crate::text::Lexicon;
use std::collections::BTreeMap;
use unicode_segmentation::UnicodeSegmentation;

/// Of a word such as "the" or "how", compared to one that carries meaning.
const SMALL_WORD: f64 = 0.1;

/// Of all the runs of letters of a word together, compared to the word.
const PARTS: f64 = 1.0;

/// A vector of length 1.
pub(super) fn of(text: &str, dimensions: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; dimensions];
    let features = features(text);
    for (hash, weight) in &features {
        let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
        if let Some(sum) = sums.get_mut(coordinate(*hash, dimensions)) {
            // A word that comes four times counts twice.
            *sum += sign * weight.sqrt();
        }
    }
    let length = sums.iter().map(|sum| sum * sum).sum::<f64>().sqrt();
    if length < 1e-9 {
        // No words at all, or all of them cancel out, which takes few dimensions.
        if let Some(sum) = sums.get_mut(coordinate(ids::hash([text]), dimensions)) {
            *sum = 1.0;
        }
        return sums.into_iter().map(|sum| sum as f32).collect();
    }
    sums.into_iter().map(|sum| (sum / length) as f32).collect()
}

fn coordinate(hash: u64, dimensions: usize) -> usize {
    // The remainder is below `dimensions`, a usize.
    hash.checked_rem(dimensions as u64).unwrap_or_default() as usize
}

/// The square of what each feature weighs. Sorted, so that sums are always added up in the same order.
fn features(text: &str) -> BTreeMap<u64, f64> {
    let text = text.to_lowercase();
    let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
    for word in text.unicode_words() {
        *counts.entry(word).or_insert(0.0) += 1.0;
    }
    let (_, small_words) = Lexicon::with_small_words(text.unicode_words());
    let mut features = BTreeMap::new();
    for (word, count) in counts {
        let weight = if small_words.contains(word) { SMALL_WORD } else { 1.0 };
        let mut add =
            |hash: u64, share: f64| *features.entry(hash).or_insert(0.0) += count * weight * weight * share;
        let stem = stem(word);
        add(ids::hash(["word", stem]), 1.0);
        let letters: Vec<char> = std::iter::once('^').chain(stem.chars()).chain(['$']).collect();
        let parts = letters.windows(3);
        // Together they are as long as one feature of this weight.
        let share = PARTS * PARTS / parts.len().max(1) as f64;
        for part in parts {
            add(ids::hash(["part", &part.iter().collect::<String>()]), share);
        }
    }
    features
}

/// An English word without its ending: "bakes", "baked", and "baking" are one. Crude, but only used to compare.
fn stem(word: &str) -> &str {
    let word = word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word);
    let Some(cut) = ["ing", "ed", "es", "s", "e"].iter().find_map(|ending| word.strip_suffix(ending)) else {
        return word;
    };
    // "sing", "bed", and "glass" have no ending.
    let too_short = cut.chars().count() < 3 || !cut.contains(['a', 'e', 'i', 'o', 'u', 'y']);
    if too_short || word.ends_with("ss") {
        return word;
    }
    // "running" is "run".
    let mut letters = cut.chars().rev();
    match (letters.next(), letters.next()) {
        (Some(last), Some(before)) if last == before && !"lsaeiou".contains(last) => {
            cut.strip_suffix(last).unwrap_or(cut)
        }
        _ => cut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cosine(a: &str, b: &str, dimensions: usize) -> f64 {
        let (a, b) = (of(a, dimensions), of(b, dimensions));
        a.iter().zip(&b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    }

    #[test]
    fn related_texts_are_nearer_than_unrelated_ones() {
        for (text, related, unrelated) in [
            ("How do I bake bread at home?", "Baking bread in a home oven", "How do I sell my shares?"),
            ("The cat sleeps on the sofa", "Cats sleeping on sofas", "The budget was on the agenda"),
            ("Kündigungsfrist im Mietvertrag", "Mietverträge und ihre Kündigung", "Rezepte für den Sommer"),
            ("東京の観光地", "東京の安い観光", "猫が好き"),
            ("refund for a broken phone", "My phone broke, I want a refund", "opening hours of the museum"),
        ] {
            for dimensions in [256, 768, 1_536, 3_072] {
                let (near, far) = (cosine(text, related, dimensions), cosine(text, unrelated, dimensions));
                assert!(near > 0.3 && near > far + 0.25, "{text}: {near} {far} at {dimensions}");
            }
        }
    }

    #[test]
    fn case_and_punctuation_do_not_matter_and_order_does_not_either() {
        assert!((cosine("Bread, baked!", "BAKED bread", 768) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn endings_go_and_short_words_stay() {
        for (word, expected) in [
            ("baking", "bak"),
            ("baked", "bak"),
            ("bakes", "bak"),
            ("bake", "bak"),
            ("running", "run"),
            ("runs", "run"),
            ("selling", "sell"),
            ("cat's", "cat"),
            ("glass", "glass"),
            ("sing", "sing"),
            ("bed", "bed"),
            ("the", "the"),
            ("木", "木"),
        ] {
            assert_eq!(stem(word), expected, "{word}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gets_a_vector_of_length_one(text in ".{0,60}", dimensions in 1_usize..600) {
            let vector = of(&text, dimensions);
            prop_assert_eq!(vector.len(), dimensions);
            let length: f64 = vector.iter().map(|number| f64::from(*number).powi(2)).sum();
            prop_assert!((length - 1.0).abs() < 1e-5, "{length}");
            prop_assert_eq!(vector, of(&text, dimensions));
        }
    }
}

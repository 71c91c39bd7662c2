//! Speech: a short tone for each word. A word always has the same tone; the voice sets how high it is.

use super::wav::RATE;
use crate::ids;
use std::f64::consts::TAU;

/// A word and the silence after it, in samples, at normal speed: 0.2 seconds.
const WORD: f64 = 1_600.0;

/// Tone, then silence.
const TONE_SHARE: f64 = 0.8;

/// Samples in which a tone begins and ends, so that it does not click.
const FADE: f64 = 60.0;

const LOUDNESS: f64 = 8_000.0;

/// How many bytes each word has.
pub(super) fn word_bytes(speed: f64) -> usize {
    2 * samples(speed)
}

/// At least one: the speed is at most 4.
fn samples(speed: f64) -> usize {
    (WORD / speed).round().max(1.0) as usize
}

/// The samples of one word.
pub(super) fn word(word: &str, voice: &str, speed: f64) -> Vec<u8> {
    let samples = samples(speed);
    let length = samples as f64 * TONE_SHARE;
    let hertz = |hash: u64, lowest: u64, range: u64| (lowest + hash % range) as f64;
    let pitch =
        hertz(ids::hash([voice]), 180, 120) + hertz(ids::hash([word.to_lowercase().as_str()]), 0, 300);
    let sample = |at: usize| {
        let at = at as f64;
        let fade = (at.min(length - at) / FADE).clamp(0.0, 1.0);
        // Rounded, so that every platform makes the same bytes.
        (LOUDNESS * fade * (TAU * pitch * at / f64::from(RATE)).sin()).round() as i16
    };
    (0..samples).flat_map(|at| sample(at).to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_tones_of_their_own() {
        let tone = word("hello", "alloy", 1.0);
        assert_eq!(tone.len(), word_bytes(1.0));
        assert_eq!(tone, word("Hello", "alloy", 1.0));
        assert_ne!(tone, word("world", "alloy", 1.0));
        assert_ne!(tone, word("hello", "nova", 1.0));
        // It begins and ends in silence, and is loud in between.
        let samples: Vec<i16> = tone.chunks(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
        assert_eq!((samples[0], samples[1_599]), (0, 0));
        assert!(samples.iter().any(|sample| *sample > 7_000));
    }

    #[test]
    fn twice_as_fast_is_half_as_long() {
        assert_eq!(word_bytes(2.0) * 2, word_bytes(1.0));
        assert_eq!(word("x", "v", 4.0).len(), 800);
    }
}

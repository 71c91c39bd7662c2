//! A transcript in time: words, segments, and captions.

use serde::Serialize;
use std::fmt::Write;
use unicode_segmentation::UnicodeSegmentation;

/// How long a word takes in audio whose length is not known, in seconds. As long as one that the emulator speaks.
const WORD: f64 = 0.2;

/// A text, and how long it takes to say. Every word takes the same time.
#[derive(Debug)]
pub(super) struct Transcript {
    pub(super) text: String,
    /// In seconds.
    pub(super) duration: f64,
}

/// A sentence. The names are assumed.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Segment {
    id: usize,
    start: f64,
    end: f64,
    text: String,
}

/// The names are assumed.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Word {
    word: String,
    start: f64,
    end: f64,
}

impl Transcript {
    pub(super) fn new(text: String, duration: Option<f64>) -> Self {
        let duration = duration.unwrap_or_else(|| text.split_whitespace().count() as f64 * WORD);
        Self { text, duration: seconds(duration) }
    }

    /// When the word of this number begins, of so many.
    fn time(&self, word: usize, words: usize) -> f64 {
        seconds(self.duration * word as f64 / words.max(1) as f64)
    }

    pub(super) fn words(&self) -> Vec<Word> {
        let words: Vec<&str> = self.text.split_whitespace().collect();
        let timed = |(number, word): (usize, &&str)| Word {
            word: (*word).to_owned(),
            start: self.time(number, words.len()),
            end: self.time(number + 1, words.len()),
        };
        words.iter().enumerate().map(timed).collect()
    }

    pub(super) fn segments(&self) -> Vec<Segment> {
        let sentences: Vec<String> = sentences(&self.text);
        let count = |sentence: &String| sentence.split_whitespace().count();
        let words = sentences.iter().map(count).sum();
        let mut before = 0;
        let mut segments = Vec::with_capacity(sentences.len());
        for (id, text) in sentences.into_iter().enumerate() {
            let after = before + count(&text);
            segments.push(Segment {
                id,
                start: self.time(before, words),
                end: self.time(after, words),
                text,
            });
            before = after;
        }
        segments
    }

    /// SubRip captions.
    pub(super) fn srt(&self) -> String {
        let mut captions = String::new();
        for Segment { id, start, end, text } in self.segments() {
            let (start, end) = (timestamp(start, ','), timestamp(end, ','));
            // Writing to memory does not fail.
            let _ = write!(captions, "{}\n{start} --> {end}\n{text}\n\n", id + 1);
        }
        captions
    }

    /// WebVTT captions.
    pub(super) fn vtt(&self) -> String {
        let mut captions = "WEBVTT\n\n".to_owned();
        for Segment { start, end, text, .. } in self.segments() {
            let (start, end) = (timestamp(start, '.'), timestamp(end, '.'));
            // An arrow or a tag in a text would be read as one.
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let _ = write!(captions, "{start} --> {end}\n{text}\n\n");
        }
        captions
    }
}

/// On one line each. A text without words is one sentence.
fn sentences(text: &str) -> Vec<String> {
    // A line break would end a sentence.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentences: Vec<String> =
        text.unicode_sentences().map(|sentence| sentence.trim().to_owned()).collect();
    if sentences.is_empty() { vec![text] } else { sentences }
}

/// To the millisecond.
fn seconds(exact: f64) -> f64 {
    (exact * 1_000.0).round() / 1_000.0
}

fn timestamp(seconds: f64, point: char) -> String {
    let millis = (seconds * 1_000.0).round().max(0.0) as u64;
    let (whole, millis) = (millis / 1_000, millis % 1_000);
    format!("{:02}:{:02}:{:02}{point}{millis:03}", whole / 3_600, whole / 60 % 60, whole % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn captions_are_the_sentences_in_time() {
        let transcript = Transcript::new("Hello there. How <are>\nyou?".to_owned(), Some(5.0));
        assert_eq!(
            transcript.srt(),
            "1\n00:00:00,000 --> 00:00:02,000\nHello there.\n\n2\n00:00:02,000 --> 00:00:05,000\nHow <are> you?\n\n"
        );
        assert!(transcript.vtt().starts_with("WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nHello there.\n\n"));
        assert!(transcript.vtt().contains("How &lt;are&gt; you?"));
        let words = transcript.words();
        assert_eq!(words.len(), 5);
        assert_eq!(words[1], Word { word: "there.".into(), start: 1.0, end: 2.0 });
    }

    #[test]
    fn without_a_length_each_word_takes_its_time() {
        assert_eq!(Transcript::new("one two three".to_owned(), None).duration, 0.6);
        assert_eq!(timestamp(3_725.25, ','), "01:02:05,250");
    }

    proptest! {
        #[test]
        fn segments_follow_each_other_to_the_end(text in "[a-z.! ]{0,60}", duration in 0.0..9e3_f64) {
            let transcript = Transcript::new(text, Some(duration));
            let segments = transcript.segments();
            let mut end = 0.0;
            for segment in &segments {
                prop_assert_eq!(segment.start, end);
                prop_assert!(segment.end >= segment.start);
                end = segment.end;
            }
            if segments.iter().any(|segment| !segment.text.is_empty()) {
                prop_assert_eq!(end, transcript.duration);
            }
        }
    }
}

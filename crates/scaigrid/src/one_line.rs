//! Text from the network that people and logs may see.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE as BASE64_URL};
use http::HeaderValue;
use std::fmt::{self, Write};
use std::sync::{Arc, OnceLock};

/// Text on one line: no line breaks and no terminal escapes.
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| f.write_char(if c.is_control() { ' ' } else { c }))
    }
}

/// What must not be printed, in each form in which a server may send it back.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<Secret>);

/// One of them. Its forms are made when they are first looked for, and clones share them.
#[derive(Clone)]
pub(crate) struct Secret(Arc<(HeaderValue, OnceLock<Vec<String>>)>);

/// What is shorter is no secret, and would tear holes into the text.
const SHORTEST: usize = 8;

impl Secret {
    /// A value of a header; of a bearer without that word.
    pub(crate) fn of_header(value: &HeaderValue) -> Self {
        Self(Arc::new((value.clone(), OnceLock::new())))
    }

    /// Any text.
    pub(crate) fn of_text(text: &str) -> Self {
        let forms = OnceLock::from(forms(text));
        Self(Arc::new((HeaderValue::from_static(""), forms)))
    }

    /// A quick look: most texts hold no secret. One shows at least its beginning, unless that is escaped.
    pub(crate) fn may_be_in(&self, text: &str) -> bool {
        // Within a character, there is no quick look.
        let shows = |form: &String| form.get(..SHORTEST).is_none_or(|begin| text.contains(begin));
        text.len() >= SHORTEST && (text.contains('%') || self.forms().iter().any(shows))
    }

    /// As it is and in base64; either may be percent-encoded, wholly or in part. None for what is too short.
    fn forms(&self) -> &[String] {
        let (value, texts) = &*self.0;
        texts.get_or_init(|| {
            let value = value.to_str().unwrap_or_default();
            forms(value.strip_prefix("Bearer ").unwrap_or(value))
        })
    }
}

impl Secrets {
    pub(crate) fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self(secrets.into_iter().collect())
    }

    /// Replaces secrets that a server sends back, such as a key quoted in an error message. The beginning of one, where a
    /// text was cut off, is replaced, too.
    pub(crate) fn redact(&self, text: &mut String) {
        if !self.0.iter().any(|secret| secret.may_be_in(text)) {
            return;
        }
        let mut clean = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(next) = rest.chars().next() {
            let found = self.forms().filter_map(|secret| secret_at(rest, secret));
            // A form that holds another counts, so that nothing of it is left over.
            match found.max_by_key(|found| found.length) {
                Some(Found { length, is_cut }) => {
                    clean.push_str(if is_cut { "[redacted]..." } else { "[redacted]" });
                    rest = rest.get(length..).unwrap_or_default();
                }
                None => {
                    clean.push(next);
                    rest = rest.get(next.len_utf8()..).unwrap_or_default();
                }
            }
        }
        *text = clean;
    }

    fn forms(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|secret| secret.forms()).map(String::as_str)
    }
}

/// A secret at the begin of a text: how many bytes of the text it takes.
struct Found {
    length: usize,
    is_cut: bool,
}

fn secret_at(text: &str, secret: &str) -> Option<Found> {
    let mut rest = text.as_bytes();
    let mut known = 0;
    for byte in secret.bytes() {
        match rest {
            [first, behind @ ..] if *first == byte => rest = behind,
            [b'%', behind @ ..] => match escaped(behind, byte) {
                Some(behind) => rest = behind,
                None => break,
            },
            _ => break,
        }
        known += 1;
    }
    let length = text.len() - rest.len();
    if known == secret.len() {
        return Some(Found { length, is_cut: false });
    }
    // Maybe within an escape, and with dots that say so.
    let shown = rest.strip_suffix(b"...").unwrap_or(rest);
    let is_at_end = shown.is_empty() || (shown.len() < 3 && shown.starts_with(b"%"));
    (known >= SHORTEST && is_at_end).then_some(Found { length: text.len(), is_cut: true })
}

/// What is behind an escape that stands for `byte`, however often it was escaped: `%2F`, `%252F`.
fn escaped(behind_percent: &[u8], byte: u8) -> Option<&[u8]> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut rest = behind_percent;
    loop {
        let [high, low, behind @ ..] = rest else { return None };
        if digit(*high)? * 16 + digit(*low)? == u32::from(byte) {
            return Some(behind);
        }
        rest = rest.strip_prefix(b"25")?;
    }
}

fn forms(secret: &str) -> Vec<String> {
    if secret.len() < SHORTEST {
        return Vec::new();
    }
    let mut forms = vec![secret.to_owned()];
    for skipped in 0..3 {
        // Wherever it stands in what was encoded: the characters that depend on the bytes around it are left out.
        let padded = [vec![0; skipped], secret.as_bytes().to_vec()].concat();
        let (first, end) = ((skipped * 8).div_ceil(6), padded.len() * 8 / 6);
        for engine in [&BASE64, &BASE64_URL] {
            forms.extend(engine.encode(&padded).get(first..end).map(str::to_owned));
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sgk_test/key+with=odd~signs";

    fn redacted(text: &str) -> String {
        let mut text = text.to_owned();
        Secrets::new([KEY, "short"].map(Secret::of_text)).redact(&mut text);
        text
    }

    #[test]
    fn a_secret_need_not_be_ascii() {
        for secret in ["passworö!ter", "\u{1F511}\u{1F511}\u{1F511}", "pässwörter"] {
            let mut text = format!("no such secret: {secret}, sorry");
            Secrets::new([Secret::of_text(secret)]).redact(&mut text);
            assert_eq!(text, "no such secret: [redacted], sorry");
        }
    }

    #[test]
    fn a_secret_is_replaced_in_every_form() {
        assert_eq!(redacted("a short text"), "a short text");
        assert_eq!(redacted(&format!("key {KEY}, again {KEY}")), "key [redacted], again [redacted]");
        for cut in ["sgk_test/key+wi...", "sgk_test/key+wi", "sgk_test%2Fkey%2", "sgk_test%2Fkey%..."] {
            assert_eq!(redacted(&format!("cut: {cut}")), "cut: [redacted]...");
        }
        assert_eq!(redacted("\u{fc}sgk_test is no key"), "\u{fc}sgk_test is no key");
        for encoded in ["sgk_test%2Fkey%2Bwith%3Dodd~signs", "sgk%5ftest%2fkey%252bwith%25253dodd%7esigns"] {
            assert_eq!(redacted(&format!("?key={encoded}&x")), "?key=[redacted]&x");
        }
        for before in ["", "B", "Be", "Bearer ", "user:"] {
            for after in ["", "@", "@@"] {
                let base64 = BASE64.encode(format!("{before}{KEY}{after}"));
                let left = redacted(&format!("<{base64}>"));
                assert!(left.contains("[redacted]") && left.len() < 32, "{left}");
            }
        }
    }
}

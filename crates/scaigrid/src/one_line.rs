//! Text from the network that people and logs may see.

use std::fmt::{self, Write};

/// Text on one line: no line breaks and no terminal escapes.
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| f.write_char(if c.is_control() { ' ' } else { c }))
    }
}

/// Replaces secrets that a server sends back, such as a key quoted in an error message.
pub(crate) fn redact(text: &mut String, secrets: &[&str]) {
    // What is shorter is no secret, and would tear holes into the text.
    const SHORTEST: usize = 8;
    for secret in secrets.iter().filter(|secret| secret.len() >= SHORTEST) {
        if text.contains(secret) {
            *text = text.replace(secret, "[redacted]");
        }
        // The beginning of one, where a text was cut off.
        let end = text.trim_end_matches('.');
        let cut = (SHORTEST..secret.len()).rev().filter_map(|length| secret.get(..length));
        let rest = cut.into_iter().find_map(|beginning| end.strip_suffix(beginning));
        if let Some(rest) = rest.map(str::len) {
            text.truncate(rest);
            text.push_str("[redacted]...");
        }
    }
}

//! The emulator's token rule.

/// Counts tokens by the emulator's rule: a token is a run of letters or digits, or one other character that is
/// not white space.
///
/// Real models count otherwise. The rule is simple on purpose, so that tests can predict `usage`:
/// `prompt_tokens` is the sum over the texts of all messages, where a part that is not text counts 1, and
/// `completion_tokens` is the count of the answer, or of the name and arguments of a tool call.
///
/// ```
/// use scaigrid_emulator::count_tokens;
///
/// assert_eq!(count_tokens("What's a good recipe?"), 7); // What ' s a good recipe ?
/// assert_eq!(count_tokens(" \n"), 0);
/// ```
pub fn count_tokens(text: &str) -> u64 {
    token_ends(text).map(|_| 1).sum()
}

/// The text up to and including its first `limit` tokens; all of it, with its trailing white space, when it has
/// no more.
pub(crate) fn first_tokens(text: &str, limit: u64) -> &str {
    let mut ends = token_ends(text);
    let Ok(limit) = usize::try_from(limit) else { return text };
    let Some(last) = limit.checked_sub(1) else { return "" };
    match (ends.nth(last), ends.next()) {
        (Some(end), Some(_)) => text.get(..end).unwrap_or(text),
        _ => text,
    }
}

/// The text in pieces of `tokens` tokens, at least one, each with its leading white space; white space at the
/// end belongs to the last piece. Nothing for an empty text.
pub(crate) fn pieces(text: String, tokens: u64) -> impl Iterator<Item = String> {
    let mut begin = 0;
    std::iter::from_fn(move || {
        let rest = text.get(begin..).filter(|rest| !rest.is_empty())?;
        let piece = first_tokens(rest, tokens.max(1));
        begin += piece.len();
        Some(piece.to_owned())
    })
}

/// Where each token ends, in bytes.
fn token_ends(text: &str) -> impl Iterator<Item = usize> + '_ {
    let mut letters = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, first) = letters.find(|(_, letter)| !letter.is_whitespace())?;
        let mut end = start + first.len_utf8();
        if first.is_alphanumeric() {
            while let Some((at, letter)) = letters.next_if(|(_, letter)| letter.is_alphanumeric()) {
                end = at + letter.len_utf8();
            }
        }
        Some(end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn runs_of_letters_and_single_signs_count() {
        for (text, count) in [
            ("", 0),
            ("Hello, world!", 4),
            ("a1b2", 1),
            ("a_b", 3),
            ("3.14", 3),
            ("Steuererklärung 2024", 2),
            ("東京タワー", 1),
            ("🎉🎉", 2),
            ("  spaced \t out ", 2),
        ] {
            assert_eq!(count_tokens(text), count, "{text}");
        }
    }

    #[test]
    fn texts_are_cut_behind_a_token() {
        assert_eq!(first_tokens("one two, three", 2), "one two");
        assert_eq!(first_tokens("one two, three", 3), "one two,");
        assert_eq!(first_tokens("one two ", 2), "one two ");
        assert_eq!(first_tokens("one", 0), "");
        assert_eq!(first_tokens("one", u64::MAX), "one");
    }

    proptest! {
        #[test]
        fn a_cut_text_is_a_prefix_within_the_limit(text in ".{0,80}", limit in 0_u64..20) {
            let cut = first_tokens(&text, limit);
            prop_assert!(text.starts_with(cut));
            prop_assert_eq!(count_tokens(cut), count_tokens(&text).min(limit));
        }

        #[test]
        fn pieces_are_the_text(text in ".{0,80}", tokens in 0_u64..9) {
            let all: Vec<String> = pieces(text.clone(), tokens).collect();
            prop_assert_eq!(all.concat(), text.as_str());
            prop_assert_eq!(all.iter().map(|piece| count_tokens(piece)).sum::<u64>(), count_tokens(&text));
            let (_, whole) = all.split_last().map_or((None, &[][..]), |(last, whole)| (Some(last), whole));
            prop_assert!(whole.iter().all(|piece| count_tokens(piece) == tokens.max(1)));
        }

        #[test]
        fn tokens_add_up_across_white_space(a in ".{0,40}", b in ".{0,40}") {
            prop_assert_eq!(count_tokens(&format!("{a} {b}")), count_tokens(&a) + count_tokens(&b));
        }
    }
}

//! Cuts text into clauses, and clauses into words.

/// A part of a sentence: words without punctuation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clause {
    pub(crate) words: Vec<Word>,
    /// It ends with a question mark.
    pub(crate) is_question: bool,
}

/// A word as written, and in lower case with plain apostrophes for comparing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) folded: String,
}

impl Word {
    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), folded: text.to_lowercase().replace('’', "'") }
    }
}

/// Text that is taken into account, in clauses and in words of a clause; more says no more about the topic.
const MAX_CLAUSES: usize = 500;
const MAX_WORDS: usize = 200;

/// The clauses that have words, in order. Addresses of web pages are left out.
pub(crate) fn clauses(text: &str) -> Vec<Clause> {
    let mut clauses = Vec::new();
    let mut clause = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let at_end = letters.peek().is_none_or(|next| next.is_whitespace() || is_quote(*next));
        if !ends_clause(letter, at_end) {
            // Quoted words belong to their sentence, without the quotation marks.
            clause.push(if matches!(letter, '"' | '“' | '”' | '„' | '«' | '»') {
                ' '
            } else {
                letter
            });
            continue;
        }
        push_clause(&mut clauses, &clause, matches!(letter, '?' | '？'));
        clause.clear();
        if clauses.len() >= MAX_CLAUSES {
            return clauses;
        }
    }
    push_clause(&mut clauses, &clause, false);
    clauses
}

fn push_clause(clauses: &mut Vec<Clause>, text: &str, is_question: bool) {
    // A shouted text says nothing about which words are names.
    let is_shouted = text.chars().filter(|letter| letter.is_uppercase()).count() >= 8
        && !text.chars().any(char::is_lowercase);
    let words: Vec<Word> =
        text.split_whitespace().filter_map(|word| trimmed(word, is_shouted)).take(MAX_WORDS).collect();
    if !words.is_empty() {
        clauses.push(Clause { words, is_question });
    }
}

/// Signs inside of a word, as in `node.js` or `std::vec`, do not end a clause.
fn ends_clause(letter: char, before_space: bool) -> bool {
    match letter {
        '.' | ',' | ':' | '!' | '?' => before_space,
        '\n' | ';' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '=' => true,
        '—' | '–' | '…' | '。' | '、' | '，' | '！' | '？' | '；' | '：' | '「' | '」' | '।' | '؟' | '،' => {
            true
        }
        _ => false,
    }
}

fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '\'' | '”' | '’' | '»' | ')' | '*' | '`')
}

/// The word without signs at its ends, except those of `C++` and `C#`. `None` when nothing is left.
fn trimmed(word: &str, is_shouted: bool) -> Option<Word> {
    if word.contains("://") || word.starts_with("www.") {
        return None;
    }
    let word = word.trim_start_matches(|letter: char| !letter.is_alphanumeric());
    let bare = word.trim_end_matches(|letter: char| !letter.is_alphanumeric());
    let tail = word.get(bare.len()..).unwrap_or_default();
    let keeps_tail = ["++", "#"].iter().find(|kept| tail.starts_with(**kept)).map_or(0, |kept| kept.len());
    let word = word.get(..bare.len() + keeps_tail).unwrap_or(bare);
    if word.is_empty() {
        None
    } else if is_shouted {
        Some(Word::new(&word.to_lowercase()))
    } else {
        Some(Word::new(word))
    }
}

/// The text without fenced code blocks; with them when the rest has less than three words.
pub(crate) fn prose(text: &str) -> String {
    let mut outside = String::new();
    let mut all = String::new();
    for (index, part) in text.split("```").enumerate() {
        if index % 2 == 0 {
            outside.push_str(part);
            outside.push('\n');
            all.push_str(part);
        } else {
            // The rest of the line of the fence names the language.
            all.push('\n');
            all.push_str(part.split_once('\n').map_or(part, |(_, code)| code));
        }
        all.push('\n');
    }
    let has_words = |word: &&str| word.chars().any(char::is_alphanumeric);
    if outside.split_whitespace().filter(has_words).count() < 3 { all } else { outside }
}

/// Whether most letters belong to scripts that are written without spaces.
pub(crate) fn is_unspaced(text: &str) -> bool {
    let (mut unspaced, mut all) = (0_usize, 0_usize);
    for letter in text.chars().filter(|letter| letter.is_alphabetic()).take(2_000) {
        all += 1;
        unspaced += usize::from(matches!(letter,
            '\u{0E00}'..='\u{0EFF}' // Thai, Lao
            | '\u{1000}'..='\u{109F}' // Myanmar
            | '\u{1780}'..='\u{17FF}' // Khmer
            | '\u{3040}'..='\u{30FF}' // Hiragana, Katakana
            | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' // Han
            | '\u{FF66}'..='\u{FF9F}' // Katakana of half width
            | '\u{20000}'..='\u{2FA1F}')); // Han
    }
    unspaced * 2 > all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let words = |clause: Clause| clause.words.into_iter().map(|word| word.text).collect::<Vec<_>>();
        clauses(text).into_iter().map(|clause| words(clause).join(" ")).collect()
    }

    #[test]
    fn punctuation_ends_clauses_but_not_inside_of_words() {
        assert_eq!(words("Hey, what's new in node.js 3.5?"), ["Hey", "what's new in node.js 3.5"]);
        assert_eq!(
            words("(see std::vec) \"quoted.\" *bold* `code`"),
            ["see std::vec", "quoted", "bold code"]
        );
        assert_eq!(words("C++, C# and #tags... https://x.org/a?b"), ["C++", "C# and tags"]);
        assert_eq!(words("価格は、いくらですか？"), ["価格は", "いくらですか"]);
        assert_eq!(words("?! — 🎉"), Vec::<String>::new());
        assert!(clauses("a? b").first().unwrap().is_question);
    }

    #[test]
    fn shouting_is_lowered_and_acronyms_are_kept() {
        assert_eq!(words("HELP FIX MY CAR!!! USE HTTP now"), ["help fix my car", "USE HTTP now"]);
    }

    #[test]
    fn code_blocks_are_left_out_when_there_is_prose() {
        let code = "```rs\nfn a() {}\n```";
        assert_eq!(prose(&format!("please fix this\n{code}\nthanks")).trim(), "please fix this\n\n\nthanks");
        assert_eq!(prose(code).trim(), "fn a() {}");
        assert_eq!(prose(&format!("fix:{code}")).trim(), "fix:\n\nfn a() {}");
    }

    #[test]
    fn scripts_without_spaces_are_known() {
        assert!(is_unspaced("東京の天気は？") && is_unspaced("สวัสดี") && is_unspaced("Rustの使い方について"));
        assert!(
            !is_unspaced("hello") && !is_unspaced("안녕하세요") && !is_unspaced("") && !is_unspaced("🎉")
        );
    }
}

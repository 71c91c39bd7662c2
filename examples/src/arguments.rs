//! Command lines.
#![allow(clippy::print_stderr, reason = "command-line programs talk to people on stderr")]

use crate::Stop;
use lexopt::{Arg, Parser};
use std::error::Error;
use std::io::{IsTerminal, Read};
use std::str::FromStr;

/// The question that is titled when none is given.
const DEFAULT_SNIPPET: &str = "Hey, what's a good recipe for carbonara?";

/// A command line, read by its own usage line, so that the two agree.
#[derive(Debug)]
pub struct Options {
    given: Vec<(String, Option<String>)>,
    /// What is no option, in order.
    pub texts: Vec<String>,
}

impl Options {
    /// Reads the command line. `usage` is what people are shown, such as `speak [--out FILE] [--loud] [TEXT]...`: a word
    /// behind an option says that it takes a value, and `[TEXT]` without dots stands for one text.
    ///
    /// # Errors
    /// What `usage` does not name; a `--help`.
    pub fn read(usage: &'static str) -> Result<Self, Stop> {
        Self::parse(Parser::from_env(), usage)
    }

    fn parse(mut parser: Parser, usage: &'static str) -> Result<Self, Stop> {
        let wrong = |what: String| Stop::Wrong(format!("{what}; usage: {usage}"));
        let malformed = |error: lexopt::Error| wrong(error.to_string());
        let (mut given, mut texts) = (Vec::new(), Vec::new());
        while let Some(argument) = parser.next().map_err(malformed)? {
            match argument {
                Arg::Value(text) => texts.push(text.into_string().map_err(|text| malformed(text.into()))?),
                Arg::Long("help") | Arg::Short('h') => return Err(Stop::Help(usage)),
                Arg::Long(name) => {
                    let name = name.to_owned();
                    let value = match takes_value(usage, &name) {
                        Some(true) => {
                            let value = parser.value().map_err(malformed)?;
                            Some(value.into_string().map_err(|text| malformed(text.into()))?)
                        }
                        Some(false) => None,
                        None => return Err(wrong(format!("unknown option --{name}"))),
                    };
                    given.push((name, value));
                }
                Arg::Short(letter) => return Err(wrong(format!("unknown option -{letter}"))),
            }
        }
        match texts.get(most_texts(usage)) {
            Some(text) => Err(wrong(format!("there is no place for {text:?}"))),
            None => Ok(Self { given, texts }),
        }
    }

    /// Whether an option is there.
    pub fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| given == name)
    }

    /// The value of an option; the last one when it is there several times.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.given.iter().rev().find(|(given, _)| given == name)?.1.as_deref()
    }

    /// The value of an option as a number, else `default`.
    ///
    /// # Errors
    /// When it is no number.
    pub fn number<N: FromStr>(&self, name: &str, default: N) -> Result<N, Stop> {
        let Some(value) = self.value(name) else { return Ok(default) };
        value.parse().map_err(|_| Stop::Wrong(format!("--{name} needs a number, not {value:?}")))
    }

    /// The only text, if there is one.
    pub fn text(&self) -> Option<&str> {
        self.texts.first().map(String::as_str)
    }
}

/// Whether an option of the usage line takes a value. `None` when it is not there.
fn takes_value(usage: &str, name: &str) -> Option<bool> {
    usage.split_whitespace().find_map(|word| match word.strip_prefix("[--")? {
        flag if flag.strip_suffix(']') == Some(name) => Some(false),
        option if option == name => Some(true),
        _ => None,
    })
}

fn most_texts(usage: &str) -> usize {
    let texts = usage.split_whitespace().filter(|word| word.starts_with('[') && !word.starts_with("[--"));
    texts.map(|word| if word.ends_with("]...") { usize::MAX } else { 1 }).fold(0, usize::saturating_add)
}

/// What stands on standard input. `None` when that is a terminal, or blank.
///
/// # Errors
/// When it is not text.
pub fn standard_input() -> Result<Option<String>, Box<dyn Error>> {
    if std::io::stdin().is_terminal() {
        return Ok(None);
    }
    eprintln!("reading standard input");
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}

/// The arguments of the title generators and of the streams.
#[derive(Debug)]
pub struct Arguments {
    /// Conversation snippets, each to be titled.
    pub snippets: Vec<String>,
    /// Whether the embedded emulator fails twice first, to show the retries.
    pub fail_twice: bool,
}

impl Arguments {
    /// Reads `[--fail-twice] [SNIPPET]...`. Without a snippet, standard input is one, and without that the default.
    ///
    /// # Errors
    /// An unknown option, or standard input that is not text.
    pub fn read() -> Result<Self, Box<dyn Error>> {
        let options = Options::read("[--fail-twice] [SNIPPET]...")?;
        let fail_twice = options.has("fail-twice");
        let mut snippets = options.texts;
        if snippets.is_empty() {
            snippets.extend(standard_input()?.map(|text| text.trim().to_owned()));
        }
        if snippets.is_empty() {
            snippets.push(DEFAULT_SNIPPET.to_owned());
        }
        Ok(Self { snippets, fail_twice })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(usage: &'static str, arguments: &[&str]) -> Result<Options, Stop> {
        Options::parse(Parser::from_args(arguments), usage)
    }

    #[test]
    fn the_usage_line_says_what_may_be_given() {
        let usage = "speak [--out FILE] [--loud] [TEXT]...";
        let options = parse(usage, &["a", "--out", "x", "--loud", "b", "--out=y", "--", "--c"]).unwrap();
        assert_eq!(options.texts, ["a", "b", "--c"]);
        assert_eq!((options.value("out"), options.has("loud"), options.has("out")), (Some("y"), true, true));
        assert_eq!((options.value("loud"), options.value("other"), options.text()), (None, None, Some("a")));
        for (arguments, part) in [
            (&["--wide"][..], "unknown option --wide; usage: speak [--out"),
            (&["--ou"], "unknown option --ou"),
            (&["-x"], "unknown option -x"),
            (&["--out"], "missing argument for option '--out'"),
            (&["--loud=1"], "--loud"),
        ] {
            let error = parse(usage, arguments).unwrap_err();
            assert!(matches!(error, Stop::Wrong(_)) && error.to_string().contains(part), "{error}");
        }
        assert!(matches!(parse(usage, &["--help"]), Err(Stop::Help(shown)) if shown == usage));
    }

    #[test]
    fn a_text_without_dots_stands_for_one() {
        assert_eq!(parse("p [FILE]", &["a"]).unwrap().texts, ["a"]);
        assert!(parse("p [FILE]", &["a", "b"]).unwrap_err().to_string().contains("no place for \"b\""));
        assert!(parse("p [--once]", &["a"]).is_err());
    }
}

//! The input file: one call on each line.

use crate::fields::{Fields, into_object};
use scaigrid_types::FieldError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// The largest file, in bytes. Documented for inline files: "under 10 MB". That these are binary megabytes, and
/// that it holds for URLs too, is assumed.
pub(super) const MAX_BYTES: usize = 10 * 1024 * 1024;

/// The most lines of a job. Assumed: the documentation names no limit.
const MAX_LINES: usize = 10_000;

/// The most problems that are reported.
const MAX_PROBLEMS: usize = 100;

/// One call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) custom_id: String,
    pub(super) url: String,
    pub(super) body: Map<String, Value>,
}

/// The calls of a file, or everything that is wrong with it. `field` is where the file came from; a problem of a
/// line is named `lines[3].custom_id` or the like, with lines counted from 1 as in an editor. Blank lines are skipped.
pub(super) fn read(file: &[u8], field: &str) -> Result<Vec<Line>, Vec<FieldError>> {
    let whole = |message: String| vec![FieldError::new(field, message)];
    let text = std::str::from_utf8(file).map_err(|error| {
        let line = file.iter().take(error.valid_up_to()).filter(|byte| **byte == b'\n').count() + 1;
        whole(format!("line {line} is not UTF-8"))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = Vec::new();
    let mut problems = Vec::new();
    let mut ids = HashSet::new();
    for (number, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        if lines.len() >= MAX_LINES {
            return Err(whole(format!("must have at most {MAX_LINES} lines")));
        }
        match read_line(text, number) {
            Ok(line) if !ids.insert(line.custom_id.clone()) => {
                let message = format!("line {number}: is the `custom_id` of an earlier line too");
                problems.push(FieldError::new(format!("lines[{number}].custom_id"), message));
            }
            Ok(line) => lines.push(line),
            Err(of_line) => problems.extend(of_line),
        }
        if problems.len() >= MAX_PROBLEMS {
            problems.push(FieldError::new(field, format!("has more problems from line {number} on")));
            break;
        }
    }
    match (problems.is_empty(), lines.is_empty()) {
        (true, false) => Ok(lines),
        (true, true) => Err(whole("has no lines".to_owned())),
        (false, _) => Err(problems),
    }
}

fn read_line(text: &str, number: usize) -> Result<Line, Vec<FieldError>> {
    let path = format!("lines[{number}]");
    let problem = |message: String| vec![FieldError::new(&path, format!("line {number}: {message}"))];
    let mut fields = Fields::of(text.as_bytes()).map_err(problem)?;
    let custom_id = fields.required_text("custom_id");
    if fields.take("method") != Some("POST".into()) {
        fields.problem("method", "must be POST");
    }
    let url = fields.required_text("url");
    let body = fields.required("body", into_object, "must be an object").unwrap_or_default();
    let problems = fields.into_problems();
    if problems.is_empty() {
        return Ok(Line { custom_id, url, body });
    }
    let located = |problem: FieldError| {
        FieldError::new(format!("{path}.{}", problem.field), format!("line {number}: {}", problem.message))
    };
    Err(problems.into_iter().map(located).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(id: &str) -> String {
        format!(r#"{{"custom_id":"{id}","method":"POST","url":"/v1/inference/chat","body":{{}}}}"#)
    }

    fn problems(file: &[u8]) -> Vec<(String, String)> {
        let problems = read(file, "input_file_base64").unwrap_err();
        problems.into_iter().map(|problem| (problem.field, problem.message)).collect()
    }

    #[test]
    fn lines_end_in_any_way_and_blank_ones_do_not_count() {
        let file = format!("\u{feff}{}\r\n\n  \n{}", line("a"), line("b"));
        let lines = read(file.as_bytes(), "f").unwrap();
        assert_eq!(lines.iter().map(|line| line.custom_id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(lines[0].url, "/v1/inference/chat");
    }

    #[test]
    fn problems_name_the_line() {
        let file = format!(
            "{}\nnot json\n[]\n{}\n{{\"custom_id\":1,\"method\":\"GET\",\"body\":[]}}\n{{\"method\":2}}",
            line("a"),
            line("a")
        );
        let problems = problems(file.as_bytes());
        let fields: Vec<&str> = problems.iter().map(|(field, _)| field.as_str()).collect();
        let expected = [
            "lines[2]",
            "lines[3]",
            "lines[4].custom_id",
            "lines[5].custom_id",
            "lines[5].method",
            "lines[5].url",
            "lines[5].body",
            "lines[6].custom_id",
            "lines[6].method",
            "lines[6].url",
            "lines[6].body",
        ];
        assert_eq!(fields, expected);
        assert!(problems[0].1.starts_with("line 2: is not JSON"));
    }

    #[test]
    fn whole_files_can_be_wrong() {
        assert_eq!(problems(b"\n \n")[0].1, "has no lines");
        assert_eq!(problems(b"{}\n\xff")[0].1, "line 2 is not UTF-8");
        let many: String = (0..=MAX_LINES).map(|number| line(&number.to_string()) + "\n").collect();
        assert_eq!(problems(many.as_bytes())[0].1, "must have at most 10000 lines");
        let broken = "x\n".repeat(500);
        assert_eq!(problems(broken.as_bytes()).len(), MAX_PROBLEMS + 1);
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(file in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = read(&file, "f");
        }
    }
}

//! The body of a submission.

use super::fetch;
use super::input;
use super::job::{CompletionWindow, Order, Source};
use crate::fields::Fields;
use crate::reply::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use scaigrid_types::FieldError;
use serde_json::Value;

pub(super) const BASE64: &str = "input_file_base64";
pub(super) const URL: &str = "input_file_url";

/// Reads a submission. An inline file is read to its last line; one behind a URL is fetched later.
pub(super) fn read(body: &[u8]) -> Result<Order, Failure> {
    let mut fields = Fields::read(body)?;
    match (fields.has(URL), fields.has(BASE64)) {
        (false, false) => fields.problem("body", format!("must have exactly one of {URL} and {BASE64}")),
        (true, true) => fields.problem("body", format!("must have only one of {URL} and {BASE64}")),
        _ => {}
    }
    let url = fields.text(URL);
    if let Some(Err(problem)) = url.as_deref().map(fetch::target) {
        fields.problem(URL, problem);
    }
    let inline = fields.text(BASE64);
    let window = |value: Value| value.as_str().and_then(CompletionWindow::named);
    let window = fields.parsed("endpoint_completion_window", window, "must be one of 24h, 4h, 1h");
    let metadata = fields.object("metadata");
    let mut problems = fields.into_problems();
    let mut source = Source::Url(url.unwrap_or_default());
    if let Some(text) = inline {
        match lines(&text) {
            Ok(lines) => source = lines,
            Err(of_file) => problems.extend(of_file),
        }
    }
    if !problems.is_empty() {
        return Err(Failure::invalid(&problems));
    }
    Ok(Order { source, window: window.unwrap_or_default(), metadata })
}

fn lines(text: &str) -> Result<Source, Vec<FieldError>> {
    let problem = |message: String| vec![FieldError::new(BASE64, message)];
    let file = STANDARD.decode(text).map_err(|error| problem(format!("is not base64: {error}")))?;
    if file.len() > input::MAX_BYTES {
        return Err(problem("must be under 10 MB".to_owned()));
    }
    input::read(&file, BASE64).map(|lines| Source::Lines(lines.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(body: Value) -> String {
        format!("{:?}", read(body.to_string().as_bytes()).unwrap_err())
    }

    #[test]
    fn exactly_one_source_is_needed() {
        let line = r#"{"custom_id":"a","method":"POST","url":"/v1/inference/chat","body":{}}"#;
        let inline = STANDARD.encode(line);
        let order = read(json!({BASE64: inline}).to_string().as_bytes()).unwrap();
        assert!(matches!(order.source, Source::Lines(lines) if lines.len() == 1));
        let url = "http://127.0.0.1:1/f";
        let order = read(json!({URL: url, "endpoint_completion_window": "1h"}).to_string().as_bytes());
        assert!(matches!(order.unwrap().source, Source::Url(text) if text == url));
        assert!(problems(json!({})).contains("exactly one"));
        assert!(problems(json!({URL: url, BASE64: inline})).contains("only one"));
    }

    #[test]
    fn files_can_be_too_large_or_no_base64() {
        assert!(problems(json!({BASE64: "%"})).contains("is not base64"));
        let large = STANDARD.encode(vec![b'\n'; input::MAX_BYTES + 1]);
        assert!(problems(json!({BASE64: large})).contains("under 10 MB"));
        let all = problems(json!({BASE64: 1, "metadata": [], "endpoint_completion_window": "2h"}));
        for field in [BASE64, "metadata", "endpoint_completion_window"] {
            assert!(all.contains(field), "{field}");
        }
    }
}

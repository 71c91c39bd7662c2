//! Downloads: rows as CSV, JSON, or lines of JSON, made while they are sent, without an envelope.

use crate::ids::RequestId;
use crate::query::Parameters;
use crate::reply;
use axum::body::{Body, HttpBody};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_DISPOSITION;
use axum::response::Response;
use bytes::Bytes;
use http_body::Frame;
use serde_json::Value;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Rows in each write.
const ROWS: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Json,
    Ndjson,
}

impl Format {
    /// Reads `format`. Assumed: CSV is the default, and the letters may be large, as one page writes them.
    pub(crate) fn read(query: &mut Parameters) -> Self {
        let parse = |text: &str| match text.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "ndjson" => Some(Self::Ndjson),
            _ => None,
        };
        query.parsed("format", parse, "must be one of csv, json, ndjson").unwrap_or(Self::Csv)
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Csv => ("csv", "text/csv; charset=utf-8"),
            Self::Json => ("json", "application/json"),
            Self::Ndjson => ("ndjson", "application/x-ndjson"),
        }
    }
}

/// The download. Each row is an object; CSV has these columns of it. `name` is that of the file (assumed).
pub(crate) fn respond(
    id: &RequestId,
    name: &str,
    format: Format,
    columns: &'static [&'static str],
    rows: impl Iterator<Item = Value> + Send + 'static,
) -> Response {
    let (extension, content_type) = format.names();
    let body = Body::new(Pieces(Box::new(pieces(format, columns, rows))));
    let mut response = reply::raw(id, content_type, body);
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.{extension}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    response
}

fn pieces(
    format: Format,
    columns: &'static [&'static str],
    mut rows: impl Iterator<Item = Value>,
) -> impl Iterator<Item = Bytes> {
    let head = match format {
        Format::Csv => csv([columns.iter().map(|column| (*column).to_owned()).collect()]),
        Format::Json => vec![b'['],
        Format::Ndjson => Vec::new(),
    };
    let mut is_first = true;
    let body = std::iter::from_fn(move || {
        let rows: Vec<Value> = rows.by_ref().take(ROWS).collect();
        if rows.is_empty() {
            return None;
        }
        let row = |row: Value| columns.iter().map(|column| cell(row.get(*column))).collect();
        Some(match format {
            Format::Csv => csv(rows.into_iter().map(row)),
            Format::Json | Format::Ndjson => {
                let (between, end) = if format == Format::Json { (",", "") } else { ("", "\n") };
                let mut text = String::new();
                for row in rows {
                    let between = if std::mem::take(&mut is_first) { "" } else { between };
                    text.extend([between, &row.to_string(), end]);
                }
                text.into_bytes()
            }
        })
    });
    let tail = if format == Format::Json { vec![b']'] } else { Vec::new() };
    // An empty frame would not be written.
    let parts = std::iter::once(head).chain(body).chain([tail]).filter(|part| !part.is_empty());
    parts.map(Bytes::from)
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn csv(rows: impl IntoIterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        // Writing to memory does not fail, and all rows have as many cells.
        let _ = writer.write_record(row);
    }
    writer.into_inner().unwrap_or_default()
}

/// A body without a length that is known before.
struct Pieces(Box<dyn Iterator<Item = Bytes> + Send>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(format: Format, rows: usize) -> String {
        let rows = (0..rows).map(|number| json!({"n": number, "t": "a \"b\",\nc", "x": null}));
        let pieces = pieces(format, &["n", "t", "x", "y"], rows);
        String::from_utf8(pieces.flatten().collect()).unwrap()
    }

    #[test]
    fn each_format_is_whole_also_without_rows() {
        assert_eq!(text(Format::Csv, 0), "n,t,x,y\n");
        assert_eq!(text(Format::Json, 0), "[]");
        assert_eq!(text(Format::Ndjson, 0), "");
        assert_eq!(text(Format::Csv, 1), "n,t,x,y\n0,\"a \"\"b\"\",\nc\",,\n");
    }

    #[test]
    fn rows_of_several_pieces_are_joined() {
        let count = 2 * ROWS + 1;
        let json: Vec<Value> = serde_json::from_str(&text(Format::Json, count)).unwrap();
        assert_eq!((json.len(), &json[count - 1]["n"]), (count, &json!(count - 1)));
        let lines = text(Format::Ndjson, count);
        assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
        assert_eq!(lines.lines().count(), count);
    }
}

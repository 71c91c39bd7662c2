//! What a scripted gateway does with one request.

use crate::ErrorCode;
use bytes::Bytes;
use scaigrid_transport::TransportErrorKind;
use serde_json::{Value, json};
use std::time::Duration;

/// What a [`ScriptedTransport`](super::ScriptedTransport) does with one request: an answer with its pace and its end, or
/// a failure.
///
/// ```
/// use scaigrid::testing::Answer;
/// use scaigrid::transport::TransportErrorKind;
/// use scaigrid::{ErrorCode, http};
/// use std::time::Duration;
///
/// let refused_twice = Answer::error(ErrorCode::RateLimited).retry_after(Duration::from_secs(3)).times(2);
/// let slow = Answer::chat("Hello").after(Duration::from_secs(61));
/// let cut = Answer::chat("Hello").cut_after(20);
/// let stalled = Answer::chat_stream(["Hel", "lo"]).paced(Duration::from_secs(90));
/// let unreachable = Answer::failure(TransportErrorKind::Connect);
/// let a_page = Answer::new(502, "<html>").header(http::header::CONTENT_TYPE.as_str(), "text/html");
/// ```
#[derive(Clone, Debug)]
#[must_use = "an answer does nothing until it is given to a transport"]
pub struct Answer {
    pub(super) head: Head,
    /// Before the head, or the failure.
    pub(super) after: Duration,
    pub(super) body: Vec<Step>,
    pub(super) times: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Head {
    Answer { status: u16, headers: Vec<(String, String)> },
    Failure(TransportErrorKind),
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Piece(Bytes),
    Pause(Duration),
    Fail(TransportErrorKind),
}

impl Answer {
    /// A status and a body of JSON.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let body = vec![Step::Piece(body.into())];
        Self { head: Head::Answer { status, headers }, after: Duration::ZERO, body, times: 1 }
    }

    /// A success in the gateway's envelope, with the request id `req_test`.
    pub fn data(data: Value) -> Self {
        let envelope = json!({"status": "ok", "data": data, "meta": {"request_id": "req_test"}});
        Self::new(200, envelope.to_string())
    }

    /// A chat completion with this text, and a usage of 1 and 1 tokens.
    pub fn chat(text: impl Into<String>) -> Self {
        Self::data(json!({
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": text.into()},
                "finish_reason": "stop",
            }],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }))
    }

    /// A streamed chat that says these texts, one piece of the body each, and ends with a usage of 1 and 1 tokens.
    pub fn chat_stream<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        let chunk = |delta: Value, finish_reason: Value| {
            let choice = json!({"index": 0, "delta": delta, "finish_reason": finish_reason});
            json!({"id": "chatcmpl_test", "choices": [choice]})
        };
        let texts = texts.into_iter().map(|text| chunk(json!({"content": text.into()}), Value::Null));
        let usage = json!({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2});
        let mut end = chunk(json!({}), json!("stop"));
        end.as_object_mut().map(|end| end.insert("usage".to_owned(), usage));
        let events = texts.chain([end]).map(|chunk| format!("data: {chunk}\n\n"));
        Self::events(events.chain(["data: [DONE]\n\n".to_owned()]))
    }

    /// An event stream, in these pieces.
    pub fn events<B: Into<Bytes>>(pieces: impl IntoIterator<Item = B>) -> Self {
        let body = pieces.into_iter().map(|piece| Step::Piece(piece.into())).collect();
        Self { body, ..Self::new(200, "") }.header("content-type", "text/event-stream")
    }

    /// An error in the gateway's envelope, with the documented status of its code, and the request id `req_test`. An
    /// unknown code comes with status 400.
    pub fn error(code: ErrorCode) -> Self {
        let status = code.http_status().unwrap_or(400);
        let error = json!({"code": code.as_str(), "message": "scripted"});
        let envelope = json!({"status": "error", "error": error, "meta": {"request_id": "req_test"}});
        Self::new(status, envelope.to_string())
    }

    /// No answer. A [kind](TransportErrorKind) that says that the server has not run the request reads nothing of a body
    /// that is read while it is sent.
    pub fn failure(kind: TransportErrorKind) -> Self {
        Self { head: Head::Failure(kind), body: Vec::new(), ..Self::new(0, "") }
    }

    /// Sets the status. A failure has none.
    pub fn status(mut self, new: u16) -> Self {
        if let Head::Answer { status, .. } = &mut self.head {
            *status = new;
        }
        self
    }

    /// Sets a header, in the place of one with the same name. A failure has none.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Head::Answer { headers, .. } = &mut self.head {
            let name = name.into();
            headers.retain(|(existing, _)| !existing.eq_ignore_ascii_case(&name));
            headers.push((name, value.into()));
        }
        self
    }

    /// Sets the header `Retry-After`, in whole seconds, rounded up.
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.header("retry-after", seconds.to_string())
    }

    /// Virtual time until the head, or the failure. Default: none.
    pub fn after(mut self, time: Duration) -> Self {
        self.after = time;
        self
    }

    /// Adds a piece to the body.
    pub fn piece(mut self, piece: impl Into<Bytes>) -> Self {
        self.body.push(Step::Piece(piece.into()));
        self
    }

    /// Adds a silence to the body, in virtual time. What comes next decides whether it was too long.
    pub fn pause(mut self, time: Duration) -> Self {
        self.body.push(Step::Pause(time));
        self
    }

    /// Puts a silence before each piece of the body.
    pub fn paced(mut self, time: Duration) -> Self {
        let with_pause = |step| match step {
            Step::Piece(piece) => vec![Step::Pause(time), Step::Piece(piece)],
            other => vec![other],
        };
        self.body = self.body.into_iter().flat_map(with_pause).collect();
        self
    }

    /// Lets the body come in pieces of this many bytes, at least one.
    pub fn in_pieces_of(mut self, bytes: usize) -> Self {
        let cut = |step| match step {
            Step::Piece(piece) => {
                piece.chunks(bytes.max(1)).map(|part| Step::Piece(piece.slice_ref(part))).collect()
            }
            other => vec![other],
        };
        self.body = self.body.into_iter().flat_map(cut).collect();
        self
    }

    /// Breaks the connection behind this many bytes of the body.
    pub fn cut_after(mut self, bytes: usize) -> Self {
        let mut left = bytes;
        for step in &mut self.body {
            if let Step::Piece(piece) = step {
                piece.truncate(left);
                left -= piece.len();
            }
        }
        self.body.retain(|step| !matches!(step, Step::Piece(piece) if piece.is_empty()));
        self.ends_with(TransportErrorKind::Interrupted)
    }

    /// Lets the body fail behind its pieces instead of ending.
    pub fn ends_with(mut self, failure: TransportErrorKind) -> Self {
        self.body.push(Step::Fail(failure));
        self
    }

    /// Does the same with this many requests. Default: 1.
    pub fn times(mut self, requests: usize) -> Self {
        self.times = requests;
        self
    }
}

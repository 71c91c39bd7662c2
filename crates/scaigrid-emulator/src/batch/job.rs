//! One job, as a plain value. All names and statuses of the job object are assumed: the documentation shows none.

use super::input::Line;
use super::results::{self, LineError, Outcome};
use crate::times::rfc3339;
use bytes::Bytes;
use scaigrid_types::FieldError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Validating,
    InProgress,
    Completed,
    Failed,
    Cancelled,
    Expired,
}

/// How long a job may take. Documented, with the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum CompletionWindow {
    #[default]
    #[serde(rename = "24h")]
    Day,
    #[serde(rename = "4h")]
    FourHours,
    #[serde(rename = "1h")]
    Hour,
}

impl CompletionWindow {
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Day, Self::FourHours, Self::Hour].into_iter().find(|window| window.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::FourHours => "4h",
            Self::Hour => "1h",
        }
    }

    fn millis(self) -> i64 {
        let hours = match self {
            Self::Day => 24,
            Self::FourHours => 4,
            Self::Hour => 1,
        };
        hours * 60 * 60 * 1000
    }
}

/// Where the lines come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Source {
    /// Still to be fetched.
    Url(String),
    Lines(VecDeque<Line>),
}

/// What a client asks for.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) source: Source,
    pub(super) window: CompletionWindow,
    pub(super) metadata: Option<Map<String, Value>>,
}

/// Where the result files are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Files {
    /// Ids of the media store.
    output: Option<String>,
    errors: Option<String>,
}

/// Keeps a result file and returns its id.
pub(super) type Publish<'a> = &'a mut dyn FnMut(Bytes) -> String;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) status: Status,
    window: CompletionWindow,
    metadata: Option<Map<String, Value>>,
    created_ms: i64,
    ended_ms: Option<i64>,
    /// What is still to be done. A line leaves when its result is written, so none is lost between the two.
    source: Source,
    total: u64,
    completed: u64,
    failed: u64,
    /// The result files so far. Empty once they are kept elsewhere.
    output: String,
    errors: String,
    files: Files,
    /// Why it failed.
    problems: Vec<(String, String)>,
}

impl Job {
    pub(super) fn new(id: String, user_id: String, order: Order, now_ms: i64) -> Self {
        let total = match &order.source {
            Source::Url(_) => 0,
            Source::Lines(lines) => lines.len() as u64,
        };
        Self {
            id,
            user_id,
            status: Status::Validating,
            window: order.window,
            metadata: order.metadata,
            created_ms: now_ms,
            ended_ms: None,
            source: order.source,
            total,
            completed: 0,
            failed: 0,
            output: String::new(),
            errors: String::new(),
            files: Files::default(),
            problems: Vec::new(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.ended_ms.is_some()
    }

    /// The URL to fetch the lines from, if that is still to be done.
    pub(super) fn url(&self) -> Option<&str> {
        match &self.source {
            Source::Url(url) if !self.is_over() => Some(url),
            _ => None,
        }
    }

    /// The fetched file is in.
    pub(super) fn fill(&mut self, lines: Vec<Line>) {
        if !self.is_over() {
            self.total = lines.len() as u64;
            self.source = Source::Lines(lines.into());
        }
    }

    /// The file cannot be used.
    pub(super) fn fail(&mut self, problems: Vec<FieldError>, now_ms: i64) {
        if !self.is_over() {
            self.problems = problems.into_iter().map(|problem| (problem.field, problem.message)).collect();
            self.status = Status::Failed;
            self.ended_ms = Some(now_ms);
        }
    }

    /// The line to work on next. When there is none, the job is over.
    pub(super) fn next(&mut self, now_ms: i64, publish: Publish<'_>) -> Option<Line> {
        if self.is_over() {
            return None;
        }
        self.status = Status::InProgress;
        if now_ms.saturating_sub(self.created_ms) >= self.window.millis() {
            self.stop(Status::Expired, now_ms, publish);
            return None;
        }
        let next = match &self.source {
            Source::Lines(lines) => lines.front().cloned(),
            Source::Url(_) => None,
        };
        if next.is_none() {
            self.end(Status::Completed, now_ms, publish);
        }
        next
    }

    /// Writes the result of the line that [`next`](Self::next) gave. Not when the job has ended meanwhile: then
    /// the line has its result already.
    pub(super) fn record(&mut self, outcome: Outcome) {
        if !self.is_over() {
            self.write(outcome);
        }
    }

    /// As [`stop`](Self::stop) with [`Status::Cancelled`]. A job that is over stays as it is (assumed).
    pub(super) fn cancel(&mut self, now_ms: i64, publish: Publish<'_>) {
        if !self.is_over() {
            self.stop(Status::Cancelled, now_ms, publish);
        }
    }

    /// Ends it early. Lines that are left get an error each, so that every line is in the output. The codes are
    /// assumed.
    fn stop(&mut self, status: Status, now_ms: i64, publish: Publish<'_>) {
        let (code, message) = match status {
            Status::Expired => ("BATCH_EXPIRED", "The completion window was over before this line's turn."),
            _ => ("BATCH_CANCELLED", "The batch was cancelled before this line's turn."),
        };
        while matches!(&self.source, Source::Lines(lines) if !lines.is_empty()) {
            self.write(Outcome::Refused(LineError::new(code, message)));
        }
        self.end(status, now_ms, publish);
    }

    fn write(&mut self, outcome: Outcome) {
        let Source::Lines(lines) = &mut self.source else { return };
        let Some(line) = lines.pop_front() else { return };
        let written = results::write(&line.custom_id, outcome, self.output.len());
        self.output.push_str(&written.text);
        if written.failed {
            self.failed += 1;
            self.errors.push_str(&written.text);
        } else {
            self.completed += 1;
        }
    }

    fn end(&mut self, status: Status, now_ms: i64, publish: Publish<'_>) {
        let mut file = |text: &mut String| {
            let text = std::mem::take(text);
            (!text.is_empty()).then(|| publish(Bytes::from(text)))
        };
        self.files = Files { output: file(&mut self.output), errors: file(&mut self.errors) };
        self.status = status;
        self.ended_ms = Some(now_ms);
    }

    /// The job object. `url` gives a URL of a file, if it is still kept.
    pub(super) fn view(&self, url: impl Fn(&str) -> Option<String>) -> Value {
        let file = |id: &Option<String>| id.as_deref().and_then(&url);
        let problem = |(field, message): &(String, String)| json!({"field": field, "message": message});
        json!({
            "id": self.id,
            "object": "batch",
            "status": self.status,
            "endpoint_completion_window": self.window.name(),
            "metadata": self.metadata,
            "request_counts": {"total": self.total, "completed": self.completed, "failed": self.failed},
            "created_at": rfc3339(self.created_ms),
            "expires_at": rfc3339(self.created_ms.saturating_add(self.window.millis())),
            "completed_at": self.ended_ms.map(rfc3339),
            "output_file_url": file(&self.files.output),
            "error_file_url": file(&self.files.errors),
            "errors": self.problems.iter().map(problem).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
#[path = "job_tests.rs"]
mod tests;

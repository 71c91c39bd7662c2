//! Jobs: submit, list, look, cancel.

use super::input::{BatchInput, MAX_INLINE};
use crate::macros::{by_id, endpoint, object, paginated, query, request};
use crate::open_enum::open_enum;
use crate::{Base64, InvalidRequest, Page, RequestBody, SecretUrl, lenient};
use base64::Engine as _;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

open_enum! {
    /// How soon a batch must be done. Documented.
    CompletionWindow {
        /// 24 hours, the default.
        Hours24 = "24h",
        /// 4 hours.
        Hours4 = "4h",
        /// 1 hour.
        Hours1 = "1h",
    }
}

request! {
    /// Submits a batch: `POST /v1/inference/batch`. All fields are documented. Exactly one of the two inputs is required:
    /// use [`inline`](Self::inline) or [`from_url`](Self::from_url).
    ///
    /// ```
    /// use scaigrid_types::{CompletionWindow, SubmitBatch};
    ///
    /// let submit = SubmitBatch::from_url("s3://my-bucket/batch-input.jsonl")
    ///     .endpoint_completion_window(CompletionWindow::Hours4);
    /// # let _ = submit;
    /// ```
    SubmitBatch {
        ;
        /// Where the JSON lines lie: a pre-signed S3 or GCS address, `s3://...`, `scaidrive://...`, or
        /// `scaigrid://file/{file_id}`.
        input_file_url: SecretUrl,
        /// The JSON lines themselves, in base64; under 10 MB.
        input_file_base64: Base64,
        /// How soon it must be done. Default: 24 hours. Jobs that are not done by then fail in part.
        endpoint_completion_window: CompletionWindow,
        /// Free-form facts about the job.
        metadata: Map<String, Value>,
    }
}

impl SubmitBatch {
    /// The lines themselves.
    ///
    /// # Errors
    /// When there is no line, or 10 MB and more of them: store them where the gateway can fetch them, and use
    /// [`from_url`](Self::from_url).
    pub fn inline(input: &BatchInput) -> Result<Self, InvalidRequest> {
        if input.is_empty() {
            return Err(InvalidRequest::new("the batch has no lines: push at least one call"));
        }
        Self::inline_lines(input.as_str())
    }

    /// JSON lines that were made elsewhere.
    ///
    /// # Errors
    /// As [`inline`](Self::inline).
    pub fn inline_lines(lines: &str) -> Result<Self, InvalidRequest> {
        if lines.len() >= MAX_INLINE {
            return Err(InvalidRequest::new(format!(
                "the batch has {} bytes and can be sent inline only below {MAX_INLINE}: store it where the gateway \
                 can fetch it, and submit its address",
                lines.len()
            )));
        }
        Ok(Self::new().input_file_base64(base64::engine::general_purpose::STANDARD.encode(lines)))
    }

    /// Lines that the gateway fetches.
    pub fn from_url(url: impl Into<SecretUrl>) -> Self {
        Self::new().input_file_url(url)
    }
}

endpoint! {
    SubmitBatch => BatchJob, "batch.submit", Post "/v1/inference/batch", data {
        fn body(&self) -> Result<Option<RequestBody>, InvalidRequest> {
            if self.input_file_url.is_some() == self.input_file_base64.is_some() {
                return Err(InvalidRequest::new(
                    "a batch needs exactly one of `input_file_url` and `input_file_base64`",
                ));
            }
            self.json().map(Some)
        }

        /// A pre-signed address is a key.
        fn secrets(&self) -> Vec<&str> {
            let url = self.input_file_url.as_deref();
            url.into_iter().chain(url.and_then(|url| url.split_once('?')).map(|(_, query)| query)).collect()
        }
    }
}

query! {
    /// Lists batches: `GET /v1/inference/batch`. Documented; the parameters are assumed.
    ListBatches {
        /// Most items of one page. Assumed.
        limit: u32,
        /// Where to go on: [`Page::next_cursor`] of the page before. Assumed.
        cursor: String,
    }
}

endpoint! {
    ListBatches => Page<BatchJob>, "batch.list", Get "/v1/inference/batch", page + query
}

paginated!(ListBatches => BatchJob);

by_id! {
    /// How a batch is doing: `GET /v1/inference/batch/{batch_id}`.
    GetBatch(batch_id) => BatchJob, "batch.get", Get "/v1/inference/batch" / batch_id, data
}

by_id! {
    /// Cancels a batch: `POST /v1/inference/batch/{batch_id}/cancel`. The answer's body is assumed.
    CancelBatch(batch_id) => BatchJob, "batch.cancel", Post "/v1/inference/batch" / batch_id / "cancel",
        data or batch_id
}

open_enum! {
    /// Where a batch stands. The names are not documented; OpenAI's are assumed.
    BatchStatus {
        /// The lines are being checked.
        Validating = "validating",
        /// Waits for its turn.
        Queued = "queued",
        /// Lines are being run.
        InProgress = "in_progress",
        /// All lines have run.
        Completed = "completed",
        /// It could not be run.
        Failed = "failed",
        /// It is being cancelled.
        Cancelling = "cancelling",
        /// It was cancelled.
        Cancelled = "cancelled",
        /// The window ended first.
        Expired = "expired",
    }
}

impl BatchStatus {
    /// Whether nothing more will happen: completed, failed, cancelled, or expired. An unknown status counts as going on.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Cancelled | Self::Expired => true,
            // As others spell and call it.
            Self::Other(status) => matches!(status.as_str(), "canceled" | "succeeded" | "done"),
            _ => false,
        }
    }
}

/// A batch. Its form is not documented: all is assumed, and only the id is required.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct BatchJob {
    /// Names the job; from `id`, else from `batch_id`.
    pub id: String,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<BatchStatus>,
    /// Where the results lie; from `output_file_url`, else from `results_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_file_url: Option<SecretUrl>,
    /// Where the failed lines lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_file_url: Option<SecretUrl>,
    /// Where the lines came from, if the server repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_file_url: Option<SecretUrl>,
    /// Why it failed as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<Value>,
    /// How many lines have run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_counts: Option<BatchRequestCounts>,
    /// How soon it must be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_completion_window: Option<CompletionWindow>,
    /// What was submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// When it was submitted.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was done.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// Fields that this version does not know, kept as they came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Serialize for BatchJob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The derived function, which `remote` makes no implementation of.
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for BatchJob {
    /// Two fields have two names each. An alias would refuse a job that has both.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut job = Map::deserialize(deserializer)?;
        for (name, other) in [("id", "batch_id"), ("output_file_url", "results_url")] {
            let is_there = |name: &str| job.get(name).is_some_and(|value| !value.is_null());
            if !is_there(name) && is_there(other) {
                let value = job.remove(other).unwrap_or_default();
                job.insert(name.to_owned(), value);
            }
        }
        Self::deserialize(Value::Object(job)).map_err(D::Error::custom)
    }
}

impl BatchJob {
    /// Whether nothing more will happen: by its status, or because it says when it was done.
    pub fn is_final(&self) -> bool {
        self.status.as_ref().is_some_and(BatchStatus::is_final) || self.completed_at.is_some()
    }

    /// The part of the lines that has run, from 0.0 to 1.0. `None` when the server does not tell.
    pub fn progress(&self) -> Option<f64> {
        let counts = self.request_counts.as_ref()?;
        let total = counts.total.filter(|total| *total > 0)?;
        Some((counts.done() as f64 / total as f64).min(1.0))
    }
}

impl BatchRequestCounts {
    /// Lines that have run, whether they succeeded or failed.
    pub fn done(&self) -> u64 {
        self.completed.unwrap_or(0).saturating_add(self.failed.unwrap_or(0))
    }
}

object! {
    /// How many lines have run. Assumed.
    BatchRequestCounts {
        ;
        /// All lines.
        total: u64,
        /// Lines that succeeded.
        completed: u64,
        /// Lines that failed.
        failed: u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChatRequest, Endpoint};

    #[test]
    fn a_submission_has_exactly_one_input() {
        let error = |submit: SubmitBatch| submit.body().unwrap_err().to_string();
        assert!(error(SubmitBatch::new()).contains("exactly one"));
        assert!(error(SubmitBatch::from_url("s3://x").input_file_base64("")).contains("exactly one"));
        assert!(SubmitBatch::inline(&BatchInput::new()).unwrap_err().to_string().contains("no lines"));
        assert!(
            SubmitBatch::inline_lines(&" ".repeat(MAX_INLINE)).unwrap_err().to_string().contains("10000000")
        );
        let mut input = BatchInput::new();
        input.push("a", &ChatRequest::new("m")).unwrap();
        let submit = SubmitBatch::inline(&input).unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(&*submit.input_file_base64.unwrap());
        assert_eq!(bytes.unwrap(), input.as_str().as_bytes());
    }

    #[test]
    fn every_assumed_form_of_a_job_decodes() {
        let job: BatchJob =
            serde_json::from_str(r#"{"batch_id":"b","status":"paused","results_url":"u"}"#).unwrap();
        assert_eq!(
            (job.id.as_str(), job.output_file_url.as_deref(), job.is_final()),
            ("b", Some("u"), false)
        );
        let job = r#"{"id":"b","status":"expired","request_counts":{"total":4,"completed":2.0,"failed":1}}"#;
        let job: BatchJob = serde_json::from_str(job).unwrap();
        assert_eq!((job.progress(), job.is_final()), (Some(0.75), true));
        assert_eq!(serde_json::from_str::<BatchJob>(r#"{"id":"b"}"#).unwrap().progress(), None);
    }
}

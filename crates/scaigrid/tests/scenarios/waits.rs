//! Waiting for batches and documents, and what a batch comes to.

use crate::harness::*;
use crate::harness_more::*;
use scaigrid::{
    BatchJob, BatchStatus, ChatCompletion, Document, ErrorKind, GetBatch, GetDocument, ReplyError,
};
use std::time::Duration;

fn job(status: &str) -> Answer {
    answer(200, format!(r#"{{"data":{{"id":"batch_1","status":"{status}"}}}}"#))
}

#[test]
fn a_wait_looks_until_the_end_and_tells_of_each_look() {
    let answers =
        [job("validating"), job("paused"), error("BACKEND_TIMEOUT"), job("in_progress"), job("completed")];
    waited_in_both_colours(&answers, &GetBatch::new("batch_1"), None, BatchJob::is_final, |seen| {
        assert_eq!(seen.result.as_ref().unwrap().status, Some(BatchStatus::Completed));
        let shown: Vec<_> = seen.shown.iter().map(|job| job.status.as_ref().unwrap().as_str()).collect();
        assert_eq!(shown, ["validating", "paused", "in_progress", "completed"]);
        let pauses = seen.waits.iter().filter(|wait| **wait == Duration::from_secs(10)).count();
        assert_eq!((pauses, seen.waits.len()), (3, 4), "and one for the retry");
    });
    let indexed = answer(200, r#"{"data":{"status":"failed","error_message":"bad file"}}"#);
    waited_in_both_colours(&[indexed], &GetDocument::new("c", "d"), None, Document::is_final, |seen| {
        assert_eq!(seen.result.as_ref().unwrap().error_message.as_deref(), Some("bad file"));
        assert!(seen.waits.is_empty());
    });
}

#[test]
fn a_wait_ends_at_its_deadline_with_one_last_look() {
    let answers = [job("in_progress"), job("in_progress"), job("in_progress"), job("in_progress")];
    let deadline = Some(Duration::from_secs(25));
    waited_in_both_colours(&answers, &GetBatch::new("b"), deadline, BatchJob::is_final, |seen| {
        let error = seen.result.as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(
            error.to_string(),
            "batch.get: not done after 25s; it goes on: wait for it again with its id"
        );
        let waits: Vec<_> = seen.waits.iter().map(Duration::as_secs).collect();
        assert_eq!((waits, seen.shown.len()), (vec![10, 10, 5], 4));
    });
}

#[test]
fn a_look_that_fails_ends_the_wait() {
    let answers = [job("in_progress"), error("AUTH_TOKEN_INVALID")];
    waited_in_both_colours(&answers, &GetBatch::new("b"), None, BatchJob::is_final, |seen| {
        assert!(seen.result.as_ref().unwrap_err().is_auth());
    });
}

fn done(url: &str) -> BatchJob {
    let mut job = BatchJob::default();
    job.output_file_url = Some(url.into());
    job
}

const LINES: [&str; 3] = [
    r#"{"custom_id":"1","response":{"status_code":200,"body":{"data":{"choices":[{"message":{"role":"assistant","content":"hi"}}]}}}}"#,
    r#"{"custom_id":"2","error":{"code":"MODEL_NOT_FOUND","message":"m"}}"#,
    r#"{"id":"3"}"#,
];

#[test]
fn results_come_line_by_line_however_they_are_cut() {
    let text = format!("{}\n\n{}\r\n{}\n{}", LINES[0], LINES[1], LINES[2], LINES[0]);
    let whole = events([text.clone()]);
    let cut = events(text.as_bytes().chunks(7).map(<[u8]>::to_vec).collect::<Vec<_>>());
    for answer in [whole, cut] {
        results_in_both_colours(&[answer], &done("https://gateway.test/media/1"), |results, requests| {
            assert_eq!(results.len(), 4);
            let chat: ChatCompletion = results[0].as_ref().unwrap().data().unwrap();
            assert_eq!(chat.text(), "hi");
            let failed = results[1].as_ref().unwrap();
            assert!(
                matches!(failed.data::<ChatCompletion>(), Err(ReplyError::Api(_))) && !failed.is_success()
            );
            let error = results[2].as_ref().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert!(
                error.to_string().contains("line 3") && error.to_string().contains("custom_id"),
                "{error}"
            );
            assert!(results[3].is_ok(), "a line that cannot be read does not end the others");
            assert!(requests[0].headers().contains_key("authorization"), "the gateway's own origin");
        });
    }
}

#[test]
fn results_elsewhere_are_fetched_without_the_key() {
    let answers = [events([LINES[0]])];
    results_in_both_colours(
        &answers,
        &done("https://bucket.example/out?signature=x"),
        |results, requests| {
            assert!(results[0].is_ok());
            assert!(!requests[0].headers().contains_key("authorization"));
        },
    );
}

#[test]
fn results_that_break_off_or_are_not_there() {
    results_in_both_colours(&[events([LINES[0], "\n{"]).broken()], &done("/media/1"), |results, _| {
        assert_eq!(results.len(), 2);
        assert_eq!(results[1].as_ref().unwrap_err().kind(), ErrorKind::Connection);
    });
    let mut job = BatchJob::default();
    job.status = Some(BatchStatus::InProgress);
    results_in_both_colours(&[], &job, |results, _| {
        let error = results[0].as_ref().unwrap_err().to_string();
        assert!(error.contains("no results") && error.contains("in_progress"), "{error}");
    });
}

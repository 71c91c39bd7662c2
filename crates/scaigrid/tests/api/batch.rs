//! Batches: submitted, waited for, found again, cancelled, listed.

use crate::{CHAT_MODEL, EMBEDDING_MODEL, question, quickly};
use scaigrid::{
    BatchInput, BatchResult, BatchStatus, ChatCompletion, CompletionWindow, EmbedRequest, Embeddings,
    ErrorCode, ErrorKind, GenerateImagesRequest, GenerateRequest, GeneratedImages, Generation, ListBatches,
    Polling, ReplyError, SubmitBatch,
};
use scaigrid_emulator::Emulator;
use std::collections::HashMap;
use std::time::Duration;

fn mixed_lines() -> SubmitBatch {
    let mut input = BatchInput::new();
    input.push("chat", &question("What goes into a carbonara?")).unwrap();
    input.push("vectors", &EmbedRequest::new(EMBEDDING_MODEL, ["First text", "Second text"])).unwrap();
    input.push("wrong", &scaigrid::ChatRequest::new("no/such-model").user("Hello")).unwrap();
    input.push("story", &GenerateRequest::new(CHAT_MODEL, "Once upon a time.")).unwrap();
    input.push("image", &GenerateImagesRequest::new("openai/dall-e-3", "A boat")).unwrap();
    SubmitBatch::inline(&input).unwrap().endpoint_completion_window(CompletionWindow::Hours4)
}

fn questions(count: usize) -> SubmitBatch {
    let mut input = BatchInput::new();
    for number in 0..count {
        input.push(format!("req-{number}"), &question("Hello.")).unwrap();
    }
    SubmitBatch::inline(&input).unwrap()
}

/// By the id that each line was given.
macro_rules! results {
    ($client:ident, $job:expr) => {{
        let mut lines = wait!($client.batch_results($job)).unwrap();
        let mut results: HashMap<String, BatchResult> = HashMap::new();
        while let Some(line) = wait!(lines.next()) {
            let line = line.unwrap();
            results.insert(line.custom_id.clone(), line);
        }
        results
    }};
}

run!(
    a_mixed_batch_is_waited_for_and_its_results_found_by_id,
    Emulator::builder().batch_pace(Duration::from_millis(15)),
    |emulator, client| {
        let submitted = wait!(client.submit_batch(&mixed_lines())).unwrap();
        assert!(!submitted.is_final());
        assert_eq!(submitted.endpoint_completion_window, Some(CompletionWindow::Hours4));
        let mut shown = Vec::new();
        let polling = quickly().on_progress(|job: &scaigrid::BatchJob| shown.push(job.progress().unwrap()));
        let job = wait!(client.wait_for_batch(&submitted.id, polling)).unwrap();
        assert_eq!(job.status, Some(BatchStatus::Completed));
        assert!(shown.len() > 2 && shown.is_sorted() && shown.last() == Some(&1.0), "{shown:?}");
        let counts = job.request_counts.as_ref().unwrap();
        assert_eq!((counts.total, counts.completed, counts.failed), (Some(5), Some(4), Some(1)));

        let results = results!(client, &job);
        assert_eq!(results.len(), 5);
        let mut errors = wait!(client.batch_errors(&job)).unwrap();
        assert_eq!(wait!(errors.next()).unwrap().unwrap().custom_id, "wrong");
        assert!(wait!(errors.next()).is_none());
        let chat: ChatCompletion = results["chat"].data().unwrap();
        assert_eq!(chat.text(), wait!(client.chat(&question("What goes into a carbonara?"))).unwrap().text());
        assert_eq!(results["vectors"].data::<Embeddings>().unwrap().vectors().len(), 2);
        assert!(!results["story"].data::<Generation>().unwrap().text().is_empty());
        assert!(results["image"].data::<GeneratedImages>().unwrap().data[0].url.is_some());
        assert!(!results["wrong"].is_success());
        let Err(ReplyError::Api(envelope)) = results["wrong"].data::<ChatCompletion>() else { panic!() };
        assert_eq!(envelope.error.code, Some(ErrorCode::ModelNotFound));
        let media = emulator.requests().into_iter().find(|request| request.path.starts_with("/media/"));
        assert!(media.unwrap().header("authorization").is_some(), "the gateway's own origin");
    }
);

run!(
    a_batch_goes_on_after_a_deadline_and_can_be_cancelled,
    Emulator::builder().batch_pace(Duration::from_secs(60)),
    |_, client| {
        let job = wait!(client.submit_batch(&questions(3))).unwrap();
        let polling = Polling::new().interval(Duration::from_millis(5)).deadline(Duration::from_millis(20));
        let error = wait!(client.wait_for_batch(&job.id, polling)).unwrap_err();
        assert_eq!((error.kind(), error.endpoint()), (ErrorKind::Timeout, Some("batch.get")));
        let error = wait!(client.batch_results(&job)).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "none yet");
        assert!(!wait!(client.batch(&job.id)).unwrap().is_final());

        let cancelled = wait!(client.cancel_batch(&job.id)).unwrap();
        assert_eq!(
            (cancelled.id.as_str(), &cancelled.status),
            (job.id.as_str(), &Some(BatchStatus::Cancelled))
        );
        let job = wait!(client.wait_for_batch(&job.id, quickly())).unwrap();
        let results = results!(client, &job);
        assert_eq!(results.len(), 3);
        assert!(results.values().all(|result| !result.is_success()));
    }
);

run!(batches_are_listed, |_, client| {
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(wait!(client.submit_batch(&questions(1))).unwrap().id.clone());
    }
    let page = wait!(client.batches(&ListBatches::new().limit(2))).unwrap();
    assert!(page.items.len() == 2 && page.has_more());
    let mut listed: Vec<_> =
        all!(client, ListBatches::new().limit(2)).into_iter().map(|job| job.id).collect();
    listed.sort();
    ids.sort();
    assert_eq!(listed, ids);
});

run!(what_is_wrong_with_a_batch_is_named, |_, client| {
    let elsewhere =
        wait!(client.submit_batch(&SubmitBatch::from_url("s3://bucket/input.jsonl"))).unwrap_err();
    assert!(elsewhere.field_errors().iter().any(|one| one.field == "input_file_url"), "{elsewhere}");
    let lines = wait!(client.submit_batch(&SubmitBatch::inline_lines("{}\n").unwrap())).unwrap_err();
    assert_eq!(lines.code(), Some(&ErrorCode::ValidationError));
    let nothing = wait!(client.submit_batch(&SubmitBatch::new())).unwrap_err();
    assert_eq!((nothing.kind(), nothing.attempts()), (ErrorKind::InvalidRequest, 0));
});

run!(lines_count_when_they_are_read_and_once_for_each_time, |emulator, client| {
    let submitted = wait!(client.submit_batch(&mixed_lines())).unwrap();
    let job = wait!(client.wait_for_batch(&submitted.id, quickly())).unwrap();
    assert_eq!(client.usage().batches(), scaigrid::UsageSnapshot::default());
    let mut errors = wait!(client.batch_errors(&job)).unwrap();
    assert!(wait!(errors.next()).unwrap().is_ok());
    assert_eq!(
        client.usage().batches().total().calls,
        0,
        "the file of errors may repeat lines of the results"
    );
    let reader = client.with_label("night");
    let results = results!(reader, &job);
    let usage = client.usage();
    let lines = usage.batches().total();
    assert_eq!((lines.calls, lines.succeeded, lines.failed), (5, 4, 1));
    assert_eq!(lines.failures, [("MODEL_NOT_FOUND".to_owned(), 1)].into());
    let chat: ChatCompletion = results["chat"].data().unwrap();
    let story: Generation = results["story"].data().unwrap();
    let told = chat.usage.unwrap() + story.usage.unwrap();
    let (seen, booked) = (&usage.batches().by_model()[CHAT_MODEL], &emulator.ledger().by_model[CHAT_MODEL]);
    assert_eq!((seen.prompt_tokens, seen.completion_tokens), (told.prompt(), told.completion()));
    assert_eq!(
        (seen.with_usage, seen.prompt_tokens, seen.completion_tokens),
        (booked.requests, booked.tokens_in, booked.tokens_out)
    );
    assert_eq!(usage.batches().by_label().into_keys().collect::<Vec<_>>(), [Some("night".to_owned())]);
    assert_eq!(usage.total(), scaigrid::UsageTotals::default(), "lines are no calls of this client");

    results!(client, &job);
    assert_eq!(client.usage().since(&usage).batches().total(), lines);
    assert_eq!(client.reset_usage().batches().total().calls, 10);
    assert_eq!(client.usage().batches().total().calls, 0);
});

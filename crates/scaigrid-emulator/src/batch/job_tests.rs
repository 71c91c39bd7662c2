use super::*;
use axum::http::StatusCode;

const HOUR: i64 = 60 * 60 * 1000;

fn line(id: &str) -> Line {
    Line { custom_id: id.into(), url: "/v1/inference/chat".into(), body: Map::new() }
}

fn job(ids: &[&str]) -> Job {
    let source = Source::Lines(ids.iter().map(|id| line(id)).collect());
    let order = Order { source, window: CompletionWindow::Hour, metadata: None };
    Job::new("batch_1".into(), "user_1".into(), order, 0)
}

fn good() -> Outcome {
    Outcome::Answered { status: StatusCode::OK, body: json!({}) }
}

/// The files that a job keeps, and the ids of the lines in each.
#[derive(Default)]
struct Kept(Vec<Vec<String>>);

impl Kept {
    fn publish(&mut self) -> impl FnMut(Bytes) -> String + '_ {
        |bytes| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let id = |line: &str| {
                serde_json::from_str::<Value>(line).unwrap()["custom_id"].as_str().unwrap().into()
            };
            self.0.push(text.lines().map(id).collect());
            format!("media_{}", self.0.len())
        }
    }
}

fn counts(job: &Job) -> (u64, u64, u64) {
    (job.total, job.completed, job.failed)
}

#[test]
fn lines_run_in_order_until_none_is_left() {
    let (mut job, mut kept) = (job(&["a", "b"]), Kept::default());
    assert_eq!((job.status, counts(&job)), (Status::Validating, (2, 0, 0)));
    assert_eq!(job.next(1, &mut kept.publish()).unwrap().custom_id, "a");
    assert_eq!(job.status, Status::InProgress);
    job.record(good());
    assert_eq!(job.next(2, &mut kept.publish()).unwrap().custom_id, "b");
    job.record(Outcome::Refused(LineError::new("X", "y")));
    assert_eq!(job.next(3, &mut kept.publish()), None);
    assert_eq!((job.status, counts(&job)), (Status::Completed, (2, 1, 1)));
    assert_eq!(kept.0, [vec!["a", "b"], vec!["b"]]);
    let view = job.view(|id| Some(format!("http://x/{id}")));
    assert_eq!(view["output_file_url"], "http://x/media_1");
    assert_eq!(view["error_file_url"], "http://x/media_2");
    assert_eq!(view["created_at"], "1970-01-01T00:00:00Z");
    assert_eq!(view["completed_at"], "1970-01-01T00:00:00.003Z");
    assert_eq!(job.view(|_| None)["output_file_url"], Value::Null);
}

#[test]
fn a_cancelled_job_has_every_line_once() {
    let (mut job, mut kept) = (job(&["a", "b", "c"]), Kept::default());
    job.next(1, &mut kept.publish());
    job.record(good());
    job.next(2, &mut kept.publish());
    job.cancel(3, &mut kept.publish());
    // The answer to `b` comes too late.
    job.record(good());
    job.cancel(4, &mut kept.publish());
    assert_eq!(job.next(5, &mut kept.publish()), None);
    assert_eq!((job.status, counts(&job), job.ended_ms), (Status::Cancelled, (3, 1, 2), Some(3)));
    assert_eq!(kept.0, [vec!["a", "b", "c"], vec!["b", "c"]]);
}

#[test]
fn a_job_expires_when_its_window_is_over() {
    let (mut job, mut kept) = (job(&["a", "b"]), Kept::default());
    assert!(job.next(HOUR - 1, &mut kept.publish()).is_some());
    job.record(good());
    assert_eq!(job.next(HOUR, &mut kept.publish()), None);
    assert_eq!((job.status, counts(&job)), (Status::Expired, (2, 1, 1)));
    assert_eq!(kept.0, [vec!["a", "b"], vec!["b"]]);
}

#[test]
fn a_job_without_lines_yet_is_filled_or_fails() {
    let order = || Order {
        source: Source::Url("http://127.0.0.1/f".into()),
        window: CompletionWindow::Day,
        metadata: Some(Map::new()),
    };
    let mut kept = Kept::default();
    let mut filled = Job::new("batch_1".into(), "user_1".into(), order(), 0);
    assert_eq!(filled.url(), Some("http://127.0.0.1/f"));
    filled.fill(vec![line("a")]);
    assert_eq!(filled.url(), None);
    assert_eq!(filled.next(1, &mut kept.publish()).unwrap().custom_id, "a");

    let mut failed = Job::new("batch_2".into(), "user_1".into(), order(), 0);
    failed.fail(vec![FieldError::new("input_file_url", "is not there")], 7);
    failed.cancel(8, &mut kept.publish());
    assert_eq!((failed.status, failed.url()), (Status::Failed, None));
    assert_eq!(failed.view(|_| None)["errors"][0]["message"], "is not there");
    assert!(kept.0.is_empty());

    let mut cancelled = Job::new("batch_3".into(), "user_1".into(), order(), 0);
    cancelled.cancel(1, &mut kept.publish());
    cancelled.fill(vec![line("a")]);
    assert_eq!((cancelled.status, counts(&cancelled)), (Status::Cancelled, (0, 0, 0)));
}

#[test]
fn a_job_can_be_saved_between_two_lines() {
    let (mut job, mut kept) = (job(&["a", "b"]), Kept::default());
    job.next(1, &mut kept.publish());
    job.record(good());
    job.next(2, &mut kept.publish());
    let mut loaded: Job = serde_json::from_str(&serde_json::to_string(&job).unwrap()).unwrap();
    assert_eq!(loaded, job);
    // The line that was under way is tried again.
    assert_eq!(loaded.next(3, &mut kept.publish()).unwrap().custom_id, "b");
}

#[test]
fn windows_have_their_documented_names() {
    for (name, millis) in [("24h", 24 * HOUR), ("4h", 4 * HOUR), ("1h", HOUR)] {
        let window = CompletionWindow::named(name).unwrap();
        assert_eq!((window.millis(), serde_json::to_value(window).unwrap()), (millis, json!(name)));
    }
    assert_eq!(CompletionWindow::named("2h"), None);
}

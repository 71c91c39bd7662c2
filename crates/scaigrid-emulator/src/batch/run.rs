//! Works a job off: line after line, through the same handlers as live calls.

use super::input::{self, Line};
use super::job::Publish;
use super::results::{LineError, Outcome};
use super::{fetch, submit};
use crate::accounts::Account;
use crate::chat::chat;
use crate::clock;
use crate::embed::embed;
use crate::gateway::Gateway;
use crate::generate::generate;
use crate::ids::RequestId;
use crate::images::generate_images;
use crate::inference::{self, Tariff};
use crate::media;
use crate::sync::lock;
use crate::wire::{Connection, ConnectionHandle};
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::handler::Handler;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method};
use bytes::Bytes;
use scaigrid_types::{ErrorCode, FieldError};
use serde_json::Value;
use std::sync::Arc;

/// Takes up every job that is not over. For state that was loaded; needs a runtime.
pub(crate) fn resume(gateway: &Arc<Gateway>) {
    let open = lock(&gateway.batches).open();
    for (id, user_id) in open {
        spawn(Arc::clone(gateway), user_id, id);
    }
}

/// Starts the task of a job. It ends with the job, or with the runtime.
pub(super) fn spawn(gateway: Arc<Gateway>, user_id: String, id: String) {
    tokio::spawn(async move { run(&gateway, &user_id, &id).await });
}

async fn run(gateway: &Arc<Gateway>, user_id: &str, id: &str) {
    let url = lock(&gateway.batches).job(id).and_then(|job| job.url().map(str::to_owned));
    if let Some(url) = url {
        let fetched = fetch::fetch(&url).await.map_err(|problem| vec![FieldError::new(submit::URL, problem)]);
        let lines = fetched.and_then(|file| input::read(&file, submit::URL));
        if let Some(job) = lock(&gateway.batches).job(id) {
            match lines {
                Ok(lines) => job.fill(lines),
                Err(problems) => job.fail(problems, clock::unix_millis()),
            }
        }
    }
    loop {
        match gateway.settings.batch_pace {
            // Others get their turn, also while thousands of lines run.
            pace if pace.is_zero() => tokio::task::yield_now().await,
            pace => tokio::time::sleep(pace).await,
        }
        let now_ms = clock::unix_millis();
        let next = with_files(gateway, |publish| {
            lock(&gateway.batches).job(id).and_then(|job| job.next(now_ms, publish))
        });
        let Some(line) = next else { return };
        let outcome = answer(gateway, user_id, &line).await;
        if let Some(job) = lock(&gateway.batches).job(id) {
            job.record(outcome);
        }
    }
}

/// Result files go to the media store. Where both stores are locked, that of the jobs comes first.
pub(super) fn with_files<T>(gateway: &Gateway, change: impl FnOnce(Publish<'_>) -> T) -> T {
    change(&mut |file| media::add(gateway, "application/jsonl", file))
}

/// One call. It passes neither the faults nor the rate limit, and is not recorded: no client made it.
async fn answer(gateway: &Arc<Gateway>, user_id: &str, line: &Line) -> Outcome {
    if line.body.get("stream") == Some(&Value::Bool(true)) {
        // Assumed: nobody could read it.
        let message = "A line of a batch cannot be streamed.";
        return Outcome::Refused(LineError::new(ErrorCode::ValidationError.as_str(), message));
    }
    let body = serde_json::to_vec(&line.body).map(Bytes::from).unwrap_or_default();
    let id = RequestId::next();
    let Some(account) = Account::of_user(gateway, user_id, &id.0) else {
        let message = "The user of this batch is gone.";
        return Outcome::Refused(LineError::new(ErrorCode::AuthTokenInvalid.as_str(), message));
    };
    let request = request(id.clone(), account, body);
    let state = Arc::clone(gateway);
    let response = match inference::usual_path(&line.url, &gateway.variants) {
        "/v1/inference/chat" => Handler::call(chat, request, state).await,
        "/v1/inference/embed" => Handler::call(embed, request, state).await,
        "/v1/inference/generate" => Handler::call(generate, request, state).await,
        "/v1/inference/images/generate" => Handler::call(generate_images, request, state).await,
        // The code is assumed, as for an unknown route.
        _ => return Outcome::Refused(LineError::new("NOT_FOUND", "A batch cannot call this `url`.")),
    };
    gateway.tell_of_failure(&line.url, &id, &response);
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
    match serde_json::from_slice(&body) {
        Ok(body) => Outcome::Answered { status, body },
        // Not reached: these handlers answer in JSON.
        Err(_) => Outcome::Refused(LineError::new(ErrorCode::BackendError.as_str(), "No JSON came back.")),
    }
}

/// A request with all that handlers ask for.
fn request(id: RequestId, account: Account, body: Bytes) -> Request {
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = Method::POST;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let extensions = request.extensions_mut();
    extensions.insert(id);
    extensions.insert(Arc::new(account));
    extensions.insert(Tariff::Batch);
    extensions.insert(ConnectInfo(ConnectionHandle(Connection::none())));
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Permissions;
    use crate::batch::job::{CompletionWindow, Order, Source};
    use crate::faults::Faults;
    use crate::record::Recorder;
    use crate::settings::Settings;
    use serde_json::{Map, json};

    #[test]
    fn jobs_of_loaded_state_are_taken_up() {
        let gateway = Arc::new(Gateway::new(Settings::default(), Faults::default(), Recorder::default()));
        lock(&gateway.accounts).install(vec![("key".to_owned(), Permissions::All)], 0);
        let line = Line { custom_id: "a".into(), url: "/v1/inference/chat".into(), body: Map::new() };
        let source = Source::Lines([line].into());
        let order = Order { source, window: CompletionWindow::Day, metadata: None };
        let id = lock(&gateway.batches).add("user_1", order, clock::unix_millis()).unwrap();

        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let is_over = || lock(&gateway.batches).job(&id).unwrap().is_over();
        runtime.block_on(async {
            resume(&gateway);
            for _ in 0..100 {
                if !is_over() {
                    tokio::task::yield_now().await;
                }
            }
        });
        assert!(is_over());
        let view = lock(&gateway.batches).job(&id).unwrap().view(|file| Some(file.to_owned()));
        assert_eq!(view["request_counts"], json!({"total": 1, "completed": 0, "failed": 1}));
    }
}

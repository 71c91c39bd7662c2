//! The state of one emulator: accounts, models, what was served, what was received.

use crate::accounting::Books;
use crate::accounting::UsageRecord;
use crate::accounts::{Account, Accounts};
use crate::audit::AuditLog;
use crate::batch::JobStore;
use crate::catalog::{self, Entry};
use crate::clock;
use crate::events::{Event, Events};
use crate::faults::Faults;
use crate::ids::RequestId;
use crate::media::MediaStore;
use crate::metrics::Metrics;
use crate::rate_limit::{RateLimiter, Verdict};
use crate::record::Recorder;
use crate::reply::{Failure, FailureCode};
use crate::rooms::Rooms;
use crate::scaimatrix::Collections;
use crate::sessions::Sessions;
use crate::settings::Settings;
use crate::sync::lock;
use crate::variant::Variants;
use crate::webhooks::{InFlight, Webhooks};
use axum::http::StatusCode;
use axum::response::Response;
use scaigrid_types::ErrorCode;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Instant;

/// The tenant of every user.
pub(crate) const TENANT: &str = "tenant_emulator";

/// The partner of the tenant.
pub(crate) const PARTNER: &str = "partner_emulator";

/// Everything that handlers share.
pub(crate) struct Gateway {
    pub(crate) settings: Settings,
    pub(crate) models: Vec<Entry>,
    pub(crate) faults: Faults,
    pub(crate) recorder: Recorder,
    /// Requests that were read.
    pub(crate) received: AtomicU64,
    pub(crate) events: Events,
    pub(crate) metrics: Metrics,
    pub(crate) variants: Variants,
    pub(crate) ready: AtomicBool,
    pub(crate) started: Instant,
    /// The stores, which a state file keeps.
    pub(crate) accounts: Mutex<Accounts>,
    pub(crate) books: Mutex<Books>,
    pub(crate) audit: Mutex<AuditLog>,
    pub(crate) media: Mutex<MediaStore>,
    pub(crate) batches: Mutex<JobStore>,
    pub(crate) sessions: Mutex<Sessions>,
    pub(crate) rooms: Mutex<Rooms>,
    pub(crate) webhooks: Mutex<Webhooks>,
    pub(crate) collections: Mutex<Collections>,
    /// Not state: it does not outlive the emulator's thread.
    pub(crate) in_flight: InFlight,
    /// By the id of the key.
    limiters: Mutex<HashMap<String, RateLimiter>>,
}

impl Gateway {
    pub(crate) fn new(settings: Settings, faults: Faults, recorder: Recorder) -> Self {
        Self {
            settings,
            models: catalog::models(),
            faults,
            recorder,
            received: AtomicU64::new(0),
            events: Events::default(),
            metrics: Metrics::default(),
            variants: Variants::default(),
            ready: AtomicBool::new(true),
            started: clock::monotonic(),
            accounts: Mutex::default(),
            books: Mutex::default(),
            audit: Mutex::default(),
            media: Mutex::default(),
            batches: Mutex::default(),
            sessions: Mutex::default(),
            rooms: Mutex::default(),
            webhooks: Mutex::default(),
            collections: Mutex::default(),
            in_flight: InFlight::default(),
            limiters: Mutex::default(),
        }
    }

    pub(crate) fn model(&self, slug: &str) -> Result<&Entry, Failure> {
        let entry = self.models.iter().find(|entry| entry.model.slug == slug);
        entry.ok_or_else(|| Failure::new(ErrorCode::ModelNotFound, "No model has this slug."))
    }

    /// Counts a request of a key, unless it is one too many.
    pub(crate) fn check_rate(&self, account: &Account) -> Verdict {
        let is_throttled = lock(&self.books).budgets.throttle(&account.user_id, clock::unix_millis());
        // Assumed: the documentation says only that limits are lower.
        let limit = self.settings.rate_limit;
        let limit = if is_throttled { limit.div_ceil(10) } else { limit };
        let mut limiters = lock(&self.limiters);
        limiters.entry(account.key_id.clone()).or_default().check(clock::monotonic(), limit)
    }

    /// Makes a key useless at once; says whether there was one.
    pub(crate) fn revoke(&self, key_id: &str) -> bool {
        lock(&self.limiters).remove(key_id);
        lock(&self.accounts).revoke(key_id)
    }

    pub(crate) fn is_over_budget(&self, user_id: &str) -> bool {
        lock(&self.books).budgets.block(user_id, clock::unix_millis())
    }

    /// Books a served call and tells of it, and of budgets that it brings to a limit.
    pub(crate) fn book(&self, record: UsageRecord) {
        let payload = json!({
            "model": record.model,
            "backend_id": record.backend_id,
            "latency_ms": record.latency_ms,
            "tokens": record.tokens_in.saturating_add(record.tokens_out),
        });
        let crossed = lock(&self.books).book(record, self.settings.usage_records);
        let event_type = "request.completed".to_owned();
        self.events.emit(Event { event_type, source: "inference_service", payload });
        crossed.into_iter().for_each(|event| self.events.emit(event));
    }

    /// Tells of a call that failed, unless nobody is known to have made it. The payload is assumed.
    pub(crate) fn tell_of_failure(&self, path: &str, id: &RequestId, answer: &Response) {
        let status = answer.status();
        let has_failed = status.is_client_error() || status.is_server_error();
        if !has_failed || status == StatusCode::UNAUTHORIZED {
            return;
        }
        let code = answer.extensions().get::<FailureCode>().and_then(|FailureCode(code)| code.as_ref());
        let payload = json!({
            "path": path,
            "status_code": status.as_u16(),
            "error_code": code.map(ErrorCode::as_str),
            "request_id": id.0,
        });
        let event_type = "request.failed".to_owned();
        self.events.emit(Event { event_type, source: "inference_service", payload });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounting::of_settings;
    use scaigrid_types::Money;

    fn gateway() -> Gateway {
        Gateway::new(Settings::default(), Faults::default(), Recorder::default())
    }

    fn names<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<&'a str> {
        events.into_iter().map(|event| event.event_type.as_str()).collect()
    }

    #[test]
    fn booking_tells_of_the_call_and_of_limits() {
        let gateway = gateway();
        let limit: Money = "0.01".parse().unwrap();
        lock(&gateway.books).budgets.install(vec![of_settings("user_1".into(), limit)], clock::unix_millis());
        let record = UsageRecord {
            id: "usage_1".into(),
            model: "a/b".into(),
            backend_id: "be_1".into(),
            user_id: "user_1".into(),
            requests: 1,
            tokens_in: 3,
            tokens_out: 4,
            cost: limit,
            latency_ms: 5,
            request_id: Some("req_1".into()),
            created_ms: clock::unix_millis(),
        };
        assert!(!gateway.is_over_budget("user_1"));
        gateway.book(record.clone());
        let told = gateway.events.take();
        assert_eq!(
            names(&told),
            ["request.completed", "budget.soft_limit_reached", "budget.hard_limit_reached"]
        );
        let payload = json!({"model": "a/b", "backend_id": "be_1", "latency_ms": 5, "tokens": 7});
        assert_eq!((told[0].source, &told[0].payload), ("inference_service", &payload));
        assert_eq!(told[2].payload["current_usage"]["cost"], "0.01");
        assert!(gateway.is_over_budget("user_1") && !gateway.is_over_budget("user_2"));
        gateway.book(record);
        assert_eq!(names(&gateway.events.take()), ["request.completed"]);
    }

    #[test]
    fn only_what_failed_for_somebody_is_told_of() {
        let gateway = gateway();
        let id = RequestId::next();
        let tell = |answer: &Response| gateway.tell_of_failure("/v1/inference/chat", &id, answer);
        tell(&Response::default());
        tell(&Failure::new(ErrorCode::AuthTokenInvalid, "no").into_response(&id));
        assert!(gateway.events.take().is_empty());
        tell(&Failure::new(ErrorCode::BackendError, "no").into_response(&id));
        let told = gateway.events.take();
        let payload = json!({
            "path": "/v1/inference/chat",
            "status_code": 502,
            "error_code": "BACKEND_ERROR",
            "request_id": id.0,
        });
        assert_eq!((names(&told), &told[0].payload), (vec!["request.failed"], &payload));
    }
}

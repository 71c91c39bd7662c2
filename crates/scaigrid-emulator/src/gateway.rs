//! The state of one emulator: accounts, models, what was served, what was received.

use crate::batch::JobStore;
use crate::catalog::{self, Entry};
use crate::clock;
use crate::events::Events;
use crate::faults::Faults;
use crate::inference::InferenceSettings;
use crate::ledger::{self, Selection, UsageRecord};
use crate::media::MediaStore;
use crate::rate_limit::{RateLimiter, Verdict};
use crate::record::Recorder;
use crate::rooms::Rooms;
use crate::scaimatrix::Collections;
use crate::services::ServiceSettings;
use crate::sessions::Sessions;
use crate::sync::lock;
use crate::webhooks::{InFlight, Webhooks};
use scaigrid_types::{Money, Usage, UsageSummaryRow};
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// The tenant of every key.
pub(crate) const TENANT: &str = "tenant_emulator";

/// One API key and everything that belongs to it.
pub(crate) struct Account {
    key: String,
    pub(crate) user_id: String,
    budget: Option<Money>,
    /// So that memory stays flat in an emulator that runs for days.
    merges_records: bool,
    limiter: Mutex<RateLimiter>,
    ledger: Mutex<Ledger>,
}

#[derive(Default)]
struct Ledger {
    records: Vec<UsageRecord>,
    spent: Money,
}

impl Account {
    pub(crate) fn new(
        number: usize,
        key: String,
        limit: u32,
        budget: Option<Money>,
        merges_records: bool,
    ) -> Self {
        Self {
            key,
            user_id: format!("user_{number}"),
            budget,
            merges_records,
            limiter: Mutex::new(RateLimiter::new(limit)),
            ledger: Mutex::default(),
        }
    }

    pub(crate) fn check_rate(&self) -> Verdict {
        lock(&self.limiter).check(clock::monotonic())
    }

    pub(crate) fn is_over_budget(&self) -> bool {
        self.budget.is_some_and(|limit| lock(&self.ledger).spent >= limit)
    }

    /// Books a served chat.
    pub(crate) fn book(&self, entry: &Entry, usage: &Usage) {
        let cost = ledger::cost(&entry.model, usage.prompt(), usage.completion());
        let record = UsageRecord {
            model: entry.model.slug.clone(),
            backend_id: entry.backend_id,
            user_id: self.user_id.clone(),
            tenant_id: TENANT,
            requests: 1,
            tokens_in: usage.prompt(),
            tokens_out: usage.completion(),
            cost,
            created_ms: clock::unix_millis(),
        };
        let mut ledger = lock(&self.ledger);
        ledger.spent += cost;
        let merged = self.merges_records && ledger.records.last_mut().is_some_and(|last| last.merge(&record));
        if !merged {
            ledger.records.push(record);
        }
    }

    pub(crate) fn summary(&self, selection: &Selection) -> Vec<UsageSummaryRow> {
        ledger::summarise(&lock(&self.ledger).records, selection)
    }
}

/// How streams are cut and paced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamSettings {
    pub(crate) chunk_tokens: u64,
    /// Before each chunk after the first.
    pub(crate) pace: Duration,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self { chunk_tokens: 1, pace: Duration::ZERO }
    }
}

/// Everything that handlers share.
pub(crate) struct Gateway {
    pub(crate) accounts: Vec<std::sync::Arc<Account>>,
    pub(crate) models: Vec<Entry>,
    pub(crate) faults: Faults,
    pub(crate) recorder: Recorder,
    /// Requests that were read.
    pub(crate) received: AtomicU64,
    pub(crate) streams: StreamSettings,
    pub(crate) inference: InferenceSettings,
    pub(crate) media: Mutex<MediaStore>,
    pub(crate) batches: Mutex<JobStore>,
    pub(crate) services: ServiceSettings,
    pub(crate) events: std::sync::Arc<Events>,
    pub(crate) sessions: Mutex<Sessions>,
    pub(crate) rooms: Mutex<Rooms>,
    pub(crate) webhooks: Mutex<Webhooks>,
    /// Not state: it does not outlive the emulator's thread.
    pub(crate) in_flight: InFlight,
    pub(crate) collections: Mutex<Collections>,
}

impl Gateway {
    pub(crate) fn new(
        accounts: Vec<Account>,
        faults: Faults,
        recorder: Recorder,
        streams: StreamSettings,
        services: ServiceSettings,
        events: Events,
    ) -> Self {
        Self {
            accounts: accounts.into_iter().map(std::sync::Arc::new).collect(),
            models: catalog::models(),
            faults,
            recorder,
            received: AtomicU64::new(0),
            streams,
            inference: InferenceSettings::default(),
            media: Mutex::default(),
            batches: Mutex::default(),
            services,
            events: std::sync::Arc::new(events),
            sessions: Mutex::default(),
            rooms: Mutex::default(),
            webhooks: Mutex::default(),
            in_flight: InFlight::default(),
            collections: Mutex::default(),
        }
    }

    pub(crate) fn account(&self, key: &str) -> Option<&std::sync::Arc<Account>> {
        self.accounts.iter().find(|account| account.key == key)
    }

    pub(crate) fn model(&self, slug: &str) -> Option<&Entry> {
        self.models.iter().find(|entry| entry.model.slug == slug)
    }
}

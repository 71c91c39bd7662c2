//! What the gateway is told at its start, and what never changes afterwards.

use crate::emulator::DEFAULT_RATE_LIMIT_PER_MINUTE;
use crate::scaimatrix::Ingestion;
use crate::webhooks::DeliverySettings;
use std::time::Duration;

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Requests in any 60 seconds, for each key.
    pub(crate) rate_limit: u32,
    /// How many usage records are kept apart. The oldest of more are merged by the hour.
    pub(crate) usage_records: usize,
    pub(crate) streams: StreamSettings,
    /// Whether embeddings come in another order than their texts.
    pub(crate) embeddings_unordered: bool,
    /// Before each line of a batch.
    pub(crate) batch_pace: Duration,
    pub(crate) media: MediaSettings,
    pub(crate) webhooks: DeliverySettings,
    pub(crate) ingestion: Ingestion,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rate_limit: DEFAULT_RATE_LIMIT_PER_MINUTE,
            usage_records: 100_000,
            streams: StreamSettings::default(),
            embeddings_unordered: false,
            batch_pace: Duration::ZERO,
            media: MediaSettings::default(),
            webhooks: DeliverySettings::default(),
            ingestion: Ingestion::default(),
        }
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

/// Where files are, and how long.
#[derive(Clone, Debug)]
pub(crate) struct MediaSettings {
    /// Where the emulator listens.
    pub(crate) base_url: String,
    /// How long a URL is valid. Documented: 1 hour.
    pub(crate) lifetime: Duration,
}

impl Default for MediaSettings {
    fn default() -> Self {
        Self { base_url: String::new(), lifetime: Duration::from_secs(60 * 60) }
    }
}

//! What the builder sets for the gateway.

use crate::emulator::DEFAULT_RATE_LIMIT_PER_MINUTE;
use crate::inference::InferenceSettings;
use crate::services::ServiceSettings;
use std::time::Duration;

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Requests in any 60 seconds, for each key.
    pub(crate) rate_limit: u32,
    pub(crate) streams: StreamSettings,
    pub(crate) inference: InferenceSettings,
    pub(crate) services: ServiceSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rate_limit: DEFAULT_RATE_LIMIT_PER_MINUTE,
            streams: StreamSettings::default(),
            inference: InferenceSettings::default(),
            services: ServiceSettings::default(),
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

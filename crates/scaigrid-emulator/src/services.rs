//! Settings of what keeps state: sessions, webhooks, and ScaiMatrix.

use crate::EmulatorBuilder;
use crate::scaimatrix::Ingestion;
use crate::webhooks::{self, DeliverySettings};
use std::time::Duration;

/// All of them, from the builder.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceSettings {
    pub(crate) webhooks: DeliverySettings,
    pub(crate) ingestion: Ingestion,
}

/// Sessions, webhooks, and ScaiMatrix.
impl EmulatorBuilder {
    /// Divides the documented waits before webhooks are tried again, which are 30 s, 2 min, 10 min, 30 min, and
    /// 2 h. Default: 1000; 1 has the documented waits, and 0 counts as 1.
    pub fn webhook_time_scale(mut self, divisor: u32) -> Self {
        self.settings.services.webhooks.schedule = webhooks::scaled_schedule(divisor);
        self
    }

    /// Sets the waits before webhooks are tried again, the last one for all tries that follow. Without any there
    /// is no wait. Default: see [`webhook_time_scale`](Self::webhook_time_scale).
    pub fn webhook_schedule(mut self, waits: &[Duration]) -> Self {
        self.settings.services.webhooks.schedule = waits.to_vec();
        self
    }

    /// Sets how long the receiver of a webhook may take to answer. Default: the documented 10 s.
    pub fn webhook_answer_limit(mut self, limit: Duration) -> Self {
        self.settings.services.webhooks.answer_limit = limit;
        self
    }

    /// Sets how long each stage of a document's ingestion takes in ScaiMatrix. Default: no time, so that an
    /// uploaded document, which is `pending` in the answer, is done when the next request comes.
    pub fn ingestion_pace(mut self, pace: Duration) -> Self {
        self.settings.services.ingestion = Ingestion::Pace(pace);
        self
    }

    /// Takes documents one stage further whenever a client asks for them, so that a client that polls sees all
    /// stages.
    pub fn ingestion_by_polls(mut self) -> Self {
        self.settings.services.ingestion = Ingestion::Polls;
        self
    }
}

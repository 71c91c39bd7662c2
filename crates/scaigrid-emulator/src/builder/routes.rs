//! How single routes behave.

use super::EmulatorBuilder;
use crate::scaimatrix::Ingestion;
use crate::webhooks;
use std::time::Duration;

/// How single routes behave.
impl EmulatorBuilder {
    /// Sets how many tokens each chunk of a stream brings, by the rule of
    /// [`count_tokens`](crate::count_tokens). Default: 1; 0 counts as 1.
    pub fn stream_chunk_tokens(mut self, tokens: u64) -> Self {
        self.settings.streams.chunk_tokens = tokens.max(1);
        self
    }

    /// Waits before each chunk of a stream after the first, and between the words of speech. Default: no wait.
    /// [`StreamFault::paced`](crate::StreamFault::paced) is for a single stream.
    pub fn stream_pace(mut self, pause: Duration) -> Self {
        self.settings.streams.pace = pause;
        self
    }

    /// Answers embeddings in another order than that of their texts, so that a client has to look at `index`.
    /// Default: the order of the texts.
    pub fn unordered_embeddings(mut self) -> Self {
        self.settings.embeddings_unordered = true;
        self
    }

    /// Waits before each line of a batch, so that progress can be seen. Default: no wait.
    pub fn batch_pace(mut self, pause: Duration) -> Self {
        self.settings.batch_pace = pause;
        self
    }

    /// Sets how long the URL of an image or of a batch's result is valid. Default: 1 hour, as documented.
    pub fn media_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.media.lifetime = lifetime;
        self
    }

    /// Divides the documented waits before webhooks are tried again, which are 30 s, 2 min, 10 min, 30 min, and
    /// 2 h. Default: 1000; 1 has the documented waits, and 0 counts as 1.
    pub fn webhook_time_scale(mut self, divisor: u32) -> Self {
        self.settings.webhooks.schedule = webhooks::scaled_schedule(divisor);
        self
    }

    /// Sets the waits before webhooks are tried again, the last one for all tries that follow. Without any there
    /// is no wait. Default: see [`webhook_time_scale`](Self::webhook_time_scale).
    pub fn webhook_schedule(mut self, waits: &[Duration]) -> Self {
        self.settings.webhooks.schedule = waits.to_vec();
        self
    }

    /// Sets how long the receiver of a webhook may take to answer. Default: the documented 10 s.
    pub fn webhook_answer_limit(mut self, limit: Duration) -> Self {
        self.settings.webhooks.answer_limit = limit;
        self
    }

    /// Sets how long each stage of a document's ingestion takes in ScaiMatrix. Default: no time, so that an
    /// uploaded document, which is `pending` in the answer, is done when the next request comes.
    pub fn ingestion_pace(mut self, pace: Duration) -> Self {
        self.settings.ingestion = Ingestion::Pace(pace);
        self
    }

    /// Takes documents one stage further whenever a client asks for them, so that a client that polls sees all
    /// stages.
    pub fn ingestion_by_polls(mut self) -> Self {
        self.settings.ingestion = Ingestion::Polls;
        self
    }
}

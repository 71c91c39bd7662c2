//! A call that goes on as a stream or a download.

use super::Call;
use crate::answer;
use crate::clock::Now;
use crate::download::DownloadCore;
use crate::one_line::Secrets;
use crate::stream::{Opened, StreamCore};
use scaigrid_types::Endpoint;

impl<E: Endpoint> Call<'_, E> {
    /// The stream is open and has given its first chunk: the call has succeeded.
    pub(crate) fn opened(&mut self, core: &mut StreamCore, now: Now) {
        core.redact(&self.secrets());
        let _ = self.succeeded(core.status(), core.request_id().map(str::to_owned), now);
        self.observation.first_chunk(now.instant);
        core.open(self.facts_for_stream(now));
    }

    /// The head of a file has come: the call has succeeded.
    pub(crate) fn downloading(&mut self, head: http::response::Parts, now: Now) -> DownloadCore {
        let mut request_id = answer::request_id(&head.headers, &[]);
        self.redact(&mut request_id);
        let request_id = self.succeeded(head.status, request_id, now);
        DownloadCore::new(head, request_id, self.limits, self.facts_for_stream(now))
    }

    /// What a stream needs to know of the call.
    pub(crate) fn facts_for_stream(&mut self, now: Now) -> Opened {
        Opened {
            endpoint: self.endpoint.name(),
            secrets: Secrets::new(self.usual_secrets().cloned()),
            started: self.started,
            attempts: self.sent,
            elapsed: self.elapsed(now),
            history: std::mem::take(&mut self.history),
            at: now.system,
            observation: self.observation.hand_on(self.endpoint.requested_model()),
        }
    }
}

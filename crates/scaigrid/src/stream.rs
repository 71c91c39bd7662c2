//! Streamed chat replies.

#[cfg(feature = "async")]
mod async_stream;
#[cfg(feature = "blocking")]
mod blocking_stream;
mod core;
mod events;

#[cfg(feature = "async")]
pub use async_stream::{ChatStream, TextStream};
#[cfg(feature = "blocking")]
pub use blocking_stream::{ChatStream as BlockingChatStream, TextStream as BlockingTextStream};
pub(crate) use core::{Item, Opened, Opening, Peek, StreamCore};
pub use events::StreamEvent;

use std::time::Duration;

/// How long the end of the body is awaited behind `[DONE]`, so that the connection can be used again.
pub(crate) const DRAIN_LIMIT: Duration = Duration::from_millis(100);

/// What can be asked of a stream at any time, the same for both colours.
macro_rules! accessors {
    () => {
        /// The gateway's id for this request. `None` when the server sent none.
        pub fn request_id(&self) -> Option<&str> {
            self.core.request_id()
        }

        /// The HTTP status.
        pub fn status(&self) -> http::StatusCode {
            self.core.status()
        }

        /// The response headers.
        pub fn headers(&self) -> &http::HeaderMap {
            self.core.headers()
        }

        /// The state of the rate limit, as far as the server tells.
        pub fn rate_limit(&self) -> crate::RateLimit {
            crate::RateLimit::from_headers(self.core.headers())
        }

        /// How many requests were sent until the first chunk came, at least 1.
        pub fn attempts(&self) -> u32 {
            self.core.attempts()
        }

        /// The attempts that failed before the first chunk came, oldest first. Usually empty.
        pub fn history(&self) -> &[crate::AttemptReport] {
            self.core.history()
        }

        /// How the call went until the first chunk came: [`history`](Self::history) with a `Display` for logs.
        pub fn retry_report(&self) -> crate::RetryReport<'_> {
            self.core.retry_report()
        }

        /// One line for a support ticket, as [`Error::support_line`](crate::Error::support_line), for a stream that is not
        /// what it should be. The time is when its first chunk came. Holds nothing of the reply.
        pub fn support_line(&self) -> String {
            self.core.support_line()
        }

        /// The reply as far as it has come.
        pub fn snapshot(&self) -> scaigrid_types::ChatCompletion {
            self.core.snapshot()
        }

        /// Token counts as far as they have come. Usually known at the end only.
        pub fn usage(&self) -> Option<scaigrid_types::Usage> {
            self.core.usage()
        }

        /// Takes the events that were no chunks, such as the status messages of a persona, oldest first. At most 256 of
        /// them and 1 MiB are kept; older ones are dropped.
        pub fn take_events(&mut self) -> Vec<crate::StreamEvent> {
            self.core.take_events()
        }
    };
}

pub(crate) use accessors;

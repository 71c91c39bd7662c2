//! What a caller may replace in the blocking client, apart from the transport.

use super::CancelHandle;
use crate::BearerToken;

/// Time as a seam: what the blocking client measures and sleeps with. Replace it in tests, so that nothing waits for
/// real.
pub trait Clock: Send + Sync {
    /// Time for measuring.
    fn now(&self) -> std::time::Instant;

    /// Time of day, for dates that servers send.
    fn system_time(&self) -> std::time::SystemTime;

    /// Waits.
    fn sleep(&self, duration: std::time::Duration);

    /// Waits, but no longer than until `handle` is cancelled. By default it waits to the end.
    fn sleep_unless_cancelled(&self, duration: std::time::Duration, handle: &CancelHandle) {
        if !handle.is_cancelled() {
            self.sleep(duration);
        }
    }
}

/// Gives the current token of a user who signs in with a JWT instead of an API key.
///
/// The client asks for [`current`](Self::current) before each call. When the gateway refuses the token
/// (`SESSION_EXPIRED` or `AUTH_TOKEN_INVALID`), it asks once for [`refreshed`](Self::refreshed) and repeats the
/// call at once; a second refusal is final. Caching is the provider's part, and so is a time limit: the client's
/// deadline does not end a provider that hangs.
pub trait TokenProvider: Send + Sync {
    /// The token to use now. Called once a call; cheap when cached.
    ///
    /// # Errors
    /// Any error ends the call before it is sent.
    fn current(&self) -> Result<BearerToken, crate::BoxError>;

    /// A token to use instead of the one that the gateway has just refused. Another call may have refreshed it in
    /// the meantime: compare before asking the issuer.
    ///
    /// # Errors
    /// Any error ends the call.
    fn refreshed(&self, refused: &BearerToken) -> Result<BearerToken, crate::BoxError>;
}

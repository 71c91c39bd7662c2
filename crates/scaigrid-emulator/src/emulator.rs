//! The running emulator.

use crate::builder::EmulatorBuilder;
use crate::events::Event;
use crate::faults::Faults;
use crate::gateway::Gateway;
use crate::record::RecordedRequest;
use crate::start::StartError;
use crate::state::StateFile;
use crate::webhooks;
use crate::wire::ConnectionCounts;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// The key of an emulator that was given none. It is no secret, and no gateway accepts it.
pub const DEFAULT_API_KEY: &str = "sgk_emulator_0000000000000000000000000000";

/// The rate limit of an emulator that was given none, in requests a minute and key: high enough not to
/// surprise a test. The gateway's documented default is 60.
pub const DEFAULT_RATE_LIMIT_PER_MINUTE: u32 = 60_000;

/// A running emulator.
///
/// It runs on a thread of its own with a tokio runtime of its own, so it works in blocking tests, in async
/// tests of any runtime, and in plain programs. It stops when it is dropped: all connections are closed, the
/// port is free again, and the thread has ended.
///
/// ```
/// let emulator = scaigrid_emulator::Emulator::start()?;
/// assert!(emulator.base_url().starts_with("http://127.0.0.1:"));
/// # Ok::<(), scaigrid_emulator::StartError>(())
/// ```
pub struct Emulator {
    pub(crate) base_url: String,
    pub(crate) api_key: String,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) state_file: Option<Arc<StateFile>>,
    pub(crate) running: Running,
}

/// The thread.
pub(crate) struct Running {
    pub(crate) connections: Arc<ConnectionCounts>,
    /// Dropping the sender stops the thread.
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) thread: Option<JoinHandle<()>>,
}

impl Emulator {
    /// Starts with the default settings: one key, [`DEFAULT_API_KEY`], on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When the system gives no port or no thread.
    pub fn start() -> Result<Emulator, StartError> {
        Self::builder().start()
    }

    /// Starts with other settings.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::new()
    }

    /// Where it listens, such as `http://127.0.0.1:40123`; without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The first key.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The queue of faults.
    pub fn faults(&self) -> &Faults {
        &self.gateway.faults
    }

    /// Everything received so far, in order, on all paths, also what faults answered. A request is in the
    /// list once its body was read.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.gateway.recorder.all()
    }

    /// How many TCP connections are open at this moment.
    pub fn open_connections(&self) -> usize {
        self.running.connections.open.load(Ordering::Acquire)
    }

    /// How many TCP connections were accepted so far.
    pub fn accepted_connections(&self) -> u64 {
        self.running.connections.accepted.load(Ordering::Relaxed)
    }

    /// How many requests were read so far, also [without recording](EmulatorBuilder::without_recording).
    pub fn received(&self) -> u64 {
        self.gateway.received.load(Ordering::Relaxed)
    }

    /// Tells all webhooks that subscribe to this type of event, so that a test can have any event delivered.
    /// It does not wait for the deliveries.
    pub fn emit_event(&self, event_type: impl Into<String>, payload: serde_json::Value) {
        self.gateway.events.emit(Event { event_type: event_type.into(), source: "emulator", payload });
    }

    /// How many events were dropped so far, because more than 1024 waited to be handed to webhooks.
    pub fn dropped_events(&self) -> u64 {
        self.gateway.events.dropped()
    }

    /// Stops it, as dropping does. Answers that are under way are cut off.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.running.stop.take());
        if let Some(thread) = self.running.thread.take() {
            // An error means that the thread panicked, which has been reported by then.
            let _ = thread.join();
        }
        webhooks::enter(&self.gateway);
        // `save_state` is for those who want to know.
        let _ = self.save_state();
    }
}

/// Shows no key.
impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

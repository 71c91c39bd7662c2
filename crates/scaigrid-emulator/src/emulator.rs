//! Starting and stopping.

use crate::batch;
use crate::core_settings::{self, CoreSettings};
use crate::events::{Event, Events};
use crate::fault::Fault;
use crate::faults::{FaultSource, Faults, IncomingRequest};
use crate::gateway::Gateway;
use crate::record::{RecordedRequest, Recorder};
use crate::routes::router;
use crate::settings::Settings;
use crate::state::{StateError, StateFile};
use crate::webhooks;
use crate::wire::{BreakableListener, ConnectionCounts, ConnectionHandle};
use scaigrid_types::Money;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

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
    base_url: String,
    api_key: String,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) state_file: Option<Arc<StateFile>>,
    connections: Arc<ConnectionCounts>,
    /// Dropping the sender stops the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
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
        self.connections.open.load(Ordering::Acquire)
    }

    /// How many TCP connections were accepted so far.
    pub fn accepted_connections(&self) -> u64 {
        self.connections.accepted.load(Ordering::Relaxed)
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
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // An error means that the thread panicked, which has been reported by then.
            let _ = thread.join();
        }
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

/// Settings of an emulator. Made by [`Emulator::builder`].
#[must_use = "nothing runs before `start`"]
#[derive(Clone)]
pub struct EmulatorBuilder {
    api_keys: Vec<String>,
    address: SocketAddr,
    budgets: HashMap<String, Money>,
    faults: Vec<Fault>,
    fault_source: Option<FaultSource>,
    recording: bool,
    pub(crate) settings: Settings,
    pub(crate) core: CoreSettings,
}

/// Shows no key.
impl fmt::Debug for EmulatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatorBuilder")
            .field("api_keys", &self.api_keys.len())
            .field("address", &self.address)
            .field("rate_limit", &self.settings.rate_limit)
            .finish_non_exhaustive()
    }
}

impl EmulatorBuilder {
    fn new() -> Self {
        Self {
            api_keys: Vec::new(),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            budgets: HashMap::new(),
            faults: Vec::new(),
            fault_source: None,
            recording: true,
            settings: Settings::default(),
            core: CoreSettings::default(),
        }
    }

    /// Adds a key. The first belongs to `user_1`, the second to `user_2`, and so on, all in the tenant
    /// `tenant_emulator` and with all permissions. Users can make more keys with calls. Default: [`DEFAULT_API_KEY`] alone.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_keys.push(key.into());
        self
    }

    /// Sets where to listen; port 0 takes a free one. Default: 127.0.0.1, port 0. Only loopback addresses are
    /// allowed.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Limits each key to this many requests in any 60 seconds. Default:
    /// [`DEFAULT_RATE_LIMIT_PER_MINUTE`].
    pub fn rate_limit_per_minute(mut self, requests: u32) -> Self {
        self.settings.rate_limit = requests;
        self
    }

    /// Gives the user of a key a budget for ever: inference is refused with `BUDGET_EXCEEDED` once what was
    /// served to the user cost this much. Default: none. The key must be one of the emulator's keys.
    pub fn budget(mut self, key: impl Into<String>, cost_limit: Money) -> Self {
        self.budgets.insert(key.into(), cost_limit);
        self
    }

    /// Queues a fault before the first request.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Asks `source` for each request that no queued fault matches, so that a seeded random generator can make
    /// chaos. The fault's path is not looked at. A [`stream`](Fault::stream) fault for a plain call and a
    /// [`reset_before_request`](Fault::reset_before_request) do not happen. Other requests wait while `source`
    /// runs. Clones of the builder share it.
    ///
    /// ```
    /// use scaigrid_emulator::{Emulator, Fault};
    ///
    /// let mut number = 0;
    /// let every_third_fails = Emulator::builder().fault_source(move |_| {
    ///     number += 1;
    ///     (number % 3 == 0).then(|| Fault::error("BACKEND_ERROR"))
    /// });
    /// # let _ = every_third_fails;
    /// ```
    pub fn fault_source(
        mut self,
        source: impl FnMut(&IncomingRequest<'_>) -> Option<Fault> + Send + 'static,
    ) -> Self {
        self.fault_source = Some(Arc::new(Mutex::new(source)));
        self
    }

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
        self.settings.inference.embeddings_unordered = true;
        self
    }

    /// Waits before each line of a batch, so that progress can be seen. Default: no wait.
    pub fn batch_pace(mut self, pause: Duration) -> Self {
        self.settings.inference.batch_pace = pause;
        self
    }

    /// Sets how long the URL of an image or of a batch's result is valid. Default: 1 hour, as documented.
    pub fn media_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.inference.media_lifetime = lifetime;
        self
    }

    /// Keeps no requests: [`Emulator::requests`] stays empty, and 10,000 instead of 100,000 usage records are
    /// kept before the oldest are merged by the hour. For an emulator that runs for days.
    pub fn without_recording(mut self) -> Self {
        self.recording = false;
        self
    }

    /// Binds the port and starts the thread. Connections are accepted from here on.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(mut self) -> Result<Emulator, StartError> {
        if self.api_keys.is_empty() {
            self.api_keys.push(DEFAULT_API_KEY.to_owned());
        }
        let is_sendable = |key: &String| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        if !self.api_keys.iter().all(is_sendable) {
            return Err(StartError::InvalidKey);
        }
        if !self.budgets.keys().all(|key| self.api_keys.contains(key)) {
            return Err(StartError::BudgetWithoutKey);
        }
        let address = self.address;
        if !address.ip().is_loopback() {
            return Err(StartError::NotLoopback { address });
        }
        // Bound here, not on the thread, so that the caller gets the error.
        let bind = || -> io::Result<(TcpListener, SocketAddr)> {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = bind().map_err(|source| StartError::Bind { address, source })?;
        let faults = Faults::with_source(self.fault_source);
        self.faults.into_iter().for_each(|fault| faults.push(fault));
        let recorder = if self.recording { Recorder::default() } else { Recorder::disabled() };
        let (events, queue) = Events::new();
        let mut settings = self.settings;
        settings.inference.base_url = format!("http://{address}");
        let gateway = Arc::new(Gateway::new(settings, faults, recorder, events));
        let state_file = core_settings::apply(&self.core, &self.api_keys, &self.budgets, &gateway)?;
        let api_key = self.api_keys.into_iter().next().unwrap_or_default();
        let emulator = Emulator {
            base_url: format!("http://{address}"),
            api_key,
            gateway,
            state_file,
            connections: Arc::default(),
            stop: None,
            thread: None,
        };
        let save_interval = self.core.save_interval;
        run(emulator, listener, queue, save_interval).map_err(|source| StartError::Runtime { source })
    }
}

/// Starts the thread.
fn run(
    mut emulator: Emulator,
    listener: TcpListener,
    events: mpsc::Receiver<Event>,
    save_interval: Duration,
) -> io::Result<Emulator> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let gateway = &emulator.gateway;
    let listener = {
        let _context = runtime.enter();
        batch::resume(gateway);
        tokio::net::TcpListener::from_std(listener)?
    };
    let connections = Arc::clone(&emulator.connections);
    let listener = BreakableListener::new(listener, connections, gateway.faults.clone());
    let service = router(Arc::clone(gateway)).into_make_service_with_connect_info::<ConnectionHandle>();
    runtime.spawn(webhooks::dispatch(Arc::clone(gateway), events));
    if let Some(file) = &emulator.state_file {
        let (file, gateway) = (Arc::clone(file), Arc::clone(gateway));
        runtime.spawn(core_settings::keep_saving(file, gateway, save_interval));
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let serve = move || {
        runtime.spawn(async move { axum::serve(listener, service).await });
        // Ends when the sender is dropped. Dropping the runtime then drops every connection, idle or not:
        // waiting for clients to let go of theirs could take for ever.
        let _ = runtime.block_on(stopped);
    };
    emulator.thread = Some(std::thread::Builder::new().name("scaigrid-emulator".to_owned()).spawn(serve)?);
    emulator.stop = Some(stop);
    Ok(emulator)
}

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not a loopback address. The emulator checks keys only for show, so it must not be
    /// reachable from other machines.
    #[error(
        "{address} is not a loopback address: the emulator is not safe to expose; use 127.0.0.1 or [::1]"
    )]
    NotLoopback {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The address cannot be bound, for example because another program listens there.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The system gives no runtime or no thread.
    #[error("cannot start the emulator's thread")]
    Runtime {
        /// What the system says.
        source: io::Error,
    },
    /// A key is empty, or holds characters that an `Authorization` header cannot carry.
    #[error("an API key must consist of visible ASCII characters, without spaces")]
    InvalidKey,
    /// A budget belongs to a key that the emulator does not have.
    #[error("a budget was set for a key that the emulator does not have: add the key with `api_key`")]
    BudgetWithoutKey,
    /// The state file cannot be used.
    #[error("cannot use the state file {}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: StateError,
    },
}

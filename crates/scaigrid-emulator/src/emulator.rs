//! Starting and stopping.

use crate::batch;
use crate::events::{Event, Events};
use crate::fault::Fault;
use crate::faults::{FaultSource, Faults, IncomingRequest};
use crate::gateway::{Account, Gateway, StreamSettings};
use crate::inference::InferenceSettings;
use crate::record::{RecordedRequest, Recorder};
use crate::routes::router;
use crate::services::ServiceSettings;
use crate::webhooks;
use crate::wire::{BreakableListener, ConnectionCounts, ConnectionHandle};
use scaigrid_types::Money;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
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
    base_url: String,
    api_key: String,
    gateway: Arc<Gateway>,
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
    rate_limit: u32,
    budgets: HashMap<String, Money>,
    faults: Vec<Fault>,
    fault_source: Option<FaultSource>,
    recording: bool,
    streams: StreamSettings,
    inference: InferenceSettings,
    pub(crate) services: ServiceSettings,
}

/// Shows no key.
impl fmt::Debug for EmulatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatorBuilder")
            .field("api_keys", &self.api_keys.len())
            .field("address", &self.address)
            .field("rate_limit", &self.rate_limit)
            .finish_non_exhaustive()
    }
}

impl EmulatorBuilder {
    fn new() -> Self {
        Self {
            api_keys: Vec::new(),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            rate_limit: DEFAULT_RATE_LIMIT_PER_MINUTE,
            budgets: HashMap::new(),
            faults: Vec::new(),
            fault_source: None,
            recording: true,
            streams: StreamSettings::default(),
            inference: InferenceSettings::default(),
            services: ServiceSettings::default(),
        }
    }

    /// Adds a key. The first belongs to `user_1`, the second to `user_2`, and so on, all in the tenant
    /// `tenant_emulator`. Default: [`DEFAULT_API_KEY`] alone.
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
        self.rate_limit = requests;
        self
    }

    /// Gives a key a budget: an inference call is refused with `BUDGET_EXCEEDED` once the calls served to the key
    /// cost this much. Default: none. The key must be one of the emulator's keys.
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
        self.streams.chunk_tokens = tokens.max(1);
        self
    }

    /// Waits before each chunk of a stream after the first, and between the words of speech. Default: no wait.
    /// [`StreamFault::paced`](crate::StreamFault::paced) is for a single stream.
    pub fn stream_pace(mut self, pause: Duration) -> Self {
        self.streams.pace = pause;
        self
    }

    /// Answers embeddings in another order than that of their texts, so that a client has to look at `index`.
    /// Default: the order of the texts.
    pub fn unordered_embeddings(mut self) -> Self {
        self.inference.embeddings_unordered = true;
        self
    }

    /// Waits before each line of a batch, so that progress can be seen. Default: no wait.
    pub fn batch_pace(mut self, pause: Duration) -> Self {
        self.inference.batch_pace = pause;
        self
    }

    /// Sets how long the URL of an image or of a batch's result is valid. Default: 1 hour, as documented.
    pub fn media_lifetime(mut self, lifetime: Duration) -> Self {
        self.inference.media_lifetime = lifetime;
        self
    }

    /// Keeps no requests: [`Emulator::requests`] stays empty, and usage is kept by the second. For an emulator
    /// that runs for days.
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
        self.run(listener, address).map_err(|source| StartError::Runtime { source })
    }

    fn run(self, listener: TcpListener, address: SocketAddr) -> io::Result<Emulator> {
        let api_key = self.api_keys.first().cloned().unwrap_or_default();
        let account = |(index, key): (usize, String)| {
            let budget = self.budgets.get(&key).copied();
            Account::new(index + 1, key, self.rate_limit, budget, !self.recording)
        };
        let accounts = self.api_keys.into_iter().enumerate().map(account).collect();
        let faults = Faults::with_source(self.fault_source);
        self.faults.into_iter().for_each(|fault| faults.push(fault));
        let recorder = if self.recording { Recorder::default() } else { Recorder::disabled() };
        let (events, queue) = Events::new();
        let mut gateway = Gateway::new(accounts, faults, recorder, self.streams, self.services, events);
        gateway.inference = InferenceSettings { base_url: format!("http://{address}"), ..self.inference };
        let gateway = Arc::new(gateway);

        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let listener = {
            let _context = runtime.enter();
            batch::resume(&gateway);
            tokio::net::TcpListener::from_std(listener)?
        };
        let connections = Arc::<ConnectionCounts>::default();
        let listener = BreakableListener::new(listener, Arc::clone(&connections), gateway.faults.clone());
        let service = router(Arc::clone(&gateway)).into_make_service_with_connect_info::<ConnectionHandle>();
        let (stop, stopped) = oneshot::channel::<()>();
        let deliveries = webhooks::dispatch(Arc::clone(&gateway), queue);
        let serve = move || {
            runtime.spawn(deliveries);
            runtime.spawn(async move { axum::serve(listener, service).await });
            // Ends when the sender is dropped. Dropping the runtime then drops every connection, idle or not:
            // waiting for clients to let go of theirs could take for ever.
            let _ = runtime.block_on(stopped);
        };
        let thread = std::thread::Builder::new().name("scaigrid-emulator".to_owned()).spawn(serve)?;
        Ok(Emulator {
            base_url: format!("http://{address}"),
            api_key,
            gateway,
            connections,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
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
}

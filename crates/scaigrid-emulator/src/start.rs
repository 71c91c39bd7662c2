//! From settings to a running emulator.

use crate::accounting;
use crate::accounts::Permissions;
use crate::builder::{EmulatorBuilder, KeySettings};
use crate::clock;
use crate::emulator::{DEFAULT_API_KEY, Emulator, Running};
use crate::faults::Faults;
use crate::gateway::Gateway;
use crate::record::Recorder;
use crate::routes::router;
use crate::state::{StateError, StateFile};
use crate::sync::lock;
use crate::wire::{BreakableListener, ConnectionCounts, ConnectionHandle};
use crate::{batch, scaimatrix, webhooks};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::oneshot;

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

impl EmulatorBuilder {
    /// Binds the port, loads the state, and starts the thread. Connections are accepted from here on.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(mut self) -> Result<Emulator, StartError> {
        if self.keys.all.is_empty() {
            self.keys.all.push(DEFAULT_API_KEY.to_owned());
        }
        self.check()?;
        let address = self.address;
        let (listener, address) = bind(address).map_err(|source| StartError::Bind { address, source })?;
        let base_url = format!("http://{address}");

        self.settings.media.base_url.clone_from(&base_url);
        let faults = Faults::with_source(self.faults.source);
        self.faults.queued.into_iter().for_each(|fault| faults.push(fault));
        let recorder = if self.is_recording { Recorder::default() } else { Recorder::disabled() };
        let gateway = Arc::new(Gateway::new(self.settings, faults, recorder));
        self.variants.iter().for_each(|variant| gateway.variants.set(*variant, true));
        gateway.ready.store(self.is_ready, Ordering::Relaxed);

        let state_file = self.state.file.map(|path| Arc::new(StateFile::new(path)));
        if let Some(file) = &state_file {
            file.load(&gateway).map_err(failed(file))?;
        }
        install(&self.keys, &gateway);
        // A file that cannot be written is noticed now, and not at the end.
        if let Some(file) = &state_file {
            file.save(&gateway).map_err(failed(file))?;
        }
        let saved = state_file.clone().map(|file| (file, self.state.save_interval));
        let running = run(&gateway, listener, saved).map_err(|source| StartError::Runtime { source })?;
        let api_key = self.keys.all.into_iter().next().unwrap_or_default();
        Ok(Emulator { base_url, api_key, gateway, state_file, running })
    }

    fn check(&self) -> Result<(), StartError> {
        let is_sendable = |key: &String| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        if !self.keys.all.iter().all(is_sendable) {
            return Err(StartError::InvalidKey);
        }
        if !self.keys.budgets.keys().all(|key| self.keys.all.contains(key)) {
            return Err(StartError::BudgetWithoutKey);
        }
        match self.address {
            address if address.ip().is_loopback() => Ok(()),
            address => Err(StartError::NotLoopback { address }),
        }
    }
}

/// Here, not on the thread, so that the caller gets the error.
fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

fn failed(file: &StateFile) -> impl FnOnce(StateError) -> StartError + use<> {
    let path = file.path().to_owned();
    |source| StartError::State { path, source }
}

/// The keys of the settings and their budgets, in place of those of an earlier start.
fn install(settings: &KeySettings, gateway: &Gateway) {
    let now_ms = clock::unix_millis();
    let with_permissions = |key: &String| {
        let only = settings.permissions.get(key).cloned();
        (key.clone(), only.map_or(Permissions::All, Permissions::Only))
    };
    lock(&gateway.accounts).install(settings.all.iter().map(with_permissions).collect(), now_ms);
    let terms = |key: &String| {
        let limit = *settings.budgets.get(key)?;
        let accounts = lock(&gateway.accounts);
        let (_, user) = accounts.authenticate(key, now_ms)?;
        Some(accounting::of_settings(user.id.clone(), limit))
    };
    let terms = settings.all.iter().filter_map(terms).collect();
    lock(&gateway.books).budgets.install(terms, now_ms);
}

/// Starts the thread.
fn run(
    gateway: &Arc<Gateway>,
    listener: TcpListener,
    saved: Option<(Arc<StateFile>, Duration)>,
) -> io::Result<Running> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let listener = {
        let _context = runtime.enter();
        scaimatrix::resume(gateway);
        batch::resume(gateway);
        webhooks::resume(gateway);
        tokio::net::TcpListener::from_std(listener)?
    };
    let connections = Arc::<ConnectionCounts>::default();
    let listener = BreakableListener::new(listener, Arc::clone(&connections), gateway.faults.clone());
    let service = router(Arc::clone(gateway)).into_make_service_with_connect_info::<ConnectionHandle>();
    runtime.spawn(async move { axum::serve(listener, service).await });
    runtime.spawn(webhooks::dispatch(Arc::clone(gateway)));
    if let Some((file, interval)) = saved {
        runtime.spawn(keep_saving(file, Arc::clone(gateway), interval));
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let serve = move || {
        // Ends when the sender is dropped. Dropping the runtime then drops every connection, idle or not:
        // waiting for clients to let go of theirs could take for ever.
        let _ = runtime.block_on(stopped);
    };
    let thread = std::thread::Builder::new().name("scaigrid-emulator".to_owned()).spawn(serve)?;
    Ok(Running { connections, stop: Some(stop), thread: Some(thread) })
}

/// Saves the state again and again. Never ends by itself.
async fn keep_saving(file: Arc<StateFile>, gateway: Arc<Gateway>, interval: Duration) {
    let mut pause = interval;
    loop {
        tokio::time::sleep(pause).await;
        let start = clock::monotonic();
        let (file, gateway) = (Arc::clone(&file), Arc::clone(&gateway));
        // Files can be slow. A failure is tried again the next time, and reported by `save_state`.
        let _ = tokio::task::spawn_blocking(move || file.save(&gateway)).await;
        // A large state must not keep the machine busy.
        let took = clock::monotonic().saturating_duration_since(start);
        pause = interval.max(took.saturating_mul(9));
    }
}

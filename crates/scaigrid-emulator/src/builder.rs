//! The settings of an emulator.

mod routes;

use crate::fault::Fault;
use crate::faults::{FaultSource, IncomingRequest};
use crate::settings::Settings;
use crate::variant::WireVariant;
use scaigrid_types::Money;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Settings of an emulator. Made by [`Emulator::builder`](crate::Emulator::builder).
#[must_use = "nothing runs before `start`"]
#[derive(Clone, Debug)]
pub struct EmulatorBuilder {
    pub(crate) address: SocketAddr,
    pub(crate) keys: KeySettings,
    pub(crate) faults: FaultSettings,
    pub(crate) state: StateSettings,
    pub(crate) is_recording: bool,
    pub(crate) is_ready: bool,
    pub(crate) variants: Vec<WireVariant>,
    pub(crate) settings: Settings,
}

/// Who may call, and how much.
#[derive(Clone, Default)]
pub(crate) struct KeySettings {
    /// Without any, the default key is one.
    pub(crate) all: Vec<String>,
    /// By key; a key that is not in here has all.
    pub(crate) permissions: HashMap<String, BTreeSet<String>>,
    /// By key.
    pub(crate) budgets: HashMap<String, Money>,
}

/// Shows no key.
impl fmt::Debug for KeySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySettings").field("len", &self.all.len()).finish_non_exhaustive()
    }
}

/// What goes wrong.
#[derive(Clone, Default)]
pub(crate) struct FaultSettings {
    pub(crate) queued: Vec<Fault>,
    pub(crate) source: Option<FaultSource>,
}

impl fmt::Debug for FaultSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { queued, source } = self;
        let mut shown = f.debug_struct("FaultSettings");
        shown.field("queued", &queued.len()).field("has_source", &source.is_some()).finish()
    }
}

/// What outlives the emulator.
#[derive(Clone, Debug)]
pub(crate) struct StateSettings {
    pub(crate) file: Option<PathBuf>,
    pub(crate) save_interval: Duration,
}

impl Default for StateSettings {
    fn default() -> Self {
        Self { file: None, save_interval: Duration::from_secs(3) }
    }
}

impl EmulatorBuilder {
    pub(crate) fn new() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            keys: KeySettings::default(),
            faults: FaultSettings::default(),
            state: StateSettings::default(),
            is_recording: true,
            is_ready: true,
            variants: Vec::new(),
            settings: Settings::default(),
        }
    }

    /// Sets where to listen; port 0 takes a free one. Default: 127.0.0.1, port 0. Only loopback addresses are
    /// allowed.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Adds a key. The first belongs to `user_1`, the second to `user_2`, and so on, all in the tenant
    /// `tenant_emulator` and with all permissions. Users can make more keys with calls. Default:
    /// [`DEFAULT_API_KEY`](crate::DEFAULT_API_KEY) alone.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.keys.all.push(key.into());
        self
    }

    /// Adds a key, as [`api_key`](Self::api_key) does, whose user has only these permissions, such as
    /// `models:use`. A call that needs another one is refused with `AUTHZ_PERMISSION_DENIED`.
    ///
    /// ```
    /// let viewer = ["models:list", "accounting:view_own"];
    /// let emulator = scaigrid_emulator::Emulator::builder()
    ///     .api_key("sgk_admin")
    ///     .api_key_with_permissions("sgk_viewer", viewer)
    ///     .start()?;
    /// # Ok::<(), scaigrid_emulator::StartError>(())
    /// ```
    pub fn api_key_with_permissions(
        mut self,
        key: impl Into<String>,
        permissions: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let key = key.into();
        self.keys.permissions.insert(key.clone(), permissions.into_iter().map(Into::into).collect());
        self.api_key(key)
    }

    /// Limits each key to this many requests in any 60 seconds. Default:
    /// [`DEFAULT_RATE_LIMIT_PER_MINUTE`](crate::DEFAULT_RATE_LIMIT_PER_MINUTE).
    pub fn rate_limit_per_minute(mut self, requests: u32) -> Self {
        self.settings.rate_limit = requests;
        self
    }

    /// Gives the user of a key a budget for ever: inference is refused with `BUDGET_EXCEEDED` once what was
    /// served to the user cost this much. Default: none. The key must be one of the emulator's keys.
    pub fn budget(mut self, key: impl Into<String>, cost_limit: Money) -> Self {
        self.keys.budgets.insert(key.into(), cost_limit);
        self
    }

    /// Queues a fault before the first request.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.queued.push(fault);
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
        self.faults.source = Some(Arc::new(Mutex::new(source)));
        self
    }

    /// Sends another form of the wire. May be called several times.
    pub fn variant(mut self, variant: WireVariant) -> Self {
        self.variants.push(variant);
        self
    }

    /// Answers `GET /health/ready` with 503 until [`Emulator::set_ready`](crate::Emulator::set_ready) says
    /// otherwise.
    pub fn not_ready(mut self) -> Self {
        self.is_ready = false;
        self
    }

    /// Keeps the state in a file: loads it at the start if it exists, and saves it at the end and, when something
    /// changed, every few seconds. Kept is everything that calls have made: keys (as hashes), usage, budgets, the
    /// audit log, sessions, rooms, webhooks with their secrets, batches, files, and collections. What was half-way,
    /// such as a delivery, a batch, or a document, goes on. Keys and budgets of the builder are those of the
    /// builder each time. The file is readable by its owner only. Two emulators must not share one.
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.state.file = Some(path.into());
        self
    }

    /// Sets how often the state file is brought up to date. Default: 3 seconds. At least 1 millisecond, and less
    /// often when saving takes long.
    pub fn state_save_interval(mut self, interval: Duration) -> Self {
        self.state.save_interval = interval.max(Duration::from_millis(1));
        self
    }

    /// Keeps no requests: [`Emulator::requests`](crate::Emulator::requests) stays empty, and 10,000 instead of 100,000 usage records are
    /// kept before the oldest are merged by the hour. For an emulator that runs for days.
    pub fn without_recording(mut self) -> Self {
        self.is_recording = false;
        self.settings.usage_records = 10_000;
        self
    }
}

//! Settings of users, wire variants, health, and the state file.

use crate::budget_routes;
use crate::clock;
use crate::emulator::{EmulatorBuilder, StartError};
use crate::gateway::Gateway;
use crate::permissions::Permissions;
use crate::state::StateFile;
use crate::sync::lock;
use crate::variant::WireVariant;
use scaigrid_types::Money;
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often a state file is brought up to date.
const SAVE_INTERVAL: Duration = Duration::from_secs(3);

/// What the methods below set.
#[derive(Clone, Debug)]
pub(crate) struct CoreSettings {
    /// By key; a key that is not in here has all.
    permissions: HashMap<String, BTreeSet<String>>,
    variants: Vec<WireVariant>,
    is_ready: bool,
    state_file: Option<PathBuf>,
    pub(crate) save_interval: Duration,
}

impl Default for CoreSettings {
    fn default() -> Self {
        Self {
            permissions: HashMap::new(),
            variants: Vec::new(),
            is_ready: true,
            state_file: None,
            save_interval: SAVE_INTERVAL,
        }
    }
}

impl EmulatorBuilder {
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
        self.core.permissions.insert(key.clone(), permissions.into_iter().map(Into::into).collect());
        self.api_key(key)
    }

    /// Sends another form of the wire. May be called several times.
    pub fn variant(mut self, variant: WireVariant) -> Self {
        self.core.variants.push(variant);
        self
    }

    /// Answers `GET /health/ready` with 503 until [`Emulator::set_ready`](crate::Emulator::set_ready) says
    /// otherwise.
    pub fn not_ready(mut self) -> Self {
        self.core.is_ready = false;
        self
    }

    /// Keeps the state in a file: loads it at the start if it exists, and saves it at the end and, when something
    /// changed, every few seconds. Kept are created keys (as hashes), usage, budgets, and the audit log; keys and
    /// budgets of the builder are those of the builder each time. The file is readable by its owner only. Two
    /// emulators must not share one.
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.core.state_file = Some(path.into());
        self
    }

    /// Sets how often the state file is brought up to date. Default: 3 seconds. At least 1 millisecond.
    pub fn state_save_interval(mut self, interval: Duration) -> Self {
        self.core.save_interval = interval.max(Duration::from_millis(1));
        self
    }
}

/// Loads the state, and then sets what the settings say.
pub(crate) fn apply(
    settings: &CoreSettings,
    api_keys: &[String],
    budgets: &HashMap<String, Money>,
    gateway: &Gateway,
) -> Result<Option<Arc<StateFile>>, StartError> {
    let file = settings.state_file.clone().map(|path| Arc::new(StateFile::new(path)));
    let failed = |file: &StateFile| {
        let path = file.path().to_owned();
        |source| StartError::State { path, source }
    };
    if let Some(file) = &file {
        file.load(gateway).map_err(failed(file))?;
    }
    settings.variants.iter().for_each(|variant| gateway.variants.set(*variant, true));
    gateway.ready.store(settings.is_ready, Ordering::Relaxed);
    let now_ms = clock::unix_millis();
    let permissions = |key: &String| {
        let only = settings.permissions.get(key).cloned();
        (key.clone(), only.map_or(Permissions::All, Permissions::Only))
    };
    lock(&gateway.accounts).install(api_keys.iter().map(permissions).collect(), now_ms);
    let budget = |key: &String| {
        let limit = *budgets.get(key)?;
        let accounts = lock(&gateway.accounts);
        let (_, user) = accounts.authenticate(key, now_ms)?;
        Some(budget_routes::of_settings(user.id.clone(), limit))
    };
    let terms = api_keys.iter().filter_map(budget).collect();
    lock(&gateway.books).budgets.install(terms, now_ms);
    // A file that cannot be written is noticed now, and not at the end.
    if let Some(file) = &file {
        file.save(gateway).map_err(failed(file))?;
    }
    Ok(file)
}

/// Saves the state again and again. Never ends by itself.
pub(crate) async fn keep_saving(file: Arc<StateFile>, gateway: Arc<Gateway>, interval: Duration) {
    loop {
        tokio::time::sleep(interval).await;
        let (file, gateway) = (Arc::clone(&file), Arc::clone(&gateway));
        // Files can be slow. A failure is tried again the next time, and reported by `save_state`.
        let _ = tokio::task::spawn_blocking(move || file.save(&gateway)).await;
    }
}

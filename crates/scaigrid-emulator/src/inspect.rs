//! Looking into a running emulator, and changing it.

use crate::accounting::Totals;
use crate::emulator::Emulator;
use crate::state::StateError;
use crate::sync::lock;
use crate::variant::WireVariant;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// What was served since the start, or since the first start with the same state file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerTotals {
    /// All models together.
    pub all: Totals,
    /// By slug; models that served nothing are missing.
    pub by_model: BTreeMap<String, Totals>,
}

impl Emulator {
    /// What was served so far: calls, tokens, and costs, all users together.
    ///
    /// ```
    /// let emulator = scaigrid_emulator::Emulator::start()?;
    /// assert_eq!(emulator.ledger().all.requests, 0);
    /// # Ok::<(), scaigrid_emulator::StartError>(())
    /// ```
    pub fn ledger(&self) -> LedgerTotals {
        let by_model = lock(&self.gateway.books).ledger.totals().clone();
        let mut all = Totals::default();
        for totals in by_model.values() {
            all.add(totals.requests, totals.tokens_in, totals.tokens_out, totals.cost);
        }
        LedgerTotals { all, by_model }
    }

    /// Revokes a key: from now on, it gets `AUTH_TOKEN_INVALID`. Says whether there was such a key. What is being
    /// answered goes on.
    pub fn revoke_key(&self, key: &str) -> bool {
        let id = lock(&self.gateway.accounts).id_of(key);
        id.is_some_and(|id| self.gateway.revoke(&id))
    }

    /// Sets a form of the wire, in place of others of its group, or takes it back.
    pub fn set_variant(&self, variant: WireVariant, is_on: bool) {
        self.gateway.variants.set(variant, is_on);
    }

    /// The forms of the wire that are set.
    pub fn variants(&self) -> Vec<WireVariant> {
        self.gateway.variants.all()
    }

    /// Sets what `GET /health/ready` answers: 200, or 503. Other routes are served all the same.
    pub fn set_ready(&self, is_ready: bool) {
        self.gateway.ready.store(is_ready, Ordering::Relaxed);
    }

    /// Brings the [state file](crate::EmulatorBuilder::state_file) up to date. Does nothing without one. Dropping
    /// the emulator does so, too, but cannot say what went wrong.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_state(&self) -> Result<(), StateError> {
        self.state_file.as_ref().map_or(Ok(()), |file| file.save(&self.gateway))
    }
}

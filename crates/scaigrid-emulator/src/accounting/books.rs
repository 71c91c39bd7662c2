//! What was served, and what it may still cost: one store, so that both always agree.

use super::budgets::Budgets;
use super::ledger::{Ledger, UsageRecord};
use crate::events::Event;
use serde::{Deserialize, Serialize};

/// The ledger and the budgets that it fills.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Books {
    pub(crate) ledger: Ledger,
    pub(crate) budgets: Budgets,
}

impl Books {
    /// Books a served call; at most `single` records are kept apart. Returns what budgets have to tell.
    pub(crate) fn book(&mut self, record: UsageRecord, single: usize) -> Vec<Event> {
        let events = self.budgets.add(&record);
        self.ledger.push(record, single);
        events
    }
}

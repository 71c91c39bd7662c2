//! What follows an answer: it is booked, and whoever wants to know is told.

use crate::accounts::Account;
use crate::catalog::Entry;
use scaigrid_types::Usage;
use std::sync::Arc;

/// Told how much of the answer the client was sent.
type Then = Box<dyn FnOnce(&Usage) + Send>;

/// The open bill of one answer.
pub(crate) struct Receipt {
    pub(crate) entry: Entry,
    account: Arc<Account>,
    then: Option<Then>,
}

impl Receipt {
    pub(crate) fn new(account: &Arc<Account>, entry: Entry) -> Self {
        Self { entry, account: Arc::clone(account), then: None }
    }

    /// Does this as well.
    pub(crate) fn then(&mut self, then: impl FnOnce(&Usage) + Send + 'static) {
        self.then = Some(Box::new(then));
    }

    /// Books what was sent.
    pub(crate) fn settle(self, usage: &Usage) {
        self.account.book(&self.entry, usage);
        if let Some(then) = self.then {
            then(usage);
        }
    }
}

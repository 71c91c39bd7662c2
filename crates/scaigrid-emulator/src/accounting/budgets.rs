//! All budgets.

use super::budget::{Budget, HardAction, Level, Terms};
use super::ledger::{Ledger, UsageRecord};
use crate::events::Event;
use crate::ids;
use serde::{Deserialize, Serialize};

/// How many budgets there are at most. Assumed: the gateway documents no limit.
const MAX_BUDGETS: usize = 1000;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Budgets {
    all: Vec<Budget>,
}

impl Budgets {
    /// Whether a call of this user is to be refused.
    pub(crate) fn block(&mut self, user_id: &str, now_ms: i64) -> bool {
        self.has_reached(HardAction::Block, user_id, now_ms)
    }

    /// Whether this user's rate limit is to be lowered.
    pub(crate) fn throttle(&mut self, user_id: &str, now_ms: i64) -> bool {
        self.has_reached(HardAction::Throttle, user_id, now_ms)
    }

    fn has_reached(&mut self, action: HardAction, user_id: &str, now_ms: i64) -> bool {
        self.roll(now_ms);
        let is_meant = |terms: &Terms| terms.hard_action == action && terms.applies_to(user_id);
        self.all.iter().any(|budget| is_meant(&budget.terms) && budget.level() == Level::HardLimitReached)
    }

    /// Counts a served call. Returns an event for each limit that it reaches.
    pub(crate) fn add(&mut self, record: &UsageRecord) -> Vec<Event> {
        self.roll(record.created_ms);
        let meant = self.all.iter_mut().filter(|budget| budget.terms.applies_to(&record.user_id));
        meant
            .flat_map(|budget| {
                budget.add(record);
                budget.news()
            })
            .collect()
    }

    /// Adds a budget, in which counts what was served in its period before. `None` when there are too many.
    pub(crate) fn create(
        &mut self,
        terms: Terms,
        ledger: &Ledger,
        now_ms: i64,
    ) -> Option<(Budget, Vec<Event>)> {
        if self.all.len() >= MAX_BUDGETS {
            return None;
        }
        let mut budget = Budget::new(terms, now_ms);
        let selection = budget.terms.selection(budget.since_ms());
        ledger.records().filter(|record| selection.has(record)).for_each(|record| budget.add(record));
        let events = budget.news();
        self.all.push(budget.clone());
        Some((budget, events))
    }

    /// The budgets of the settings. One that was saved keeps what was used of it; those of earlier settings no
    /// longer count.
    pub(crate) fn install(&mut self, settings: Vec<Terms>, now_ms: i64) {
        let id = |terms: &Terms| ids::of_parts("budget_", [terms.scope_id.as_str()]);
        let is_set = |budget: &Budget| settings.iter().any(|terms| id(terms) == budget.id);
        self.all.retain(|budget| !budget.from_settings || is_set(budget));
        for terms in settings {
            let id = id(&terms);
            match self.all.iter_mut().find(|budget| budget.id == id) {
                Some(known) => known.terms = terms,
                None => {
                    let mut budget = Budget::new(terms, now_ms);
                    (budget.id, budget.from_settings) = (id, true);
                    self.all.push(budget);
                }
            }
        }
    }

    /// The budgets that are meant, oldest first.
    pub(crate) fn list(&mut self, is_meant: impl Fn(&Terms) -> bool, now_ms: i64) -> Vec<Budget> {
        self.roll(now_ms);
        self.all.iter().filter(|budget| is_meant(&budget.terms)).cloned().collect()
    }

    fn roll(&mut self, now_ms: i64) {
        self.all.iter_mut().for_each(|budget| budget.roll(now_ms));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounting::of_settings;
    use scaigrid_types::Money;

    #[test]
    fn settings_come_and_go_and_others_stay() {
        let limit: Money = "1".parse().unwrap();
        let mut budgets = Budgets::default();
        budgets.install(vec![of_settings("user_1".into(), limit)], 0);
        budgets.create(of_settings("user_2".into(), limit), &Ledger::default(), 0).unwrap();
        assert!(!budgets.block("user_1", 0));
        budgets.install(vec![of_settings("user_1".into(), Money::ZERO)], 0);
        assert!(budgets.block("user_1", 0) && !budgets.block("user_2", 0));
        budgets.install(Vec::new(), 0);
        assert!(!budgets.block("user_1", 0));
        assert_eq!(budgets.list(|_| true, 0).len(), 1);
    }

    #[test]
    fn the_number_of_budgets_is_limited() {
        let mut budgets = Budgets::default();
        let mut create = || budgets.create(of_settings("u".into(), Money::ZERO), &Ledger::default(), 0);
        assert_eq!((0..=MAX_BUDGETS).filter_map(|_| create()).count(), MAX_BUDGETS);
    }
}

//! One budget: its terms, its period, and how much of it is used.

use super::ledger::{Selection, UsageRecord};
use crate::events::Event;
use crate::gateway::TENANT;
use crate::ids;
use crate::times::rfc3339;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rust_decimal::Decimal;
use scaigrid_types::Money;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Whom a budget is for. The documented scope `group` is missing: the emulator has no groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    Partner,
    Tenant,
    User,
}

/// When a budget starts anew. Assumed: by the calendar in UTC, weeks on Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Period {
    Daily,
    Weekly,
    Monthly,
    Total,
}

impl Period {
    /// The first millisecond of the period at a time, and the first one after it. `None` for ever.
    pub(crate) fn around(self, now_ms: i64) -> Option<(i64, i64)> {
        let today = Timestamp::from_millisecond(now_ms).ok()?.to_zoned(TimeZone::UTC).date();
        let (start, length) = match self {
            Self::Daily => (today, 1.day()),
            Self::Weekly => {
                let since_monday = i64::from(today.weekday().to_monday_zero_offset());
                (today.checked_sub(since_monday.days()).ok()?, 1.week())
            }
            Self::Monthly => (today.first_of_month(), 1.month()),
            Self::Total => return None,
        };
        let instant = |date: Date| Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond());
        Some((instant(start)?, instant(start.checked_add(length).ok()?)?))
    }
}

/// What happens at the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HardAction {
    Block,
    Notify,
    Throttle,
}

/// What a budget is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Terms {
    pub(crate) scope: Scope,
    pub(crate) scope_id: String,
    pub(crate) period: Period,
    pub(crate) cost_limit: Option<Money>,
    pub(crate) token_limit: Option<u64>,
    pub(crate) request_limit: Option<u64>,
    pub(crate) hard_action: HardAction,
    /// From 0 to 1.
    pub(crate) soft_limit_pct: f64,
}

impl Terms {
    /// The records that count.
    pub(crate) fn selection(&self, since_ms: Option<i64>) -> Selection {
        let user_id = (self.scope == Scope::User).then(|| self.scope_id.clone());
        Selection { user_id, from_ms: since_ms, ..Selection::default() }
    }

    pub(crate) fn applies_to(&self, user_id: &str) -> bool {
        self.scope != Scope::User || self.scope_id == user_id
    }
}

/// How far a budget is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    #[default]
    Ok,
    SoftLimitReached,
    HardLimitReached,
}

/// A budget and what was used of it in the current period.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Budget {
    pub(crate) id: String,
    pub(crate) terms: Terms,
    created_ms: i64,
    /// Whether it comes from the emulator's settings, and not from a call.
    pub(crate) from_settings: bool,
    /// The current period; `None` for ever.
    window: Option<(i64, i64)>,
    cost: Money,
    tokens: u64,
    requests: u64,
    /// The highest level that was told of in this period.
    told: Level,
}

impl Budget {
    /// A new budget; what was used in its period before is still to be [added](Self::add).
    pub(crate) fn new(terms: Terms, now_ms: i64) -> Self {
        Self {
            id: ids::with_prefix("budget_"),
            window: terms.period.around(now_ms),
            terms,
            created_ms: now_ms,
            from_settings: false,
            cost: Money::ZERO,
            tokens: 0,
            requests: 0,
            told: Level::Ok,
        }
    }

    /// When the current period began.
    pub(crate) fn since_ms(&self) -> Option<i64> {
        self.window.map(|(start, _)| start)
    }

    /// Starts anew when a new period has begun. A clock that goes back changes nothing.
    pub(crate) fn roll(&mut self, now_ms: i64) {
        if self.window.is_some_and(|(_, end)| now_ms >= end) {
            self.window = self.terms.period.around(now_ms);
            (self.cost, self.tokens, self.requests) = (Money::ZERO, 0, 0);
            self.told = Level::Ok;
        }
    }

    pub(crate) fn add(&mut self, record: &UsageRecord) {
        self.cost += record.cost;
        self.tokens = self.tokens.saturating_add(record.tokens_in).saturating_add(record.tokens_out);
        self.requests = self.requests.saturating_add(record.requests);
    }

    /// The limit that is used most decides.
    pub(crate) fn level(&self) -> Level {
        let Terms { cost_limit, token_limit, request_limit, soft_limit_pct, .. } = self.terms;
        let pairs = [
            cost_limit.map(|limit| (self.cost.into(), limit.into())),
            token_limit.map(|limit| (self.tokens.into(), limit.into())),
            request_limit.map(|limit| (self.requests.into(), limit.into())),
        ];
        let level = |(used, limit): (Decimal, Decimal)| {
            let share = || used.checked_div(limit).and_then(|share| f64::try_from(share).ok());
            match () {
                () if used >= limit => Level::HardLimitReached,
                () if share().is_some_and(|share| share >= soft_limit_pct) => Level::SoftLimitReached,
                () => Level::Ok,
            }
        };
        pairs.into_iter().flatten().map(level).max().unwrap_or_default()
    }

    /// An event for each limit that was reached since the last call. The types are documented, the payload is
    /// assumed.
    pub(crate) fn news(&mut self) -> Vec<Event> {
        let level = self.level();
        let told = self.told;
        self.told = told.max(level);
        let steps = [
            (Level::SoftLimitReached, "budget.soft_limit_reached"),
            (Level::HardLimitReached, "budget.hard_limit_reached"),
        ];
        let reached = steps.into_iter().filter(|(step, _)| told < *step && *step <= level);
        let event = |(_, name): (Level, &str)| Event {
            event_type: name.to_owned(),
            source: "accounting_service",
            payload: self.wire(),
        };
        reached.map(event).collect()
    }

    /// The budget as it is answered. The terms are documented, the rest is assumed.
    pub(crate) fn wire(&self) -> Value {
        let Terms { scope, scope_id, period, hard_action, soft_limit_pct, .. } = &self.terms;
        json!({
            "id": self.id,
            "scope": scope,
            "scope_id": scope_id,
            "tenant_id": TENANT,
            "period": period,
            "cost_limit": self.terms.cost_limit,
            "token_limit": self.terms.token_limit,
            "request_limit": self.terms.request_limit,
            "hard_action": hard_action,
            "soft_limit_pct": soft_limit_pct,
            "current_usage": {"cost": self.cost, "tokens": self.tokens, "requests": self.requests},
            "enforcement_state": self.level(),
            "period_start": self.window.map(|(start, _)| rfc3339(start)),
            "period_end": self.window.map(|(_, end)| rfc3339(end)),
            "created_at": rfc3339(self.created_ms),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::times::parse_rfc3339;

    #[test]
    fn periods_follow_the_calendar() {
        // A Wednesday.
        let now = parse_rfc3339("2026-04-22T14:30:00Z").unwrap();
        let text = |period: Period| period.around(now).map(|(start, end)| (rfc3339(start), rfc3339(end)));
        let days = |start: &str, end: &str| {
            Some((format!("2026-{start}T00:00:00Z"), format!("2026-{end}T00:00:00Z")))
        };
        assert_eq!(text(Period::Daily), days("04-22", "04-23"));
        assert_eq!(text(Period::Weekly), days("04-20", "04-27"));
        assert_eq!(text(Period::Monthly), days("04-01", "05-01"));
        assert_eq!(text(Period::Total), None);
    }

    fn budget(cost: Option<&str>, tokens: Option<u64>, requests: Option<u64>) -> Budget {
        let terms = Terms {
            scope: Scope::User,
            scope_id: "user_1".into(),
            period: Period::Daily,
            cost_limit: cost.map(|text| text.parse().unwrap()),
            token_limit: tokens,
            request_limit: requests,
            hard_action: HardAction::Block,
            soft_limit_pct: 0.8,
        };
        Budget::new(terms, 0)
    }

    fn record(cost: &str, tokens: u64) -> UsageRecord {
        UsageRecord {
            id: "usage_1".into(),
            model: "m".into(),
            backend_id: "b".into(),
            user_id: "user_1".into(),
            requests: 1,
            tokens_in: tokens,
            tokens_out: 0,
            cost: cost.parse().unwrap(),
            latency_ms: 1,
            request_id: None,
            created_ms: 0,
        }
    }

    #[test]
    fn the_limit_that_is_used_most_decides() {
        let mut budget = budget(Some("1.00"), Some(1000), Some(10));
        assert_eq!(budget.level(), Level::Ok);
        budget.add(&record("0.10", 800));
        assert_eq!(budget.level(), Level::SoftLimitReached);
        budget.add(&record("0.90", 0));
        assert_eq!(budget.level(), Level::HardLimitReached);
        assert_eq!(self::budget(Some("0"), None, None).level(), Level::HardLimitReached);
    }

    #[test]
    fn each_limit_is_told_of_once_in_each_period() {
        let mut budget = budget(None, None, Some(2));
        let mut names = |now: i64| -> Vec<String> {
            budget.roll(now);
            budget.add(&record("0", 1));
            budget.news().into_iter().map(|event| event.event_type).collect()
        };
        let (soft, hard) = ("budget.soft_limit_reached", "budget.hard_limit_reached");
        assert!(names(0).is_empty());
        assert_eq!(names(1), [soft, hard]);
        assert!(names(2).is_empty());
        let tomorrow = 24 * 60 * 60 * 1000;
        assert!(names(tomorrow).is_empty());
        assert_eq!(names(tomorrow).len(), 2);
    }
}

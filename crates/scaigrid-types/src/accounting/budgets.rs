//! What may be spent. Read only: how budgets are changed is not documented well enough.

use crate::macros::{by_id, endpoint, object, paginated, query};
use crate::open_enum::open_enum;
use crate::{Money, Page};

open_enum! {
    /// Whose spending a budget limits. Documented.
    BudgetScope {
        /// A partner's.
        Partner = "partner",
        /// A tenant's.
        Tenant = "tenant",
        /// A user's.
        User = "user",
        /// A group's.
        Group = "group",
    }
}

open_enum! {
    /// How long a budget lasts before it begins anew. Documented; not the same words as
    /// [`UsagePeriod`](crate::UsagePeriod).
    BudgetPeriod {
        /// A day.
        Daily = "daily",
        /// A week.
        Weekly = "weekly",
        /// A month.
        Monthly = "monthly",
        /// For good.
        Total = "total",
    }
}

open_enum! {
    /// What happens when a budget is used up. Documented.
    BudgetAction {
        /// Calls fail with `BUDGET_EXCEEDED`.
        Block = "block",
        /// A webhook is told, and nothing else.
        Notify = "notify",
        /// Rate limits get lower.
        Throttle = "throttle",
    }
}

query! {
    /// Lists the budgets of the caller's scope: `GET /v1/accounting/budgets`. Documented; the parameters are assumed.
    ListBudgets {
        /// Most items of one page. Assumed.
        limit: u32,
        /// Where to go on: [`Page::next_cursor`] of the page before. Assumed.
        cursor: String,
    }
}

endpoint! {
    ListBudgets => Page<Budget>, "accounting.budgets", Get "/v1/accounting/budgets", page + query
}

paginated!(ListBudgets => Budget);

by_id! {
    /// One budget with what is used and whether it blocks: `GET /v1/accounting/budgets/{budget_id}`.
    GetBudget(budget_id) => Budget, "accounting.budget", Get "/v1/accounting/budgets" / budget_id, data
}

object! {
    /// A budget. The fields are documented for creating one and assumed in answers, where all are optional. What is used so
    /// far is documented to be there, but not under which name: look into [`extra`](Self::extra).
    Budget {
        ;
        /// Names it.
        id: String,
        /// Whose spending it limits.
        scope: BudgetScope,
        /// The partner, tenant, user, or group. The name is assumed.
        scope_id: String,
        /// How long it lasts.
        period: BudgetPeriod,
        /// Most that may be spent in a period, without a currency.
        cost_limit: Money,
        /// Most tokens in a period.
        token_limit: u64,
        /// Most calls in a period.
        request_limit: u64,
        /// What happens when it is used up.
        hard_action: BudgetAction,
        /// The part, from 0.0 to 1.0, at which `budget.soft_limit_reached` is told. 0.8 by default.
        soft_limit_pct: f64,
    }
}

//! Accounting: what was used, what it cost, and what may be spent.
//!
//! Source: docs `reference/accounting`, `core-concepts/accounting-and-budgets`. Usage is counted at once and
//! written to the database every 30 seconds, so queries lag a little.

mod budgets;
mod records;
mod summary;

pub use budgets::{Budget, BudgetAction, BudgetPeriod, BudgetScope, GetBudget, ListBudgets};
pub(crate) use records::is_export;
pub use records::{ExportFormat, ExportUsage, ListUsage, UsageRecord};
pub use summary::{GroupBy, UsagePeriod, UsageSummary, UsageSummaryQuery, UsageSummaryRow};

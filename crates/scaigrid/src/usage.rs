//! What the calls of a client came to: tokens, retries, failures, and an estimate of the costs.

mod budget_guard;
mod price;
mod reconcile;
mod table;
mod totals;

pub use budget_guard::{BudgetGuard, BudgetUse};
pub use price::{CostEstimate, PriceTable};
pub use reconcile::{Agreement, ReconciledRow, reconcile};
pub(crate) use table::UsageTable;
pub use totals::{UsageSnapshot, UsageTotals};

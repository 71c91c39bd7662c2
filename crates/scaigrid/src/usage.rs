//! What the calls of a client came to: tokens, retries, failures.

mod table;
mod totals;

pub(crate) use table::UsageTable;
pub use totals::{UsageSnapshot, UsageTotals};

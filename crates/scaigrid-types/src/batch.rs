//! Batches: many calls as one job of the gateway.
//!
//! Source: docs `api-guides/batch-inference`.

mod input;
mod job;
mod result;

pub use input::{BatchInput, BatchInputError};
pub use job::{
    BatchJob, BatchRequestCounts, BatchStatus, CancelBatch, CompletionWindow, GetBatch, ListBatches,
    SubmitBatch,
};
pub use result::{BatchResponse, BatchResult};

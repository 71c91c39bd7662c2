#![doc = include_str!("../README.md")]
//!
//! # Where things are
//! | to find | look at |
//! |---|---|
//! | a call: method, path, query, body, reply | [`Endpoint`] and its implementors |
//! | what went wrong, and whether to try again | [`ErrorCode`], [`RetryClass`], [`ApiError`] |
//! | a list | [`Page`] |
//! | a call without a type | [`RawRequest`] |
//!
//! # Documented or assumed
//! The public documentation leaves gaps. Each item says whether its shape is documented or assumed, and names
//! the page below `https://scailabs.ai/docs/scaigrid/`. Decoding is lenient: unknown fields are skipped,
//! unknown enum values are kept, null means absent, and only fields named as required must be there.

mod accounting;
mod chat;
mod decode_error;
mod endpoint;
mod envelope;
mod error_code;
mod lenient;
mod model;
mod money;
mod open_enum;
mod page;
mod raw;
mod response_body;
mod usage;

pub use accounting::{GroupBy, UsagePeriod, UsageSummary, UsageSummaryQuery, UsageSummaryRow};
pub use chat::{
    AssistantMessage, AudioFormat, ChatAccumulator, ChatChunk, ChatCompletion, ChatRequest, ChatStreamData,
    ChatStreamRequest, Choice, ChunkChoice, ChunkChoices, ChunkDecoder, Content, ContentPart, Delta,
    FinishReason, FunctionCall, FunctionCallDelta, FunctionDefinition, Message, Role, Stop, Tool, ToolCall,
    ToolCallDelta, ToolChoice,
};
pub use decode_error::DecodeError;
pub use endpoint::{Endpoint, InvalidRequest, Method, Path, Query, ReplaySafety, RequestBody};
pub use envelope::{ApiError, ErrorEnvelope, ErrorStatus, FieldError, Meta, SuccessEnvelope};
pub use error_code::{ErrorCode, RetryClass};
pub use model::{GetModel, HealthStatus, ListModels, Modality, Model, ModelStatus};
pub use money::{Decimal, Money, ParseMoneyError};
pub use page::{Page, Pagination};
pub use raw::RawRequest;
pub use response_body::{ReplyError, ResponseBody};
pub use usage::Usage;

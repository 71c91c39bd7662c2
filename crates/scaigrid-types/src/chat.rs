//! Chat: `POST /v1/inference/chat`.
//!
//! Source: docs `reference/inference`, `api-guides/chat-completions`, `getting-started/your-first-integration`.
//! The parameters, plain text messages, and the reply's `choices` and `usage` are documented. The shapes of
//! multimodal parts, tool calls, and tool results are assumed to be OpenAI's.

mod accumulator;
mod chunk;
mod chunk_choice;
mod chunk_wire;
mod completion;
mod content;
mod message;
mod request;
mod tool;

pub use accumulator::ChatAccumulator;
pub use chunk::{ChatChunk, ChatStreamData, ChunkDecoder, DecodedData};
pub use chunk_choice::{ChunkChoice, ChunkChoices, Delta, FunctionCallDelta, ToolCallDelta};
pub use completion::{AssistantMessage, ChatCompletion, Choice, FinishReason};
pub use content::{AudioFormat, Content, ContentPart};
pub use message::{Message, Role};
pub use request::{ChatRequest, ChatStreamRequest, Stop};
pub use tool::{FunctionCall, FunctionDefinition, Tool, ToolCall, ToolChoice};

//! Chat: `POST /v1/inference/chat`.
//!
//! Source: docs `reference/inference`, `api-guides/chat-completions`, `getting-started/your-first-integration`.
//! The parameters, plain text messages, and the reply's `choices` and `usage` are documented. The shapes of
//! multimodal parts, tool calls, and tool results are assumed to be OpenAI's.

mod completion;
mod content;
mod message;
mod request;
mod tool;

pub use completion::{AssistantMessage, ChatCompletion, Choice, FinishReason};
pub use content::{AudioFormat, Content, ContentPart};
pub use message::{Message, Role};
pub use request::{ChatRequest, Stop};
pub use tool::{FunctionCall, FunctionDefinition, Tool, ToolCall, ToolChoice};

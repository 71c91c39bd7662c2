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
//! the page below `https://scailabs.ai/docs/scaigrid/`. Decoding is lenient: unknown fields are kept in
//! `extra` (but for chats and chunks, which are many: see the reply's raw body), unknown enum values are kept, null means
//! absent, and only fields named as required must be there.
// Badges that say which feature an item needs; docs.rs builds with a nightly toolchain.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(test),
    warn(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)
)]

mod accounting;
mod api_keys;
mod audit;
mod batch;
mod chat;
mod decode_error;
mod endpoint;
mod envelope;
mod error_code;
mod facts;
mod health;
mod inference;
mod lenient;
mod macros;
mod model;
mod money;
mod open_enum;
mod page;
mod profile;
mod raw;
mod request_body;
mod response_body;
mod rooms;
mod scaimatrix;
mod secret;
mod sessions;
mod upload;
mod usage;
mod webhooks;

pub use accounting::*;
pub use api_keys::{ApiKey, CreateApiKey, CreatedApiKey, ListApiKeys, RevokeApiKey};
pub use audit::{ActorType, AuditEntry, AuditStatus, ExportAuditLog, ListAuditLog};
pub use batch::*;
pub use chat::{
    AssistantMessage, AudioFormat, ChatAccumulator, ChatChunk, ChatCompletion, ChatRequest, ChatStreamData,
    ChatStreamRequest, Choice, ChunkChoice, ChunkChoices, ChunkDecoder, Content, ContentPart, DecodedData,
    Delta, FinishReason, FunctionCall, FunctionCallDelta, FunctionDefinition, Message, Role, Stop, Tool,
    ToolCall, ToolCallDelta, ToolChoice,
};
pub use decode_error::DecodeError;
pub use endpoint::{
    DownloadEndpoint, Endpoint, InvalidRequest, Method, Paginated, Path, Query, ReplaySafety,
};
pub use envelope::{ApiError, ErrorEnvelope, ErrorStatus, FieldError, Meta, SuccessEnvelope};
pub use error_code::{ErrorCode, RetryClass};
pub use facts::ReplyFacts;
pub use health::{GetDetailedHealth, GetHealth, GetMetrics, GetReadiness, Health, Readiness};
pub use inference::*;
pub use model::{GetModel, HealthStatus, ListModels, Modality, Model, ModelStatus};
pub use money::{Money, ParseMoneyError};
pub use page::{Page, Pagination};
pub use profile::{GetMe, Profile};
pub use raw::RawRequest;
pub use request_body::{BodyContent, BodyPiece, ReadOnce, RequestBody, SharedBytes};
pub use response_body::{ReplyError, ResponseBody};
pub use rooms::{
    AddRoomMember, ArchiveRoom, CreateRoom, GetRoom, InitialMember, ListRooms, Room, RoomMember,
    RoomMemberType, RoomMessage, RoomRole, SendRoomMessage, UpdateRoom,
};
pub use scaimatrix::*;
pub use secret::{Base64, Secret, SecretUrl};
pub use sessions::{
    CreateSession, DeleteSession, GetSession, ListSessions, SendSessionMessage, Session, SessionMessage,
    SessionReply, SessionStatus, StreamSessionMessage, UpdateSession,
};
pub use upload::{Multipart, Upload};
pub use usage::Usage;
pub use webhooks::*;

//! What a client under test does.

use std::future::Future;

/// The system prompt of every request.
pub const SYSTEM: &str = "You are a terse assistant that answers in plain English and never invents facts.";

/// The question of every request, unless a size is asked for.
pub const USER: &str = "Explain in three short points how an LLM gateway routes a chat request to a backend, how it \
    applies rate limits and budgets per tenant, and what a client should do when every backend is down.";

/// The credential. The server does not look at it.
pub const KEY: &str = "sgk_0123456789abcdef0123456789abcdef";

/// Most tokens of an answer, as every request says.
pub const MAX_TOKENS: u32 = 256;

/// The temperature of every request.
pub const TEMPERATURE: f32 = 0.5;

/// What a request says.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The load, as text: see [`Load`](crate::load::Load).
    pub model: String,
    /// The question.
    pub user: String,
}

/// What came back. Every side must find the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Chunks that held text; for lists, items. 1 for a plain answer.
    pub chunks: u64,
    /// Bytes of text.
    pub bytes: u64,
    /// Tokens in all, as the server told them.
    pub tokens: u64,
}

impl Answer {
    /// A plain answer.
    pub fn plain(text: &str, tokens: u64) -> Self {
        Self { chunks: 1, bytes: text.len() as u64, tokens }
    }

    /// Counts the text of a chunk, if there is any.
    pub fn add(&mut self, text: &str) {
        if !text.is_empty() {
            self.chunks += 1;
            self.bytes += text.len() as u64;
        }
    }
}

/// An async client under test. Its tasks share one value.
pub trait AsyncSide: Send + Sync + 'static {
    /// `enveloped`: for clients that can do either, whether to call the gateway's route, which wraps answers, or the
    /// OpenAI-shaped one.
    fn new(base: &str, enveloped: bool) -> Self;

    /// One plain answer.
    fn chat(&self, ask: &Ask) -> impl Future<Output = Answer> + Send;

    /// One stream, to its end.
    fn stream(&self, ask: &Ask) -> impl Future<Output = Answer> + Send;

    /// A list of so many items, page by page.
    fn list(&self, _items: usize) -> impl Future<Output = Answer> + Send {
        async { panic!("this side knows no lists") }
    }
}

/// A blocking client under test. Its threads share one value.
pub trait BlockingSide: Send + Sync + 'static {
    /// As [`AsyncSide::new`].
    fn new(base: &str, enveloped: bool) -> Self;

    /// One plain answer.
    fn chat(&self, ask: &Ask) -> Answer;

    /// One stream, to its end.
    fn stream(&self, ask: &Ask) -> Answer;

    /// A list of so many items, page by page.
    fn list(&self, _items: usize) -> Answer {
        panic!("this side knows no lists")
    }
}

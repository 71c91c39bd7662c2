//! Our clients, as a program would use them.

use crate::server::PAGE;
use crate::side::{Answer, Ask, AsyncSide, BlockingSide, KEY, MAX_TOKENS, SYSTEM, TEMPERATURE};
use own_transport::HyperTransport;
use scaigrid::{ChatChunk, ChatCompletion, ChatRequest, Client, ListModels, Model, blocking};

fn request(ask: &Ask) -> ChatRequest {
    ChatRequest::new(&ask.model)
        .system(SYSTEM)
        .user(&ask.user[..])
        .max_tokens(MAX_TOKENS.into())
        .temperature(TEMPERATURE.into())
}

fn plain(completion: &ChatCompletion) -> Answer {
    Answer::plain(&completion.text(), completion.usage.map(|usage| usage.total()).unwrap_or_default())
}

fn add(answer: &mut Answer, chunk: &ChatChunk) {
    answer.add(chunk.text());
    if let Some(usage) = &chunk.usage {
        answer.tokens = usage.total();
    }
}

fn list(items: usize) -> ListModels {
    ListModels::new().limit(PAGE as u32).status(format!("items-{items}").as_str())
}

fn count(answer: &mut Answer, model: &Model) {
    assert!(model.slug.starts_with("bench/model-"));
    answer.chunks += 1;
}

async fn stream(client: &Client, ask: &Ask) -> Answer {
    let mut chunks = client.chat_stream(&request(ask)).await.unwrap();
    let mut answer = Answer::default();
    while let Some(chunk) = chunks.next().await {
        add(&mut answer, &chunk.unwrap());
    }
    answer
}

async fn items(client: &Client, items: usize) -> Answer {
    let mut models = client.items(list(items));
    let mut answer = Answer::default();
    while let Some(model) = models.next().await {
        count(&mut answer, &model.unwrap());
    }
    answer
}

/// The async client on reqwest.
pub struct Async(Client);

impl AsyncSide for Async {
    fn new(base: &str, _: bool) -> Self {
        Self(Client::builder().api_key(KEY).base_url(base).build().unwrap())
    }

    async fn chat(&self, ask: &Ask) -> Answer {
        plain(&self.0.chat(&request(ask)).await.unwrap())
    }

    async fn stream(&self, ask: &Ask) -> Answer {
        stream(&self.0, ask).await
    }

    async fn list(&self, all: usize) -> Answer {
        items(&self.0, all).await
    }
}

/// The async client on a transport that a user might write.
pub struct Hyper(Client);

impl AsyncSide for Hyper {
    fn new(base: &str, _: bool) -> Self {
        let client = Client::builder().api_key(KEY).base_url(base).transport(HyperTransport::new());
        Self(client.build().unwrap())
    }

    async fn chat(&self, ask: &Ask) -> Answer {
        plain(&self.0.chat(&request(ask)).await.unwrap())
    }

    async fn stream(&self, ask: &Ask) -> Answer {
        stream(&self.0, ask).await
    }

    async fn list(&self, all: usize) -> Answer {
        items(&self.0, all).await
    }
}

/// The blocking client on ureq.
pub struct Blocking(blocking::Client);

impl BlockingSide for Blocking {
    fn new(base: &str, _: bool) -> Self {
        Self(blocking::Client::builder().api_key(KEY).base_url(base).build().unwrap())
    }

    fn chat(&self, ask: &Ask) -> Answer {
        plain(&self.0.chat(&request(ask)).unwrap())
    }

    fn stream(&self, ask: &Ask) -> Answer {
        let mut answer = Answer::default();
        for chunk in self.0.chat_stream(&request(ask)).unwrap() {
            add(&mut answer, &chunk.unwrap());
        }
        answer
    }

    fn list(&self, all: usize) -> Answer {
        let mut answer = Answer::default();
        for model in self.0.items(list(all)) {
            count(&mut answer, &model.unwrap());
        }
        answer
    }
}

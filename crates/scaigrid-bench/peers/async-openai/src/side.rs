//! The client of async-openai.

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::types::chat::{
    ChatCompletionRequestSystemMessage, ChatCompletionRequestUserMessage, CreateChatCompletionRequest,
    CreateChatCompletionRequestArgs,
};
use futures_util::StreamExt as _;
use scaigrid_bench::side::{Answer, Ask, AsyncSide, KEY, MAX_TOKENS, SYSTEM, TEMPERATURE};

pub struct AsyncOpenai(Client<OpenAIConfig>);

fn request(ask: &Ask) -> CreateChatCompletionRequest {
    CreateChatCompletionRequestArgs::default()
        .model(&ask.model)
        .temperature(TEMPERATURE)
        .max_completion_tokens(MAX_TOKENS)
        .messages([
            ChatCompletionRequestSystemMessage::from(SYSTEM).into(),
            ChatCompletionRequestUserMessage::from(ask.user.as_str()).into(),
        ])
        .build()
        .unwrap()
}

impl AsyncSide for AsyncOpenai {
    fn new(base: &str, _: bool) -> Self {
        let config = OpenAIConfig::new().with_api_key(KEY).with_api_base(format!("{base}/v1"));
        Self(Client::with_config(config))
    }

    async fn chat(&self, ask: &Ask) -> Answer {
        let completion = self.0.chat().create(request(ask)).await.unwrap();
        let text = completion.choices[0].message.content.as_deref().unwrap();
        Answer::plain(text, completion.usage.unwrap().total_tokens.into())
    }

    async fn stream(&self, ask: &Ask) -> Answer {
        let mut chunks = self.0.chat().create_stream(request(ask)).await.unwrap();
        let mut answer = Answer::default();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.unwrap();
            let text = chunk.choices.first().and_then(|choice| choice.delta.content.as_deref());
            answer.add(text.unwrap_or_default());
            if let Some(usage) = &chunk.usage {
                answer.tokens = usage.total_tokens.into();
            }
        }
        answer
    }
}

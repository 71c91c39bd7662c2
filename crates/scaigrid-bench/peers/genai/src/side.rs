//! The client of genai.

use futures_util::StreamExt as _;
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, ChatStreamEvent};
use genai::resolver::{AuthData, Endpoint, ServiceTargetResolver};
use genai::{Client, ModelIden, ServiceTarget};
use scaigrid_bench::side::{Answer, Ask, AsyncSide, KEY, MAX_TOKENS, SYSTEM, TEMPERATURE};

pub struct Genai {
    client: Client,
    options: ChatOptions,
}

fn request(ask: &Ask) -> ChatRequest {
    ChatRequest::new(vec![ChatMessage::system(SYSTEM), ChatMessage::user(ask.user.as_str())])
}

impl AsyncSide for Genai {
    fn new(base: &str, _: bool) -> Self {
        let address = format!("{base}/v1/");
        let target = move |target: ServiceTarget| -> Result<ServiceTarget, genai::resolver::Error> {
            Ok(ServiceTarget {
                endpoint: Endpoint::from_owned(address.clone()),
                auth: AuthData::from_single(KEY),
                model: ModelIden::new(AdapterKind::OpenAI, target.model.model_name),
            })
        };
        let resolver = ServiceTargetResolver::from_resolver_fn(target);
        Self {
            client: Client::builder().with_service_target_resolver(resolver).build().unwrap(),
            options: ChatOptions::default()
                .with_temperature(TEMPERATURE.into())
                .with_max_tokens(MAX_TOKENS)
                .with_capture_usage(true),
        }
    }

    async fn chat(&self, ask: &Ask) -> Answer {
        let response = self.client.exec_chat(&ask.model, request(ask), Some(&self.options)).await.unwrap();
        let tokens = response.usage.total_tokens.unwrap();
        Answer::plain(response.first_text().unwrap(), tokens.try_into().unwrap())
    }

    async fn stream(&self, ask: &Ask) -> Answer {
        let events = self.client.exec_chat_stream(&ask.model, request(ask), Some(&self.options));
        let mut events = events.await.unwrap().stream;
        let mut answer = Answer::default();
        while let Some(event) = events.next().await {
            match event.unwrap() {
                ChatStreamEvent::Chunk(chunk) => answer.add(&chunk.content),
                ChatStreamEvent::End(end) => {
                    let tokens = end.captured_usage.and_then(|usage| usage.total_tokens);
                    answer.tokens = tokens.unwrap().try_into().unwrap();
                }
                _ => {}
            }
        }
        answer
    }
}

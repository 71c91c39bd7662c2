//! Code of a program, which takes a client and is tested without a gateway.

use scaigrid::{ChatRequest, Client, Error, ErrorCode};

/// A title for a conversation: from the good model, or from the spare one while the good one is away.
pub async fn title(client: &Client, conversation: &str) -> Result<String, Error> {
    match ask(client, "scailabs/poolnoodle-omni", conversation).await {
        Err(error) if error.code() == Some(&ErrorCode::ModelUnavailable) => {
            ask(client, "scailabs/poolnoodle-mini", conversation).await
        }
        result => result,
    }
}

async fn ask(client: &Client, model: &str, conversation: &str) -> Result<String, Error> {
    let request = ChatRequest::new(model).system("Reply with ONLY a title.").user(conversation);
    let reply = client.chat(&request).await?;
    Ok(reply.text().trim().to_owned())
}

/// What a stream says, and how it ended.
pub async fn read_aloud(client: &Client, prompt: &str, mut say: impl FnMut(&str)) -> Result<(), Error> {
    let mut stream = client.chat_stream(&ChatRequest::new("scailabs/poolnoodle-omni").user(prompt)).await?;
    while let Some(chunk) = stream.next().await {
        say(chunk?.text());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use scaigrid::ErrorKind;
    use scaigrid::testing::{Answer, ScriptedTransport};
    use scaigrid::transport::{Body, MockTransport, TransportErrorKind};

    #[tokio::test]
    async fn the_spare_model_steps_in_when_retries_are_used_up() {
        let gateway = ScriptedTransport::new()
            .answer(Answer::error(ErrorCode::ModelUnavailable).times(3))
            .answer(Answer::chat(" Carbonara \n"));
        let client = gateway.client_builder().build().unwrap();
        assert_eq!(title(&client, "How do I make carbonara?").await.unwrap(), "Carbonara");
        let models: Vec<_> =
            gateway.requests().iter().map(|sent| sent.json().unwrap()["model"].clone()).collect();
        let (good, spare) = ("scailabs/poolnoodle-omni", "scailabs/poolnoodle-mini");
        assert_eq!(models, [good, good, good, spare]);
    }

    #[tokio::test]
    async fn other_failures_are_handed_on() {
        let gateway = ScriptedTransport::new().answer(Answer::error(ErrorCode::BudgetExceeded));
        let client = gateway.client_builder().build().unwrap();
        let error = title(&client, "Hello").await.unwrap_err();
        assert!(error.is_budget_exceeded());
        assert_eq!(gateway.requests().len(), 1);
    }

    #[tokio::test]
    async fn what_was_said_before_a_cut_was_said() {
        let whole = Answer::chat_stream(["One, ", "two, "]);
        let gateway = ScriptedTransport::new().answer(whole.cut_after(200));
        let client = gateway.client_builder().build().unwrap();
        let mut said = String::new();
        let error = read_aloud(&client, "Count.", |text| said.push_str(text)).await.unwrap_err();
        assert_eq!((said.as_str(), error.kind()), ("One, ", ErrorKind::Connection));
        assert_eq!(error.transport_kind(), Some(TransportErrorKind::Interrupted));
    }

    /// The same with a mock, for a test about one request.
    #[tokio::test]
    async fn a_title_is_one_request() {
        let mut transport = MockTransport::new();
        transport.expect_send().times(1).returning(|request, _| {
            assert_eq!(request.uri().path(), "/v1/inference/chat");
            let body = r#"{"data":{"choices":[{"message":{"role":"assistant","content":"Pasta"}}]}}"#;
            Ok(scaigrid::http::Response::new(Body::from(scaigrid::bytes::Bytes::from(body))))
        });
        let client = Client::builder().api_key("sgk_test").transport(transport).build().unwrap();
        assert_eq!(title(&client, "How do I make pasta?").await.unwrap(), "Pasta");
    }
}

//! The scripted gateway: what downstream tests rely on. The scenarios use it throughout; this is what they do not say.
#![cfg(feature = "blocking")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use scaigrid::testing::{Answer, ScriptExhausted, ScriptedTransport};
use scaigrid::transport::TransportErrorKind as Kind;
use scaigrid::{ChatRequest, ErrorCode, ErrorKind, ListModels, Multipart, RawRequest, Upload};
use std::time::Duration;

fn chat() -> ChatRequest {
    ChatRequest::new("m").user("Hello")
}

#[test]
fn a_script_that_is_used_up_is_an_error_with_a_type() {
    let gateway = ScriptedTransport::new().answer(Answer::error(ErrorCode::ModelUnavailable));
    let client = gateway.blocking_client_builder().build().unwrap();
    let error = client.chat(&chat()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(!error.may_have_run());
    let cause = ScriptExhausted::find(&error).unwrap();
    assert_eq!((cause.number, cause.path.as_str()), (2, "/v1/inference/chat"));
    assert_eq!(gateway.requests().len(), 1, "what met no answer was not sent");
    // Other failures have another cause.
    gateway.push(Answer::error(ErrorCode::BudgetExceeded));
    assert!(ScriptExhausted::find(&client.chat(&chat()).unwrap_err()).is_none());
}

#[test]
fn requests_in_no_fixed_order_are_answered_by_what_they_are() {
    let gateway = ScriptedTransport::new().otherwise(|sent| match sent.request.uri().path() {
        "/v1/models" => Answer::data(serde_json::json!([{"slug": "m"}])),
        _ => Answer::chat(sent.json().unwrap()["model"].as_str().unwrap()),
    });
    let client = gateway.blocking_client_builder().build().unwrap();
    let asked = std::thread::scope(|scope| {
        let ask = |model: &'static str| {
            let client = &client;
            scope.spawn(move || client.chat(&ChatRequest::new(model).user("?")).unwrap().text().into_owned())
        };
        ["a", "b", "c"].map(ask).map(|thread| thread.join().unwrap())
    });
    assert_eq!(asked, ["a", "b", "c"]);
    assert_eq!(client.models(&ListModels::new()).unwrap().items.len(), 1);
    assert_eq!(gateway.requests().len(), 4);
}

#[test]
fn limits_are_kept_in_virtual_time() {
    let gateway = ScriptedTransport::new()
        .answer(Answer::chat("slow").after(Duration::from_secs(61)))
        .answer(Answer::chat("trickles").in_pieces_of(10).paced(Duration::from_secs(9)))
        .answer(Answer::chat("in time").after(Duration::from_secs(59)));
    let client = gateway.blocking_client_builder().build().unwrap();
    for _ in 0..2 {
        let error = client.chat(&chat()).unwrap_err();
        assert_eq!(error.transport_kind(), Some(Kind::Timeout));
        assert!(error.may_have_run());
        assert_eq!(error.elapsed(), Duration::from_secs(60));
    }
    assert_eq!(client.chat(&chat()).unwrap().elapsed(), Duration::from_secs(59));
    let at: Vec<_> = gateway.requests().iter().map(|sent| sent.at.as_secs()).collect();
    assert_eq!(at, [0, 60, 120]);
    assert_eq!(gateway.requests()[0].timeouts.attempt, Some(Duration::from_secs(60)));
}

#[test]
fn a_cut_is_a_cut_wherever_it_is() {
    for bytes in [0, 1, 20, 1000] {
        let gateway = ScriptedTransport::new().answer(Answer::chat("Hello").cut_after(bytes));
        let client = gateway.blocking_client_builder().build().unwrap();
        let error = client.chat(&chat()).unwrap_err();
        assert_eq!(error.transport_kind(), Some(Kind::Interrupted), "{bytes}");
    }
}

#[test]
fn a_streamed_answer_says_its_texts_and_its_usage() {
    let gateway = ScriptedTransport::new().answer(Answer::chat_stream(["Hel", "lo"]));
    let client = gateway.blocking_client_builder().build().unwrap();
    let whole = client.chat_stream(&chat()).unwrap().finish().unwrap();
    assert_eq!(whole.text(), "Hello");
    assert_eq!(whole.usage.unwrap().total_tokens, Some(2));
}

#[test]
fn an_answer_that_http_does_not_allow_is_an_error() {
    for answer in [Answer::chat("Hi").header("not a name", "v"), Answer::chat("Hi").status(7)] {
        let gateway = ScriptedTransport::new().answer(answer);
        let client = gateway.blocking_client_builder().build().unwrap();
        let error = client.chat(&chat()).unwrap_err();
        assert!(error.to_string().contains("HTTP does not allow"), "{error}");
    }
}

#[test]
fn uploads_are_recorded_whole_and_read_only_with_a_connection() {
    let gateway = ScriptedTransport::new()
        .answer(Answer::failure(Kind::Connect))
        .answer(Answer::data(serde_json::json!("kept")));
    let client = gateway.blocking_client_builder().build().unwrap();
    let upload = Upload::reader("a.txt", &b"some text"[..], 9);
    let request = RawRequest::post("/v1/files").multipart(Multipart::new().file("file", &upload));
    assert_eq!(client.send(&request).unwrap().as_str(), Some("kept"));
    let requests = gateway.requests();
    assert_eq!((requests.len(), requests[0].request.body().len()), (2, 0));
    assert!(String::from_utf8_lossy(requests[1].request.body()).contains("some text"));
}

//! Chooses the kind of answer, and counts and cuts it.

use super::tools;
use crate::text;
use scaigrid_types::{AssistantMessage, ChatRequest, Content, FinishReason, Message, Role, ToolCall, Usage};
use std::borrow::Cow;

/// A finished answer.
pub(crate) struct Answer {
    pub(crate) message: AssistantMessage,
    pub(crate) finish_reason: FinishReason,
    pub(crate) usage: Usage,
}

/// The answer to a valid request. The same request always gets the same answer.
pub(crate) fn answer(request: &ChatRequest, max_output: Option<u64>) -> Answer {
    let prompt_tokens = request.messages.iter().map(message_tokens).sum();
    let last = request.messages.last();
    let tool_result = last.filter(|message| message.role == Role::Tool);
    // A result ends the round, or a forced tool would be called for ever.
    if tool_result.is_none() {
        if let Some(call) = tools::call(request) {
            return tool_call(call, prompt_tokens);
        }
    }
    let text = match tool_result {
        Some(result) if result.text().trim().is_empty() => "The tool returned nothing.".to_owned(),
        Some(result) => format!("The tool returned: {}", result.text().trim()),
        None => generated(request),
    };

    let limit = [request.max_tokens, max_output].into_iter().flatten().min();
    let stops = request.stop.as_ref().map(|stop| stop.texts()).unwrap_or_default();
    let text = until_stop(&text, stops);
    let kept = limit.map_or(text, |limit| text::first_tokens(text, limit));
    let finish_reason = if kept.len() < text.len() { FinishReason::Length } else { FinishReason::Stop };
    Answer {
        message: AssistantMessage::new(kept),
        finish_reason,
        usage: Usage::new(prompt_tokens, text::count_tokens(kept)),
    }
}

/// A tool call is never cut: half of its arguments would be no JSON.
fn tool_call(call: ToolCall, prompt_tokens: u64) -> Answer {
    let tokens = call_tokens(&call);
    let mut message = AssistantMessage::default();
    message.tool_calls = vec![call];
    let usage = Usage::new(prompt_tokens, tokens);
    Answer { message, finish_reason: FinishReason::ToolCalls, usage }
}

fn generated(request: &ChatRequest) -> String {
    let system: Vec<Cow<'_, str>> = texts(request, |role| *role == Role::System || *role == "developer");
    let system = system.join("\n");
    let user = texts(request, |role| *role == Role::User);
    if text::asks_for_title(&system) {
        let has_words =
            |texts: &[Cow<'_, str>]| texts.iter().any(|text| text.chars().any(char::is_alphanumeric));
        // What the user says is the topic; without it, what the others say.
        let source = if has_words(&user) { user } else { texts(request, |role| *role != Role::System) };
        return text::title(source.iter().map(Cow::as_ref), text::word_limit(&system));
    }
    let source = texts(request, |role| matches!(role, Role::User | Role::Tool));
    text::answer(source.iter().map(Cow::as_ref))
}

fn texts(request: &ChatRequest, is_wanted: impl Fn(&Role) -> bool) -> Vec<Cow<'_, str>> {
    request.messages.iter().filter(|message| is_wanted(&message.role)).map(Message::text).collect()
}

/// The text before the first occurrence of any stop text. Empty stop texts stop nothing.
fn until_stop<'a>(text: &'a str, stops: &[String]) -> &'a str {
    let positions = stops.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| text.find(stop.as_str()));
    positions.min().and_then(|end| text.get(..end)).unwrap_or(text)
}

/// The tokens of all text; a part that is not text counts 1. Calls that the assistant made count as well.
fn message_tokens(message: &Message) -> u64 {
    let content = match &message.content {
        Some(Content::Parts(parts)) => {
            parts.iter().map(|part| part.as_text().map_or(1, text::count_tokens)).sum()
        }
        _ => text::count_tokens(&message.text()),
    };
    content + message.tool_calls.iter().map(call_tokens).sum::<u64>()
}

fn call_tokens(call: &ToolCall) -> u64 {
    text::count_tokens(&call.function.name) + text::count_tokens(&call.function.arguments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scaigrid_types::{ContentPart, FunctionDefinition, ToolChoice};

    fn ask(text: &str) -> ChatRequest {
        ChatRequest::new("m").user(text)
    }

    #[test]
    fn titles_and_answers_are_told_apart_by_the_system_prompt() {
        let question = "Hey, what's a good recipe for carbonara?";
        let text = |request: &ChatRequest| answer(request, None).message.text().into_owned();
        let title = ChatRequest::new("m").system("You generate titles, max 2 words.").user(question);
        assert_eq!(text(&title), "Good Recipe");
        assert_eq!(text(&ask(question)), "You asked about: good recipe for carbonara.");
        let silent = ChatRequest::new("m").system("title").user("…").assistant("Roman history");
        assert_eq!(text(&silent), "Roman History");
    }

    #[test]
    fn stop_texts_and_max_tokens_cut() {
        let whole = "You wrote: one two three.";
        for (request, text, reason, tokens) in [
            (ask("one two three."), whole, FinishReason::Stop, 7),
            (ask("one two three.").max_tokens(4), "You wrote: one", FinishReason::Length, 4),
            (ask("one two three.").max_tokens(7), whole, FinishReason::Stop, 7),
            (ask("one two three.").stop(" two"), "You wrote: one", FinishReason::Stop, 4),
            (ask("one two three.").stop("three").max_tokens(1), "You", FinishReason::Length, 1),
            (ask("one two three.").stop(""), whole, FinishReason::Stop, 7),
            (ask("one two three.").stop("You"), "", FinishReason::Stop, 0),
        ] {
            let answer = answer(&request, Some(100));
            assert_eq!((answer.message.text().as_ref(), &answer.finish_reason), (text, &reason));
            assert_eq!(answer.usage.completion(), tokens);
        }
        assert_eq!(answer(&ask("one two three.").max_tokens(9), Some(2)).usage.completion(), 2);
    }

    #[test]
    fn parts_that_are_not_text_count_one() {
        let parts = [ContentPart::text("What is this?"), ContentPart::image_url("https://x.org/a.png")];
        let request = ChatRequest::new("m").system("Be brief.").user(parts);
        assert_eq!(answer(&request, None).usage.prompt(), 3 + 4 + 1);
    }

    #[test]
    fn a_tool_result_is_answered_in_text() {
        let call = ToolCall::function("c", "weather", "{}");
        let request = ask("Weather?")
            .message(Message::assistant_tool_calls(vec![call]))
            .message(Message::tool_result("c", "12 degrees"))
            .tool(FunctionDefinition::new("weather"))
            .tool_choice(ToolChoice::Required);
        let answer = answer(&request, None);
        assert_eq!(answer.message.text(), "The tool returned: 12 degrees");
        assert_eq!(answer.usage.prompt(), 2 + 3 + 2);
    }
}

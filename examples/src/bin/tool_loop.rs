//! A model that calls tools until it can answer, with the async client.
//!
//! cargo run --bin tool_loop -- "What is the weather in Paris?"
#![allow(clippy::print_stderr, reason = "the answer goes to stdout, all else to stderr")]

use scaigrid::{ChatRequest, Client, FunctionCall, FunctionDefinition, Message, ToolChoice};
use scaigrid_examples::{Options, emulator_without_key, exit_code, print_now, with_gateway};
use serde_json::{Value, json};
use std::error::Error;
use std::process::ExitCode;

/// Asks, makes the calls that the model wants, and sends back their results, until the model answers in text.
async fn answer(client: &Client, question: &str, rounds: u32) -> Result<String, Box<dyn Error>> {
    let mut request = ChatRequest::new("scailabs/poolnoodle-omni").user(question);
    request.tools = tools();
    for round in 0..rounds {
        request.tool_choice = Some(match round {
            // Nothing is answered from memory.
            0 => ToolChoice::Required,
            last if last + 1 == rounds => ToolChoice::None,
            _ => ToolChoice::Auto,
        });
        let reply = client.chat(&request).await?;
        let calls = reply.tool_calls();
        if calls.is_empty() {
            return Ok(reply.text().into_owned());
        }
        // The model must see what it said, and one result for each call.
        request.messages.extend(reply.message().map(Message::from));
        for call in calls {
            let result = run_tool(&call.function).unwrap_or_else(|error| format!("error: {error}"));
            eprintln!("{}({}) = {result}", call.function.name, call.function.arguments);
            request.messages.push(Message::tool_result(call.id.as_str(), result));
        }
    }
    Err(format!("no answer after {rounds} rounds: the model goes on calling tools").into())
}

/// What the model may call.
fn tools() -> Vec<scaigrid::Tool> {
    let weather = FunctionDefinition::new("weather").description("The weather in a city, in °C.").parameters(
        json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}),
    );
    let fahrenheit = FunctionDefinition::new("fahrenheit").description("Converts °C to °F.").parameters(
        json!({"type": "object", "properties": {"celsius": {"type": "number"}}, "required": ["celsius"]}),
    );
    vec![weather.into(), fahrenheit.into()]
}

/// Runs one call. The model sees an error as a result, too: it may correct itself.
fn run_tool(call: &FunctionCall) -> Result<String, Box<dyn Error>> {
    let arguments: Value = call.parse_arguments()?;
    match call.name.as_str() {
        "weather" => {
            let city = arguments.get("city").and_then(Value::as_str).ok_or("`city` must be a text")?;
            let known = WEATHER.iter().find(|(name, ..)| name.eq_ignore_ascii_case(city));
            let (name, celsius, sky) = known.ok_or_else(|| format!("no weather station in {city}"))?;
            Ok(format!("{name}: {celsius} °C, {sky}"))
        }
        "fahrenheit" => {
            let celsius =
                arguments.get("celsius").and_then(Value::as_f64).ok_or("`celsius` must be a number")?;
            Ok(format!("{:.1} °F", celsius * 1.8 + 32.0))
        }
        unknown => Err(format!("there is no tool {unknown}").into()),
    }
}

const WEATHER: [(&str, i32, &str); 4] = [
    ("Amsterdam", 11, "light rain"),
    ("Lisbon", 21, "clear sky"),
    ("Paris", 14, "clouds"),
    ("Oslo", -2, "snow"),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let options = Options::read("tool_loop [--rounds NUMBER] [QUESTION]")?;
    let rounds = options.number("rounds", 5)?;
    let emulator = emulator_without_key(false)?;
    let client = with_gateway(Client::builder(), &emulator).build()?;
    let question = options.text().unwrap_or("What is the weather in Paris?");
    print_now(&format!("{}\n", answer(&client, question, rounds).await?))?;
    Ok(())
}

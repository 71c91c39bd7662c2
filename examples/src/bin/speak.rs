//! A text as a sound file, with the async client.
//!
//! cargo run --bin speak -- --out hello.wav "Hello there."
#![allow(clippy::print_stderr, reason = "the name of the file goes to stdout, all else to stderr")]

use scaigrid::{AudioFileFormat, Client, SynthesizeRequest};
use scaigrid_emulator::Emulator;
use scaigrid_examples::{
    Options, emulator_without_key_from, exit_code, print_now, standard_input, with_gateway,
};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Speaks a text into a file, which is written while it comes, and is there only when it is whole. When Ctrl-C comes, the
/// connection is closed, and nothing is left behind.
async fn speak(client: &Client, text: &str, voice: &str, file: &Path) -> Result<u64, Box<dyn Error>> {
    let mut request = SynthesizeRequest::new("openai/tts-1", text, voice);
    if let Some(extension) = file.extension().and_then(|extension| extension.to_str()) {
        request = request.response_format(AudioFileFormat::from(extension));
    }
    let spoken = async {
        let speech = client.synthesize(&request).await?;
        eprintln!("request id: {}", speech.request_id().unwrap_or("none"));
        eprintln!("type: {}", speech.content_type().unwrap_or("not told"));
        speech.save(file).await
    };
    tokio::select! {
        bytes = spoken => Ok(bytes?),
        _ = tokio::signal::ctrl_c() => Err("stopped: there is no file".into()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let options = Options::read("speak [--out FILE] [--voice NAME] [TEXT]...")?;
    let text = match options.texts.join(" ") {
        text if text.is_empty() => standard_input()?.unwrap_or_else(|| "Hello there.".to_owned()),
        text => text,
    };
    let emulator = emulator_without_key_from(Emulator::builder().stream_pace(Duration::from_millis(20)))?;
    let client = with_gateway(Client::builder(), &emulator).build()?;
    let file = options.value("out").unwrap_or("speech.wav");
    let bytes = speak(&client, &text, options.value("voice").unwrap_or("alloy"), Path::new(file)).await?;
    eprintln!("{bytes} bytes");
    print_now(&format!("{file}\n"))?;
    Ok(())
}

//! What is said in a recording, with the blocking client. Without a file, a sentence is spoken first and then heard.
//!
//! cargo run --bin transcribe -- --format srt recording.mp3
#![allow(clippy::print_stderr, reason = "the transcript goes to stdout, all else to stderr")]

use scaigrid::blocking::Client;
use scaigrid::{AudioFileFormat, SynthesizeRequest, TranscribeRequest, TranscriptionFormat, Upload};
use scaigrid_examples::{Options, emulator_without_key, exit_code, print_now, with_gateway};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Writes down what is said in a file. It is read piece by piece while it is sent, and again if the call is repeated.
fn transcript(
    client: &Client,
    recording: &Path,
    format: &TranscriptionFormat,
    language: Option<&str>,
) -> Result<String, Box<dyn Error>> {
    let mut request =
        TranscribeRequest::new("openai/whisper-1", Upload::file(recording)).response_format(format.clone());
    if let Some(language) = language {
        request = request.language(language);
    }
    let heard = client.transcribe(&request)?;
    eprintln!("request id: {}", heard.request_id().unwrap_or("none"));
    Ok(match format {
        TranscriptionFormat::Json | TranscriptionFormat::VerboseJson => {
            serde_json::to_string_pretty(&*heard)?
        }
        // Captions are texts, too.
        _ => heard.into_inner().text,
    })
}

/// Speaks a sentence into a file.
fn speak(client: &Client, sentence: &str, recording: &Path) -> Result<(), scaigrid::Error> {
    let request =
        SynthesizeRequest::new("openai/tts-1", sentence, "alloy").response_format(AudioFileFormat::Wav);
    let bytes = client.synthesize(&request)?.save(recording)?;
    eprintln!("no file given: {bytes} bytes of speech were made");
    Ok(())
}

fn main() -> ExitCode {
    exit_code(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let options =
        Options::read("transcribe [--format text|json|verbose_json|srt|vtt] [--language CODE] [FILE]")?;
    let emulator = emulator_without_key(false)?;
    let client = with_gateway(Client::builder(), &emulator).build()?;
    // Removed at the end.
    let folder = tempfile::tempdir()?;
    let recording = match options.text() {
        Some(file) => PathBuf::from(file),
        None => {
            let recording = folder.path().join("sentence.wav");
            speak(&client, "It was a bright cold day in April. The clocks were striking.", &recording)?;
            recording
        }
    };
    let format = TranscriptionFormat::from(options.value("format").unwrap_or("text"));
    let transcript = transcript(&client, &recording, &format, options.value("language"))?;
    print_now(&format!("{}\n", transcript.trim_end()))?;
    Ok(())
}

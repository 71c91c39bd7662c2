//! Prompts, one a line, answered as a batch, with the blocking client. The program may be killed at any time: started
//! again with the same arguments, it waits on.
//!
//! cargo run --bin batch -- --out answers.jsonl prompts.txt
#![allow(clippy::print_stderr, reason = "the name of the output goes to stdout, all else to stderr")]

use indicatif::{ProgressBar, ProgressStyle};
use scaigrid::blocking::Client;
use scaigrid::{BatchInput, BatchJob, BatchStatus, ChatCompletion, ChatRequest, ListBatches};
use scaigrid::{Polling, SubmitBatch};
use scaigrid_emulator::Emulator;
use scaigrid_examples::{Options, Stop, emulator_without_key_from, exit_code, print_now};
use scaigrid_examples::{standard_input, with_gateway};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, io};

/// The id of the batch. It is submitted, unless an earlier run has done so.
fn batch_id(client: &Client, input: &BatchInput, state: &mut State) -> Result<String, Box<dyn Error>> {
    if let Some(id) = &state.batch_id {
        return Ok(id.clone());
    }
    if state.is_old {
        // The earlier run may have submitted, and been killed before it could write the id down.
        for job in client.items(ListBatches::new()) {
            let job = job?;
            let mark = job.metadata.as_ref().and_then(|metadata| metadata.get("submission")?.as_str());
            if mark == Some(&state.submission) {
                return Ok(job.id);
            }
        }
    }
    let submit = SubmitBatch::inline(input)?.metadata("submission", state.submission.as_str());
    // Before submitting, so that a later run knows what to look for.
    state.write()?;
    let job = match client.submit_batch(&submit) {
        Ok(job) => job.into_inner(),
        Err(error) if error.may_have_run() => return Err(error.into()),
        Err(error) => {
            // There is no batch to look for.
            fs::remove_file(&state.file)?;
            return Err(error.into());
        }
    };
    state.batch_id = Some(job.id.clone());
    state.write()?;
    Ok(job.id)
}

/// One answer for each prompt, in the order of the prompts. Results come in any order.
fn answers<'a>(
    client: &Client,
    job: &BatchJob,
    prompts: &'a [String],
) -> Result<Vec<Answer<'a>>, Box<dyn Error>> {
    let missing = |prompt| Answer { prompt, text: None, error: Some("there is no result".to_owned()) };
    let mut answers: Vec<_> = prompts.iter().map(|prompt| missing(prompt.as_str())).collect();
    let results = job.output_file_url.is_some().then(|| client.batch_results(job)).transpose()?;
    // Lines that failed may lie in a file of their own.
    let errors = job.error_file_url.is_some().then(|| client.batch_errors(job)).transpose()?;
    for result in results.into_iter().chain(errors).flatten() {
        let result = result?;
        let number = result.custom_id.parse::<usize>().ok();
        let Some(answer) = number.and_then(|number| answers.get_mut(number)) else { continue };
        (answer.text, answer.error) = match result.data::<ChatCompletion>() {
            Ok(completion) => (Some(completion.text().into_owned()), None),
            Err(error) => (None, Some(error.to_string())),
        };
    }
    Ok(answers)
}

/// A line of the output.
#[derive(Serialize)]
struct Answer<'a> {
    prompt: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Tells how far the batch is: with a bar on a terminal, else with a line for each change.
fn progress(total: usize) -> Result<impl FnMut(&BatchJob) + Send, Box<dyn Error>> {
    let bar = ProgressBar::new(total as u64)
        .with_style(ProgressStyle::with_template("{bar:40} {pos} of {len}, {msg}, {elapsed}")?);
    let mut told = String::new();
    Ok(move |job: &BatchJob| {
        let done = job.request_counts.as_ref().map_or(0, |counts| counts.done());
        let status = job.status.as_ref().map_or("waiting", BatchStatus::as_str);
        bar.set_message(status.to_owned());
        bar.set_position(done);
        // Hidden where there is no terminal.
        match (bar.is_hidden(), format!("{done} of {total}, {status}")) {
            (true, now) if now != told => {
                eprintln!("{now}");
                told = now;
            }
            _ if job.is_final() => bar.abandon(),
            _ => {}
        }
    })
}

/// What a later run must know, in a file beside the output.
#[derive(Serialize, Deserialize)]
struct State {
    /// Where the batch is.
    gateway: String,
    /// A digest of the input.
    input: String,
    /// Names the submission, and goes along with it.
    submission: String,
    batch_id: Option<String>,
    #[serde(skip)]
    file: PathBuf,
    /// An earlier run has written it.
    #[serde(skip)]
    is_old: bool,
}

/// The embedded emulator ends with the program, and its batches with it.
const EMBEDDED: &str = "embedded";

impl State {
    fn read(file: PathBuf, gateway: &str, input: &BatchInput) -> Result<Self, Box<dyn Error>> {
        let digest = Sha256::digest(input.as_str());
        let input: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = match fs::read_to_string(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            read => Some(read.map_err(|error| format!("{}: {error}", file.display()))?),
        };
        let state: Option<State> = text
            .map(|text| serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display())))
            .transpose()?;
        match state.filter(|state| state.gateway != EMBEDDED) {
            Some(state) if state.gateway == gateway && state.input == input => {
                Ok(Self { file, is_old: true, ..state })
            }
            Some(_) => {
                let other = "is about a batch of other prompts or of another gateway";
                Err(format!("{} {other}: choose another --out, or remove it", file.display()).into())
            }
            None => {
                let submission = format!("{:016x}", fastrand::u64(..));
                let gateway = gateway.to_owned();
                Ok(Self { gateway, input, submission, batch_id: None, file, is_old: false })
            }
        }
    }

    fn write(&self) -> Result<(), Box<dyn Error>> {
        write_whole(&self.file, &serde_json::to_string_pretty(self)?)
    }
}

/// Writes a file that is there only when it is whole.
fn write_whole(file: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    let partial = beside(file, ".part");
    let written = fs::write(&partial, text).and_then(|()| fs::rename(&partial, file));
    written.map_err(|error| format!("{} cannot be written: {error}", file.display()).into())
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

fn main() -> ExitCode {
    exit_code(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let options = Options::read("batch [--model SLUG] [--out FILE] [--interval SECONDS] [PROMPTS]")?;
    let prompts = prompts(options.text())?;
    let mut input = BatchInput::new();
    for (number, prompt) in prompts.iter().enumerate() {
        let model = options.value("model").unwrap_or("scailabs/poolnoodle-omni");
        input.push(number.to_string(), &ChatRequest::new(model).user(prompt.as_str()))?;
    }

    let emulator = emulator_without_key_from(Emulator::builder().batch_pace(Duration::from_millis(200)))?;
    let client = with_gateway(Client::builder(), &emulator).build()?;
    let interval = options.number("interval", if emulator.is_some() { 0.05 } else { 5.0 })?;
    let interval = Duration::try_from_secs_f64(interval).map_err(|error| Stop::Wrong(error.to_string()))?;
    let out = Path::new(options.value("out").unwrap_or("answers.jsonl"));
    let gateway = if emulator.is_some() { EMBEDDED } else { client.base_url() };
    let mut state = State::read(beside(out, ".state"), gateway, &input)?;

    let id = batch_id(&client, &input, &mut state)?;
    eprintln!("batch {id}, remembered in {}", state.file.display());
    let polling = Polling::new().interval(interval).on_progress(progress(prompts.len())?);
    let job = client.wait_for_batch(id, polling)?.into_inner();
    let status = job.status.as_ref().map_or("unknown", BatchStatus::as_str).to_owned();
    let answers = answers(&client, &job, &prompts)?;
    let lines = answers.iter().map(|answer| Ok(serde_json::to_string(answer)? + "\n"));
    write_whole(out, &lines.collect::<Result<String, serde_json::Error>>()?)?;
    fs::remove_file(state.file)?;

    print_now(&format!("{}\n", out.display()))?;
    match answers.iter().filter(|answer| answer.error.is_some()).count() {
        0 => Ok(()),
        failed => {
            Err(format!("the batch is {status}: {failed} of {} prompts have no answer", prompts.len()).into())
        }
    }
}

/// The lines of a file, else of standard input, else some of our own.
fn prompts(file: Option<&str>) -> Result<Vec<String>, Box<dyn Error>> {
    let text = match file {
        Some(file) => fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?,
        None => standard_input()?.unwrap_or_else(|| BUILT_IN.to_owned()),
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

const BUILT_IN: &str = "How do I bake bread at home?\nWhy is the sky blue?\nWhat does a gateway do?";

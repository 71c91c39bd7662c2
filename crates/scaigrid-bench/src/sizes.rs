//! What it takes to build a program of one call, and how large it is.

use crate::load::Load;
use crate::measure;
use crate::table::{self, number};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// A program.
struct Program {
    name: &'static str,
    dependencies: &'static str,
    code: &'static str,
    /// Whether it is of the workspace of the peers, with its lock file.
    is_peer: bool,
}

const TOKIO: &str = "tokio = { version = \"1\", features = [\"rt\", \"macros\"] }\n";
const SERDE: &str = "serde = { version = \"1\", features = [\"derive\"] }\nserde_json = \"1\"\n";
const RUSTLS: &str =
    "rustls = { version = \"0.23\", default-features = false, features = [\"ring\", \"std\", \"tls12\"] }\n";

/// What raw clients need in addition.
const MODELS: &str = r#"
#[derive(serde::Serialize)] struct Request { model: String, messages: [Message; 1] }
#[derive(serde::Serialize)] struct Message { role: &'static str, content: &'static str }
#[derive(serde::Deserialize)] struct Completion { choices: Vec<Choice> }
#[derive(serde::Deserialize)] struct Choice { message: Said }
#[derive(serde::Deserialize)] struct Said { content: Option<String> }
fn request(model: String) -> Request { Request { model, messages: [Message { role: "user", content: "hi" }] } }
"#;

const OURS: &str =
    "scaigrid = { path = \"ROOT/crates/scaigrid\", default-features = false, features = [FEATURES] }\n";

const ASYNC: &str = r#"
#[tokio::main(flavor = "current_thread")] async fn main() {
    let (base, model) = given();
    let client = scaigrid::Client::builder().api_key("k").base_url(base).build().unwrap();
    println!("{}", client.chat(&scaigrid::ChatRequest::new(model).user("hi")).await.unwrap().text());
}"#;

const BLOCKING: &str = r#"
fn main() {
    let (base, model) = given();
    let client = scaigrid::blocking::Client::builder().api_key("k").base_url(base).build().unwrap();
    println!("{}", client.chat(&scaigrid::ChatRequest::new(model).user("hi")).unwrap().text());
}"#;

const TYPES: &str = r#"
use std::io::{Read, Write};
fn main() {
    let (base, model) = given();
    let address = base.trim_start_matches("http://");
    let body = serde_json::to_string(&scaigrid_types::ChatRequest::new(model).user("hi")).unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (_, json) = reply.split_once("\r\n\r\n").unwrap();
    println!("{}", serde_json::from_str::<scaigrid_types::ChatCompletion>(json).unwrap().text());
}"#;

const REQWEST: &str = r#"
#[tokio::main(flavor = "current_thread")] async fn main() {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let (base, model) = given();
    let call = reqwest::Client::new().post(format!("{base}/v1/chat/completions")).bearer_auth("k").json(&request(model));
    let completion: Completion = call.send().await.unwrap().json().await.unwrap();
    println!("{}", completion.choices[0].message.content.as_deref().unwrap());
}"#;

const UREQ: &str = r#"
fn main() {
    let (base, model) = given();
    let call = ureq::post(format!("{base}/v1/chat/completions")).header("authorization", "Bearer k");
    let completion: Completion = call.send_json(&self::request(model)).unwrap().body_mut().read_json().unwrap();
    println!("{}", completion.choices[0].message.content.as_deref().unwrap());
}
"#;

const ASYNC_OPENAI: &str = r#"
use async_openai::{Client, config::OpenAIConfig, types::chat::*};
#[tokio::main(flavor = "current_thread")] async fn main() {
    let (base, model) = given();
    let client = Client::with_config(OpenAIConfig::new().with_api_key("k").with_api_base(format!("{base}/v1")));
    let message = ChatCompletionRequestUserMessage::from("hi").into();
    let request = CreateChatCompletionRequestArgs::default().model(model).messages([message]).build().unwrap();
    println!("{}", client.chat().create(request).await.unwrap().choices[0].message.content.as_deref().unwrap());
}"#;

const GENAI: &str = r#"
use genai::{Client, ModelIden, ServiceTarget, adapter::AdapterKind, chat::*, resolver::*};
#[tokio::main(flavor = "current_thread")] async fn main() {
    let (base, model) = given();
    let resolver = ServiceTargetResolver::from_resolver_fn(move |target: ServiceTarget| -> Result<ServiceTarget, Error> {
        let model = ModelIden::new(AdapterKind::OpenAI, target.model.model_name);
        Ok(ServiceTarget { endpoint: Endpoint::from_owned(format!("{base}/v1/")), auth: AuthData::from_single("k"), model })
    });
    let client = Client::builder().with_service_target_resolver(resolver).build().unwrap();
    let request = ChatRequest::new(vec![ChatMessage::user("hi")]);
    println!("{}", client.exec_chat(&model, request, None).await.unwrap().first_text().unwrap());
}"#;

/// Where to call, and what the server is to answer.
const GIVEN: &str = r#"
fn given() -> (String, String) { (std::env::var("BASE").unwrap(), std::env::var("MODEL").unwrap()) }
"#;

const PROGRAMS: [Program; 9] = [
    Program {
        name: "ours, types only",
        dependencies: "scaigrid-types = { path = \"ROOT/crates/scaigrid-types\" }\nserde_json = \"1\"\n",
        code: TYPES,
        is_peer: false,
    },
    Program { name: "ours, blocking, rustls", dependencies: OURS, code: BLOCKING, is_peer: false },
    Program { name: "ours, async, rustls", dependencies: OURS, code: ASYNC, is_peer: false },
    Program { name: "ours, async, default features", dependencies: OURS, code: ASYNC, is_peer: false },
    Program {
        name: "raw ureq, rustls + ring",
        dependencies: "ureq = { version = \"3.5\", default-features = false, features = [\"json\", \"rustls\"] }\n",
        code: UREQ,
        is_peer: false,
    },
    Program {
        name: "raw reqwest, rustls + ring",
        dependencies: "reqwest = { version = \"0.13\", default-features = false, features = [\"json\", \"rustls-no-provider\"] }\n",
        code: REQWEST,
        is_peer: false,
    },
    Program {
        name: "raw reqwest, the same + gzip",
        dependencies: "reqwest = { version = \"0.13\", default-features = false, features = [\"gzip\", \"json\", \"rustls-no-provider\"] }\n",
        code: REQWEST,
        is_peer: false,
    },
    Program {
        name: "async-openai, default + chat",
        dependencies: "async-openai = { version = \"=0.43.0\", features = [\"chat-completion\"] }\n",
        code: ASYNC_OPENAI,
        is_peer: true,
    },
    Program { name: "genai, default", dependencies: "genai = \"=0.7.2\"\n", code: GENAI, is_peer: true },
];

impl Program {
    fn manifest(&self, root: &Path) -> String {
        let features = match self.name {
            "ours, blocking, rustls" => "\"blocking\", \"rustls\"",
            "ours, async, rustls" => "\"async\", \"rustls\"",
            _ => "\"default\"",
        };
        let ours =
            self.dependencies.replace("ROOT", &root.display().to_string()).replace("FEATURES", features);
        let tokio = if self.code.contains("tokio::main") { TOKIO } else { "" };
        let raw = if self.is_raw() { SERDE } else { "" };
        let rustls = if self.code.contains("rustls::crypto") { RUSTLS } else { "" };
        format!(
            "[package]\nname = \"one-call\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\n{ours}{tokio}{raw}{rustls}"
        )
    }

    fn is_raw(&self) -> bool {
        self.name.starts_with("raw")
    }

    fn source(&self) -> String {
        format!("{}{GIVEN}{}", if self.is_raw() { MODELS } else { "" }, self.code)
    }
}

/// Packages of a program, seconds of its cold release build, and KiB of it without symbols.
struct Size {
    packages: usize,
    wall: f64,
    cpu: f64,
    kib: u64,
}

/// Builds each program from nothing, prints a table, and returns the figures. Those whose name does not hold `only` are
/// left out.
pub fn run(folder: &Path, base: &str, only: &str) -> Value {
    let mut rows = Vec::new();
    let mut figures = Vec::new();
    for program in PROGRAMS.iter().filter(|program| program.name.contains(only)) {
        eprintln!("building {}", program.name);
        match size(program, folder, base) {
            Ok(size) => {
                rows.push(vec![
                    program.name.to_owned(),
                    size.packages.to_string(),
                    number(size.wall),
                    number(size.cpu),
                    size.kib.to_string(),
                ]);
                figures.push(json!({
                    "program": program.name, "packages": size.packages, "build_seconds": size.wall,
                    "build_cpu_seconds": size.cpu, "stripped_kib": size.kib,
                }));
            }
            Err(error) => eprintln!("{}: left out: {error}", program.name),
        }
    }
    let head = ["program of one call", "packages", "build s", "build CPU s", "stripped KiB"];
    table::print("sizes", &head, &rows);
    figures.into()
}

fn size(program: &Program, folder: &Path, base: &str) -> Result<Size, String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = crates.join("../..").canonicalize().map_err(|error| error.to_string())?;
    let place = folder.join("one-call");
    let target = place.join("target");
    let write = || -> std::io::Result<()> {
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        fs::create_dir_all(place.join("src"))?;
        fs::write(place.join("Cargo.toml"), program.manifest(&root))?;
        fs::write(place.join("src/main.rs"), program.source())?;
        let lock = if program.is_peer { crates.join("peers/Cargo.lock") } else { root.join("Cargo.lock") };
        fs::copy(lock, place.join("Cargo.lock")).map(drop)
    };
    write().map_err(|error| format!("{}: {error}", place.display()))?;
    let cargo = |arguments: &[&str]| -> Result<String, String> {
        let mut cargo = Command::new("cargo");
        cargo.args(arguments).current_dir(&place).env("CARGO_TARGET_DIR", &target).env_remove("RUSTFLAGS");
        output(&mut cargo)
    };
    cargo(&["fetch", "--quiet"])?;
    let edges = ["--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
    let tree = cargo(&[&["tree"][..], &edges].concat())?;
    // Without the program itself.
    let names = |line: &str| line.split(" (").next().map(str::to_owned);
    let packages =
        tree.lines().filter(|line| !line.is_empty()).filter_map(names).collect::<BTreeSet<_>>().len() - 1;
    let (begin, before) = (Instant::now(), measure::children());
    cargo(&["build", "--release", "--quiet", "--offline"])?;
    let (wall, cpu) = (begin.elapsed().as_secs_f64(), measure::children() - before);
    let built: PathBuf = target.join("release").join(format!("one-call{}", std::env::consts::EXE_SUFFIX));
    let stripped = place.join("stripped");
    output(Command::new("strip").arg("-s").arg("-o").arg(&stripped).arg(&built))?;
    let kib = fs::metadata(&stripped).map_err(|error| error.to_string())?.len() / 1024;
    let said = output(Command::new(&stripped).env("BASE", base).env("MODEL", Load::chat().to_string()))?;
    if !said.contains("gateway") {
        return Err(format!("the program printed {said:?}"));
    }
    fs::remove_dir_all(&place).map_err(|error| error.to_string())?;
    Ok(Size { packages, wall, cpu, kib })
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "{command:?}: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

//! Texts in the order of their similarity to the first, with the async client.
//!
//! cargo run --bin similarity -- "How do I bake bread?" "Baking bread at home" "Selling shares"
#![allow(clippy::print_stderr, reason = "the texts go to stdout, all else to stderr")]

use scaigrid::{Client, EmbedRequest, Usage};
use scaigrid_examples::{Options, emulator_without_key, exit_code, print_now, standard_input, with_gateway};
use std::error::Error;
use std::process::ExitCode;

/// The texts with their cosine similarity to the first, most similar first.
async fn ranked<'a>(client: &Client, texts: &'a [String]) -> Result<Vec<(f64, &'a str)>, Box<dyn Error>> {
    let (mut vectors, mut usage) = (Vec::new(), Usage::default());
    // A call takes many texts; the documentation advises a few hundred.
    for some in texts.chunks(256) {
        let embeddings =
            client.embed(&EmbedRequest::new("openai/text-embedding-3-small", some)).await?.into_inner();
        usage += embeddings.usage;
        vectors.extend(embeddings.data.into_iter().map(|embedding| embedding.embedding));
    }
    eprintln!("tokens: {} in", usage.prompt());
    if vectors.len() != texts.len() {
        return Err(format!("{} vectors came back for {} texts", vectors.len(), texts.len()).into());
    }
    let first = vectors.first().map(Vec::as_slice).unwrap_or_default();
    let similarities = vectors.iter().map(|vector| cosine(first, vector));
    let mut ranked: Vec<_> = similarities.zip(texts.iter().map(String::as_str)).collect();
    ranked.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    Ok(ranked)
}

/// 1 for vectors that point the same way, 0 for those that have nothing in common.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum() };
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 { dot(a, b) / lengths } else { 0.0 }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let texts = texts()?;
    let emulator = emulator_without_key(false)?;
    let client = with_gateway(Client::builder(), &emulator).build()?;
    for (similarity, text) in ranked(&client, &texts).await? {
        print_now(&format!("{similarity:6.3}  {text}\n"))?;
    }
    Ok(())
}

/// The arguments, else the lines of standard input, else a built-in set.
fn texts() -> Result<Vec<String>, Box<dyn Error>> {
    let mut texts = Options::read("similarity [TEXT]...")?.texts;
    if texts.is_empty() {
        let input = standard_input()?.unwrap_or_default();
        texts.extend(input.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
    }
    if texts.is_empty() {
        texts.extend(BUILT_IN.map(str::to_owned));
    }
    Ok(texts)
}

const BUILT_IN: [&str; 5] = [
    "How do I bake bread at home?",
    "The budget was on the agenda of the meeting.",
    "Baking bread in a home oven takes an hour.",
    "Where is fresh bread sold?",
    "Fixing a flat bicycle tyre.",
];

//! Both clients in one program.

use scaigrid::{ChatRequest, Client, blocking};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let request = ChatRequest::new("scailabs/poolnoodle-omni").user("Hello");
    let first = blocking::Client::from_env()?.chat(&request)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let second = runtime.block_on(async { Client::from_env()?.chat(&request).await })?;
    assert_eq!(first.text(), second.text());
    println!("both gave the same answer of {} bytes", first.text().len());
    Ok(())
}

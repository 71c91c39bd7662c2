//! The async client with its default features.

use scaigrid::{ChatRequest, Client};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), scaigrid::Error> {
    let client = Client::from_env()?;
    let request = ChatRequest::new("scailabs/poolnoodle-omni").user("Hello");
    let reply = client.chat(&request).await?;
    let mut stream = client.chat_stream(&request).await?;
    let mut chunks = 0;
    while let Some(chunk) = stream.next().await {
        chunk?;
        chunks += 1;
    }
    println!("async answer of {} bytes, then a stream of {chunks} chunks", reply.text().len());
    Ok(())
}

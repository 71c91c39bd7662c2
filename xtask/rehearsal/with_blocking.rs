//! The blocking client alone.

use scaigrid::ChatRequest;
use scaigrid::blocking::Client;

fn main() -> Result<(), scaigrid::Error> {
    let client = Client::from_env()?;
    let request = ChatRequest::new("scailabs/poolnoodle-omni").user("Hello");
    let reply = client.chat(&request)?;
    let mut chunks = 0;
    for chunk in client.chat_stream(&request)? {
        chunk?;
        chunks += 1;
    }
    println!("blocking answer of {} bytes, then a stream of {chunks} chunks", reply.text().len());
    Ok(())
}

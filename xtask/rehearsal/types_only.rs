//! Depends on the types alone, as a server of the same API would.

use scaigrid_types::{ChatRequest, ErrorCode};

fn main() -> Result<(), serde_json::Error> {
    let request = ChatRequest::new("scailabs/poolnoodle-omni").user("Hello");
    let sent = serde_json::to_string(&request)?;
    let read: ChatRequest = serde_json::from_str(&sent)?;
    assert_eq!(serde_json::to_string(&read)?, sent);
    assert_eq!(ErrorCode::from("BUDGET_EXCEEDED").http_status(), Some(429));
    println!("a request of {} bytes was written and read", sent.len());
    Ok(())
}

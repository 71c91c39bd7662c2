//! Two chats over one connection.

use own_transport::HyperTransport;
use scaigrid::{ChatRequest, Client};
use std::io::{Read, Write};
use std::net::TcpListener;

const ANSWER: &str =
    r#"{"status":"ok","data":{"choices":[{"message":{"role":"assistant","content":"Hi"}}]}}"#;

#[tokio::test]
async fn two_chats_share_a_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        while stream.read(&mut request).is_ok_and(|len| len > 0) {
            let len = ANSWER.len();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {len}\r\n\r\n{ANSWER}");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let client = Client::builder()
        .api_key("sgk_test")
        .base_url(format!("http://{address}"))
        .transport(HyperTransport::new())
        .build()
        .unwrap();
    for _ in 0..2 {
        assert_eq!(client.chat(&ChatRequest::new("m").user("Hello")).await.unwrap().text(), "Hi");
    }
}

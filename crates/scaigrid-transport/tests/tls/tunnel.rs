//! TLS through a proxy: the proxy carries it, and neither reads it nor answers for it.

use super::*;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

const BEARER: &str = "sgk_bearer_of_the_tunnel";
const PASSWORD: &str = "password-of-the-proxy";

/// A proxy that connects with whom it is asked to. Tells all that it was sent, of each connection.
fn proxy() -> (String, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://user:{PASSWORD}@{}", listener.local_addr().unwrap());
    let (told, by_proxy) = channel();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let told = told.clone();
            thread::spawn(move || carry(client, &told));
        }
    });
    (address, by_proxy)
}

fn carry(mut client: TcpStream, told: &Sender<Vec<u8>>) {
    let mut sent = Vec::new();
    let mut buffer = [0; 4096];
    while !sent.ends_with(b"\r\n\r\n") {
        let len = client.read(&mut buffer).unwrap();
        assert!(len > 0, "no whole head");
        sent.extend_from_slice(&buffer[..len]);
    }
    let head = String::from_utf8(sent.clone()).unwrap();
    let target = head.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap();
    let mut server = TcpStream::connect(target).unwrap();
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    let (mut from_server, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let back = thread::spawn(move || {
        let _ = std::io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    while let Ok(len @ 1..) = client.read(&mut buffer) {
        sent.extend_from_slice(&buffer[..len]);
        if server.write_all(&buffer[..len]).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    back.join().unwrap();
    told.send(sent).unwrap();
}

fn request(address: &str) -> http::request::Builder {
    let mut bearer = http::HeaderValue::from_str(&format!("Bearer {BEARER}")).unwrap();
    bearer.set_sensitive(true);
    http::Request::get(format!("https://{address}/")).header("authorization", bearer)
}

/// Also gives what the transport prints.
type Through = fn(TlsSettings, &str, &str) -> (Result<http::StatusCode, TransportError>, String);

#[cfg(feature = "ureq")]
fn blocking(
    tls: TlsSettings,
    proxy: &str,
    address: &str,
) -> (Result<http::StatusCode, TransportError>, String) {
    use scaigrid_transport::blocking::Transport;
    let transport = scaigrid_transport::UreqTransport::builder().proxy(proxy).tls(tls).build().unwrap();
    let sent = transport.send(request(address).body(Default::default()).unwrap(), Timeouts::none());
    (sent.map(|response| response.status()), format!("{transport:?}"))
}

#[cfg(feature = "reqwest")]
fn asynchronous(
    tls: TlsSettings,
    proxy: &str,
    address: &str,
) -> (Result<http::StatusCode, TransportError>, String) {
    use scaigrid_transport::Transport;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let transport = scaigrid_transport::ReqwestTransport::builder().proxy(proxy).tls(tls).build().unwrap();
    let sent = transport.send(request(address).body(Default::default()).unwrap(), Timeouts::none());
    (runtime.block_on(sent).map(|response| response.status()), format!("{transport:?}"))
}

fn throughs() -> Vec<Through> {
    vec![
        #[cfg(feature = "ureq")]
        blocking,
        #[cfg(feature = "reqwest")]
        asynchronous,
        #[cfg(all(feature = "ureq", feature = "rustls", feature = "native-tls"))]
        |tls, proxy, address| blocking(tls.tls_backend_native(), proxy, address),
        #[cfg(all(feature = "reqwest", feature = "rustls", feature = "native-tls"))]
        |tls, proxy, address| asynchronous(tls.tls_backend_native(), proxy, address),
    ]
}

fn contains(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}

fn encoded(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn an_untrusted_server_behind_a_proxy_is_refused_and_nothing_secret_shows() {
    let (server, other) = (Authority::new(), Authority::new());
    let (address, _seen) = serve(&server, &[&TLS13, &TLS12], Clients::Ignored);
    let old = tls_1_1();
    let (proxy, told) = proxy();
    let credentials = encoded(&format!("user:{PASSWORD}"));
    for through in throughs() {
        for (address, tls) in [(address, trusting(&other)), (old, trusting(&other))] {
            let (answer, printed) = through(tls, &proxy, &address.to_string());
            let error = answer.unwrap_err();
            assert_eq!((error.kind(), error.may_have_run()), (Kind::Tls, false), "{error:?}");
            // The proxy did its part, and has seen no request.
            let told = told.recv().unwrap();
            assert!(contains(&told, &format!("CONNECT {address} ")) && contains(&told, &credentials));
            assert!(!contains(&told, BEARER));
            let mut shown = printed + &format!("{error:?}");
            let mut next: Option<&dyn std::error::Error> = Some(&error);
            while let Some(error) = next {
                shown += &format!("\n{error}\n{error:?}");
                next = error.source();
            }
            for secret in [BEARER, &encoded(BEARER), PASSWORD, &encoded(PASSWORD), &credentials] {
                assert!(!shown.contains(secret), "{secret} in {shown}");
            }
        }
    }
}

#[test]
fn a_proxy_sees_the_server_s_name_and_no_bearer() {
    let server = Authority::new();
    let (address, seen) = serve(&server, &[&TLS13, &TLS12], Clients::Ignored);
    let (proxy, told) = proxy();
    for through in throughs() {
        let (answer, _) = through(trusting(&server), &proxy, &address.to_string());
        assert_eq!(answer.unwrap(), 200);
        seen.recv().unwrap();
        let told = told.recv().unwrap();
        assert!(contains(&told, &format!("CONNECT {address} ")) && !contains(&told, BEARER));
    }
}

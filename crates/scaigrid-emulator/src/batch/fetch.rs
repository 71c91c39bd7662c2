//! Fetches an input file from a URL on this machine. The emulator reaches nothing else, on purpose.

use super::input::MAX_BYTES;
use axum::body::{Body, to_bytes};
use axum::http::header::HOST;
use axum::http::{Request, Uri};
use bytes::Bytes;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Where to connect to, and what to ask for.
#[derive(Debug, PartialEq)]
pub(super) struct Target {
    addresses: Vec<SocketAddr>,
    authority: String,
    path: String,
}

/// Reads a URL, or says why the emulator cannot fetch it.
pub(super) fn target(url: &str) -> Result<Target, String> {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase()).unwrap_or_default();
    match scheme.as_str() {
        "http" => {}
        // Documented forms.
        "s3" | "scaidrive" | "scaigrid" => {
            return Err(format!(
                "this emulator cannot read {scheme}:// files; send the file as input_file_base64"
            ));
        }
        _ => return Err(elsewhere()),
    }
    let url: Uri = url.parse().map_err(|error| format!("is not a URL: {error}"))?;
    let authority = url.authority().filter(|authority| !authority.as_str().contains('@'));
    let authority = authority.ok_or_else(|| "must have a host, and no user name".to_owned())?;
    let host = authority.host();
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let hosts = match literal.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) if host.eq_ignore_ascii_case("localhost") => {
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        }
        Err(_) => return Err(elsewhere()),
    };
    if !hosts.iter().all(IpAddr::is_loopback) {
        return Err(elsewhere());
    }
    let port = authority.port_u16().unwrap_or(80);
    Ok(Target {
        addresses: hosts.into_iter().map(|host| SocketAddr::new(host, port)).collect(),
        authority: authority.as_str().to_owned(),
        path: url.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
    })
}

fn elsewhere() -> String {
    "this emulator reads http:// URLs of loopback addresses only; send the file as input_file_base64"
        .to_owned()
}

/// The file, or why it cannot be had.
pub(super) async fn fetch(url: &str) -> Result<Bytes, String> {
    let target = target(url)?;
    match tokio::time::timeout(TIMEOUT, get(target)).await {
        Ok(outcome) => outcome,
        Err(_) => Err("the server took longer than 10 seconds".to_owned()),
    }
}

async fn get(target: Target) -> Result<Bytes, String> {
    // Its standard library form tries one address after another; so does tokio's.
    let stream = TcpStream::connect(target.addresses.as_slice()).await;
    let stream = stream.map_err(|error| format!("cannot connect: {error}"))?;
    let broken = |error: hyper::Error| format!("the server gave no proper answer: {error}");
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let _connection = AbortWhenDropped(tokio::spawn(async move {
        // An error reaches the request too.
        let _ = connection.await;
    }));
    let request = Request::get(target.path).header(HOST, target.authority).body(Body::empty());
    let request = request.map_err(|error| format!("is not a URL: {error}"))?;
    let response = sender.send_request(request).await.map_err(broken)?;
    if !response.status().is_success() {
        return Err(format!("the server answered with status {}", response.status().as_u16()));
    }
    let body = to_bytes(Body::new(response.into_body()), MAX_BYTES).await;
    body.map_err(|_| "the file is larger than 10 MB, or was cut off".to_owned())
}

struct AbortWhenDropped(JoinHandle<()>);

impl Drop for AbortWhenDropped {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_reached() {
        for url in ["http://127.0.0.1:9/a?b=c", "http://[::1]/x", "HTTP://LocalHost:1/", "http://127.9.9.9"] {
            assert!(target(url).is_ok(), "{url}");
        }
        for (url, part) in [
            ("s3://bucket/key", "cannot read s3://"),
            ("scaidrive://a/b", "cannot read scaidrive://"),
            ("scaigrid://file/f_1", "cannot read scaigrid://"),
            ("https://127.0.0.1/x", "loopback"),
            ("http://example.com/x", "loopback"),
            ("http://10.0.0.1/x", "loopback"),
            ("http://[::ffff:127.0.0.1]/x", "loopback"),
            ("file:///etc/passwd", "loopback"),
            ("http://user@127.0.0.1/", "no user name"),
            ("http://", "is not a URL"),
            ("http:x", "loopback"),
            ("x", "loopback"),
            ("", "loopback"),
        ] {
            let problem = target(url).unwrap_err();
            assert!(problem.contains(part), "{url}: {problem}");
        }
        let target = target("http://127.0.0.1:9/a?b=c").unwrap();
        assert_eq!((target.path.as_str(), target.authority.as_str()), ("/a?b=c", "127.0.0.1:9"));
    }
}

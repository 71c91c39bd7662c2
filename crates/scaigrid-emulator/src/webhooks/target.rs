//! Where a webhook may be delivered.

use axum::http::Uri;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const NOT_HTTP: &str = "must be an http or https URL";
const NOT_LOOPBACK: &str = "must be on this machine (127.0.0.1, [::1], or localhost): the emulator delivers \
    to loopback addresses only";

/// A URL on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// To be tried in order.
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) needs_tls: bool,
    /// For the `Host` header.
    pub(crate) host: String,
    /// Path and query.
    pub(crate) path: String,
}

impl Target {
    /// The URL in parts, or what is wrong with it. No name is looked up: `localhost` is what it always is.
    pub(crate) fn parse(url: &str) -> Result<Self, &'static str> {
        let uri: Uri = url.parse().map_err(|_| NOT_HTTP)?;
        let needs_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(NOT_HTTP),
        };
        let (authority, host) = uri.authority().zip(uri.host()).ok_or(NOT_HTTP)?;
        let port = match uri.port_u16() {
            Some(port) if port > 0 => port,
            // No port at all, rather than one that is none.
            None if authority.as_str().ends_with(host) => {
                if needs_tls {
                    443
                } else {
                    80
                }
            }
            _ => return Err("must have a port from 1 to 65535"),
        };
        let ips = match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(ip) if ip.is_loopback() => vec![ip],
            Err(_) if host.eq_ignore_ascii_case("localhost") => {
                vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]
            }
            _ => return Err(NOT_LOOPBACK),
        };
        Ok(Self {
            addresses: ips.into_iter().map(|ip| SocketAddr::from((ip, port))).collect(),
            needs_tls,
            host: format!("{host}:{port}"),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_urls_are_taken_apart() {
        let target = Target::parse("http://127.0.0.1:8080/hooks/a?b=c").unwrap();
        assert_eq!(target.addresses, ["127.0.0.1:8080".parse().unwrap()]);
        assert_eq!((target.host.as_str(), target.path.as_str()), ("127.0.0.1:8080", "/hooks/a?b=c"));
        let target = Target::parse("https://[::1]").unwrap();
        assert_eq!(target.addresses, ["[::1]:443".parse().unwrap()]);
        assert_eq!((target.needs_tls, target.host.as_str(), target.path.as_str()), (true, "[::1]:443", "/"));
        let target = Target::parse("HTTP://LOCALHOST/x").unwrap();
        assert_eq!(target.addresses, ["127.0.0.1:80".parse().unwrap(), "[::1]:80".parse().unwrap()]);
    }

    #[test]
    fn all_other_urls_are_refused() {
        for url in [
            "https://example.com/hook",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
            "http://[::]/",
            "http://127.0.0.1@example.com/",
            "http://localhost.example.com/",
            "http://127.0.0.1.example.com/",
        ] {
            assert_eq!(Target::parse(url), Err(NOT_LOOPBACK), "{url}");
        }
        for url in ["", "127.0.0.1:80", "/hook", "ftp://127.0.0.1/", "http://", "http:// localhost/"] {
            assert_eq!(Target::parse(url), Err(NOT_HTTP), "{url}");
        }
        for url in ["http://127.0.0.1:0/", "http://127.0.0.1:65536/", "http://[::1]:/"] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }
}

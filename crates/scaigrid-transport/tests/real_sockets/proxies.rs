//! Proxies that refuse, fail, or are not there.

use crate::server::{Act, Seen, closed_port, serve};
use crate::{Colour, bytes, fails, request};
use scaigrid_transport::{Timeouts, TransportErrorKind as Kind};

const REFUSAL: &str = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";

fn through<C: Colour>(act: Act, target: &str) -> crate::Outcome {
    let (proxy, _seen) = serve(vec![act]);
    C::through(&format!("http://{proxy}")).exchange(request(target, "{}"), Timeouts::none())
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn a_tunnel_is_refused<C: Colour>() {
    for answer in [REFUSAL, "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"] {
        fails(through::<C>(bytes(answer), "https://gateway.invalid/"), Kind::Proxy, false);
    }
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn a_tunnel_is_refused<C: Colour>() {}

/// Either the proxy's answer, or a refused tunnel: nothing was sent to the gateway.
fn a_plain_request_is_refused<C: Colour>() {
    match through::<C>(bytes(REFUSAL), "http://gateway.invalid/") {
        Ok((status, _)) => assert_eq!(status, 407),
        refused => fails(refused, Kind::Proxy, false),
    }
}

fn no_proxy_listens<C: Colour>() {
    let client = C::through(&format!("http://{}", closed_port()));
    for target in ["http://gateway.invalid/", "https://gateway.invalid/"] {
        if target.starts_with("https") && !scaigrid_transport::HTTPS {
            continue;
        }
        fails(client.exchange(request(target, "{}"), Timeouts::none()), Kind::Connect, false);
    }
}

fn the_proxy_sees_the_target<C: Colour>() {
    let (proxy, seen) = serve(vec![bytes(REFUSAL)]);
    let client = C::through(&format!("http://user:secret@{proxy}"));
    let outcome = client.exchange(request("http://gateway.invalid/v1/models", ""), Timeouts::none());
    let Ok(Seen::Request(text)) = seen.recv() else { panic!() };
    assert!(text.contains("gateway.invalid"), "{text}");
    assert!(!format!("{outcome:?}").contains("secret"));
}

/// Each variable counts for its own scheme, in both transports, and exceptions go directly.
fn variables_choose_the_proxy<C: Colour>() {
    let seen_by = |variable: &'static str, no_proxy: &'static str| {
        let (proxy, seen) = serve(vec![bytes(REFUSAL)]);
        let (direct, seen_directly) = serve(vec![bytes("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")]);
        let address = format!("http://user:secret@{proxy}");
        let client = C::with_variables(move |name| match name {
            "NO_PROXY" => Some(no_proxy.to_owned()),
            _ => (name == variable).then(|| address.clone()),
        });
        let outcome = client.exchange(request(&format!("http://{direct}/"), ""), Timeouts::none());
        assert!(!format!("{outcome:?}").contains("secret"));
        match (seen.try_recv(), seen_directly.try_recv()) {
            (Ok(Seen::Request(text)), Err(_)) => {
                // `user:secret`
                assert!(text.contains("Basic dXNlcjpzZWNyZXQ="), "{text}");
                assert!(text.contains(&direct.to_string()), "{text}");
                "proxy"
            }
            (Err(_), Ok(_)) => "direct",
            both => panic!("{both:?}"),
        }
    };
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        assert_eq!(seen_by(variable, ""), "proxy", "{variable}");
        assert_eq!(seen_by(variable, "example.com, 127.0.0.0/8"), "direct", "{variable}");
    }
    for variable in ["HTTPS_PROXY", "https_proxy", "NONE_PROXY"] {
        assert_eq!(seen_by(variable, ""), "direct", "{variable}");
    }
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn https_has_a_proxy_of_its_own<C: Colour>() {
    for variable in ["HTTPS_PROXY", "ALL_PROXY"] {
        let (proxy, seen) = serve(vec![bytes(REFUSAL)]);
        let client = C::with_variables(move |name| (name == variable).then(|| format!("http://{proxy}")));
        fails(client.exchange(request("https://gateway.invalid/", ""), Timeouts::none()), Kind::Proxy, false);
        let Ok(Seen::Request(text)) = seen.try_recv() else { panic!() };
        assert!(text.starts_with("CONNECT gateway.invalid:443"), "{text}");
    }
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn https_has_a_proxy_of_its_own<C: Colour>() {}

#[test]
fn an_invalid_proxy_address_is_an_error_without_it() {
    let invalid = |error: scaigrid_transport::TransportError| {
        assert_eq!(error.kind(), Kind::Proxy);
        assert!(!format!("{error:?}").contains("secret"));
    };
    let address = "http://user:secret@ not an address";
    #[cfg(feature = "ureq")]
    invalid(scaigrid_transport::UreqTransport::builder().proxy(address).build().unwrap_err());
    #[cfg(feature = "reqwest")]
    invalid(scaigrid_transport::ReqwestTransport::builder().proxy(address).build().unwrap_err());
}

both! {
    a_tunnel_is_refused,
    a_plain_request_is_refused,
    no_proxy_listens,
    the_proxy_sees_the_target,
    variables_choose_the_proxy,
    https_has_a_proxy_of_its_own,
}

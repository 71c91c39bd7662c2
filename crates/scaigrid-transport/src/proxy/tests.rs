#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;

fn proxies(variables: &[(&'static str, &'static str)]) -> Result<Proxies, TransportError> {
    let variables = variables.to_vec();
    let lookup = move |name: &str| {
        variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    };
    ProxyChoice::Variables(Arc::new(lookup)).resolve()
}

/// The proxies of a request by http, and of one by https.
fn both(variables: &[(&'static str, &'static str)]) -> [Option<String>; 2] {
    let proxies = proxies(variables).unwrap();
    ["http", "https"].map(|scheme| proxies.of(scheme, "gateway.example").map(str::to_owned))
}

fn some(address: &str) -> Option<String> {
    Some(address.to_owned())
}

#[test]
fn the_scheme_of_the_request_chooses_the_proxy() {
    let (a, b, c) = ("http://a:1", "http://b:2", "c:3");
    let (at_a, at_b, at_c) = (some("http://a:1/"), some("http://b:2/"), some("http://c:3/"));
    assert_eq!(both(&[]), [None, None]);
    assert_eq!(both(&[("HTTP_PROXY", a)]), [at_a.clone(), None]);
    assert_eq!(both(&[("https_proxy", b)]), [None, at_b.clone()]);
    assert_eq!(both(&[("ALL_PROXY", c)]), [at_c.clone(), at_c.clone()]);
    assert_eq!(both(&[("all_proxy", c), ("http_proxy", a), ("HTTPS_PROXY", b)]), [at_a.clone(), at_b]);
    assert_eq!(both(&[("HTTPS_PROXY", a), ("https_proxy", b)]), [None, at_a]);
    assert_eq!(
        both(&[("HTTPS_PROXY", ""), ("https_proxy", b), ("ALL_PROXY", c)]),
        [at_c.clone(), at_c],
        "empty"
    );
}

#[test]
fn a_cgi_program_uses_no_proxy() {
    let variables =
        [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://evil.example"), ("HTTPS_PROXY", "http://b")];
    assert_eq!(both(&variables), [None, None]);
}

#[test]
fn exceptions_are_hosts_domains_and_networks() {
    let list =
        " gateway.example, .dotted.example ,10.1.0.0/16,192.168.7.7, 2001:db8::/32,[::1],0.0.0.0/40,x/y";
    let proxies = proxies(&[("ALL_PROXY", "http://p"), ("no_proxy", list)]).unwrap();
    for direct in [
        "gateway.example",
        "GATEWAY.example.",
        "a.gateway.example",
        "dotted.example",
        "a.b.dotted.example",
        "10.1.255.255",
        "192.168.7.7",
        "[2001:db8::7]",
        "[::1]",
    ] {
        assert_eq!(proxies.of("https", direct), None, "{direct}");
    }
    for other in
        ["notgateway.example", "gateway.example.evil", "10.2.0.0", "192.168.7.8", "[2001:db9::1]", "example"]
    {
        assert_eq!(proxies.of("https", other), Some("http://p/"), "{other}");
    }
    let none = super::tests::proxies(&[("ALL_PROXY", "http://p"), ("NO_PROXY", "a, *")]).unwrap();
    assert!(none.of("http", "gateway.example").is_none() && none.of("http", "10.0.0.1").is_none());
    let every = super::tests::proxies(&[("ALL_PROXY", "http://p"), ("NO_PROXY", "0.0.0.0/0")]).unwrap();
    assert!(every.of("http", "10.0.0.1").is_none() && every.of("http", "[::1]").is_some());
}

#[test]
fn what_cannot_be_used_is_named_and_not_shown() {
    for wrong in [
        "http://user:hidden@ not an address",
        "socks5://user:hidden@proxy.example:1080",
        "http://user:hidden@",
        "http://user:hidden@proxy.example:99999",
        "ftp://hidden",
    ] {
        let error = proxies(&[("https_proxy", wrong)]).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), Kind::Proxy);
        let text = format!("{error} {error:?}");
        assert!(text.contains("https_proxy") && !text.contains("hidden"), "{text}");
    }
    let kept = proxies(&[("HTTP_PROXY", "user:p%40ss@proxy.example:3128/path?x")]).unwrap();
    assert_eq!(kept.of("http", "h"), Some("http://user:p%40ss@proxy.example:3128/"));
    assert!(kept.of("ftp", "h").is_none() && kept.of("https", "h").is_none());
}

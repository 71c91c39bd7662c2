//! Both clients against TLS servers on 127.0.0.1: whom they trust, and to whom they show a certificate.
#![cfg(all(feature = "rustls", any(feature = "async", feature = "blocking")))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../../scaigrid-transport/tests/tls/server.rs"]
#[allow(dead_code, reason = "used in part by each test that includes it")]
mod server;

use rustls::version::{TLS12, TLS13};
use scaigrid::{Error, ErrorKind, GenericClientBuilder};
use server::{Authority, Clients, serve};

const KEY: &str = "sgk_a_key";

fn settings<C>(
    builder: GenericClientBuilder<C>,
    authority: &Authority,
    url: &str,
) -> GenericClientBuilder<C> {
    builder.api_key(KEY).base_url(url).add_root_certificate(authority.pem())
}

/// A text of the gateway, and a file of another host.
#[cfg(feature = "blocking")]
mod in_blocking {
    use super::*;
    use scaigrid::blocking::{Client, ClientBuilder};

    fn fetch(builder: ClientBuilder, other: &str) -> Result<(String, usize), Error> {
        let client = builder.retry_policy(scaigrid::StandardPolicy::no_retries()).build()?;
        let text = client.metrics()?.into_inner();
        Ok((text, client.download_url(other)?.collect_bytes(100)?.len()))
    }

    #[test]
    fn the_gateway_and_nobody_else_sees_the_certificate() {
        super::the_gateway_and_nobody_else_sees_the_certificate(Client::builder, fetch);
    }

    #[test]
    fn wrong_certificates_are_told_when_building() {
        super::wrong_certificates_are_told_when_building(Client::builder, fetch);
    }
}

#[cfg(feature = "async")]
mod in_async {
    use super::*;
    use scaigrid::{Client, ClientBuilder};

    fn fetch(builder: ClientBuilder, other: &str) -> Result<(String, usize), Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = builder.retry_policy(scaigrid::StandardPolicy::no_retries()).build()?;
            let text = client.metrics().await?.into_inner();
            Ok((text, client.download_url(other).await?.collect_bytes(100).await?.len()))
        })
    }

    #[test]
    fn the_gateway_and_nobody_else_sees_the_certificate() {
        super::the_gateway_and_nobody_else_sees_the_certificate(Client::builder, fetch);
    }

    #[test]
    fn wrong_certificates_are_told_when_building() {
        super::wrong_certificates_are_told_when_building(Client::builder, fetch);
    }
}

type Fetch<C> = fn(GenericClientBuilder<C>, &str) -> Result<(String, usize), Error>;

fn the_gateway_and_nobody_else_sees_the_certificate<C>(
    builder: fn() -> GenericClientBuilder<C>,
    fetch: Fetch<C>,
) {
    let authority = Authority::new();
    let (gateway, seen) = serve(&authority, &[&TLS13, &TLS12], Clients::Needed(&authority));
    let (other, seen_by_other) = serve(&authority, &[&TLS13, &TLS12], Clients::Asked(&authority));
    let (gateway, other) = (format!("https://{gateway}"), format!("https://{other}/file"));
    let identity = authority.sign("client").pem();
    let with = settings(builder(), &authority, &gateway).identity(identity.clone());
    assert!(!format!("{with:?}").contains(&identity[40..60]));
    assert_eq!(fetch(with, &other).unwrap(), ("ok".to_owned(), 2));
    assert!(seen.recv().unwrap().has_certificate);
    assert!(!seen_by_other.recv().unwrap().has_certificate, "another origin");

    fetch(settings(builder(), &authority, &gateway), &other).unwrap_err();
    let untrusted = builder().api_key(KEY).base_url(&gateway).identity(identity);
    assert_eq!(fetch(untrusted, &other).unwrap_err().kind(), ErrorKind::Tls);
}

fn wrong_certificates_are_told_when_building<C>(builder: fn() -> GenericClientBuilder<C>, fetch: Fetch<C>) {
    let authority = Authority::new();
    let url = "https://gateway.example";
    let (one, other) = (authority.sign("a"), authority.sign("b"));
    for (wrong, says) in [
        (builder().add_root_certificate("no certificate"), "root certificate"),
        (builder().identity(one.certificate_pem()), "private key"),
        (builder().identity(one.key_pem()), "identity"),
        (builder().identity(one.certificate_pem() + &other.key_pem()), "does not fit"),
    ] {
        let error = fetch(wrong.api_key(KEY).base_url(url), url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

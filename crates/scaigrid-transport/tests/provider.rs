//! A provider of cryptography that the program has installed is used. A program of its own, because the provider is the
//! whole process's.
#![cfg(all(feature = "rustls", any(feature = "reqwest", feature = "ureq")))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "tls/server.rs"]
#[allow(dead_code, reason = "used in part by each test that includes it")]
mod server;

use rustls::CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 as CHACHA;
use scaigrid_transport::{Timeouts, TlsSettings};
use server::{Authority, Clients, serve};

#[test]
fn an_installed_provider_wins() {
    let mut provider = rustls::crypto::ring::default_provider();
    provider.cipher_suites.retain(|suite| suite.suite() == CHACHA);
    provider.install_default().unwrap();
    let authority = Authority::new();
    let (address, seen) =
        serve(&authority, &[&rustls::version::TLS13, &rustls::version::TLS12], Clients::Ignored);
    let tls = || TlsSettings::new().add_root_certificate(&authority.der).unwrap();
    let request = || http::Request::get(format!("https://{address}/"));
    #[cfg(feature = "ureq")]
    {
        use scaigrid_transport::blocking::Transport;
        let send = |tls| {
            let transport = scaigrid_transport::UreqTransport::builder().no_proxy().tls(tls).build().unwrap();
            transport.send(request().body(Default::default()).unwrap(), Timeouts::none()).unwrap();
            seen.recv().unwrap().suite
        };
        assert_eq!(send(tls()), CHACHA, "ring would have preferred another");
        #[cfg(feature = "native-tls")]
        assert_ne!(send(tls().tls_backend_native()), CHACHA, "not rustls");
    }
    #[cfg(feature = "reqwest")]
    {
        use scaigrid_transport::Transport;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let send = |tls| {
            let transport =
                scaigrid_transport::ReqwestTransport::builder().no_proxy().tls(tls).build().unwrap();
            let sent = transport.send(request().body(Default::default()).unwrap(), Timeouts::none());
            runtime.block_on(sent).unwrap();
            seen.recv().unwrap().suite
        };
        assert_eq!(send(tls()), CHACHA, "ring would have preferred another");
        #[cfg(feature = "native-tls")]
        assert_ne!(send(tls().tls_backend_native()), CHACHA, "not rustls");
    }
}

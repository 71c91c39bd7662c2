//! Both transports against TLS servers on 127.0.0.1.
#![cfg(all(any(feature = "rustls", feature = "native-tls"), any(feature = "reqwest", feature = "ureq")))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod server;
mod tunnel;

use rustls::ProtocolVersion;
use rustls::version::{TLS12, TLS13};
use scaigrid_transport::{Timeouts, TlsSettings, TransportError, TransportErrorKind as Kind};
#[cfg(any(feature = "rustls", feature = "ureq"))]
use server::cuts;
use server::{Authority, Clients, hangs_up, serve, tls_1_1};

type Outcome = Result<String, TransportError>;

#[cfg(feature = "ureq")]
fn blocking(tls: TlsSettings, address: &str) -> Outcome {
    use scaigrid_transport::blocking::Transport;
    let transport = scaigrid_transport::UreqTransport::builder().no_proxy().tls(tls).build()?;
    let request = http::Request::get(format!("https://{address}/")).body(Default::default()).unwrap();
    let body = transport.send(request, Timeouts::none())?.into_body().collect(1024)?;
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

#[cfg(feature = "reqwest")]
fn asynchronous(tls: TlsSettings, address: &str) -> Outcome {
    use scaigrid_transport::Transport;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let transport = scaigrid_transport::ReqwestTransport::builder().no_proxy().tls(tls).build()?;
        let request = http::Request::get(format!("https://{address}/")).body(Default::default()).unwrap();
        let body = transport.send(request, Timeouts::none()).await?.into_body().collect(1024).await?;
        Ok(String::from_utf8(body.to_vec()).unwrap())
    })
}

/// Both colours on both stacks, those that are built.
fn ways() -> Vec<fn(TlsSettings, &str) -> Outcome> {
    vec![
        #[cfg(feature = "ureq")]
        blocking,
        #[cfg(feature = "reqwest")]
        asynchronous,
        #[cfg(all(feature = "ureq", feature = "rustls", feature = "native-tls"))]
        |tls, address| blocking(tls.tls_backend_native(), address),
        #[cfg(all(feature = "reqwest", feature = "rustls", feature = "native-tls"))]
        |tls, address| asynchronous(tls.tls_backend_native(), address),
    ]
}

/// Settings of both stacks, those that are built.
fn stacks() -> Vec<TlsSettings> {
    vec![
        TlsSettings::new(),
        #[cfg(feature = "native-tls")]
        TlsSettings::new().tls_backend_native(),
    ]
}

fn trusting(authority: &Authority) -> TlsSettings {
    TlsSettings::new().add_root_certificate(&authority.der).unwrap()
}

#[test]
fn an_added_root_is_trusted_and_any_other_is_not() {
    let (ours, other) = (Authority::new(), Authority::new());
    let (address, seen) = serve(&ours, &[&TLS13, &TLS12], Clients::Ignored);
    let address = address.to_string();
    for get in ways() {
        let in_pem = TlsSettings::new().add_root_certificate(other.pem() + &ours.pem()).unwrap();
        for tls in [trusting(&ours), in_pem] {
            assert_eq!(get(tls, &address).unwrap(), "ok");
            let seen = seen.recv().unwrap();
            assert_eq!((seen.version, seen.has_certificate), (ProtocolVersion::TLSv1_3, false));
        }
        for tls in [trusting(&other), TlsSettings::new()] {
            let error = get(tls, &address).unwrap_err();
            assert_eq!((error.kind(), error.may_have_run()), (Kind::Tls, false), "{error:?}");
        }
    }
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let authority = Authority::new();
    let (address, _) = serve(&authority, &[&TLS13], Clients::Ignored);
    // Its certificate is for 127.0.0.1.
    let same = format!("localhost:{}", address.port());
    for get in ways() {
        assert_eq!(get(trusting(&authority), &same).unwrap_err().kind(), Kind::Tls);
    }
}

#[test]
fn a_server_that_asks_gets_the_certificate_of_the_client() {
    let (servers, clients, strangers) = (Authority::new(), Authority::new(), Authority::new());
    for version in [&TLS12, &TLS13] {
        let (address, seen) = serve(&servers, &[version], Clients::Needed(&clients));
        let address = address.to_string();
        for get in ways() {
            let identity = clients.sign("client").pem();
            let tls = trusting(&servers).identity(&identity).unwrap();
            assert!(!format!("{tls:?}").contains(&identity[100..120]));
            assert_eq!(get(tls.clone(), &address).unwrap(), "ok");
            assert!(seen.recv().unwrap().has_certificate);
            let unknown = trusting(&servers).identity(strangers.sign("client").pem()).unwrap();
            for tls in [tls.without_identity(), unknown] {
                get(tls, &address).unwrap_err();
            }
        }
    }
}

#[test]
fn a_server_that_may_do_without_gets_none_unless_there_is_one() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let (address, seen) = serve(&servers, &[&TLS13], Clients::Asked(&clients));
    let address = address.to_string();
    for get in ways() {
        let with = trusting(&servers).identity(clients.sign("client").pem()).unwrap();
        for (tls, has_certificate) in [(trusting(&servers), false), (with, true)] {
            assert_eq!(get(tls, &address).unwrap(), "ok");
            assert_eq!(seen.recv().unwrap().has_certificate, has_certificate);
        }
    }
}

#[test]
fn tls_1_2_is_spoken_and_nothing_older() {
    let authority = Authority::new();
    let (address, seen) = serve(&authority, &[&TLS12], Clients::Ignored);
    let address = address.to_string();
    let old = tls_1_1().to_string();
    for get in ways() {
        assert_eq!(get(trusting(&authority), &address).unwrap(), "ok");
        assert_eq!(seen.recv().unwrap().version, ProtocolVersion::TLSv1_2);
        let error = get(trusting(&authority), &old).unwrap_err();
        assert_eq!((error.kind(), error.may_have_run()), (Kind::Tls, false), "{error:?}");
    }
}

#[test]
fn what_is_no_certificate_or_key_is_refused_without_repeating_it() {
    let authority = Authority::new();
    let (signed, other) = (authority.sign("a"), authority.sign("b"));
    let hidden = "aGlkZGVuIGtleQ==";
    let broken = format!("-----BEGIN PRIVATE KEY-----\n{hidden}\n");
    let pem = format!("-----BEGIN CERTIFICATE-----\n{hidden}\n-----END CERTIFICATE-----\n");
    let roots = ["", "no certificate", &broken, &pem];
    let identities =
        [String::new(), signed.certificate_pem(), signed.key_pem(), signed.certificate_pem() + &broken];
    for tls in stacks() {
        let roots = roots.map(|root| tls.clone().add_root_certificate(root));
        let identities = identities.each_ref().map(|pem| tls.clone().identity(pem));
        for wrong in roots.into_iter().chain(identities) {
            let error = wrong.unwrap_err();
            assert_eq!(error.kind(), Kind::Tls);
            assert!(!format!("{error} {error:?}").contains(hidden), "{error:?}");
        }
    }
    let unfit = TlsSettings::new().identity(signed.certificate_pem() + &other.key_pem()).unwrap();
    for get in ways() {
        let error = get(unfit.clone(), "127.0.0.1:9").unwrap_err();
        assert!(error.kind() == Kind::Tls && error.to_string().contains("does not fit"), "{error}");
    }
}

#[test]
fn a_key_in_an_older_form_works_or_says_what_to_do() {
    let authority = Authority::new();
    let (address, seen) = serve(&authority, &[&TLS13], Clients::Needed(&authority));
    let address = address.to_string();
    let client = authority.sign("client");
    let tls = trusting(&authority).identity(client.certificate_pem() + &client.sec1_pem()).unwrap();
    let mut done = 0;
    for get in ways() {
        match get(tls.clone(), &address) {
            Ok(_) => {
                assert!(cfg!(feature = "rustls") && seen.recv().unwrap().has_certificate);
                done += 1;
            }
            Err(error) => {
                assert!(cfg!(feature = "native-tls") && error.kind() == Kind::Tls, "{error:?}");
                assert!(error.to_string().contains("openssl pkcs8 -topk8 -nocrypt"), "{error}");
            }
        }
    }
    let colours = usize::from(cfg!(feature = "ureq")) + usize::from(cfg!(feature = "reqwest"));
    assert_eq!(done, if cfg!(feature = "rustls") { colours } else { 0 });
}

/// But by the async client with the platform's TLS, which hands the end on without saying how it came.
#[cfg(any(feature = "rustls", feature = "ureq"))]
#[test]
fn a_body_without_length_that_is_cut_is_noticed() {
    let authority = Authority::new();
    let address = cuts(&authority).to_string();
    let ways: Vec<fn(TlsSettings, &str) -> Outcome> = vec![
        #[cfg(feature = "ureq")]
        blocking,
        #[cfg(all(feature = "reqwest", feature = "rustls"))]
        asynchronous,
        #[cfg(all(feature = "ureq", feature = "native-tls"))]
        |tls, address| blocking(tls.tls_backend_native(), address),
    ];
    for get in ways {
        let error = get(trusting(&authority), &address).unwrap_err();
        assert_eq!((error.kind(), error.may_have_run()), (Kind::Interrupted, true), "{error:?}");
    }
}

#[test]
fn a_connection_that_ends_in_the_handshake_is_no_refusal() {
    let authority = Authority::new();
    let address = hangs_up().to_string();
    for get in ways() {
        let error = get(trusting(&authority), &address).unwrap_err();
        assert_eq!((error.kind(), error.may_have_run()), (Kind::Connect, false), "{error:?}");
    }
}

#[cfg(feature = "webpki-roots")]
#[test]
fn bundled_roots_replace_those_of_the_platform_and_can_be_added_to() {
    let authority = Authority::new();
    let (address, _) = serve(&authority, &[&TLS13], Clients::Ignored);
    let address = address.to_string();
    let colours = [
        #[cfg(feature = "ureq")]
        blocking,
        #[cfg(feature = "reqwest")]
        asynchronous,
    ];
    for get in colours {
        assert_eq!(get(TlsSettings::new().webpki_roots(), &address).unwrap_err().kind(), Kind::Tls);
        assert_eq!(get(trusting(&authority).webpki_roots(), &address).unwrap(), "ok");
        #[cfg(feature = "native-tls")]
        {
            let error = get(trusting(&authority).webpki_roots().tls_backend_native(), &address).unwrap_err();
            assert!(error.kind() == Kind::Tls && error.to_string().contains("`webpki_roots`"), "{error}");
        }
    }
}

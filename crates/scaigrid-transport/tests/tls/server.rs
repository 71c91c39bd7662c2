//! TLS servers on 127.0.0.1, with certificates that are made for the test.

use base64::Engine as _;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, Stream};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// A root, and what it signs.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) der: CertificateDer<'static>,
}

/// A certificate with its key.
pub(crate) struct Signed {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // OpenSSL looks issuers up by name, and takes a certificate with the name of its issuer for one that signed itself.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("authority {}", COUNT.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().clone();
        Self { issuer: Issuer::new(params, key), der }
    }

    pub(crate) fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    pub(crate) fn sign(&self, name: &str) -> Signed {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        Signed { certificate: params.signed_by(&key, &self.issuer).unwrap().der().clone(), key }
    }
}

impl Signed {
    pub(crate) fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    pub(crate) fn key_pem(&self) -> String {
        pem("PRIVATE KEY", &self.key.serialize_der())
    }

    /// The key in SEC1, as it lies in PKCS #8 behind the name of the curve.
    pub(crate) fn sec1_pem(&self) -> String {
        pem("EC PRIVATE KEY", &self.key.serialize_der()[29..])
    }

    pub(crate) fn pem(&self) -> String {
        self.key_pem() + &self.certificate_pem()
    }
}

/// What a server has seen of a client.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) version: rustls::ProtocolVersion,
    pub(crate) suite: rustls::CipherSuite,
    pub(crate) has_certificate: bool,
}

/// Which certificates of clients a server asks for.
pub(crate) enum Clients<'a> {
    Ignored,
    Asked(&'a Authority),
    Needed(&'a Authority),
}

/// A server that answers with the begin of a body without length, and is gone without a word of TLS.
#[cfg(any(feature = "rustls", feature = "ureq"))]
pub(crate) fn cuts(authority: &Authority) -> SocketAddr {
    let signed = authority.sign("127.0.0.1");
    let key = PrivateKeyDer::try_from(signed.key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = Stream::new(&mut connection, &mut socket);
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhalf");
        }
    });
    address
}

/// A server that answers each request with `ok`.
pub(crate) fn serve(
    authority: &Authority,
    versions: &[&'static rustls::SupportedProtocolVersion],
    clients: Clients<'_>,
) -> (SocketAddr, Receiver<Seen>) {
    let signed = authority.sign("127.0.0.1");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions).unwrap();
    let builder = match clients {
        Clients::Ignored => builder.with_no_client_auth(),
        Clients::Asked(known) | Clients::Needed(known) => {
            let mut roots = RootCertStore::empty();
            roots.add(known.der.clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = match clients {
                Clients::Asked(_) => verifier.allow_unauthenticated(),
                _ => verifier,
            };
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::try_from(signed.key.serialize_der()).unwrap();
    let config = Arc::new(builder.with_single_cert(vec![signed.certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, seen_by_test) = channel();
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = Stream::new(&mut connection, &mut socket);
            let mut request = Vec::new();
            let mut buffer = [0; 1024];
            // Fails when one of the two refuses the other.
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(len @ 1..) => request.extend_from_slice(&buffer[..len]),
                    _ => break,
                }
            }
            if !request.is_empty() {
                let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
                let _ = stream.write_all(answer);
                connection.send_close_notify();
                let _ = connection.complete_io(&mut socket);
                let seen_now = Seen {
                    version: connection.protocol_version().unwrap(),
                    suite: connection.negotiated_cipher_suite().unwrap().suite(),
                    has_certificate: connection.peer_certificates().is_some(),
                };
                let _ = seen.send(seen_now);
            }
        }
    });
    (address, seen_by_test)
}

/// A server that speaks nothing newer than TLS 1.1, as far as its first word.
pub(crate) fn tls_1_1() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut hello = [0; 4096];
            let _ = socket.read(&mut hello);
            // Version, random, no session, TLS_RSA_WITH_AES_128_CBC_SHA, no compression.
            let mut said = vec![3, 2];
            said.extend([7; 32]);
            said.extend([0, 0, 0x2f, 0]);
            let len = u8::try_from(said.len()).unwrap();
            let mut record = vec![22, 3, 2, 0, len + 4, 2, 0, 0, len];
            record.extend(said);
            let _ = socket.write_all(&record);
            let _ = socket.read(&mut hello);
        }
    });
    address
}

/// A server that hears the first word and goes.
pub(crate) fn hangs_up() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let _ = socket.read(&mut [0; 4096]);
        }
    });
    address
}

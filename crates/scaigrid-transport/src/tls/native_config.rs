//! The settings as native-tls takes them.

use super::{Identity, TlsSettings, invalid, unfit_key, unreadable_root};
use crate::{TransportError, TransportErrorKind as Kind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use native_tls::{Certificate, Protocol, TlsConnector, TlsConnectorBuilder};
use rustls_pki_types::PrivateKeyDer;

fn failed(error: native_tls::Error) -> TransportError {
    TransportError::new(Kind::Tls).with_source(error)
}

pub(super) fn certificate(der: &[u8]) -> Result<Certificate, TransportError> {
    Certificate::from_der(der).map_err(unreadable_root)
}

pub(super) fn connector(settings: &TlsSettings, trust_nothing: bool) -> Result<TlsConnector, TransportError> {
    #[cfg(feature = "webpki-roots")]
    if settings.bundled_roots {
        return Err(invalid(
            "the roots of Mozilla are there for rustls only: leave out `webpki_roots` or `tls_backend_native`",
        ));
    }
    let identity = settings.identity.as_ref().map(identity).transpose()?;
    if let Some(identity) = &identity {
        // By itself first: of the whole, native-tls would not say what it is that does not fit.
        builder(true).identity(identity.clone()).build().map_err(unfit_key)?;
    }
    let mut builder = builder(trust_nothing);
    if !trust_nothing {
        for root in &settings.extra_roots {
            builder.add_root_certificate(certificate(root)?);
        }
    }
    if let Some(identity) = identity {
        builder.identity(identity);
    }
    builder.build().map_err(failed)
}

fn builder(trust_nothing: bool) -> TlsConnectorBuilder {
    let mut builder = TlsConnector::builder();
    // Named, so that another default of a later native-tls changes nothing here.
    builder.min_protocol_version(Some(Protocol::Tlsv12)).disable_built_in_roots(trust_nothing);
    builder
}

/// native-tls has no such call there.
#[cfg(all(target_vendor = "apple", not(target_os = "macos")))]
fn identity(_identity: &Identity) -> Result<native_tls::Identity, TransportError> {
    Err(invalid("the platform's TLS takes no identity in PEM: use the `rustls` feature"))
}

#[cfg(not(all(target_vendor = "apple", not(target_os = "macos"))))]
fn identity(identity: &Identity) -> Result<native_tls::Identity, TransportError> {
    let key = match &*identity.key {
        PrivateKeyDer::Pkcs8(key) => pem("PRIVATE KEY", key.secret_pkcs8_der()),
        _ => {
            return Err(invalid(
                "the platform's TLS takes private keys in PKCS #8 only: convert the key with \
                 `openssl pkcs8 -topk8 -nocrypt`, or use rustls",
            ));
        }
    };
    let chain: String = identity.chain.iter().map(|certificate| pem("CERTIFICATE", certificate)).collect();
    // Without the cause, which may quote what it has read.
    let unreadable =
        |_| invalid("the platform's TLS cannot read the certificate or the private key of the identity");
    native_tls::Identity::from_pkcs8(chain.as_bytes(), key.as_bytes()).map_err(unreadable)
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut pem = format!("-----BEGIN {label}-----\n");
    // 48 bytes are 64 characters, the length of a line in PEM.
    for line in der.chunks(48) {
        STANDARD.encode_string(line, &mut pem);
        pem.push('\n');
    }
    pem + &format!("-----END {label}-----\n")
}

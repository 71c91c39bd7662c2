//! Certificates and keys as they lie in files.

use crate::{TransportError, TransportErrorKind as Kind};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

fn invalid(message: &str) -> TransportError {
    TransportError::new(Kind::Tls).with_message(message)
}

pub(super) fn roots(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let roots = match is_pem(bytes) {
        true => certificates(bytes)?,
        false => vec![CertificateDer::from(bytes.to_vec())],
    };
    let mut store = rustls::RootCertStore::empty();
    for root in &roots {
        // The cause says nothing of the bytes.
        let unreadable =
            |error| invalid("a root certificate cannot be read: give it in PEM or DER").with_source(error);
        store.add(root.clone()).map_err(unreadable)?;
    }
    match roots.is_empty() {
        true => Err(invalid("there is no root certificate in what was given")),
        false => Ok(roots),
    }
}

pub(super) fn identity(
    pem: &[u8],
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TransportError> {
    let chain = certificates(pem)?;
    if chain.is_empty() {
        return Err(invalid("there is no certificate in what was given as identity: give it in PEM"));
    }
    // Without the cause, which may quote a line.
    let no_key = |_| {
        invalid("there is no private key in what was given as identity: give it in PEM, and not encrypted")
    };
    Ok((chain, PrivateKeyDer::from_pem_slice(pem).map_err(no_key)?))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let unreadable = |_| invalid("a certificate in PEM cannot be read: check that it was copied whole");
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(unreadable)
}

fn is_pem(bytes: &[u8]) -> bool {
    bytes.windows(b"-----BEGIN ".len()).any(|window| window == b"-----BEGIN ")
}

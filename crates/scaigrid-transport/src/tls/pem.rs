//! Certificates and keys as they lie in files.

use super::invalid;
use crate::TransportError;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Whether they are certificates at all, the TLS stack sees.
pub(super) fn roots(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let roots = match is_pem(bytes) {
        true => certificates(bytes)?,
        false => vec![CertificateDer::from(bytes.to_vec())],
    };
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

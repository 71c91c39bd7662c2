//! TLS for reqwest: the same provider and the same trust as ureq.

use crate::{TransportError, TransportErrorKind};
use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls_platform_verifier::BuilderVerifierExt;
use std::sync::Arc;

/// `trust_nothing` saves reading the platform's certificates where TLS is not used.
pub(crate) fn client_config(trust_nothing: bool) -> Result<ClientConfig, TransportError> {
    let failed = |error: rustls::Error| TransportError::new(TransportErrorKind::Tls).with_source(error);
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    if trust_nothing {
        return Ok(builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth());
    }
    let no_roots = |error| {
        failed(error).with_message(
            "this machine has no trusted root certificates: install its `ca-certificates` package",
        )
    };
    Ok(builder.with_platform_verifier().map_err(no_roots)?.with_no_client_auth())
}

/// The process-wide provider if the program has installed one, else ring.
fn provider() -> Arc<CryptoProvider> {
    CryptoProvider::get_default()
        .cloned()
        .unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()))
}

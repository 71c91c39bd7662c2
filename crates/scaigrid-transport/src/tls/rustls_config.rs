//! The settings as rustls takes them.

use super::{TlsSettings, unfit_key, unreadable_root};
use crate::{TransportError, TransportErrorKind as Kind};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

fn failed(error: rustls::Error) -> TransportError {
    TransportError::new(Kind::Tls).with_source(error)
}

pub(super) fn check_root(root: &CertificateDer<'static>) -> Result<(), TransportError> {
    RootCertStore::empty().add(root.clone()).map_err(unreadable_root)
}

/// `trust_nothing` saves reading the platform's certificates where TLS is not used.
pub(super) fn client_config(
    settings: &TlsSettings,
    trust_nothing: bool,
) -> Result<ClientConfig, TransportError> {
    let provider = provider();
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        // Named, so that another default of a later rustls changes nothing here.
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(failed)?;
    let builder = match own_roots(settings, trust_nothing)? {
        Some(roots) => builder.with_root_certificates(roots),
        None => {
            let verifier = platform_verifier(settings, provider)?;
            // Not dangerous: the platform's verifier checks all that is to be checked.
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        }
    };
    match &settings.identity {
        None => Ok(builder.with_no_client_auth()),
        Some(identity) => {
            builder.with_client_auth_cert(identity.chain.clone(), identity.key.clone_key()).map_err(unfit_key)
        }
    }
}

/// The roots, if they are not the platform's.
fn own_roots(settings: &TlsSettings, trust_nothing: bool) -> Result<Option<RootCertStore>, TransportError> {
    if trust_nothing {
        return Ok(Some(RootCertStore::empty()));
    }
    #[cfg(feature = "webpki-roots")]
    if settings.bundled_roots {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for root in &settings.extra_roots {
            roots.add(root.clone()).map_err(unreadable_root)?;
        }
        return Ok(Some(roots));
    }
    let _ = settings;
    Ok(None)
}

fn platform_verifier(
    settings: &TlsSettings,
    provider: Arc<CryptoProvider>,
) -> Result<rustls_platform_verifier::Verifier, TransportError> {
    use rustls_platform_verifier::Verifier;
    let no_roots = |error| {
        failed(error).with_message(
            "this machine has no trusted root certificates: install its `ca-certificates` package",
        )
    };
    if settings.extra_roots.is_empty() {
        return Verifier::new(provider).map_err(no_roots);
    }
    #[cfg(not(target_os = "android"))]
    return Verifier::new_with_extra_roots(settings.extra_roots.clone(), provider).map_err(no_roots);
    #[cfg(target_os = "android")]
    Err(TransportError::new(Kind::Tls).with_message("Android takes root certificates in its settings only"))
}

/// The process-wide provider if the program has installed one, else ring.
fn provider() -> Arc<CryptoProvider> {
    CryptoProvider::get_default()
        .cloned()
        .unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()))
}

//! TLS for both transports: the same provider, the same trust, the same versions.

mod config;
mod pem;

pub(crate) use config::client_config;

use crate::TransportError;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::sync::Arc;

/// Whom a transport trusts, and how it proves who it is. `Debug` shows no key.
///
/// TLS 1.2 and 1.3 are spoken. The cryptography is that of the provider which the program has installed for the whole
/// process (`rustls::crypto::CryptoProvider::install_default`), else ring.
///
/// ```
/// use scaigrid_transport::{TlsSettings, UreqTransport};
///
/// # fn run(company_ca: &[u8], certificate_and_key: &[u8]) -> Result<(), scaigrid_transport::TransportError> {
/// let tls = TlsSettings::new().add_root_certificate(company_ca)?.identity(certificate_and_key)?;
/// let transport = UreqTransport::builder().tls(tls).build()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct TlsSettings {
    extra_roots: Vec<CertificateDer<'static>>,
    identity: Option<Identity>,
    #[cfg(feature = "webpki-roots")]
    bundled_roots: bool,
}

/// A certificate, those that lead to its root, and its key.
#[derive(Clone)]
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl TlsSettings {
    /// Trusts what the platform trusts, and shows no certificate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also trusts these root certificates: one in DER, or any number in PEM.
    ///
    /// # Errors
    /// [`Tls`](crate::TransportErrorKind::Tls) when there is no certificate in it, or one that cannot be read.
    pub fn add_root_certificate(mut self, pem_or_der: impl AsRef<[u8]>) -> Result<Self, TransportError> {
        self.extra_roots.extend(pem::roots(pem_or_der.as_ref())?);
        Ok(self)
    }

    /// Shows this certificate to servers that ask for one. In PEM: the certificate first, then those that lead to its root,
    /// and one private key in PKCS #8, PKCS #1, or SEC1, not encrypted, anywhere among them.
    ///
    /// # Errors
    /// [`Tls`](crate::TransportErrorKind::Tls) when the certificate or the key is missing or cannot be read. Whether they
    /// belong together is seen when the transport is built.
    pub fn identity(mut self, pem: impl AsRef<[u8]>) -> Result<Self, TransportError> {
        let (chain, key) = pem::identity(pem.as_ref())?;
        self.identity = Some(Identity { chain, key: Arc::new(key) });
        Ok(self)
    }

    /// Trusts the roots of Mozilla, as they were when the crate `webpki-roots` was released, instead of the platform's: for
    /// machines that have none. Added root certificates are trusted as well.
    #[cfg(feature = "webpki-roots")]
    #[cfg_attr(docsrs, doc(cfg(feature = "webpki-roots")))]
    pub fn webpki_roots(mut self) -> Self {
        self.bundled_roots = true;
        self
    }

    /// The same trust, without the certificate of one's own: it is for one server and not for all.
    pub fn without_identity(mut self) -> Self {
        self.identity = None;
        self
    }
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSettings")
            .field("extra_roots", &self.extra_roots.len())
            .field("identity", &self.identity.as_ref().map(|_| "[redacted]"))
            .finish_non_exhaustive()
    }
}

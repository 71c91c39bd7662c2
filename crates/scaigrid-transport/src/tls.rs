//! TLS for both transports: the same stack, the same trust, the same versions.

#[cfg(feature = "native-tls")]
mod native_config;
mod pem;
#[cfg(feature = "rustls")]
mod rustls_config;

use crate::{TransportError, TransportErrorKind as Kind};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::sync::Arc;

/// Whom a transport trusts, and how it proves who it is. `Debug` shows no key.
///
/// | feature | TLS by | versions | cryptography |
/// |---|---|---|---|
/// | `rustls` | rustls, also when both features are on | 1.2, 1.3 | the provider which the program has installed for the whole process (`rustls::crypto::CryptoProvider::install_default`), else ring |
/// | `native-tls` | OpenSSL on Linux, Schannel on Windows, Secure Transport on macOS | 1.2, and 1.3 where the platform has it, which Secure Transport has not | the platform's |
///
/// ```
/// # #[cfg(feature = "ureq")]
/// # fn run(company_ca: &[u8], certificate_and_key: &[u8]) -> Result<(), scaigrid_transport::TransportError> {
/// use scaigrid_transport::{TlsSettings, UreqTransport};
///
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
    #[cfg(feature = "native-tls")]
    native: bool,
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

    /// Uses the platform's own TLS also when rustls is there. Without the feature `rustls`, this is so anyway. Roots that only
    /// the platform's TLS can read are to be added after it.
    #[cfg(feature = "native-tls")]
    pub fn tls_backend_native(mut self) -> Self {
        self.native = true;
        self
    }

    /// Also trusts these root certificates: one in DER, or any number in PEM.
    ///
    /// # Errors
    /// [`Tls`](crate::TransportErrorKind::Tls) when there is no certificate in it, or one that cannot be read.
    pub fn add_root_certificate(mut self, pem_or_der: impl AsRef<[u8]>) -> Result<Self, TransportError> {
        let roots = pem::roots(pem_or_der.as_ref())?;
        for root in &roots {
            self.check_root(root)?;
        }
        self.extra_roots.extend(roots);
        Ok(self)
    }

    /// Shows this certificate to servers that ask for one. In PEM: the certificate first, then those that lead to its root,
    /// and one private key, not encrypted, anywhere among them. The key is in PKCS #8; rustls also takes PKCS #1 and SEC1.
    ///
    /// # Errors
    /// [`Tls`](crate::TransportErrorKind::Tls) when the certificate or the key is missing or cannot be read. Whether they
    /// belong together, and whether the platform's TLS can use them, is seen when the transport is built.
    pub fn identity(mut self, pem: impl AsRef<[u8]>) -> Result<Self, TransportError> {
        let (chain, key) = pem::identity(pem.as_ref())?;
        self.identity = Some(Identity { chain, key: Arc::new(key) });
        Ok(self)
    }

    /// Trusts the roots of Mozilla, as they were when the crate `webpki-roots` was released, instead of the platform's: for
    /// machines that have none. Added root certificates are trusted as well. For rustls only: with the platform's own TLS it is
    /// an error when the transport is built.
    #[cfg(feature = "webpki-roots")]
    pub fn webpki_roots(mut self) -> Self {
        self.bundled_roots = true;
        self
    }

    /// The same trust, without the certificate of one's own: it is for one server and not for all.
    pub fn without_identity(mut self) -> Self {
        self.identity = None;
        self
    }

    /// By the stack that would be used now.
    #[cfg(feature = "rustls")]
    fn check_root(&self, root: &CertificateDer<'static>) -> Result<(), TransportError> {
        #[cfg(feature = "native-tls")]
        if self.native {
            return native_config::certificate(root).map(drop);
        }
        rustls_config::check_root(root)
    }

    #[cfg(not(feature = "rustls"))]
    fn check_root(&self, root: &CertificateDer<'static>) -> Result<(), TransportError> {
        native_config::certificate(root).map(drop)
    }

    /// `trust_nothing`: for transports that are not used for TLS.
    #[cfg(feature = "rustls")]
    pub(crate) fn stack(&self, trust_nothing: bool) -> Result<Stack, TransportError> {
        #[cfg(feature = "native-tls")]
        if self.native {
            return native_config::connector(self, trust_nothing).map(Stack::Native);
        }
        rustls_config::client_config(self, trust_nothing).map(|config| Stack::Rustls(Box::new(config)))
    }

    #[cfg(not(feature = "rustls"))]
    pub(crate) fn stack(&self, trust_nothing: bool) -> Result<Stack, TransportError> {
        native_config::connector(self, trust_nothing).map(Stack::Native)
    }

    fn backend(&self) -> &'static str {
        #[cfg(feature = "native-tls")]
        if self.native || cfg!(not(feature = "rustls")) {
            return "native-tls";
        }
        "rustls"
    }
}

/// What speaks TLS.
pub(crate) enum Stack {
    #[cfg(feature = "rustls")]
    Rustls(Box<rustls::ClientConfig>),
    #[cfg(feature = "native-tls")]
    Native(native_tls::TlsConnector),
}

/// Whether a failure to connect comes from TLS itself, and not from the connection below it.
pub(crate) fn is_refusal(error: &(dyn std::error::Error + 'static)) -> bool {
    use crate::error::find_cause;
    #[cfg(feature = "rustls")]
    if find_cause::<rustls::Error>(error).is_some() {
        return true;
    }
    #[cfg(feature = "native-tls")]
    if let Some(error) = find_cause::<native_tls::Error>(error) {
        // OpenSSL tells only by its text that the connection has ended.
        let has_ended = error.to_string().starts_with("unexpected EOF");
        return !has_ended && find_cause::<std::io::Error>(error).is_none();
    }
    false
}

fn invalid(message: &str) -> TransportError {
    TransportError::new(Kind::Tls).with_message(message)
}

/// For a root of the caller's. The cause says nothing of the bytes.
fn unreadable_root(cause: impl std::error::Error + Send + Sync + 'static) -> TransportError {
    invalid("a root certificate cannot be read: give it in PEM or DER").with_source(cause)
}

/// For an identity of the caller's.
fn unfit_key(cause: impl std::error::Error + Send + Sync + 'static) -> TransportError {
    invalid("the private key of the identity does not fit its certificate").with_source(cause)
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSettings")
            .field("backend", &self.backend())
            .field("extra_roots", &self.extra_roots.len())
            .field("identity", &self.identity.as_ref().map(|_| "[redacted]"))
            .finish_non_exhaustive()
    }
}

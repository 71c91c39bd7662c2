//! The settings, and what is made of them.

use super::TlsDraft;
use crate::{Error, GenericClientBuilder};
use scaigrid_transport::{TlsSettings, TransportError};

impl TlsDraft {
    /// Reads it. Says which setting is wrong.
    pub(crate) fn settings(&self) -> Result<TlsSettings, Error> {
        let invalid = |error: TransportError| Error::config(error.to_string()).with_source(error);
        let mut tls = TlsSettings::new();
        #[cfg(feature = "native-tls")]
        if self.native {
            tls = tls.tls_backend_native();
        }
        for root in &self.roots {
            tls = tls.add_root_certificate(root).map_err(invalid)?;
        }
        if let Some(identity) = &self.identity {
            tls = tls.identity(identity).map_err(invalid)?;
        }
        #[cfg(feature = "webpki-roots")]
        if self.webpki_roots {
            tls = tls.webpki_roots();
        }
        Ok(tls)
    }
}

/// Settings for `https`. They do not apply to a transport of your own, which has its own. TLS 1.2 and newer, by rustls if the
/// feature `rustls` is on, else by the platform. rustls uses the cryptography that the program has installed for the whole
/// process (`rustls::crypto::CryptoProvider::install_default`), else ring.
impl<C> GenericClientBuilder<C> {
    /// Also trusts these root certificates, of a company or of a proxy that reads along: one in DER, or any number in PEM.
    /// Default: what the platform trusts. What is wrong with them is told when building.
    pub fn add_root_certificate(mut self, pem_or_der: impl Into<Vec<u8>>) -> Self {
        self.draft.tls.roots.push(pem_or_der.into());
        self
    }

    /// Shows this certificate to the gateway, when it asks for one, and to nobody else: files at other hosts are fetched
    /// without it. In PEM: the certificate, those that lead to its root, and one private key that is not encrypted. Default:
    /// none. What is wrong with it is told when building.
    pub fn identity(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.draft.tls.identity = Some(pem.into());
        self
    }

    /// Uses the platform's own TLS, such as OpenSSL, also when the feature `rustls` is on. Without that feature, this is so anyway.
    /// It takes the private key of an [`identity`](Self::identity) in PKCS #8 only.
    #[cfg(feature = "native-tls")]
    pub fn tls_backend_native(mut self) -> Self {
        self.draft.tls.native = true;
        self
    }

    /// Trusts the roots of Mozilla that are built into the program, instead of the platform's: for machines that have none.
    /// They are as old as the program. For rustls only: together with `tls_backend_native`, it is an error when building.
    #[cfg(feature = "webpki-roots")]
    pub fn webpki_roots(mut self) -> Self {
        self.draft.tls.webpki_roots = true;
        self
    }
}

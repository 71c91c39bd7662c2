//! The transport for files that lie at other hosts than the gateway's.

use crate::Error;
use scaigrid_transport::TransportError;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Built when it is needed first, and shared by all clones of a client. Nothing but the time to connect is set for it.
pub(crate) struct Elsewhere<T: ?Sized> {
    /// `None`: the transport is the caller's own, and carries everything.
    connect_timeout: Option<Duration>,
    built: Arc<OnceLock<Arc<T>>>,
    /// Without a certificate of the caller's, which is for the gateway.
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    pub(crate) tls: scaigrid_transport::TlsSettings,
}

impl<T: ?Sized> Clone for Elsewhere<T> {
    fn clone(&self) -> Self {
        Self {
            connect_timeout: self.connect_timeout,
            built: Arc::clone(&self.built),
            #[cfg(any(feature = "rustls", feature = "native-tls"))]
            tls: self.tls.clone(),
        }
    }
}

impl<T: ?Sized> Elsewhere<T> {
    pub(crate) fn new(connect_timeout: Option<Duration>) -> Self {
        Self {
            connect_timeout,
            built: Arc::default(),
            #[cfg(any(feature = "rustls", feature = "native-tls"))]
            tls: scaigrid_transport::TlsSettings::new(),
        }
    }

    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    pub(crate) fn with_tls(mut self, tls: scaigrid_transport::TlsSettings) -> Self {
        self.tls = tls.without_identity();
        self
    }

    /// `None`: use the client's own.
    pub(crate) fn get_or_build(
        &self,
        build: impl FnOnce(Duration) -> Result<Arc<T>, TransportError>,
    ) -> Result<Option<Arc<T>>, Error> {
        let Some(connect_timeout) = self.connect_timeout else { return Ok(None) };
        if let Some(built) = self.built.get() {
            return Ok(Some(Arc::clone(built)));
        }
        let failed = |error: TransportError| Error::config(error.to_string()).with_source(error);
        let built = build(connect_timeout).map_err(failed)?;
        Ok(Some(Arc::clone(self.built.get_or_init(|| built))))
    }
}

//! The settings of the blocking client.

use super::{Client, Clock, TokenProvider};
use crate::builder::GenericClientBuilder;
use crate::elsewhere::Elsewhere;
use crate::{Error, SystemClock};
use scaigrid_transport::blocking::Transport;
use scaigrid_transport::{TransportError, UreqTransport};
use std::sync::Arc;

/// Settings of a blocking [`Client`].
pub type ClientBuilder = GenericClientBuilder<Blocking>;

/// The settings that only the blocking client has.
#[derive(Clone, Default)]
pub struct Blocking {
    transport: Option<Arc<dyn Transport>>,
    token_provider: Option<Arc<dyn TokenProvider>>,
    clock: Option<Arc<dyn Clock>>,
}

impl GenericClientBuilder<Blocking> {
    /// Sends through a transport of your own instead of [`UreqTransport`].
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.colour.transport = Some(Arc::new(transport));
        self
    }

    /// Takes the bearer from a provider instead of an API key.
    pub fn token_provider(mut self, provider: impl TokenProvider + 'static) -> Self {
        self.colour.token_provider = Some(Arc::new(provider));
        self
    }

    /// Takes the time from a clock of your own, so that tests do not wait.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.colour.clock = Some(Arc::new(clock));
        self
    }

    /// Checks the settings and builds the client. Connects to nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming the setting: no credential, both an API key and a
    /// token provider, a key with a line break, a wrong address, plain `http` to another machine, `https` in a build
    /// without TLS.
    pub fn build(self) -> Result<Client, Error> {
        let own_transport = self.colour.transport.is_some();
        let (mut settings, credential) = self.check(self.colour.token_provider.clone(), own_transport)?;
        let connect_limit = self.draft.connect_limit();
        let elsewhere = Elsewhere::new((!own_transport).then_some(connect_limit));
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        let tls = self.draft.tls.settings()?;
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        let elsewhere = elsewhere.with_tls(tls.clone());
        let transport = match self.colour.transport {
            Some(transport) => transport,
            None => {
                let mut transport = UreqTransport::builder().connect_timeout(connect_limit);
                #[cfg(any(feature = "rustls", feature = "native-tls"))]
                {
                    transport = transport.tls(tls);
                }
                if !settings.base_url.is_https() {
                    transport = transport.http_only();
                }
                // A proxy would carry the bearer off this machine.
                if settings.base_url.is_loopback() {
                    transport = transport.no_proxy();
                }
                let failed = |error: TransportError| Error::config(error.to_string()).with_source(error);
                Arc::new(transport.build().map_err(failed)?)
            }
        };
        let clock: Arc<dyn Clock> = self.colour.clock.unwrap_or_else(|| Arc::new(SystemClock));
        settings.watch_with({
            let clock = Arc::clone(&clock);
            Arc::new(move || clock.now())
        });
        Ok(Client { settings: Arc::new(settings), transport, credential, clock, cancel: None, elsewhere })
    }
}

//! TLS over ureq's connections with our own configuration: ureq's own takes either the platform's roots or others, and
//! panics when a key does not fit its certificate.

use crate::tls::Stack;
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

/// Wraps connections to `https` addresses.
pub(crate) struct TlsConnector(Handshake);

type Handshake = Box<dyn Fn(&str, TransportAdapter) -> Result<Box<dyn Secured>, Error> + Send + Sync>;

impl TlsConnector {
    pub(crate) fn new(stack: Stack) -> Self {
        Self(match stack {
            #[cfg(feature = "rustls")]
            Stack::Rustls(config) => {
                let config = Arc::from(config);
                Box::new(move |host, socket| by_rustls::handshake(&config, host, socket))
            }
            #[cfg(feature = "native-tls")]
            Stack::Native(connector) => {
                Box::new(move |host, socket| by_native_tls::handshake(&connector, host, socket))
            }
        })
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector").finish_non_exhaustive()
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let mut socket = TransportAdapter::new(transport.boxed(), Arc::clone(&details.current_time));
        socket.set_timeout(details.timeout);
        let stream = (self.0)(host, socket)?;
        let config = details.config;
        Ok(Some(Either::B(TlsTransport {
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
            stream,
        })))
    }
}

/// A connection with TLS around it.
trait Secured: Read + Write + Send + Sync {
    fn socket(&mut self) -> &mut TransportAdapter;

    /// How the socket failed, if it did: a TLS stack may tell less.
    fn socket_failure(&mut self) -> Option<io::Error>;
}

impl dyn Secured {
    /// What became of reading or writing. Some platforms take a failure of the socket for the end.
    fn told(&mut self, done: io::Result<usize>) -> Result<usize, Error> {
        match done {
            Ok(amount @ 1..) => Ok(amount),
            done => match self.socket_failure() {
                Some(failure) => Err(failure.into()),
                None => Ok(done?),
            },
        }
    }
}

#[cfg(feature = "rustls")]
mod by_rustls {
    use super::*;
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, ClientConnection, StreamOwned};

    pub(super) fn handshake(
        config: &Arc<ClientConfig>,
        host: &str,
        mut socket: TransportAdapter,
    ) -> Result<Box<dyn Secured>, Error> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Error::Tls("the host's name cannot be in a certificate"))?;
        let mut connection = ClientConnection::new(Arc::clone(config), name).map_err(Error::Rustls)?;
        connection.complete_io(&mut socket)?;
        Ok(Box::new(StreamOwned::new(connection, socket)))
    }

    impl Secured for StreamOwned<ClientConnection, TransportAdapter> {
        fn socket(&mut self) -> &mut TransportAdapter {
            &mut self.sock
        }

        /// rustls hands errors on as they are.
        fn socket_failure(&mut self) -> Option<io::Error> {
            None
        }
    }
}

#[cfg(feature = "native-tls")]
mod by_native_tls {
    use super::*;
    use native_tls::{HandshakeError, TlsStream};
    use std::sync::{Mutex, PoisonError};

    pub(super) fn handshake(
        connector: &native_tls::TlsConnector,
        host: &str,
        socket: TransportAdapter,
    ) -> Result<Box<dyn Secured>, Error> {
        let failure = Failure::default();
        let socket = Socket { adapter: socket, failure: failure.clone() };
        match connector.connect(host, socket) {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(failure.take().unwrap_or_else(|| match error {
                HandshakeError::Failure(error) => io::Error::other(error),
                // The socket waits until its time is up.
                HandshakeError::WouldBlock(_) => io::ErrorKind::WouldBlock.into(),
            }))?,
        }
    }

    /// The first failure of a socket, kept aside: some platforms lose it on its way through TLS.
    #[derive(Clone, Default)]
    struct Failure(Arc<Mutex<Option<io::Error>>>);

    impl Failure {
        fn take(&self) -> Option<io::Error> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
        }

        fn keep(&self, error: io::Error) -> io::Error {
            let kind = error.kind();
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            kind.into()
        }
    }

    struct Socket {
        adapter: TransportAdapter,
        failure: Failure,
    }

    impl Read for Socket {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.adapter.read(buffer) {
                // TLS has not said goodbye, or it would not ask for more: somebody may have cut the answer.
                Ok(0) if !buffer.is_empty() => Err(self.failure.keep(io::ErrorKind::UnexpectedEof.into())),
                done => done.map_err(|error| self.failure.keep(error)),
            }
        }
    }

    impl Write for Socket {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            self.adapter.write(buffer).map_err(|error| self.failure.keep(error))
        }

        fn flush(&mut self) -> io::Result<()> {
            self.adapter.flush()
        }
    }

    impl Secured for TlsStream<Socket> {
        fn socket(&mut self) -> &mut TransportAdapter {
            &mut self.get_mut().adapter
        }

        fn socket_failure(&mut self) -> Option<io::Error> {
            self.get_ref().failure.take()
        }
    }
}

pub(crate) struct TlsTransport {
    buffers: LazyBuffers,
    stream: Box<dyn Secured>,
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").finish_non_exhaustive()
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.socket().set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        let written = self.stream.write_all(output).map(|()| amount);
        self.stream.told(written)?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.socket().set_timeout(timeout);
        let read = self.stream.read(self.buffers.input_append_buf());
        let amount = self.stream.told(read)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.socket().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

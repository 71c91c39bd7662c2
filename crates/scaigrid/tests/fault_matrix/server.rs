//! The world that a cell meets.

use crate::cell::Times;
use crate::table::{Mode, Row, Trouble};
use scaigrid_emulator::{Emulator, EmulatorBuilder};
use socket2::{Domain, Socket, Type};
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;

/// A gateway that misbehaves as a row says.
pub(crate) struct World {
    pub(crate) base_url: String,
    pub(crate) proxy: Option<String>,
    /// `None` as long as nobody answers there.
    emulator: Mutex<Option<Emulator>>,
    /// What keeps the gateway from answering, and the address where it will.
    missing: Mutex<Option<(SocketAddr, Vec<Socket>)>>,
    /// Whether what is missing comes back while the client waits.
    heals: bool,
}

impl World {
    pub(crate) fn new(row: &Row, mode: Mode, times: Times) -> Self {
        let builder = Emulator::builder;
        let mut world = Self {
            base_url: String::new(),
            proxy: None,
            emulator: Mutex::default(),
            missing: Mutex::default(),
            heals: false,
        };
        match row.trouble {
            Trouble::Fault(fault) => world.starts(repeated(builder(), times, || fault(mode))),
            Trouble::ResetBeforeRequest => {
                world.starts(repeated(builder(), times, scaigrid_emulator::Fault::reset_before_request));
            }
            Trouble::Stale(fault) => world.starts(builder().fault(fault())),
            Trouble::Proxy(fault) => {
                world.starts(repeated(builder(), times, || fault(mode)));
                world.proxy = Some(std::mem::replace(&mut world.base_url, "http://192.0.2.1".to_owned()));
            }
            Trouble::NobodyListens => {
                let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
                world.is_missing(address, Vec::new(), times);
            }
            Trouble::NobodyAccepts => {
                let (address, sockets) = full_backlog();
                world.is_missing(address, sockets, times);
            }
            // Longer than a label may be: the resolver refuses it without asking anybody.
            Trouble::UnknownHost => world.base_url = format!("https://{}.invalid", "x".repeat(64)),
            #[cfg(any(feature = "rustls", feature = "native-tls"))]
            Trouble::UntrustedCertificate => world.base_url = format!("https://{}", untrusted_tls()),
        }
        world
    }

    fn starts(&mut self, builder: EmulatorBuilder) {
        let emulator = builder.start().unwrap();
        self.base_url = emulator.base_url().to_owned();
        self.emulator = Mutex::new(Some(emulator));
    }

    fn is_missing(&mut self, address: SocketAddr, sockets: Vec<Socket>, times: Times) {
        self.base_url = format!("http://{address}");
        self.missing = Mutex::new(Some((address, sockets)));
        self.heals = times == Times::Once;
    }

    /// Called when the client waits: what was missing may be there for its next attempt.
    pub(crate) fn heal(&self) {
        if !self.heals {
            return;
        }
        if let Some((address, sockets)) = self.missing.lock().unwrap().take() {
            drop(sockets);
            *self.emulator.lock().unwrap() = Some(Emulator::builder().listen(address).start().unwrap());
        }
    }

    /// Asks the gateway, if there is one.
    pub(crate) fn emulator<T>(&self, ask: impl FnOnce(&Emulator) -> T) -> Option<T> {
        self.emulator.lock().unwrap().as_ref().map(ask)
    }
}

fn repeated(
    mut builder: EmulatorBuilder,
    times: Times,
    fault: impl Fn() -> scaigrid_emulator::Fault,
) -> EmulatorBuilder {
    let count = if times == Times::Once { 1 } else { 10 };
    for _ in 0..count {
        builder = builder.fault(fault());
    }
    builder
}

/// An address that neither accepts nor refuses, because its backlog is full. Lasts as long as the sockets.
fn full_backlog() -> (SocketAddr, Vec<Socket>) {
    let new = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let listener = new();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut sockets = vec![listener];
    for _ in 0..4 {
        let socket = new();
        socket.set_nonblocking(true).unwrap();
        let _ = socket.connect(&address);
        // Closed with a reset, so that the address is free at once.
        socket.set_linger(Some(std::time::Duration::ZERO)).unwrap();
        sockets.push(socket);
    }
    (address.as_socket().unwrap(), sockets)
}

/// A TLS server whose certificate nobody trusts. Ends with its first client.
#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn untrusted_tls() -> SocketAddr {
    let certified = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut tls = rustls::ServerConnection::new(config.into()).unwrap();
        // Fails when the client refuses the certificate.
        while tls.is_handshaking() && tls.complete_io(&mut stream).is_ok() {}
    });
    address
}

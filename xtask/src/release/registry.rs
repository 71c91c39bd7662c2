//! Where crates are published.

use crate::Result;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What crates call the registry of a rehearsal.
const NAME: &str = "rehearsal";

/// A registry, as cargo is told of it.
pub(super) struct Registry {
    /// The name for `--registry`.
    pub(super) name: String,
    /// A folder outside of any workspace, in and below which cargo knows the registry.
    pub(super) place: PathBuf,
}

impl Registry {
    /// The public one. The token is cargo's own matter.
    pub(super) fn crates_io() -> Self {
        Self { name: "crates-io".into(), place: std::env::temp_dir() }
    }
}

/// cargo-http-registry on loopback: an existing server, installed by whoever rehearses. It takes a version twice without a
/// word, so that what protects from that is the code under rehearsal.
pub(super) struct Server {
    folder: PathBuf,
    address: SocketAddr,
    process: Option<Child>,
}

impl Server {
    /// Starts it on a free port, with an empty registry, and tells cargo of it in and below `place`.
    pub(super) fn start(place: &Path) -> Result<(Self, Registry)> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut server = Self { folder: place.join("registry"), address, process: None };
        server.restart()?;
        // The server offers its index in git's plain protocol, which only git itself reads; its token is any.
        let config = format!(
            "[registries.{NAME}]\nindex = \"http://{address}/git\"\ntoken = \"any\"\n\n[net]\ngit-fetch-with-cli = true\n"
        );
        std::fs::create_dir(place.join(".cargo"))?;
        std::fs::write(place.join(".cargo/config.toml"), config)?;
        Ok((server, Registry { name: NAME.into(), place: place.to_owned() }))
    }

    /// Starts it again, with what it has and where it was.
    pub(super) fn restart(&mut self) -> Result {
        self.stop();
        let mut command = Command::new("cargo-http-registry");
        command.arg(&self.folder).args(["--addr", &self.address.to_string()]);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().map_err(|error| {
            format!("cargo-http-registry: {error}; `cargo install --locked cargo-http-registry`")
        })?;
        self.process = Some(process);
        for _ in 0..100 {
            if TcpStream::connect(self.address).is_ok() {
                return Ok(());
            }
            #[allow(clippy::disallowed_methods, reason = "a process is waited for")]
            std::thread::sleep(Duration::from_millis(100));
        }
        Err("cargo-http-registry does not listen".into())
    }

    /// Ends it, so that nobody can reach the registry.
    pub(super) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself, which is as good.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// The versions in the index of `name`, one for each time that one was published.
    pub(super) fn versions(&self, name: &str) -> Result<Vec<String>> {
        #[derive(serde::Deserialize)]
        struct Line {
            vers: String,
        }
        let (first, second) = (name.get(..2), name.get(2..4));
        let (Some(first), Some(second)) = (first, second) else { return Err("a longer name".into()) };
        let text = std::fs::read_to_string(self.folder.join(first).join(second).join(name))?;
        text.lines().map(|line| Ok(serde_json::from_str::<Line>(line)?.vers)).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

//! What outlives an emulator: all stores in one JSON file.

use crate::accounting::Books;
use crate::accounts::Accounts;
use crate::audit::AuditLog;
use crate::batch::JobStore;
use crate::gateway::Gateway;
use crate::media::MediaStore;
use crate::rooms::Rooms;
use crate::scaimatrix::Collections;
use crate::sessions::Sessions;
use crate::sync::lock;
use crate::webhooks::Webhooks;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Raised when a file of the version before cannot be read any more.
const VERSION: u32 = 1;

/// One line for each store: a field of [`Gateway`] of the type `Mutex<Store>`. A store that an older file does not
/// have is empty.
macro_rules! stores {
    ($( $field:ident: $store:ty, )+) => {
        #[derive(Serialize, Deserialize)]
        struct State {
            version: u32,
            $( #[serde(default)] $field: $store, )+
        }

        impl State {
            fn of(gateway: &Gateway) -> Self {
                // One after the other: held together, the locks could wait for each other.
                $( let $field = lock(&gateway.$field).clone(); )+
                Self { version: VERSION, $( $field, )+ }
            }

            fn restore(self, gateway: &Gateway) {
                $( *lock(&gateway.$field) = self.$field; )+
            }
        }
    };
}

stores! {
    accounts: Accounts,
    books: Books,
    audit: AuditLog,
    media: MediaStore,
    batches: JobStore,
    sessions: Sessions,
    rooms: Rooms,
    webhooks: Webhooks,
    collections: Collections,
}

/// Why a state file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The file is there, but cannot be read.
    #[error("the file cannot be read")]
    Read {
        /// What the system says.
        source: io::Error,
    },
    /// The file is not a state file, or was damaged.
    #[error("the file is not the state of an emulator: move it away to start anew")]
    Broken {
        /// Where and why.
        source: serde_json::Error,
    },
    /// Another version of the emulator wrote the file.
    #[error(
        "the file has version {found}, and this emulator reads version {VERSION}: move it away to start anew"
    )]
    Version {
        /// The version in the file.
        found: u32,
    },
    /// The file cannot be written.
    #[error("the file cannot be written")]
    Write {
        /// What the system says.
        source: io::Error,
    },
}

/// The file, and what was written to it last.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    /// A hash of the content. Locked while the file is written.
    written: Mutex<Option<u64>>,
}

impl StateFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, written: Mutex::new(None) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts what was saved into the gateway. A file that does not exist changes nothing.
    pub(crate) fn load(&self, gateway: &Gateway) -> Result<(), StateError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(StateError::Read { source }),
        };
        decode(&bytes)?.restore(gateway);
        Ok(())
    }

    /// Writes the state if it has changed since it was written last.
    pub(crate) fn save(&self, gateway: &Gateway) -> Result<(), StateError> {
        let mut written = lock(&self.written);
        let invalid = |error: serde_json::Error| StateError::Write { source: error.into() };
        let bytes = serde_json::to_vec(&State::of(gateway)).map_err(invalid)?;
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let hash = hasher.finish();
        if *written != Some(hash) {
            replace(&self.path, &bytes).map_err(|source| StateError::Write { source })?;
            *written = Some(hash);
        }
        Ok(())
    }
}

fn decode(bytes: &[u8]) -> Result<State, StateError> {
    #[derive(Deserialize)]
    struct Head {
        version: u32,
    }
    let broken = |source| StateError::Broken { source };
    // The version first: another one may have other stores.
    let Head { version } = serde_json::from_slice(bytes).map_err(broken)?;
    if version != VERSION {
        return Err(StateError::Version { found: version });
    }
    serde_json::from_slice(bytes).map_err(broken)
}

/// Writes a file beside it and renames that, so that there is always a whole file.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    // One that was left over may have other permissions.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

/// Only for its owner, because secrets are in it.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_files_say_what_is_wrong() {
        let error = |bytes: &str| decode(bytes.as_bytes()).err().map(|error| error.to_string());
        assert_eq!(error(r#"{"version":1}"#), None);
        assert_eq!(error(r#"{"version":1,"later":[]}"#), None);
        assert!(error(r#"{"version":2}"#).unwrap().contains("has version 2"));
        for broken in ["", "{", "[]", "{}", r#"{"version":"1"}"#, r#"{"version":1,"books":7}"#] {
            assert!(error(broken).unwrap().contains("not the state"), "{broken}");
        }
    }
}

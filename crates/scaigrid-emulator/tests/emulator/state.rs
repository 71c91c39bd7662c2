//! The state file.

use crate::http::{chat, get, post, post_as, send};
use scaigrid_emulator::{DEFAULT_API_KEY, Emulator, EmulatorBuilder, StartError, StateError};
use scaigrid_types::Money;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// A folder that is removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("scaigrid-emulator-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("state.json")
    }

    pub(crate) fn emulator(&self) -> EmulatorBuilder {
        Emulator::builder().state_file(self.file())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn everything_is_there_again_after_a_restart() {
    let folder = Folder::new("restart");
    let limit: Money = "1".parse().unwrap();
    let first = folder.emulator().budget(DEFAULT_API_KEY, limit).start().unwrap();
    let made = send(&first, "POST", "/v1/api-keys", Some(DEFAULT_API_KEY), br#"{"name":"n"}"#).unwrap();
    let key = made.json()["data"]["key"].as_str().unwrap().to_owned();
    post_as(&first, &key, &chat("hello"));
    let paths =
        ["/v1/accounting/usage", "/v1/accounting/usage/summary", "/v1/accounting/budgets", "/v1/audit-log"];
    let look = |emulator: &Emulator| paths.map(|path| get(emulator, path).json()["data"].clone());
    let (before, ledger) = (look(&first), first.ledger());
    first.stop();

    let text = fs::read_to_string(folder.file()).unwrap();
    assert!(!text.contains(&key) && !text.contains(DEFAULT_API_KEY));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(folder.file()).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let second = folder.emulator().budget(DEFAULT_API_KEY, limit).start().unwrap();
    assert_eq!(look(&second), before);
    assert_eq!(second.ledger(), ledger);
    assert_eq!(post_as(&second, &key, &chat("again")).status, 200);
    assert_eq!(
        get(&second, "/v1/accounting/budgets").json()["data"]["items"][0]["current_usage"]["requests"],
        2
    );
    drop(second);

    // Keys and budgets of the settings are those of the settings.
    let third = folder.emulator().api_key("other").start().unwrap();
    assert_eq!(post_as(&third, DEFAULT_API_KEY, &chat("no")).status, 401);
    assert_eq!(post_as(&third, &key, &chat("yes")).status, 200);
    assert_eq!(get(&third, "/v1/accounting/budgets").json()["data"]["items"], json!([]));
    let files: Vec<_> = fs::read_dir(&folder.0).unwrap().collect();
    assert_eq!(files.len(), 1, "nothing is left over");
}

#[test]
fn changes_are_saved_while_it_runs() {
    let folder = Folder::new("running");
    let emulator = folder.emulator().state_save_interval(Duration::from_millis(5)).start().unwrap();
    post(&emulator, &chat("hello"));
    let saved = || -> Value { serde_json::from_slice(&fs::read(folder.file()).unwrap()).unwrap() };
    // Each look takes the time of a request.
    let is_saved = || {
        get(&emulator, "/health");
        saved().pointer("/books/ledger/records/0").is_some()
    };
    assert!((0..5_000).any(|_| is_saved()), "nothing was saved");
    assert!(emulator.save_state().is_ok());
}

#[test]
fn wrong_files_are_refused_and_left_alone() {
    let folder = Folder::new("wrong");
    let start = |text: &str| {
        fs::write(folder.file(), text).unwrap();
        let Err(StartError::State { path, source }) = folder.emulator().start() else { panic!("{text}") };
        assert_eq!((path, fs::read_to_string(folder.file()).unwrap().as_str()), (folder.file(), text));
        source
    };
    assert!(matches!(start("{\"version\":"), StateError::Broken { .. }));
    assert!(matches!(start("{}"), StateError::Broken { .. }));
    assert!(matches!(start(r#"{"version":99}"#), StateError::Version { found: 99, .. }));
    let nowhere = Emulator::builder().state_file(folder.0.join("none").join("state.json")).start();
    assert!(matches!(nowhere, Err(StartError::State { source: StateError::Write { .. }, .. })));
    let directory = Emulator::builder().state_file(&folder.0).start();
    assert!(matches!(directory, Err(StartError::State { source: StateError::Read { .. }, .. })));
}

//! Every public operation of both clients, with everything going wrong that can go wrong, and a search for secrets in all
//! that can be printed: values, errors and their causes, reports, logs of all levels, panics.
//!
//! | file | what it is |
//! |---|---|
//! | `secrets.rs` | the secrets, and how they are looked for: a new one is added there |
//! | `calls.rs` | every operation: a test fails when one is missing |
//! | `hostile.rs` | a server that repeats what it is told, wherever an answer has room |
//! | `runs.rs` | what goes wrong |
//! | `logs.rs` | who listens |
//!
//! `calls.rs` and `runs.rs` are compiled twice, once in each colour, where `wait!` awaits a call or just makes it.
#![cfg(any(feature = "async", feature = "blocking"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::duplicate_mod, clippy::while_let_on_iterator, reason = "one source for both colours")]
#![allow(clippy::disallowed_methods, reason = "real sockets, and a server that is silent for a while")]

mod clocks;
mod hostile;
mod logs;
mod printed;
mod secrets;

#[cfg(feature = "async")]
#[path = "."]
mod in_async {
    macro_rules! wait {
        ($call:expr) => {
            $call.await
        };
    }

    macro_rules! block_on {
        ($body:expr) => {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap()
                .block_on(async { $body })
        };
    }

    /// A function that makes calls.
    macro_rules! calling {
        ($(#[$meta:meta])* fn $name:ident($($argument:ident: $type:ty),* $(,)?) $body:block) => {
            $(#[$meta])* pub(crate) async fn $name($($argument: $type),*) $body
        };
    }

    use scaigrid::transport::{ReqwestTransport, TransportError};
    use scaigrid::{Client, ClientBuilder, Download};

    fn transport_through(proxy: &str) -> Result<ReqwestTransport, TransportError> {
        ReqwestTransport::builder().proxy(proxy).build()
    }

    mod calls;
    mod runs;
}

#[cfg(feature = "blocking")]
#[path = "."]
mod in_blocking {
    macro_rules! wait {
        ($call:expr) => {
            $call
        };
    }

    macro_rules! block_on {
        ($body:expr) => {
            $body
        };
    }

    macro_rules! calling {
        ($(#[$meta:meta])* fn $name:ident($($argument:ident: $type:ty),* $(,)?) $body:block) => {
            $(#[$meta])* pub(crate) fn $name($($argument: $type),*) $body
        };
    }

    use scaigrid::blocking::{Client, ClientBuilder, Download};
    use scaigrid::transport::{TransportError, UreqTransport};

    fn transport_through(proxy: &str) -> Result<UreqTransport, TransportError> {
        UreqTransport::builder().proxy(proxy).build()
    }

    mod calls;
    mod runs;
}

/// The methods that `doors.rs` and the helpers have.
#[test]
fn every_operation_is_called() {
    let doors = include_str!("../../src/doors.rs").split("macro_rules! async_doors").next().unwrap();
    let is_name =
        |text: &str| !text.is_empty() && text.chars().all(|one| one.is_ascii_lowercase() || one == '_');
    let doors = doors.lines().filter_map(|line| line.trim().split_once('(')).map(|(name, _)| name);
    let helpers = include_str!("../../src/client/helpers.rs").lines();
    let helpers = helpers
        .filter_map(|line| line.strip_prefix("    pub ")?.split("fn ").nth(1)?.split(['(', '<']).next());
    let calls = include_str!("calls.rs");
    let mut count = 0;
    for name in doors.filter(|name| is_name(name)).chain(helpers) {
        count += 1;
        assert!(calls.contains(&format!("client.{name}(")), "`calls.rs` does not call `{name}`");
    }
    assert!(count > 60, "{count}");
}

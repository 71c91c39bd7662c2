//! Every named method of both clients against the emulator, over real sockets.
//!
//! Each test is written once. `all.rs` and its modules are compiled twice, in `in_async` and in `in_blocking`, where
//! `wait!` awaits a call or just makes it, and `run!` makes a test with an emulator and a client of its own.
#![cfg(any(feature = "async", feature = "blocking"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::duplicate_mod, clippy::while_let_on_iterator, reason = "one source for both colours")]

mod receiver;
mod temp_dir;

use scaigrid::{ChatRequest, GenericClientBuilder, Polling};
use scaigrid_emulator::Emulator;
use std::time::Duration;

const CHAT_MODEL: &str = "scailabs/poolnoodle-omni";
const EMBEDDING_MODEL: &str = "openai/text-embedding-3-small";

fn settings<C>(builder: GenericClientBuilder<C>, emulator: &Emulator, key: &str) -> GenericClientBuilder<C> {
    builder.base_url(emulator.base_url()).api_key(key).timeout(Duration::from_secs(10))
}

fn question(text: &str) -> ChatRequest {
    ChatRequest::new(CHAT_MODEL).user(text)
}

/// Looks often, and not for ever.
fn quickly<T>() -> Polling<'static, T> {
    Polling::new().interval(Duration::from_millis(3)).deadline(Duration::from_secs(10))
}

#[cfg(feature = "webhook-signatures")]
#[allow(clippy::disallowed_methods, reason = "the time of a real delivery")]
fn now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

/// A test: its name, the emulator's settings if there are any, and what happens.
macro_rules! run {
    ($name:ident, |$emulator:pat_param, $client:pat_param| $body:block) => {
        run!($name, scaigrid_emulator::Emulator::builder(), |$emulator, $client| $body);
    };
    ($name:ident, $builder:expr, |$emulator:pat_param, $client:pat_param| $body:block) => {
        #[test]
        fn $name() {
            let emulator = $builder.start().unwrap();
            let client = client_of!(&emulator, emulator.api_key());
            let ($emulator, $client) = (&emulator, &client);
            block_on!($body);
        }
    };
}

/// The items of a list, page by page.
macro_rules! all {
    ($client:ident, $list:expr) => {{
        let mut items = $client.items($list);
        let mut all = Vec::new();
        while let Some(item) = wait!(items.next()) {
            all.push(item.unwrap());
        }
        all
    }};
}

#[cfg(feature = "async")]
#[path = "."]
mod in_async {
    macro_rules! wait {
        ($call:expr) => {
            $call.await
        };
    }

    macro_rules! block_on {
        ($body:block) => {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(async { $body })
        };
    }

    macro_rules! client_of {
        ($emulator:expr, $key:expr) => {
            client_of!($emulator, $key, |builder| builder)
        };
        ($emulator:expr, $key:expr, |$builder:ident| $more:expr) => {{
            let $builder = crate::settings(scaigrid::Client::builder(), $emulator, $key);
            $more.build().unwrap()
        }};
    }

    #[path = "all.rs"]
    mod all;
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
        ($body:block) => {
            $body
        };
    }

    macro_rules! client_of {
        ($emulator:expr, $key:expr) => {
            client_of!($emulator, $key, |builder| builder)
        };
        ($emulator:expr, $key:expr, |$builder:ident| $more:expr) => {{
            let $builder = crate::settings(scaigrid::blocking::Client::builder(), $emulator, $key);
            $more.build().unwrap()
        }};
    }

    #[path = "all.rs"]
    mod all;
}

//! Ending a call before its time: a dropped future, and a handle in another thread. With the machine's own clock,
//! because the wait itself is what ends.
#![cfg(any(feature = "async", feature = "blocking"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "how soon a call ends is what these tests are about")]

use scaigrid::ChatRequest;
use scaigrid_emulator::{Emulator, Fault};
use std::time::{Duration, Instant};

/// Far longer than a test runs, so that an end in time cannot be chance.
const LONG: Duration = Duration::from_secs(50);
/// What a busy machine keeps, too.
const SOON: Duration = Duration::from_secs(2);
/// Time for a call to arrive where it waits.
const A_WHILE: Duration = Duration::from_millis(150);

fn chat() -> ChatRequest {
    ChatRequest::new("scailabs/poolnoodle-omni").user("Hello")
}

fn slow() -> Fault {
    Fault::delay(LONG)
}

fn limited() -> Fault {
    Fault::error("RATE_LIMITED").retry_after(LONG.as_secs_f64())
}

/// One request came, none follows, and no connection is left busy.
fn nothing_follows(emulator: &Emulator) {
    let began = Instant::now();
    while emulator.open_connections() > 0 && began.elapsed() < SOON {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(emulator.open_connections(), 0);
    std::thread::sleep(A_WHILE);
    assert_eq!(emulator.requests().len(), 1);
}

#[cfg(feature = "async")]
mod in_async {
    use super::*;
    use scaigrid::Client;

    fn is_stopped_by_dropping(fault: Fault, streams: bool) {
        let emulator = Emulator::builder().fault(fault).start().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client =
                Client::builder().base_url(emulator.base_url()).api_key(emulator.api_key()).build().unwrap();
            let request = chat();
            let call = async {
                match streams {
                    true => client.chat_stream(&request).await.map(drop),
                    false => client.chat(&request).await.map(drop),
                }
            };
            assert!(tokio::time::timeout(A_WHILE, call).await.is_err(), "it waits");
            drop(client);
            // The HTTP stack's task, which closes the connection, needs a turn.
            tokio::time::sleep(A_WHILE).await;
        });
        nothing_follows(&emulator);
    }

    #[test]
    fn a_dropped_call_sends_nothing_more() {
        for streams in [false, true] {
            is_stopped_by_dropping(slow(), streams);
            is_stopped_by_dropping(limited(), streams);
        }
    }
}

#[cfg(feature = "blocking")]
mod in_blocking {
    use super::*;
    use scaigrid::blocking::{CancelHandle, Client};
    use scaigrid::{Error, ErrorCode, ErrorKind};
    use std::error::Error as _;

    fn client(emulator: &Emulator) -> Client {
        Client::builder().base_url(emulator.base_url()).api_key(emulator.api_key()).build().unwrap()
    }

    /// Cancels a call where it waits. Gives its error.
    fn cancelled<T: std::fmt::Debug>(
        emulator: &Emulator,
        call: impl FnOnce(&Client) -> Result<T, Error>,
    ) -> Error {
        let handle = CancelHandle::new();
        let elsewhere = handle.clone();
        let canceller = std::thread::spawn(move || {
            std::thread::sleep(A_WHILE);
            elsewhere.cancel();
            Instant::now()
        });
        let error = call(&client(emulator).with_cancel_handle(&handle)).unwrap_err();
        let ended = Instant::now();
        assert!(ended.saturating_duration_since(canceller.join().unwrap()) < SOON);
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error:?}");
        nothing_follows(emulator);
        error
    }

    #[test]
    fn while_the_gateway_thinks() {
        for streams in [false, true] {
            let emulator = Emulator::builder().fault(slow()).start().unwrap();
            let error = cancelled(&emulator, |client| match streams {
                true => client.chat_stream(&chat()).map(drop),
                false => client.chat(&chat()).map(drop),
            });
            assert!(error.may_have_run());
            assert_eq!((error.attempts(), error.history().len()), (1, 1));
        }
    }

    #[test]
    fn while_it_waits_for_the_next_attempt() {
        for streams in [false, true] {
            let emulator = Emulator::builder().fault(limited()).start().unwrap();
            let error = cancelled(&emulator, |client| match streams {
                true => client.chat_stream(&chat()).map(drop),
                false => client.chat(&chat()).map(drop),
            });
            assert!(!error.may_have_run());
            assert_eq!(error.message(), "cancelled while it waited for another attempt");
            let before = error.source().unwrap().downcast_ref::<Error>().unwrap();
            assert_eq!(before.code(), Some(&ErrorCode::RateLimited));
            assert!(error.history()[0].wait.unwrap() >= LONG);
        }
    }

    #[test]
    fn while_a_body_is_read() {
        let stall = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
        let emulator = Emulator::builder().fault(Fault::stall(stall)).start().unwrap();
        cancelled(&emulator, |client| client.chat(&chat()));
    }

    #[test]
    fn before_it_begins() {
        let emulator = Emulator::start().unwrap();
        let handle = CancelHandle::new();
        let with_handle = client(&emulator).with_cancel_handle(&handle);
        assert!(with_handle.chat(&chat()).is_ok(), "a handle alone ends nothing");
        handle.cancel();
        for error in [with_handle.chat(&chat()).unwrap_err(), with_handle.chat_stream(&chat()).unwrap_err()] {
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Cancelled, 0));
            assert!(!error.may_have_run());
        }
        assert_eq!(emulator.requests().len(), 1);
        assert!(client(&emulator).chat(&chat()).is_ok(), "other clients go on");
    }

    #[test]
    fn a_stream_that_flows() {
        let emulator = Emulator::builder().stream_pace(A_WHILE / 5).start().unwrap();
        let error = cancelled(&emulator, |client| client.chat_stream(&chat())?.finish());
        let partial = error.partial().unwrap();
        assert!(!partial.text().is_empty());
    }

    #[test]
    fn one_stream_and_not_its_neighbour() {
        let emulator = Emulator::builder().stream_pace(Duration::from_millis(1)).start().unwrap();
        let client = client(&emulator);
        let (mut one, other) = (client.chat_stream(&chat()).unwrap(), client.chat_stream(&chat()).unwrap());
        one.cancel_handle().cancel();
        let error = one.find_map(Result::err).unwrap();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(other.finish().is_ok());
    }
}

//! Starting and stopping.

use crate::http::{chat, connect, get, post};
use scaigrid_emulator::{DEFAULT_API_KEY, Emulator, Fault, Faults, RecordedRequest, StartError};
use scaigrid_types::Money;
use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

#[test]
fn dropping_closes_connections_and_frees_the_port() {
    let emulator = Emulator::start().unwrap();
    let address: SocketAddr = emulator.base_url().trim_start_matches("http://").parse().unwrap();
    let mut idle = connect(&emulator);
    get(&emulator, "/health");
    // One that is being answered, slowly.
    emulator.faults().push(Fault::delay(Duration::from_secs(600)));
    let mut busy = connect(&emulator);
    std::io::Write::write_all(&mut busy, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    while emulator.requests().len() < 2 {
        std::thread::yield_now();
    }
    drop(emulator);
    assert!(matches!(idle.read(&mut [0]), Ok(0) | Err(_)));
    assert!(matches!(busy.read(&mut [0]), Ok(0) | Err(_)));
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn the_same_port_can_be_used_again_after_stop() {
    let emulator = Emulator::start().unwrap();
    let address = emulator.base_url().trim_start_matches("http://").parse().unwrap();
    get(&emulator, "/health");
    emulator.stop();
    let again = Emulator::builder().listen(address).start().unwrap();
    assert_eq!(get(&again, "/health").status, 200);
}

#[test]
fn wrong_settings_say_what_is_wrong() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let builder = Emulator::builder().listen(taken.local_addr().unwrap());
    assert!(matches!(builder.start(), Err(StartError::Bind { .. })));
    let open = Emulator::builder().listen("0.0.0.0:0".parse().unwrap()).start().unwrap_err();
    assert!(
        matches!(open, StartError::NotLoopback { .. }) && open.to_string().contains("not safe to expose")
    );
    for key in ["", "two words", "ключ", "line\n"] {
        let refused = Emulator::builder().api_key(key).start().unwrap_err();
        assert!(matches!(refused, StartError::InvalidKey), "{key}");
    }
    let budget = Emulator::builder().budget("other", Money::ZERO).start().unwrap_err();
    assert!(matches!(budget, StartError::BudgetWithoutKey));
    // The default key is a key like any other.
    let poor = Emulator::builder().budget(DEFAULT_API_KEY, Money::ZERO).start().unwrap();
    assert_eq!(post(&poor, &chat("hello")).code(), "BUDGET_EXCEEDED");
}

#[test]
fn it_runs_inside_of_an_async_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let emulator = Emulator::start().unwrap();
        assert_eq!(get(&emulator, "/health").status, 200);
    });
}

#[test]
fn recording_can_be_left_out() {
    let emulator = Emulator::builder().without_recording().start().unwrap();
    assert_eq!(get(&emulator, "/health").status, 200);
    assert!(emulator.requests().is_empty());
}

#[test]
fn many_clients_at_once_are_served() {
    let emulator = Emulator::start().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| (0..10).for_each(|_| assert_eq!(post(&emulator, &chat("hi")).status, 200)));
        }
    });
    assert_eq!(emulator.requests().len(), 160);
    assert_eq!(emulator.requests().iter().filter(|one| one.status == Some(200)).count(), 160);
}

#[test]
fn public_types_can_be_shared() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Emulator>();
    shared::<Fault>();
    shared::<Faults>();
    shared::<RecordedRequest>();
    shared::<StartError>();
}

//! Blocking exchanges, ended from another thread.

use crate::server::{Act, Seen, serve};
use crate::{SHORT, request};
use scaigrid_transport::blocking::{CancelHandle, Transport};
use scaigrid_transport::{Timeouts, TransportErrorKind as Kind, UreqTransport};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

fn transport() -> UreqTransport {
    UreqTransport::builder().no_proxy().build().unwrap()
}

/// Sends with a handle that is cancelled after a while, and says how long the end took from there.
fn cancelled_while_sending(scheme: &str, address: SocketAddr) -> Duration {
    let handle = CancelHandle::new();
    let mut request = request(&format!("{scheme}://{address}/"), "{}");
    request.extensions_mut().insert(handle.clone());
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(SHORT);
        let cancelled = Instant::now();
        handle.cancel();
        cancelled
    });
    let error = transport().send(request.map(Into::into), Timeouts::none()).unwrap_err();
    let ended = Instant::now();
    assert_eq!(error.kind(), Kind::Cancelled, "{error:?}");
    ended.saturating_duration_since(canceller.join().unwrap())
}

#[test]
fn a_wait_for_the_head_is_cancelled() {
    let (address, seen) = serve(vec![Act::Stall("")]);
    let took = cancelled_while_sending("http", address);
    assert!(took < Duration::from_millis(50) + SHORT / 2, "{took:?}");
    assert!(matches!(seen.recv(), Ok(Seen::Request(_))));
    assert_eq!(seen.recv_timeout(Duration::from_secs(1)), Ok(Seen::ClientLeft));
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
#[test]
fn a_handshake_is_cancelled() {
    let (address, _listener) = crate::server::deaf();
    cancelled_while_sending("https", address);
}

#[test]
fn a_cancelled_handle_lets_nothing_through() {
    let (address, seen) = serve(vec![Act::KeepAlive(1)]);
    let handle = CancelHandle::new();
    handle.cancel();
    let mut request = request(&format!("http://{address}/"), "{}");
    request.extensions_mut().insert(handle);
    assert_eq!(
        transport().send(request.map(Into::into), Timeouts::none()).unwrap_err().kind(),
        Kind::Cancelled
    );
    assert!(seen.recv_timeout(SHORT).is_err(), "nothing was sent");
}

#[test]
fn a_read_that_waits_is_cancelled_from_another_thread() {
    let (address, seen) = serve(vec![Act::Stall("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")]);
    let transport = transport();
    let response =
        transport.send(request(&format!("http://{address}/"), "").map(Into::into), Timeouts::none()).unwrap();
    let mut body = response.into_body();
    assert_eq!(body.chunk().unwrap().unwrap(), "hello");
    let control = body.control().unwrap();
    std::thread::spawn(move || {
        std::thread::sleep(SHORT);
        control.cancel();
    });
    assert_eq!(body.chunk().unwrap_err().kind(), Kind::Cancelled);
    assert!(body.chunk().unwrap().is_none());
    assert!(matches!(seen.recv(), Ok(Seen::Request(_))));
    assert_eq!(seen.recv_timeout(Duration::from_secs(1)), Ok(Seen::ClientLeft));
}

#[test]
fn a_late_cancellation_does_not_reach_the_next_exchange() {
    let (address, _) = serve(vec![Act::KeepAlive(3)]);
    let transport = transport();
    let send = || {
        transport
            .send(request(&format!("http://{address}/"), "").map(Into::into), Timeouts::none())
            .unwrap()
            .into_body()
    };
    let mut first = send();
    let control = first.control().unwrap();
    while first.chunk().unwrap().is_some() {}
    let mut second = send();
    control.cancel();
    assert_eq!(second.chunk().unwrap().unwrap(), "ok");
    assert!(second.chunk().unwrap().is_none());
}

#[test]
fn a_body_can_be_given_an_end() {
    let lively =
        Act::Drip([vec!["HTTP/1.1 200 OK\r\n\r\n"], vec!["x"; 100]].concat(), Duration::from_millis(20));
    let (address, _) = serve(vec![lively]);
    let transport = transport();
    let mut body = transport
        .send(request(&format!("http://{address}/"), "").map(Into::into), Timeouts::none())
        .unwrap()
        .into_body();
    let started = std::time::Instant::now();
    body.control().unwrap().end_within(SHORT);
    let error = std::iter::from_fn(|| body.chunk().transpose()).find_map(Result::err).unwrap();
    assert_eq!(error.kind(), Kind::Timeout);
    assert!(started.elapsed() < 2 * Duration::from_secs(1), "{:?}", started.elapsed());
}

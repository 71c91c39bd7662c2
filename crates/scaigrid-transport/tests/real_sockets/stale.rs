//! Pooled connections that the server has closed in the meantime.

use crate::server::{Act, Seen, serve};
use crate::{Colour, SHORT, request};
use scaigrid_transport::{Timeouts, TransportErrorKind as Kind};

/// A request after the server has closed the idle connection succeeds, and arrives once.
fn is_replaced<C: Colour>(closing: Act, body: &'static str) {
    let (address, seen) = serve(vec![closing, Act::KeepAlive(1)]);
    let client = C::new();
    for _ in 0..2 {
        let outcome = client.exchange(request(&format!("http://{address}/"), body), Timeouts::none());
        assert_eq!(outcome.unwrap().1, "ok");
        client.pause(SHORT / 4);
    }
    assert_eq!(seen.try_iter().filter(|seen| matches!(seen, Seen::Request(_))).count(), 2);
}

fn closed_while_idle<C: Colour>() {
    is_replaced::<C>(Act::KeepAlive(1), "");
    is_replaced::<C>(Act::KeepAlive(1), "{}");
}

/// An answer that nobody has asked for is no answer to the next request.
fn sent_too_much_while_idle<C: Colour>() {
    let answers =
        ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbad"];
    is_replaced::<C>(Act::Drip(answers.into(), SHORT / 16), "");
}

fn reset() -> Act {
    Act::AnswerAndReset("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
}

fn reset_while_idle<C: Colour>() {
    is_replaced::<C>(reset(), "");
    is_replaced::<C>(reset(), "{}");
}

/// The HTTP stack has had no turn between the two requests: it finds out when it sends. It then either takes another
/// connection, or says that the request may have run, which is all that it can know.
fn closed_while_nobody_looked<C: Colour>() {
    for body in ["", "{}"] {
        let (address, _) = serve(vec![Act::KeepAlive(1), Act::KeepAlive(1)]);
        let client = C::new();
        let exchange = || client.exchange(request(&format!("http://{address}/"), body), Timeouts::none());
        assert_eq!(exchange().unwrap().1, "ok");
        std::thread::sleep(SHORT / 4);
        match exchange() {
            Ok((_, body)) => assert_eq!(body, "ok"),
            Err(error) => assert_eq!(error.kind(), Kind::Interrupted, "{error:?}"),
        }
    }
}

both! {
    closed_while_idle,
    sent_too_much_while_idle,
    reset_while_idle,
    closed_while_nobody_looked,
}

//! Limits hold whatever else the task and the reader do.

use super::*;

#[cfg(feature = "ureq")]
#[test]
fn a_slow_reader_meets_the_blocking_limit() {
    use scaigrid_transport::blocking::Transport;
    let (address, _) = server::flood();
    let limit = Timeouts::none().with_attempt(SHORT);
    let request = request(&format!("http://{address}/"), "").map(Into::into);
    let mut body = <Blocking as Colour>::new().0.send(request, limit).unwrap().into_body();
    for _ in 0..100 {
        if let Err(error) = body.chunk() {
            return assert_eq!(error.kind(), Kind::Timeout);
        }
        std::thread::sleep(SHORT / 8);
    }
    panic!("no limit");
}

#[cfg(feature = "reqwest")]
mod reqwest {
    use super::*;
    use scaigrid_transport::{ReqwestTransport, Transport};
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use tokio::time::timeout;

    /// For what must not hang.
    const LONG: Duration = Duration::from_secs(20);

    fn limits() -> [(Timeouts, Kind); 3] {
        [
            (Timeouts::none().with_attempt(SHORT), Kind::Timeout),
            (Timeouts::none().with_first_byte(SHORT), Kind::FirstByteTimeout),
            (Timeouts::none().with_read(SHORT), Kind::ReadTimeout),
        ]
    }

    fn transport() -> ReqwestTransport {
        ReqwestTransport::builder().http_only().no_proxy().build().unwrap()
    }

    fn to(address: SocketAddr) -> http::Request<scaigrid_transport::RequestBody> {
        request(&format!("http://{address}/"), "").map(Into::into)
    }

    #[test]
    fn a_slow_reader_meets_the_limit() {
        runtime().block_on(async {
            let (address, _) = server::flood();
            let limit = Timeouts::none().with_attempt(SHORT);
            let mut body = transport().send(to(address), limit).await.unwrap().into_body();
            for _ in 0..100 {
                if let Err(error) = body.chunk().await {
                    return assert_eq!(error.kind(), Kind::Timeout);
                }
                tokio::time::sleep(SHORT / 8).await;
            }
            panic!("no limit");
        });
    }

    #[test]
    fn limits_hold_in_a_task_that_has_used_up_its_budget() {
        for (limit, kind) in limits() {
            let (address, _) = serve(vec![Act::Stall("")]);
            let transport = transport();
            let mut answer = pin!(transport.send(to(address), limit));
            let mut is_first = true;
            let in_vain = poll_fn(|context| {
                while std::mem::take(&mut is_first) {
                    while pin!(tokio::task::consume_budget()).poll(context).is_ready() {}
                }
                answer.as_mut().poll(context)
            });
            let error = runtime().block_on(async { timeout(LONG, in_vain).await }).expect("a limit");
            assert_eq!(error.map(drop).unwrap_err().kind(), kind);
        }
    }

    #[test]
    fn limits_hold_for_a_future_that_another_task_goes_on_with() {
        for (limit, kind) in limits() {
            runtime().block_on(async {
                let (address, _) = serve(vec![Act::Stall("")]);
                let transport: &ReqwestTransport = Box::leak(Box::new(transport()));
                let mut answer = transport.send(to(address), limit);
                poll_fn(|context| {
                    assert!(answer.as_mut().poll(context).is_pending());
                    Poll::Ready(())
                })
                .await;
                let error = timeout(LONG, tokio::spawn(answer)).await.expect("a limit").unwrap();
                assert_eq!(error.map(drop).unwrap_err().kind(), kind);
            });
        }
    }

    #[test]
    fn a_body_that_is_read_outside_its_runtime_is_an_error_and_no_panic() {
        for limit in [Timeouts::none().with_read(SHORT), Timeouts::none().with_attempt(SHORT)] {
            let (address, _) = serve(vec![Act::Stall(HEAD)]);
            let runtime = runtime();
            let transport = transport();
            let mut body =
                runtime.block_on(async { transport.send(to(address), limit).await.unwrap().into_body() });
            let mut context = Context::from_waker(Waker::noop());
            match pin!(body.chunk()).poll(&mut context) {
                Poll::Ready(piece) => assert_eq!(piece.unwrap_err().kind(), Kind::InvalidRequest),
                // Its timer runs already.
                Poll::Pending => assert!(limit.attempt.is_some()),
            }
        }
    }

    #[test]
    fn limits_that_never_come_are_none() {
        let never = Timeouts::none()
            .with_attempt(Duration::MAX)
            .with_first_byte(Duration::MAX)
            .with_read(Duration::MAX);
        let slow = Act::Drip(vec![HEAD, "abcdefghij"], SHORT / 4);
        assert_eq!(answer::<Async>(slow, never).unwrap().1, "abcdefghij");
    }

    #[test]
    fn the_limit_of_a_call_stands_instead_of_the_clients() {
        // reqwest's TLS wants a provider, also for plain http.
        #[cfg(feature = "rustls")]
        let _ = rustls::crypto::ring::default_provider().install_default();
        runtime().block_on(async {
            let client = ::reqwest::Client::builder().no_proxy().timeout(SHORT).build().unwrap();
            let transport = ReqwestTransport::from_client(client);
            let (address, _) = serve(vec![Act::Drip(vec![HEAD, "abcde", "fghij"], SHORT)]);
            let answer = transport.send(to(address), Timeouts::none().with_attempt(LONG)).await.unwrap();
            assert_eq!(answer.into_body().collect(LIMIT).await.unwrap(), "abcdefghij");
        });
    }
}

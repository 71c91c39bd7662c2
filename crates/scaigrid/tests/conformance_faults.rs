//! A transport that breaks a promise is found out, and by the scenario that is about it.
#![cfg(feature = "blocking")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use scaigrid::testing::conformance;
use scaigrid::transport::blocking::{Body, RequestBody, Transport};
use scaigrid::transport::{Timeouts, TransportError, TransportErrorKind as Kind, UreqTransport};
use scaigrid::{bytes, http};

/// What a transport does wrong.
#[derive(Clone, Copy, Debug)]
enum Fault {
    KeepsNoLimits,
    Repeats,
    NeverKeepsConnections,
    KnowsOneKindOfFailure,
    ReadsAhead,
    FollowsRedirects,
    SendsHeadersTwice,
    ReadsUploadsFirst,
    HandsOutSuccessesOnly,
    TakesCutsForEnds,
}

struct Faulty {
    fault: Fault,
    inner: UreqTransport,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        Self { fault, inner: UreqTransport::builder().no_proxy().build().unwrap() }
    }
}

fn copy(request: &http::Request<RequestBody>) -> http::Request<RequestBody> {
    let mut copy =
        http::Request::new(RequestBody::from(request.body().as_bytes().cloned().unwrap_or_default()));
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

impl Transport for Faulty {
    fn send(
        &self,
        mut request: http::Request<RequestBody>,
        timeouts: Timeouts,
    ) -> Result<http::Response<Body>, TransportError> {
        let inner = &self.inner;
        match self.fault {
            Fault::KeepsNoLimits => inner.send(request, Timeouts::none()),
            Fault::Repeats => {
                let again = copy(&request);
                match inner.send(request, timeouts) {
                    Ok(response) if response.status().is_server_error() => inner.send(again, timeouts),
                    Err(error) if error.kind() == Kind::Interrupted => inner.send(again, timeouts),
                    other => other,
                }
            }
            Fault::NeverKeepsConnections => Self::new(self.fault).inner.send(request, timeouts),
            Fault::KnowsOneKindOfFailure => {
                let failed = |_| TransportError::new(Kind::Interrupted);
                let response = inner.send(request, timeouts).map_err(failed)?;
                Ok(response.map(|body| Body::new(body.map(move |piece| piece.map_err(failed)))))
            }
            Fault::ReadsAhead => {
                let (head, body) = inner.send(request, timeouts)?.into_parts();
                let whole = body.collect(usize::MAX)?;
                Ok(http::Response::from_parts(head, whole.into()))
            }
            Fault::FollowsRedirects => {
                let mut again = copy(&request);
                let response = inner.send(request, timeouts)?;
                let Some(location) = response.headers().get("location") else { return Ok(response) };
                let mut parts = again.uri().clone().into_parts();
                parts.path_and_query = location.to_str().ok().and_then(|path| path.parse().ok());
                *again.uri_mut() = http::Uri::from_parts(parts).unwrap();
                inner.send(again, timeouts)
            }
            Fault::SendsHeadersTwice => {
                let headers = request.headers_mut();
                let value = headers.get("x-custom").cloned();
                value.map(|value| headers.append("x-custom", value));
                inner.send(request, timeouts)
            }
            Fault::ReadsUploadsFirst => {
                let (head, mut body) = request.into_parts();
                let mut whole = Vec::new();
                std::io::Read::read_to_end(&mut body, &mut whole)
                    .map_err(|error| TransportError::new(Kind::RequestBody).with_source(error))?;
                inner.send(http::Request::from_parts(head, bytes::Bytes::from(whole).into()), timeouts)
            }
            Fault::HandsOutSuccessesOnly => {
                let response = inner.send(request, timeouts)?;
                match response.status().is_success() {
                    true => Ok(response),
                    false => Err(TransportError::new(Kind::Protocol)),
                }
            }
            Fault::TakesCutsForEnds => {
                let response = inner.send(request, timeouts)?;
                let is_cut = |piece: &Result<_, TransportError>| {
                    !piece.as_ref().is_err_and(|error| error.kind() == Kind::Interrupted)
                };
                Ok(response.map(|body| Body::new(body.take_while(is_cut))))
            }
        }
    }
}

/// Each fault, and scenarios that must fail.
const FAULTS: &[(Fault, &[&str])] = &[
    (
        Fault::KeepsNoLimits,
        &[
            "silence before the head",
            "silence in the body",
            "body that trickles",
            "server that does not read",
            "stream without a head",
            "stream without a first byte",
            "stream that falls silent",
        ],
    ),
    (Fault::Repeats, &["attempts are the client's", "closed without an answer"]),
    (Fault::NeverKeepsConnections, &["connection is kept"]),
    (
        Fault::KnowsOneKindOfFailure,
        &["nobody listens", "not HTTP", "silence in the body", "upload that cannot be read"],
    ),
    (Fault::ReadsAhead, &["stream as it comes", "nothing is read ahead"]),
    (Fault::FollowsRedirects, &["redirect is an answer"]),
    (Fault::SendsHeadersTwice, &["request as it is"]),
    (Fault::ReadsUploadsFirst, &["upload without a connection", "upload of unknown length"]),
    (Fault::HandsOutSuccessesOnly, &["refusal is an answer", "large upload that is refused"]),
    (
        Fault::TakesCutsForEnds,
        &["body cut off", "body in chunks cut off", "stream cut off", "reset in the body"],
    ),
];

#[test]
fn each_fault_is_found_out() {
    let check = |(fault, expected): &(Fault, &[&str])| {
        let report = conformance::run_blocking(|| Faulty::new(*fault));
        let failed: Vec<_> = report.failed().map(|outcome| outcome.name).collect();
        for name in *expected {
            assert!(failed.contains(name), "{fault:?} passed {name}; it failed {failed:?}");
        }
        // A fault is not everything: the suite tells what is wrong, and not that something is.
        assert!(failed.len() < 25, "{fault:?} failed {failed:?}");
    };
    std::thread::scope(|scope| FAULTS.iter().for_each(|fault| drop(scope.spawn(move || check(fault)))));
}

#![doc = include_str!("../README.md")]
//!
//! # The contract
//! - One call of `send` is one HTTP exchange: no retries, no redirects followed. Every status is an answer, not an
//!   error.
//! - `send` returns when the response head is there. The body is read through it, piece by piece.
//! - [`Timeouts`] are kept by the transport.
//! - A failure says by its [`TransportErrorKind`] whether the server may have run the request.
//! - A request body that is read while it is sent is read once, and not before there is a connection.
//! - Dropping a body that is not read to its end closes the connection.
//! - A future that is dropped sends nothing more. A blocking exchange ends when the
//!   [`CancelHandle`](blocking::CancelHandle) in the request's extensions is cancelled.
//!
//! # Proxies
//! Both transports read the same variables when they are built, in the same way:
//!
//! | variable | proxy for |
//! |---|---|
//! | `HTTPS_PROXY`, `https_proxy` | requests to `https` addresses |
//! | `HTTP_PROXY`, `http_proxy` | requests to `http` addresses |
//! | `ALL_PROXY`, `all_proxy` | those for which none of these is set |
//! | `NO_PROXY`, `no_proxy` | none: a list of hosts, domains with all below them, networks such as `10.0.0.0/8`, or `*` |
//!
//! - The name in capital letters goes first. An empty variable counts as no proxy.
//! - When `REQUEST_METHOD` is set, as in a CGI program, none is used: a client could choose it with a header `Proxy`.
//! - A proxy speaks `http`, or `https` in a build with TLS. What cannot be used, such as a SOCKS proxy, is an error when the
//!   transport is built: requests do not leave by another way.
//! - User name and password in the address are sent to the proxy, and are in no error and no `Debug`.
// Badges that say which feature an item needs; docs.rs builds with a nightly toolchain.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(test),
    warn(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)
)]

pub mod blocking;
#[cfg(feature = "async")]
mod body;
mod cancel;
mod collected;
mod error;
#[cfg(any(feature = "reqwest", feature = "ureq"))]
mod proxy;
#[cfg(feature = "async")]
mod request_body;
#[cfg(feature = "reqwest")]
mod reqwest_transport;
pub mod sse;
mod timeouts;
#[cfg(all(any(feature = "reqwest", feature = "ureq"), any(feature = "rustls", feature = "native-tls")))]
mod tls;
#[cfg(feature = "async")]
mod transport;
#[cfg(feature = "ureq")]
mod ureq_connect;
#[cfg(all(feature = "ureq", any(feature = "rustls", feature = "native-tls")))]
mod ureq_tls;
#[cfg(feature = "ureq")]
mod ureq_transport;

#[cfg(feature = "async")]
pub use body::Body;
pub use error::{TransportError, TransportErrorKind};
#[cfg(feature = "async")]
pub use request_body::RequestBody;
#[cfg(feature = "reqwest")]
pub use reqwest_transport::{ReqwestTransport, ReqwestTransportBuilder};
pub use timeouts::Timeouts;
#[cfg(all(any(feature = "reqwest", feature = "ureq"), any(feature = "rustls", feature = "native-tls")))]
pub use tls::TlsSettings;
#[cfg(all(feature = "async", feature = "mock"))]
pub use transport::MockTransport;
#[cfg(feature = "async")]
pub use transport::Transport;
#[cfg(feature = "ureq")]
pub use ureq_transport::{UreqTransport, UreqTransportBuilder};

/// Whether this build can speak https. Without it, an `https` address is refused.
pub const HTTPS: bool = cfg!(any(feature = "rustls", feature = "native-tls"));

/// The error for an `https` address in a build that cannot speak it.
#[cfg(any(feature = "reqwest", feature = "ureq"))]
fn require_scheme(uri: &http::Uri) -> Result<(), TransportError> {
    match uri.scheme_str() {
        Some("http") => Ok(()),
        Some("https") if HTTPS => Ok(()),
        Some("https") => {
            Err(TransportError::new(TransportErrorKind::InvalidRequest).with_message(HTTPS_MISSING))
        }
        _ => Err(TransportError::new(TransportErrorKind::InvalidRequest)
            .with_message("the address needs the scheme http or https")),
    }
}

/// Host and port, for people. Never a user name or password.
#[cfg(any(feature = "reqwest", feature = "ureq"))]
fn host_of(uri: &http::Uri) -> String {
    let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default().to_owned()
}

/// What to do when https is missing.
pub const HTTPS_MISSING: &str = "https needs TLS, and this build has none: enable the `rustls` or `native-tls` feature of the `scaigrid` crate";

//! TLS settings of the builders.

// A program that takes nothing but types from here may have a TLS feature on, too.
#[cfg(all(any(feature = "async", feature = "blocking"), any(feature = "rustls", feature = "native-tls")))]
mod builder;

/// What the builder was given, unread.
#[derive(Clone, Default)]
pub(crate) struct TlsDraft {
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    roots: Vec<Vec<u8>>,
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    identity: Option<Vec<u8>>,
    #[cfg(feature = "webpki-roots")]
    webpki_roots: bool,
    #[cfg(feature = "native-tls")]
    native: bool,
}

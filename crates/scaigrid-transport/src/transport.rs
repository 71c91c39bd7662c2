//! The async half of the seam.

use crate::{Body, Timeouts, TransportError};
use async_trait::async_trait;
use bytes::Bytes;

/// Carries one request and brings back one answer, async. See the [contract](crate#the-contract).
///
/// ```
/// use bytes::Bytes;
/// use scaigrid_transport::{Body, Timeouts, Transport, TransportError};
///
/// struct Echo;
///
/// #[async_trait::async_trait]
/// impl Transport for Echo {
///     async fn send(
///         &self,
///         request: http::Request<Bytes>,
///         _: Timeouts,
///     ) -> Result<http::Response<Body>, TransportError> {
///         Ok(http::Response::new(Body::from(request.into_body())))
///     }
/// }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends `request`, whose URI is absolute, and returns when the response head is there.
    ///
    /// # Errors
    /// When no response head came, by [kind](crate::TransportErrorKind). The body has errors of its own.
    async fn send(
        &self,
        request: http::Request<Bytes>,
        timeouts: Timeouts,
    ) -> Result<http::Response<Body>, TransportError>;
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for std::sync::Arc<T> {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        timeouts: Timeouts,
    ) -> Result<http::Response<Body>, TransportError> {
        (**self).send(request, timeouts).await
    }
}

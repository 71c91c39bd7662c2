//! The async half of the seam.

use crate::{Body, RequestBody, Timeouts, TransportError};
use async_trait::async_trait;
use std::pin::Pin;

/// Carries one request and brings back one answer, async. See the [contract](crate#the-contract).
///
/// ```
/// use scaigrid_transport::{Body, RequestBody, Timeouts, Transport, TransportError};
///
/// struct Echo;
///
/// #[async_trait::async_trait]
/// impl Transport for Echo {
///     async fn send(
///         &self,
///         request: http::Request<RequestBody>,
///         _: Timeouts,
///     ) -> Result<http::Response<Body>, TransportError> {
///         let sent = request.body().as_bytes().cloned();
///         Ok(http::Response::new(Body::from(sent.unwrap_or_default())))
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
        request: http::Request<RequestBody>,
        timeouts: Timeouts,
    ) -> Result<http::Response<Body>, TransportError>;
}

/// Hands on the future as it is: an `async fn` would put it into a box of its own.
impl<T: Transport + ?Sized> Transport for std::sync::Arc<T> {
    fn send<'a, 'b>(
        &'a self,
        request: http::Request<RequestBody>,
        timeouts: Timeouts,
    ) -> Pin<Box<dyn Future<Output = Result<http::Response<Body>, TransportError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        (**self).send(request, timeouts)
    }
}

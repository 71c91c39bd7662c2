//! The error of a script that is used up.

use scaigrid_transport::{TransportError, TransportErrorKind};
use std::error::Error;

/// The client sent more requests than the script has answers. The cause of the call's error, at its end:
///
/// ```
/// # #[cfg(feature = "blocking")] {
/// use scaigrid::testing::{ScriptExhausted, ScriptedTransport};
/// use scaigrid::ListModels;
///
/// let gateway = ScriptedTransport::new();
/// let client = gateway.blocking_client_builder().build().unwrap();
/// let error = client.models(&ListModels::new()).unwrap_err();
/// let cause = ScriptExhausted::find(&error).unwrap();
/// assert_eq!(cause.to_string(), "the script has no answer for request 1: GET /v1/models");
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the script has no answer for request {number}: {method} {path}")]
#[non_exhaustive]
pub struct ScriptExhausted {
    /// The number of the request, from 1.
    pub number: usize,
    /// Its method.
    pub method: http::Method,
    /// Its path, without the query.
    pub path: String,
}

impl ScriptExhausted {
    pub(super) fn new(request: &http::request::Parts, answered: usize) -> Self {
        let path = request.uri.path().to_owned();
        Self { number: answered + 1, method: request.method.clone(), path }
    }

    /// Looks for it among the causes of an error.
    pub fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        std::iter::successors(Some(error), |&error| error.source()).find_map(<dyn Error>::downcast_ref)
    }
}

/// Not sent, and never repeated.
impl From<ScriptExhausted> for TransportError {
    fn from(error: ScriptExhausted) -> Self {
        TransportError::new(TransportErrorKind::InvalidRequest)
            .with_message(error.to_string())
            .with_source(error)
    }
}

//! Parameters in paths.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use std::convert::Infallible;

/// The parameters of a path, decoded: a text, or several as a tuple. Empty, and thus nobody's id, when they are
/// not UTF-8.
pub(crate) struct Param<T>(pub(crate) T);

impl<T: Default + DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Param<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let path = Path::from_request_parts(parts, state).await;
        Ok(Self(path.map(|Path(value)| value).unwrap_or_default()))
    }
}

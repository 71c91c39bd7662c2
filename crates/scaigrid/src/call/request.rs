//! An endpoint as an HTTP request, without the bearer.

use crate::payload::Payload;
use crate::settings::Settings;
use crate::{Error, ErrorKind};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use scaigrid_types::{Endpoint, InvalidRequest};

pub(super) fn build<E: Endpoint>(endpoint: &E, settings: &Settings) -> Result<http::Request<Payload>, Error> {
    let invalid = |error: InvalidRequest| Error::new(ErrorKind::InvalidRequest, error.to_string());
    let uri = settings.base_url.join(&endpoint.path(), &endpoint.query()).map_err(invalid)?;
    let body = endpoint.body().map_err(invalid)?;
    let mut request = http::Request::new(Payload::Bytes(Bytes::new()));
    *request.method_mut() =
        endpoint.method().as_str().parse().map_err(|error: http::method::InvalidMethod| {
            Error::new(ErrorKind::InvalidRequest, error.to_string())
        })?;
    *request.uri_mut() = uri;
    // Room for those of the call and the credential, so that it does not grow again.
    let mut headers = HeaderMap::with_capacity(settings.headers.keys_len() + 3);
    headers.extend(settings.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    *request.headers_mut() = headers;
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static(endpoint.accept()));
    if let Some(body) = body {
        let content_type = HeaderValue::from_str(&body.content_type).map_err(|_| {
            let message = "the content type holds characters that no header may have";
            Error::new(ErrorKind::InvalidRequest, message)
        })?;
        request.headers_mut().insert(header::CONTENT_TYPE, content_type);
        *request.body_mut() = Payload::new(body.content)?;
    }
    Ok(request)
}

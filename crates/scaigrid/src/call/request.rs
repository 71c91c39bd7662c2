//! An endpoint as an HTTP request, without the bearer.

use crate::settings::Settings;
use bytes::Bytes;
use http::{HeaderValue, header};
use scaigrid_types::{Endpoint, InvalidRequest};

pub(super) fn build<E: Endpoint>(
    endpoint: &E,
    settings: &Settings,
) -> Result<http::Request<Bytes>, InvalidRequest> {
    let uri = settings.base_url.join(&endpoint.path(), &endpoint.query())?;
    let body = endpoint.body()?;
    let invalid = |error: &dyn std::fmt::Display| InvalidRequest::new(error.to_string());
    let mut request = http::Request::new(Bytes::new());
    *request.method_mut() =
        endpoint.method().as_str().parse().map_err(|error: http::method::InvalidMethod| invalid(&error))?;
    *request.uri_mut() = uri;
    *request.headers_mut() = settings.headers.clone();
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static(endpoint.accept()));
    if let Some(body) = body {
        let content_type = HeaderValue::from_str(&body.content_type)
            .map_err(|_| InvalidRequest::new("the content type holds characters that no header may have"))?;
        request.headers_mut().insert(header::CONTENT_TYPE, content_type);
        *request.body_mut() = Bytes::from(body.bytes);
    }
    Ok(request)
}

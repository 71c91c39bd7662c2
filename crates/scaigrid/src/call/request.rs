//! An endpoint as an HTTP request.

use crate::payload::Payload;
use crate::settings::{JSON, Settings};
use crate::{BearerToken, Error, ErrorKind};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use scaigrid_types::{Endpoint, InvalidRequest};

/// What all attempts of a call have in common. They share its body.
pub(crate) struct Outline {
    method: Method,
    pub(crate) uri: Uri,
    accept: &'static str,
    content_type: Option<HeaderValue>,
    client_headers: ClientHeaders,
    pub(crate) body: Payload,
}

/// Which of the client's headers are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientHeaders {
    /// All: it goes to the gateway.
    All,
    /// It goes elsewhere, and the caller's headers may be secrets.
    UserAgent,
}

impl Outline {
    /// Serialises the request, once for all attempts.
    pub(crate) fn new<E: Endpoint>(endpoint: &E, settings: &Settings) -> Result<Self, Error> {
        Self::build(endpoint, settings).map_err(|mut error| {
            error.context_mut().endpoint = Some(endpoint.name());
            error
        })
    }

    fn build<E: Endpoint>(endpoint: &E, settings: &Settings) -> Result<Self, Error> {
        let invalid = |error: InvalidRequest| Error::new(ErrorKind::InvalidRequest, error.to_string());
        let (path, query) = (endpoint.path(), endpoint.query());
        let uri = settings.last_address.join(&settings.base_url, &path, &query).map_err(invalid)?;
        let (content_type, body) = match endpoint.body().map_err(invalid)? {
            None => (None, Payload::Bytes(Bytes::new())),
            Some(body) => (Some(content_type(&body.content_type)?), Payload::new(body.content)?),
        };
        let method = endpoint.method().as_str().parse().map_err(|error: http::method::InvalidMethod| {
            Error::new(ErrorKind::InvalidRequest, error.to_string())
        })?;
        let accept = endpoint.accept();
        Ok(Self { method, uri, accept, content_type, client_headers: ClientHeaders::All, body })
    }

    /// For a file at an address that the gateway has handed out.
    pub(crate) fn of_file(uri: Uri, client_headers: ClientHeaders) -> Self {
        let body = Payload::Bytes(Bytes::new());
        Self { method: Method::GET, uri, accept: "*/*", content_type: None, client_headers, body }
    }

    /// The request to send.
    pub(crate) fn request(&self, settings: &Settings, token: Option<&BearerToken>) -> http::Request<Payload> {
        let mut request = http::Request::new(self.body.clone());
        request.method_mut().clone_from(&self.method);
        request.uri_mut().clone_from(&self.uri);
        *request.headers_mut() = self.headers(settings, token);
        request
    }

    fn headers(&self, settings: &Settings, token: Option<&BearerToken>) -> HeaderMap {
        let wants_json = self.accept == JSON && self.content_type.as_ref().is_some_and(|one| one == JSON);
        if let Some(token) = token.filter(|_| wants_json && self.client_headers == ClientHeaders::All) {
            // The usual ones, copied at once.
            let mut headers = settings.json_headers().clone();
            headers.insert(header::AUTHORIZATION, token.header());
            return headers;
        }
        let clients = settings.headers.iter().filter(|(name, _)| match self.client_headers {
            ClientHeaders::All => true,
            ClientHeaders::UserAgent => **name == header::USER_AGENT,
        });
        // Room for those of the call, so that it does not grow again.
        let mut headers = HeaderMap::with_capacity(settings.headers.len() + 3);
        headers.extend(clients.map(|(name, value)| (name.clone(), value.clone())));
        headers.insert(header::ACCEPT, HeaderValue::from_static(self.accept));
        if let Some(content_type) = &self.content_type {
            headers.insert(header::CONTENT_TYPE, content_type.clone());
        }
        if let Some(token) = token {
            headers.insert(header::AUTHORIZATION, token.header());
        }
        headers
    }
}

fn content_type(text: &str) -> Result<HeaderValue, Error> {
    if text == JSON {
        return Ok(HeaderValue::from_static(JSON));
    }
    HeaderValue::from_str(text).map_err(|_| {
        Error::new(ErrorKind::InvalidRequest, "the content type holds characters that no header may have")
    })
}

//! The gateway's address, checked once, and the addresses of calls below it.

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use scaigrid_types::{InvalidRequest, Path, Query};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// Everything but RFC 3986's unreserved characters is encoded, so that no id can change the path or query.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Scheme, authority, and path prefix of a gateway.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    /// Without a trailing slash.
    text: String,
    /// Scheme and authority, to put addresses together without parsing them.
    origin: Uri,
    /// The path, without a trailing slash.
    prefix: String,
    https: bool,
    loopback: bool,
}

/// The last address without anything of its own, such as that of every chat call: copying takes less time than putting it
/// together.
#[derive(Clone, Default)]
pub(crate) struct LastAddress(Arc<RwLock<Option<(&'static str, Uri)>>>);

impl LastAddress {
    /// As [`BaseUrl::join`], always with the same base.
    pub(crate) fn join(&self, base: &BaseUrl, path: &Path, query: &Query) -> Result<Uri, InvalidRequest> {
        let Some(fixed) = path.fixed().filter(|_| query.pairs().next().is_none()) else {
            return base.join(path, query);
        };
        let last = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, address)) = last.as_ref().filter(|(path, _)| *path == fixed) {
            return Ok(address.clone());
        }
        drop(last);
        let address = base.join(path, query)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some((fixed, address.clone()));
        Ok(address)
    }
}

/// Why a text is not a base URL.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BaseUrlError {
    #[error("is blank: give an address such as https://scaigrid.scailabs.ai")]
    Blank,
    #[error("is not a valid address: {0}")]
    Invalid(String),
    #[error("needs a scheme: write https://{0}")]
    NoScheme(String),
    #[error("has the scheme `{0}`: use https, or http on this machine")]
    Scheme(String),
    #[error("must not hold a user name or password: the API key goes in its own setting")]
    Credentials,
    #[error("must not hold a query or fragment")]
    Query,
}

impl BaseUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, BaseUrlError> {
        if text.trim().is_empty() {
            return Err(BaseUrlError::Blank);
        }
        if text.contains(['?', '#']) {
            return Err(BaseUrlError::Query);
        }
        let uri: Uri = text.parse().map_err(|error: http::uri::InvalidUri| {
            BaseUrlError::Invalid(match text.is_ascii() {
                true => error.to_string(),
                false => "write international host names in their ASCII form (xn--...)".to_owned(),
            })
        })?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            // The text may hold a password: repeat the host only.
            return Err(match uri.authority().map(|authority| authority.as_str()) {
                Some(host) if !host.contains('@') => BaseUrlError::NoScheme(host.to_owned()),
                _ => BaseUrlError::Invalid("scheme and host are missing".to_owned()),
            });
        };
        if authority.as_str().contains('@') {
            return Err(BaseUrlError::Credentials);
        }
        let https = match scheme {
            "https" => true,
            "http" => false,
            other => return Err(BaseUrlError::Scheme(other.to_owned())),
        };
        if authority.host().is_empty() {
            return Err(BaseUrlError::Invalid("the host is missing".to_owned()));
        }
        let has_port = authority.as_str().len() > authority.host().len();
        if has_port && authority.port_u16().is_none() {
            return Err(BaseUrlError::Invalid("the port is not a number up to 65535".to_owned()));
        }
        let prefix = uri.path().trim_end_matches('/');
        if prefix.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(BaseUrlError::Invalid("`.` and `..` cannot be part of the path".to_owned()));
        }
        Ok(Self {
            text: format!("{scheme}://{authority}{prefix}"),
            prefix: prefix.to_owned(),
            origin: uri.clone(),
            https,
            loopback: is_loopback(authority.host()),
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_https(&self) -> bool {
        self.https
    }

    /// Whether requests stay on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// Scheme, host, and port, without the path.
    pub(crate) fn origin(&self) -> String {
        let authority = self.text.find("://").map_or(0, |at| at + "://".len());
        let path = self.text.get(authority..).and_then(|rest| rest.find('/'));
        let end = path.map_or(self.text.len(), |at| authority + at);
        self.text.get(..end).unwrap_or(&self.text).to_owned()
    }

    /// Whether an address leads to the same scheme, host, and port.
    pub(crate) fn has_origin_of(&self, uri: &Uri) -> bool {
        let Ok(ours) = self.text.parse::<Uri>() else { return false };
        let port = |uri: &Uri| {
            uri.port_u16().or(match uri.scheme_str() {
                Some("http") => Some(80),
                Some("https") => Some(443),
                _ => None,
            })
        };
        let host = |uri: &Uri| uri.host().map(str::to_ascii_lowercase);
        host(&ours).is_some()
            && ours.scheme_str() == uri.scheme_str()
            && host(&ours) == host(uri)
            && port(&ours) == port(uri)
    }

    /// The address of a call.
    pub(crate) fn join(&self, path: &Path, query: &Query) -> Result<Uri, InvalidRequest> {
        let mut address = String::with_capacity(self.prefix.len() + 64);
        address.push_str(&self.prefix);
        for segment in path.segments() {
            // Encoded dots are dot segments all the same, so these cannot be sent at all.
            if matches!(segment, "" | "." | "..") {
                return Err(InvalidRequest::new(format!(
                    "`{segment}` cannot be part of a path: check the id or slug that was given"
                )));
            }
            address.push('/');
            address.extend(utf8_percent_encode(segment, RESERVED));
        }
        for (position, (name, value)) in query.pairs().enumerate() {
            address.push(if position == 0 { '?' } else { '&' });
            address.extend(utf8_percent_encode(name, RESERVED));
            address.push('=');
            address.extend(utf8_percent_encode(value, RESERVED));
        }
        let invalid = |error: &dyn fmt::Display| {
            InvalidRequest::new(format!("the address of the call is not valid: {error}"))
        };
        let mut parts = self.origin.clone().into_parts();
        parts.path_and_query =
            Some(address.try_into().map_err(|error: http::uri::InvalidUri| invalid(&error))?);
        Uri::from_parts(parts).map_err(|error| invalid(&error))
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

/// Whether a host is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> BaseUrl {
        BaseUrl::parse(text).unwrap()
    }

    #[test]
    fn ports_prefixes_and_trailing_slashes_are_kept_or_trimmed() {
        for (text, expected) in [
            ("https://scaigrid.scailabs.ai", "https://scaigrid.scailabs.ai"),
            ("https://scaigrid.scailabs.ai/", "https://scaigrid.scailabs.ai"),
            ("http://127.0.0.1:8000//", "http://127.0.0.1:8000"),
            ("https://example.com:8443/ai/gateway/", "https://example.com:8443/ai/gateway"),
            ("http://[::1]:8787", "http://[::1]:8787"),
        ] {
            assert_eq!(parse(text).as_str(), expected);
        }
    }

    #[test]
    fn wrong_addresses_say_what_to_change() {
        for (text, part) in [
            ("", "blank"),
            (" \n", "blank"),
            ("scaigrid.scailabs.ai", "https://scaigrid.scailabs.ai"),
            ("scaigrid.scailabs.ai/path", "not a valid address"),
            ("/path", "scheme and host"),
            ("ftp://example.com", "`ftp`"),
            ("https://user:pw@example.com", "user name"),
            ("https://example.com?x=1", "query"),
            ("https://example.com#x", "query"),
            ("https://exa mple.com", "not a valid address"),
            ("https://bücher.example", "xn--"),
            ("https://example.com:99999", "port"),
            ("https://example.com:", "port"),
            ("https://example.com\n", "not a valid address"),
            ("https://", "not a valid address"),
            ("https://example.com/a/../b", "`..`"),
        ] {
            let error = BaseUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text:?}: {error}");
            assert!(!error.contains("pw"), "{error}");
        }
    }

    #[test]
    fn loopback_is_this_machine_and_nothing_that_looks_like_it() {
        for local in [
            "http://localhost",
            "http://127.0.0.1:1",
            "http://127.9.9.9",
            "http://[::1]:1",
            "http://LOCALHOST",
        ] {
            assert!(parse(local).is_loopback(), "{local}");
        }
        for remote in [
            "http://localhost.example.com",
            "http://10.0.0.1",
            "http://127.0.0.1.example.com",
            "http://0.0.0.0",
        ] {
            assert!(!parse(remote).is_loopback(), "{remote}");
        }
    }

    #[test]
    fn ids_cannot_change_the_path_or_query() {
        let base = parse("https://example.com/gw");
        let join = |segment: &str, value: &str| {
            base.join(&Path::from_static("/v1/models").segment(segment), &Query::new().with("q", value))
                .map(|uri| uri.to_string())
        };
        assert_eq!(
            join("tenant/acme/x", "a&b=c d").unwrap(),
            "https://example.com/gw/v1/models/tenant%2Facme%2Fx?q=a%26b%3Dc%20d"
        );
        assert_eq!(
            join("ü?#%\r\n\0\\", "+").unwrap(),
            "https://example.com/gw/v1/models/%C3%BC%3F%23%25%0D%0A%00%5C?q=%2B"
        );
        for wrong in ["", ".", ".."] {
            assert!(join(wrong, "").is_err(), "{wrong:?}");
        }
        assert!(join(&"x".repeat(70_000), "").is_err());
        assert!(join("../x", "").unwrap().ends_with("/v1/models/..%2Fx?q="));
    }
}

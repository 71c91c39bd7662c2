//! Which proxy a request goes through: decided here once, for both transports.

mod exceptions;

use crate::{TransportError, TransportErrorKind as Kind};
use exceptions::Exceptions;
use http::Uri;
use std::fmt;
use std::sync::Arc;

/// Where variables are looked up.
type Lookup = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What a builder was told.
#[derive(Clone)]
pub(crate) enum ProxyChoice {
    Variables(Lookup),
    None,
    Address(String),
}

impl ProxyChoice {
    /// The process's environment.
    pub(crate) fn environment() -> Self {
        Self::Variables(Arc::new(|name| std::env::var(name).ok()))
    }

    pub(crate) fn resolve(&self) -> Result<Proxies, TransportError> {
        match self {
            Self::Variables(lookup) => Proxies::from_variables(&**lookup),
            Self::None => Ok(Proxies::default()),
            Self::Address(address) => {
                let proxy = Some(parse(address, "the proxy's address")?);
                Ok(Proxies { http: proxy.clone(), https: proxy, except: Exceptions::default() })
            }
        }
    }
}

/// Shows no address, which may hold a password.
impl fmt::Debug for ProxyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProxyChoice::Variables(_) => "Variables",
            ProxyChoice::None => "None",
            ProxyChoice::Address(_) => "Address",
        })
    }
}

/// The proxies by scheme of the request, and the hosts that are reached without. Has no `Debug`: addresses may hold
/// passwords.
#[derive(Clone, Default)]
pub(crate) struct Proxies {
    http: Option<Arc<str>>,
    https: Option<Arc<str>>,
    except: Exceptions,
}

impl Proxies {
    /// As reqwest and curl read them. A variable whose name has capital letters goes first, also when it is empty.
    fn from_variables(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, TransportError> {
        // In a CGI program, `HTTP_PROXY` is what a client has sent as the header `Proxy`.
        if lookup("REQUEST_METHOD").is_some() {
            return Ok(Self::default());
        }
        let read = |upper: &'static str, lower: &'static str| {
            [upper, lower].into_iter().find_map(|name| Some((name, lookup(name)?)))
        };
        let address = |upper, lower| match read(upper, lower) {
            Some((name, text)) if !text.trim().is_empty() => parse(&text, name).map(Some),
            _ => Ok(None),
        };
        let all = address("ALL_PROXY", "all_proxy")?;
        let except = read("NO_PROXY", "no_proxy").map(|(_, text)| Exceptions::parse(&text));
        Ok(Self {
            http: address("HTTP_PROXY", "http_proxy")?.or_else(|| all.clone()),
            https: address("HTTPS_PROXY", "https_proxy")?.or(all),
            except: except.unwrap_or_default(),
        })
    }

    /// The address of the proxy for a request, maybe with user name and password. `None`: it goes directly.
    pub(crate) fn of(&self, scheme: &str, host: &str) -> Option<&str> {
        let proxy = match scheme {
            "http" => self.http.as_deref()?,
            "https" => self.https.as_deref()?,
            _ => return None,
        };
        (!self.except.contains(host)).then_some(proxy)
    }

    #[cfg(feature = "reqwest")]
    pub(crate) fn is_empty(&self) -> bool {
        self.http.is_none() && self.https.is_none()
    }
}

/// Checks an address that `source` gave. An error does not repeat it. What cannot be used is not passed over: requests
/// would leave by a way that they should not take.
fn parse(address: &str, source: &str) -> Result<Arc<str>, TransportError> {
    let invalid = |message: String| TransportError::new(Kind::Proxy).with_message(message);
    let form = || invalid(format!("{source} is not valid: it looks like http://proxy.example:3128"));
    let address = address.trim();
    let address = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let uri: Uri = address.parse().map_err(|_| form())?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") if crate::HTTPS => {}
        Some("https") => return Err(invalid(format!("{source}: {}", crate::HTTPS_MISSING))),
        _ => return Err(invalid(format!("{source} is no proxy of http or https: others are not supported"))),
    }
    let authority = uri.authority().filter(|authority| !authority.host().is_empty()).ok_or_else(form)?;
    let has_port =
        authority.as_str().rsplit('@').next().is_some_and(|rest| rest.len() > authority.host().len());
    if has_port && authority.port_u16().is_none() {
        return Err(form());
    }
    let address = format!("{}://{authority}/", uri.scheme_str().unwrap_or("http"));
    // What one of the two HTTP clients does not take, neither gets.
    #[cfg(feature = "ureq")]
    ureq::Proxy::new(&address).map_err(|_| form())?;
    #[cfg(feature = "reqwest")]
    reqwest::Proxy::all(&address).map_err(|_| form())?;
    Ok(address.into())
}

#[cfg(test)]
mod tests;

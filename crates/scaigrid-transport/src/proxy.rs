//! Which proxy a transport takes.

use crate::{TransportError, TransportErrorKind as Kind};
use std::fmt;

#[derive(Clone)]
pub(crate) enum ProxyChoice {
    Environment,
    None,
    Address(String),
}

/// Shows no address, which may hold a password.
impl fmt::Debug for ProxyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProxyChoice::Environment => "Environment",
            ProxyChoice::None => "None",
            ProxyChoice::Address(_) => "Address",
        })
    }
}

/// Without the cause, which may quote the address.
pub(crate) fn invalid<E>(_: E) -> TransportError {
    TransportError::new(Kind::Proxy)
        .with_message("the proxy's address is not valid: it looks like http://proxy.example:3128")
}

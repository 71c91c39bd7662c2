//! The bearer: an API key, or a token from a provider.

use crate::one_line::Secret;
use http::HeaderValue;
use std::fmt;

/// A credential for the `Authorization` header. Never shown: `Debug` prints a placeholder.
#[derive(Clone)]
pub struct BearerToken {
    header: HeaderValue,
    /// To look for it in what is about to be printed.
    secret: Secret,
}

impl PartialEq for BearerToken {
    fn eq(&self, other: &Self) -> bool {
        self.header == other.header
    }
}

impl Eq for BearerToken {}

/// The text cannot be a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidToken {
    /// There is nothing but white space.
    #[error("the credential is blank")]
    Blank,
    /// There is a line break, often from reading a file with a final newline.
    #[error("the credential holds a line break: trim it")]
    LineBreak,
    /// There is another character that no key or token has.
    #[error(
        "the credential holds a space, a control character, or a character outside ASCII: check that it was copied whole"
    )]
    Character,
}

impl BearerToken {
    /// From an API key (`sgk_...`) or a JWT, without the word `Bearer`.
    ///
    /// # Errors
    /// When it is blank or holds characters that cannot be in a key. Nothing is trimmed silently.
    pub fn new(token: impl AsRef<str>) -> Result<Self, InvalidToken> {
        let token = token.as_ref();
        if token.trim().is_empty() {
            return Err(InvalidToken::Blank);
        }
        if token.contains(['\r', '\n']) {
            return Err(InvalidToken::LineBreak);
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidToken::Character);
        }
        let mut header =
            HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| InvalidToken::Character)?;
        header.set_sensitive(true);
        Ok(Self { secret: Secret::of_header(&header), header })
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.header.clone()
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken([redacted])")
    }
}

/// Gives the current token of a user who signs in with a JWT instead of an API key, async.
///
/// The client asks for [`current`](Self::current) before each call. When the gateway refuses the token
/// (`SESSION_EXPIRED` or `AUTH_TOKEN_INVALID`), it asks once for [`refreshed`](Self::refreshed) and repeats the
/// call at once; a second refusal is final. Caching is the provider's part, and so is a time limit: the client's
/// deadline does not end a provider that hangs.
///
/// ```
/// use scaigrid::{BearerToken, BoxError, TokenProvider};
///
/// /// Takes tokens from somewhere else in the program.
/// struct Session;
///
/// #[async_trait::async_trait]
/// impl TokenProvider for Session {
///     async fn current(&self) -> Result<BearerToken, BoxError> {
///         Ok(BearerToken::new("eyJhbGciOi.x.y")?)
///     }
///
///     async fn refreshed(&self, refused: &BearerToken) -> Result<BearerToken, BoxError> {
///         // Another call may have refreshed it in the meantime: compare before asking the issuer.
///         let current = self.current().await?;
///         if current != *refused { Ok(current) } else { Err("sign in again".into()) }
///     }
/// }
/// ```
#[cfg(feature = "async")]
#[async_trait::async_trait]
pub trait TokenProvider: Send + Sync {
    /// The token to use now. Called once a call; cheap when cached.
    ///
    /// # Errors
    /// Any error ends the call before it is sent.
    async fn current(&self) -> Result<BearerToken, crate::BoxError>;

    /// A token to use instead of the one that the gateway has just refused.
    ///
    /// # Errors
    /// Any error ends the call.
    async fn refreshed(&self, refused: &BearerToken) -> Result<BearerToken, crate::BoxError>;
}

/// Where a client's bearer comes from. `P` is the token provider of its colour.
#[derive(Clone)]
pub(crate) enum Credential<P> {
    Fixed(BearerToken),
    Provided(P),
}

impl<P> Credential<P> {
    /// The token that needs no provider.
    pub(crate) fn fixed(&self) -> Option<BearerToken> {
        match self {
            Credential::Fixed(token) => Some(token.clone()),
            Credential::Provided(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_a_key_is_taken() {
        assert!(BearerToken::new("sgk_abc.DEF-_~+/=").is_ok());
        for (text, error) in [
            ("", InvalidToken::Blank),
            (" \t\n", InvalidToken::Blank),
            ("sgk_abc\n", InvalidToken::LineBreak),
            ("sgk_abc\r\nX-Evil: 1", InvalidToken::LineBreak),
            ("sgk abc", InvalidToken::Character),
            ("sgk_\u{0}", InvalidToken::Character),
            ("sgk_ä", InvalidToken::Character),
        ] {
            assert_eq!(BearerToken::new(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let token = BearerToken::new("sgk_secret").unwrap();
        assert_eq!(format!("{token:?} {:?}", token.header()), "BearerToken([redacted]) Sensitive");
    }
}

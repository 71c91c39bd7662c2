//! Texts that must not be printed.

use crate::lenient::Lenient;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::ops::Deref;

/// A secret, such as a new API key. `Debug` shows a placeholder, and there is neither `Display` nor `Serialize`; only
/// [`expose`](Self::expose) gives the text.
///
/// ```
/// use scaigrid_types::Secret;
///
/// let secret = Secret::from("whsec_hidden");
/// assert_eq!(format!("{secret:?}"), "[redacted]");
/// assert_eq!(secret.expose(), "whsec_hidden");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text. Keep it out of logs.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// For requests that carry it on purpose.
    pub(crate) fn serialize_exposed<S: Serializer>(
        secret: &Option<Secret>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match secret {
            Some(secret) => serializer.serialize_str(&secret.0),
            None => serializer.serialize_none(),
        }
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// An address that is a key itself, because it holds a token: of an image, say, or of a batch's results. It derefs to its
/// text; `Debug` leaves out the query, where the token is, and there is no `Display`.
///
/// ```
/// use scaigrid_types::SecretUrl;
///
/// let url = SecretUrl::from("https://gateway.example/media/1?token=hidden");
/// assert_eq!(format!("{url:?}"), "\"https://gateway.example/media/1?[redacted]\"");
/// assert!(url.ends_with("hidden"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretUrl(String);

/// Bytes in base64. It derefs to its text; `Debug` shows the length only.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Base64(String);

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_once(['?', '#']) {
            Some((address, _)) => format!("{address}?[redacted]").fmt(f),
            None => self.0.fmt(f),
        }
    }
}

impl fmt::Debug for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} characters of base64", self.0.len())
    }
}

macro_rules! text {
    ($($name:ident),+) => {
        $(
            impl Lenient for $name {}

            impl Deref for $name {
                type Target = str;

                fn deref(&self) -> &str {
                    &self.0
                }
            }

            impl From<&str> for $name {
                fn from(text: &str) -> Self {
                    Self(text.to_owned())
                }
            }

            impl From<String> for $name {
                fn from(text: String) -> Self {
                    Self(text)
                }
            }
        )+
    };
}

text!(SecretUrl, Base64);

//! Texts that must not be printed.

use serde::{Deserialize, Serializer};
use std::fmt;

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

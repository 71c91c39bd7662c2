//! Whether a delivery comes from the gateway.
//!
//! Source: docs `advanced/webhooks-deep-dive`.

use super::WebhookEvent;
use crate::{DecodeError, Secret};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The header with the signature: `sha256=` and 64 hex digits. Documented, as `X-ScaiGrid-Signature`; header names have no
/// case.
pub const SIGNATURE_HEADER: &str = "x-scaigrid-signature";

/// The header with the time of the delivery, in seconds since the Unix epoch. That there is one is documented, its name is
/// assumed. It lies outside of what is signed.
pub const TIMESTAMP_HEADER: &str = "x-scaigrid-timestamp";

/// Verifies deliveries: HMAC-SHA256 over the raw body, compared in constant time, before anything is parsed.
///
/// ```
/// use scaigrid_types::WebhookVerifier;
///
/// let verifier = WebhookVerifier::new("whsec_random_32_chars_or_more");
/// // The raw bytes, before any JSON middleware has touched them.
/// let body = br#"{"event_type":"request.failed","event_id":"evt_1"}"#;
/// let signature = verifier.sign(body);
/// let event = verifier.verify(body, Some(&signature))?;
/// assert_eq!(event.event_id, "evt_1");
/// assert!(verifier.verify(b"{}", Some(&signature)).is_err());
/// # Ok::<(), scaigrid_types::VerifyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct WebhookVerifier {
    /// The newest first.
    secrets: Vec<Secret>,
}

/// Why a delivery is not to be trusted. Answer with 401, or 400 for [`Decode`](Self::Decode).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The verifier has no secret, or a blank one, with which anybody could sign.
    #[error("the verifier has no secret: give it the one that the webhook was made with")]
    NoSecret,
    /// There is no signature header.
    #[error("the delivery has no `X-ScaiGrid-Signature` header")]
    MissingSignature,
    /// The header is not `sha256=` and 64 hex digits.
    #[error("the signature is not `sha256=` and 64 hex digits")]
    MalformedSignature,
    /// The body was not signed with the secret, or was changed on its way.
    #[error("the signature does not fit the body: check the secret, and that the body is the raw one")]
    WrongSignature,
    /// The time is not a number of seconds, or not one in RFC 3339.
    #[error("the time of the delivery cannot be read")]
    MalformedTimestamp,
    /// The delivery is too old, or from the future.
    #[error("the delivery is {age:?} away from now, more than the allowed {allowed:?}")]
    Stale {
        /// How far away it is, in either direction.
        age: Duration,
        /// How far it may be.
        allowed: Duration,
    },
    /// The signature fits, but the body is no event.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl WebhookVerifier {
    /// With the secret that the webhook was made with, as a whole: a `whsec_` at its begin belongs to it.
    pub fn new(secret: impl Into<Secret>) -> Self {
        Self { secrets: vec![secret.into()] }
    }

    /// Accepts an older secret, too, while a new one is brought in.
    pub fn or(mut self, secret: impl Into<Secret>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// The event of a delivery, from its raw body and its signature header.
    ///
    /// # Errors
    /// See [`VerifyError`].
    pub fn verify(&self, body: &[u8], signature: Option<&str>) -> Result<WebhookEvent, VerifyError> {
        self.verify_raw(body, signature)?;
        Ok(WebhookEvent::from_body(body)?)
    }

    /// Verifies the signature and nothing else, for bodies that are not events.
    ///
    /// # Errors
    /// See [`VerifyError`].
    pub fn verify_raw(&self, body: &[u8], signature: Option<&str>) -> Result<(), VerifyError> {
        let secrets = self.secrets.iter().filter(|secret| !secret.expose().trim().is_empty());
        if secrets.clone().next().is_none() {
            return Err(VerifyError::NoSecret);
        }
        let signature = signature.ok_or(VerifyError::MissingSignature)?;
        let expected = decode(signature.trim()).ok_or(VerifyError::MalformedSignature)?;
        let is_signed_with = |secret: &Secret| mac(secret, body).verify_slice(&expected).is_ok();
        match secrets.into_iter().any(is_signed_with) {
            true => Ok(()),
            false => Err(VerifyError::WrongSignature),
        }
    }

    /// Checks the [`TIMESTAMP_HEADER`] of a delivery. The documented samples allow 300 seconds. An absent header is not
    /// checked, because its name is assumed; whoever can send the header can forge it.
    ///
    /// # Errors
    /// [`VerifyError::MalformedTimestamp`] or [`VerifyError::Stale`].
    pub fn check_timestamp(
        &self,
        timestamp: Option<&str>,
        now: SystemTime,
        allowed: Duration,
    ) -> Result<(), VerifyError> {
        let Some(timestamp) = timestamp else { return Ok(()) };
        let seconds = timestamp.trim().parse().map_err(|_| VerifyError::MalformedTimestamp)?;
        let sent =
            UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).ok_or(VerifyError::MalformedTimestamp)?;
        check_age(sent, now, allowed)
    }

    /// Checks the signed time of an event. A delivery may be repeated for hours: allow at least three.
    ///
    /// # Errors
    /// [`VerifyError::MalformedTimestamp`], also when there is none, or [`VerifyError::Stale`].
    pub fn check_event_time(
        &self,
        event: &WebhookEvent,
        now: SystemTime,
        allowed: Duration,
    ) -> Result<(), VerifyError> {
        let timestamp: Option<jiff::Timestamp> = event.timestamp.as_ref().and_then(|text| text.parse().ok());
        check_age(timestamp.ok_or(VerifyError::MalformedTimestamp)?.into(), now, allowed)
    }

    /// The signature header that the gateway would send for a body. For tests of receivers.
    pub fn sign(&self, body: &[u8]) -> String {
        let newest = self.secrets.first().cloned().unwrap_or_default();
        let digest = mac(&newest, body).finalize().into_bytes();
        digest.iter().fold("sha256=".to_owned(), |text, byte| text + &format!("{byte:02x}"))
    }
}

fn mac(secret: &Secret, body: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()));
    mac.update(body);
    mac
}

fn decode(signature: &str) -> Option<[u8; 32]> {
    let digits = signature.strip_prefix("sha256=").filter(|digits| digits.len() == 64)?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

fn check_age(sent: SystemTime, now: SystemTime, allowed: Duration) -> Result<(), VerifyError> {
    let age = now.duration_since(sent).unwrap_or_else(|error| error.duration());
    if age > allowed { Err(VerifyError::Stale { age, allowed }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 4231, test case 2.
    #[test]
    fn a_known_answer() {
        let verifier = WebhookVerifier::new("Jefe");
        let signature = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(verifier.sign(b"what do ya want for nothing?"), signature);
        assert_eq!(verifier.verify_raw(b"what do ya want for nothing?", Some(signature)), Ok(()));
        let upper = signature.to_uppercase().replace("SHA256", "sha256");
        assert_eq!(verifier.verify_raw(b"what do ya want for nothing?", Some(&upper)), Ok(()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let verifier = WebhookVerifier::new("whsec_a");
        let body = br#"{"event_type":"x.y","event_id":"e"}"#;
        let good = verifier.sign(body);
        assert_eq!(verifier.verify(body, Some(&good)).unwrap().event_type, "x.y");
        assert_eq!(verifier.verify(body, None), Err(VerifyError::MissingSignature));
        for malformed in
            ["", "sha256=", "sha256=zz", &good[7..], &good.replace("sha256=", "sha256=+"), &"é".repeat(36)]
        {
            assert_eq!(
                verifier.verify(body, Some(malformed)),
                Err(VerifyError::MalformedSignature),
                "{malformed}"
            );
        }
        assert_eq!(verifier.verify(b"{}", Some(&good)), Err(VerifyError::WrongSignature));
        let other = WebhookVerifier::new("a").sign(body);
        assert_eq!(verifier.verify(body, Some(&other)), Err(VerifyError::WrongSignature));
        let signed = verifier.sign(b"{}");
        assert!(matches!(verifier.verify(b"{}", Some(&signed)), Err(VerifyError::Decode(_))));
    }

    #[test]
    fn nobody_can_sign_with_a_secret_that_is_not_there() {
        for blank in ["", " \n"] {
            let verifier = WebhookVerifier::new(blank);
            assert_eq!(verifier.verify_raw(b"x", Some(&verifier.sign(b"x"))), Err(VerifyError::NoSecret));
            let with_another = WebhookVerifier::new("s").or(blank);
            assert!(with_another.verify_raw(b"x", Some(&verifier.sign(b"x"))).is_err());
        }
    }

    #[test]
    fn an_older_secret_is_accepted_as_long_as_it_is_named() {
        let old = WebhookVerifier::new("old").sign(b"x");
        assert_eq!(WebhookVerifier::new("new").or("old").verify_raw(b"x", Some(&old)), Ok(()));
        assert!(WebhookVerifier::new("new").verify_raw(b"x", Some(&old)).is_err());
    }

    #[test]
    fn old_deliveries_and_those_of_the_future_are_refused() {
        let verifier = WebhookVerifier::new("s");
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let allowed = Duration::from_secs(300);
        let check = |text| verifier.check_timestamp(text, now, allowed);
        for fine in [None, Some("1000000"), Some("999700"), Some(" 1000300 ")] {
            assert_eq!(check(fine), Ok(()), "{fine:?}");
        }
        for stale in ["999699", "1000301", "0"] {
            assert!(matches!(check(Some(stale)), Err(VerifyError::Stale { .. })), "{stale}");
        }
        for malformed in ["", "now", "-1", "18446744073709551616", "18446744073709551615"] {
            assert_eq!(check(Some(malformed)), Err(VerifyError::MalformedTimestamp), "{malformed}");
        }
        let event = |time: &str| {
            let body = format!(r#"{{"event_type":"x","event_id":"e","timestamp":"{time}"}}"#);
            WebhookEvent::from_body(body.as_bytes()).unwrap()
        };
        let check = |time| verifier.check_event_time(&event(time), now, allowed);
        assert_eq!(check("1970-01-12T13:46:40.000Z"), Ok(()));
        assert_eq!(check("1970-01-12T14:46:40+01:00"), Ok(()));
        assert!(matches!(check("1970-01-12T13:00:00Z"), Err(VerifyError::Stale { .. })));
        assert_eq!(check("yesterday"), Err(VerifyError::MalformedTimestamp));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..80), signature in ".{0,80}", time in ".{0,30}") {
            let verifier = WebhookVerifier::new("s");
            prop_assert!(verifier.verify_raw(&body, Some(&signature)).is_err());
            let _ = verifier.check_timestamp(Some(&time), UNIX_EPOCH, Duration::ZERO);
            prop_assert_eq!(verifier.verify_raw(&body, Some(&verifier.sign(&body))), Ok(()));
        }
    }
}

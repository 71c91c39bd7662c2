//! The gateway's error codes, with the HTTP status and retry class of each.

use crate::open_enum::string_conversions;

/// What a client may do after a failure with a given [`ErrorCode`].
///
/// The standard policy of `scaigrid-retry` acts on this. The documentation gives a retry rule for some
/// codes only; each code's page says whether its class is documented or assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryClass {
    /// Repeating the call cannot help.
    Never,
    /// Wait as long as the server says, then repeat.
    Hint,
    /// Repeat with exponential backoff.
    Backoff,
    /// Repeat with exponential backoff, but only once or twice.
    Limited,
    /// Fetch a fresh token once and repeat. Without a token provider: never.
    Reauth,
    /// The code says nothing; the HTTP status decides.
    ByStatus,
}

/// One table: variant, wire code, HTTP status, retry class, documentation.
macro_rules! error_codes {
    ($( $variant:ident, $text:literal, $status:expr, $class:ident, $doc:literal; )+) => {
        /// A stable, machine-readable error code of the gateway. Branch on this, never on the HTTP status.
        ///
        /// The vocabulary is open: a code that this version does not know becomes
        /// [`Unknown`](ErrorCode::Unknown) and keeps its text.
        ///
        /// Source: docs `reference/error-codes`, `core-concepts/errors`, and
        /// `getting-started/your-first-integration`.
        ///
        /// ```
        /// use scaigrid_types::{ErrorCode, RetryClass};
        ///
        /// let code = ErrorCode::from("BACKEND_RATE_LIMITED");
        /// assert_eq!(code, ErrorCode::BackendRateLimited);
        /// assert_eq!(code.retry_class(), RetryClass::Hint);
        /// assert_eq!(ErrorCode::from("NEW_CODE").as_str(), "NEW_CODE");
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $( #[doc = concat!("`", $text, "`: ", $doc)] $variant, )+
            /// A code that this version of the crate does not know, kept as it came.
            Unknown(String),
        }

        impl ErrorCode {
            /// Every known code, in the order of the reference.
            pub const ALL: &'static [ErrorCode] = &[$( ErrorCode::$variant, )+];

            /// The wire form, such as `BUDGET_EXCEEDED`.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $text, )+
                    Self::Unknown(text) => text,
                }
            }

            /// The HTTP status that the documentation gives for this code; that of `QUOTA_EXCEEDED` is assumed. `None`
            /// when it gives none.
            ///
            /// A server may answer with another status. The code decides, not the status.
            pub fn http_status(&self) -> Option<u16> {
                match self {
                    $( Self::$variant => $status, )+
                    Self::Unknown(_) => None,
                }
            }

            /// What a client may do after this error.
            pub fn retry_class(&self) -> RetryClass {
                match self {
                    $( Self::$variant => RetryClass::$class, )+
                    Self::Unknown(_) => RetryClass::ByStatus,
                }
            }

            fn known(text: &str) -> Option<Self> {
                match text {
                    $( $text => Some(Self::$variant), )+
                    _ => None,
                }
            }
        }
    };
}

error_codes! {
    AuthTokenMissing, "AUTH_TOKEN_MISSING", Some(401), Never,
        "the request carried no `Authorization` header. Documented; never retried.";
    AuthTokenInvalid, "AUTH_TOKEN_INVALID", Some(401), Reauth,
        "the token is invalid, expired or revoked. Documented: never retried, fix the credentials. Assumed: with a token provider, one fresh token is tried.";
    AuthInsufficientScope, "AUTH_INSUFFICIENT_SCOPE", Some(403), Never,
        "the token lacks the scope. Documented; the retry class is assumed.";
    AuthzPermissionDenied, "AUTHZ_PERMISSION_DENIED", Some(403), Never,
        "the user lacks the permission. Documented; never retried.";
    AuthFlowInvalid, "AUTH_FLOW_INVALID", Some(401), Never,
        "the OAuth flow state is invalid or has expired. Documented; the retry class is assumed.";
    AuthIdentityNotFound, "AUTH_IDENTITY_NOT_FOUND", Some(404), Never,
        "no account has that e-mail address. Documented; the retry class is assumed.";
    SessionExpired, "SESSION_EXPIRED", Some(401), Reauth,
        "the token has expired and must be refreshed. Documented; the retry class is assumed.";
    ServiceTokenInvalid, "SERVICE_TOKEN_INVALID", Some(401), Never,
        "an internal service token is invalid. Documented; the retry class is assumed.";
    ValidationError, "VALIDATION_ERROR", Some(422), Never,
        "the request is invalid; the details name the fields. Documented (one module page says 400); never retried.";
    SlugConflict, "SLUG_CONFLICT", Some(409), Never,
        "the slug exists already. Documented; the retry class is assumed.";
    ModelNotFound, "MODEL_NOT_FOUND", Some(404), Never,
        "no frontend model has that slug. Documented; never retried.";
    ModelAccessDenied, "MODEL_ACCESS_DENIED", Some(403), Never,
        "the model exists but is not enabled for the tenant. Documented; never retried.";
    ModelUnavailable, "MODEL_UNAVAILABLE", Some(503), Backoff,
        "all backends of the model are unhealthy; it might come back. Documented as retryable \"sometimes\": retried with backoff inside the cap.";
    BackendError, "BACKEND_ERROR", Some(502), Limited,
        "the provider failed. Documented: retried once or twice.";
    BackendTimeout, "BACKEND_TIMEOUT", Some(504), Backoff,
        "the provider timed out. Documented: retried with exponential backoff.";
    BackendRateLimited, "BACKEND_RATE_LIMITED", Some(429), Hint,
        "the provider's rate limit was hit. Documented: retried after `retry_after`.";
    UpstreamShapeMismatch, "UPSTREAM_SHAPE_MISMATCH", Some(502), Never,
        "a defect of the gateway's integration; report it with the request id. Documented; never retried.";
    BackendNotFound, "BACKEND_NOT_FOUND", Some(404), Never,
        "no such backend (admin routes). Documented; the retry class is assumed.";
    ProviderNotFound, "PROVIDER_NOT_FOUND", Some(404), Never,
        "no such provider (admin routes). Documented; the retry class is assumed.";
    ProviderDiscoveryError, "PROVIDER_DISCOVERY_ERROR", Some(502), Never,
        "listing a provider's models failed (admin routes). Documented; the retry class is assumed.";
    ProviderHasBackends, "PROVIDER_HAS_BACKENDS", Some(409), Never,
        "the provider still has backends (admin routes). Documented; the retry class is assumed.";
    RateLimited, "RATE_LIMITED", Some(429), Hint,
        "ScaiGrid's own rate limiter refused the call before any handler ran. Documented: retried after `retry_after`.";
    QuotaExceeded, "QUOTA_EXCEEDED", Some(429), Never,
        "a hard quota is reached. Documented as permanent; the status 429 is assumed.";
    BudgetExceeded, "BUDGET_EXCEEDED", Some(429), Never,
        "the budget is used up; an administrator must act, or the next period must begin. Documented; never retried, although it is a 429.";
    ModuleNotEnabled, "MODULE_NOT_ENABLED", Some(403), Never,
        "the module is disabled. Documented; the retry class is assumed.";
    InvalidAce, "INVALID_ACE", None, Never,
        "an access-control entry of ScaiMatrix is invalid. Documented without a status; the retry class is assumed.";
    InvalidSourceIr, "INVALID_SOURCE_IR", None, Never,
        "the source of a ScaiCore is invalid. Documented without a status; the retry class is assumed.";
    ScaiechoBackendUnavailable, "SCAIECHO_BACKEND_UNAVAILABLE", Some(502), ByStatus,
        "no ScaiEcho backend is available. Documented; the retry class is assumed.";
    ToolNotFound, "TOOL_NOT_FOUND", None, Never,
        "no such MCP tool (inside MCP tool results). Documented; the retry class is assumed.";
    PermissionDenied, "PERMISSION_DENIED", None, Never,
        "an MCP tool may not be called (inside MCP tool results). Documented; the retry class is assumed.";
}

string_conversions!(ErrorCode, Unknown);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_code_survives_its_wire_form() {
        for code in ErrorCode::ALL {
            assert_eq!(&ErrorCode::from(code.as_str()), code);
            assert_eq!(&serde_json::from_str::<ErrorCode>(&format!("\"{code}\"")).unwrap(), code);
        }
        assert_eq!(ErrorCode::ALL.len(), 30);
    }

    #[test]
    fn unknown_codes_keep_their_text_and_defer_to_the_status() {
        let code = ErrorCode::from("SOMETHING_NEW");
        assert_eq!(code, ErrorCode::Unknown("SOMETHING_NEW".into()));
        assert_eq!(code.http_status(), None);
        assert_eq!(code.retry_class(), RetryClass::ByStatus);
        assert_eq!(serde_json::to_string(&code).unwrap(), "\"SOMETHING_NEW\"");
    }

    #[test]
    fn the_permanent_429s_are_never_retried() {
        for code in [ErrorCode::BudgetExceeded, ErrorCode::QuotaExceeded] {
            assert_eq!(code.http_status(), Some(429));
            assert_eq!(code.retry_class(), RetryClass::Never);
        }
    }
}

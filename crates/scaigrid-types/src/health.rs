//! How the gateway is: health, readiness, metrics. None of them has an envelope.
//!
//! Source: docs `operations/health-and-monitoring`.

use crate::macros::endpoint;
use crate::{Endpoint, Method, Path, ReplyError, ResponseBody};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Whether the gateway lives: `GET /health`. Needs no credential. Documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetHealth;

endpoint! {
    GetHealth => Health, "health", Get "/health", json {
        fn is_authenticated(&self) -> bool {
            false
        }
    }
}

/// The answer of `/health`. Documented.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Health {
    /// `ok`.
    #[serde(default)]
    pub status: Option<String>,
    /// Fields that this version does not know, kept as they came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Whether the gateway takes calls: `GET /health/ready`. Needs no credential (assumed).
///
/// A 503 is an answer here and not an error; it is not retried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetReadiness;

impl Endpoint for GetReadiness {
    type Reply = Readiness;

    fn name(&self) -> &'static str {
        "health.ready"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    fn path(&self) -> Path {
        Path::from_static("/health/ready")
    }

    fn is_authenticated(&self) -> bool {
        false
    }

    fn accepts_status(&self, status: u16) -> bool {
        (200..300).contains(&status) || status == 503
    }

    fn decode(&self, body: ResponseBody<'_>) -> Result<Readiness, ReplyError> {
        let is_ready = (200..300).contains(&body.status());
        let Answer { status, checks } = match is_ready {
            true => body.json()?,
            // The body of a 503 is not documented: whatever it is, the gateway is not ready. `"status":"error"` is no
            // error here.
            false => body.any_json().unwrap_or_default(),
        };
        Ok(Readiness { is_ready, status, checks })
    }
}

#[derive(Default, Deserialize)]
struct Answer {
    #[serde(default, deserialize_with = "crate::lenient::opt_string_or_ignore")]
    status: Option<String>,
    #[serde(default, deserialize_with = "crate::lenient::null_as_default")]
    checks: Map<String, Value>,
}

/// Whether the gateway takes calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Readiness {
    /// Whether it does: the HTTP status was 2xx. Documented.
    #[serde(skip)]
    pub is_ready: bool,
    /// `ready`. Documented for 200.
    pub status: Option<String>,
    /// How its parts are, such as `"database": "ok"`. Documented for 200.
    pub checks: Map<String, Value>,
}

/// How all parts of the gateway are: `GET /health/detailed`, for administrators. The answer's form is not documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetDetailedHealth;

endpoint!(GetDetailedHealth => Value, "health.detailed", Get "/health/detailed", json);

/// Measurements in the Prometheus text format: `GET /metrics`. Needs no credential. Documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetMetrics;

endpoint! {
    GetMetrics => String, "metrics", Get "/metrics", text {
        fn accept(&self) -> &'static str {
            "text/plain"
        }

        fn is_authenticated(&self) -> bool {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_ready_is_a_value_whatever_the_body_is() {
        let ready = |status, body: &str| {
            GetReadiness.decode(ResponseBody::new(body.as_bytes(), None).with_status(status)).unwrap()
        };
        let body = r#"{"status":"ready","checks":{"database":"ok","redis":"ok","modules":"ok"}}"#;
        assert_eq!((ready(200, body).is_ready, ready(200, body).checks.len()), (true, 3));
        assert!(!ready(503, body).is_ready);
        for odd in ["", "<html>", r#"{"error":{"code":"X"}}"#, "[]"] {
            assert_eq!(ready(503, odd), Readiness::default(), "{odd}");
        }
        assert!(GetReadiness.decode(ResponseBody::new(b"<html>", None)).is_err());
    }
}

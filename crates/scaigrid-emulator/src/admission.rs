//! Who may pass: the rate limit first, then the credential, as the gateway documents.

use crate::accounts::Account;
use crate::clock;
use crate::gateway::Gateway;
use crate::ids::RequestId;
use crate::rate_limit::Verdict;
use crate::reply::Failure;
use axum::extract::{Extension, Request, State};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use scaigrid_types::ErrorCode;
use std::sync::Arc;

const LIMIT: HeaderName = HeaderName::from_static("x-scaigrid-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-scaigrid-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-scaigrid-ratelimit-reset");

/// Lets requests with a known key pass, within its limit, and gives the handler its [`Account`].
pub(crate) async fn admit(
    State(gateway): State<Arc<Gateway>>,
    Extension(id): Extension<RequestId>,
    mut request: Request,
    next: Next,
) -> Response {
    let account = match authenticate(&gateway, request.headers(), &id) {
        Ok(account) => account,
        Err(failure) => return failure.into_response(&id),
    };
    let verdict = gateway.check_rate(&account);
    if !verdict.admitted {
        let failure = Failure::new(ErrorCode::RateLimited, "Rate limit exceeded");
        let mut response = failure.retry_after(verdict.reset_after).into_response(&id);
        response.headers_mut().insert(RETRY_AFTER, verdict.reset_after.into());
        set_limit_headers(response.headers_mut(), verdict);
        return response;
    }
    request.extensions_mut().insert(Arc::new(account));
    let mut response = next.run(request).await;
    if response.status().is_success() || response.status() == StatusCode::TOO_MANY_REQUESTS {
        set_limit_headers(response.headers_mut(), verdict);
    }
    response
}

/// The user of the bearer key. Requests without a known key count for no limit.
fn authenticate(gateway: &Arc<Gateway>, headers: &HeaderMap, id: &RequestId) -> Result<Account, Failure> {
    let Some(header) = headers.get(AUTHORIZATION) else {
        let message = "The request has no Authorization header.";
        return Err(Failure::new(ErrorCode::AuthTokenMissing, message));
    };
    let key = header.to_str().ok().and_then(bearer);
    key.and_then(|key| Account::authenticate(gateway, key, &id.0)).ok_or_else(|| {
        Failure::new(ErrorCode::AuthTokenInvalid, "The token is invalid, expired, or revoked.")
    })
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, key) = header.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

fn set_limit_headers(headers: &mut HeaderMap, verdict: Verdict) {
    headers.insert(LIMIT, HeaderValue::from(verdict.limit));
    headers.insert(REMAINING, HeaderValue::from(verdict.remaining));
    headers.insert(RESET, HeaderValue::from(clock::unix_seconds().saturating_add(verdict.reset_after)));
}

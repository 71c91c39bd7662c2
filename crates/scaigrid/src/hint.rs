//! How long the server asks to wait, from headers and body.

use http::{HeaderMap, StatusCode};
use std::time::{Duration, SystemTime};

use crate::RateLimit;

/// The larger of the body's and the headers' wait; for a 429 without either, the time until the rate limit resets,
/// when nothing remains of it. `None`: the server does not say, or says nothing usable.
///
/// Dates count from the server's own `Date`, so that a wrong clock on either side does not matter.
pub(crate) fn retry_after(
    status: StatusCode,
    headers: &HeaderMap,
    body_seconds: Option<f64>,
    now: SystemTime,
) -> Option<Duration> {
    let now = text(headers, "date").and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    let header = text(headers, "retry-after-ms").and_then(|text| positive(text, 1e-3)).or_else(|| {
        text(headers, "retry-after").and_then(|text| positive(text, 1.0).or_else(|| until(text, now)))
    });
    let body = body_seconds.and_then(duration);
    let limited = status == StatusCode::TOO_MANY_REQUESTS;
    header.max(body).or_else(|| until_reset(headers, now).filter(|_| limited))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Digits with at most one point. Rust's own parser would also take `1e3`, `inf`, and `nan`.
fn positive(text: &str, unit: f64) -> Option<Duration> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value: f64 = text.parse().ok().filter(|_| plain)?;
    duration(value * unit)
}

/// Zero, negative, and absurd waits are none.
fn duration(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|wait| !wait.is_zero())
}

/// An HTTP date in any of its three forms.
fn until(date: &str, now: SystemTime) -> Option<Duration> {
    let date = httpdate::parse_http_date(date).ok()?;
    date.duration_since(now).ok().filter(|wait| !wait.is_zero())
}

fn until_reset(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let limit = RateLimit::from_headers(headers);
    let reset = limit.reset.filter(|_| limit.remaining == Some(0))?;
    let reset = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(reset))?;
    reset.duration_since(now).ok().filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_696_004_797; // Fri, 29 Sep 2023 16:26:37 GMT

    fn hint(headers: &[(&str, &str)], body: Option<f64>) -> Option<u128> {
        let headers = headers.iter().map(|(name, value)| {
            (http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap())
        });
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
        retry_after(StatusCode::TOO_MANY_REQUESTS, &headers.collect(), body, now).map(|wait| wait.as_millis())
    }

    #[test]
    fn headers() {
        let date = "Fri, 29 Sep 2023 16:26:57 GMT";
        for (headers, expected) in [
            (&[("retry-after", "  3 ")][..], Some(3000)),
            (&[("retry-after", "1.234")], Some(1234)),
            (&[("retry-after", "120")], Some(120_000)),
            (&[("retry-after", date)], Some(20_000)),
            (&[("retry-after", "Friday, 29-Sep-23 16:26:57 GMT")], Some(20_000)),
            (&[("retry-after", "Fri Sep 29 16:26:57 2023")], Some(20_000)),
            (&[("retry-after", date), ("date", "Fri, 29 Sep 2023 16:26:47 GMT")], Some(10_000)),
            (&[("retry-after", "Fri, 29 Sep 2023 16:26:27 GMT")], None),
            (&[("retry-after", "Zun, 29 Sep 2023 16:26:27 GMT")], None),
            (&[("retry-after", "Fri, 29 Sep 100000 16:26:27 GMT")], None),
            (&[("retry-after", "0")], None),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "+1")], None),
            (&[("retry-after", "1e3")], None),
            (&[("retry-after", "0x10")], None),
            (&[("retry-after", "inf")], None),
            (&[("retry-after", "10, 20")], None),
            (&[("retry-after", "1.2.3")], None),
            (&[("retry-after", "")], None),
            (&[("retry-after", ".")], None),
            (&[("retry-after", "99999999999999999999999")], None),
            (&[("retry-after-ms", "125")], Some(125)),
            (&[("retry-after-ms", "10"), ("retry-after", "5")], Some(10)),
            (&[("retry-after-ms", "0"), ("retry-after", date)], Some(20_000)),
            (&[("retry-after-ms", "-5"), ("retry-after", "5")], Some(5000)),
            (&[("retry-after-ms", "1e100")], None),
            (
                &[("x-scaigrid-ratelimit-remaining", "0"), ("x-scaigrid-ratelimit-reset", "1696004807")],
                Some(10_000),
            ),
            (&[("x-scaigrid-ratelimit-remaining", "12"), ("x-scaigrid-ratelimit-reset", "1696004807")], None),
            (&[("x-scaigrid-ratelimit-remaining", "0"), ("x-scaigrid-ratelimit-reset", "1")], None),
        ] {
            assert_eq!(hint(headers, None), expected, "{headers:?}");
        }
    }

    #[test]
    fn only_a_429_waits_for_the_reset() {
        let headers = [("x-scaigrid-ratelimit-remaining", "0"), ("x-scaigrid-ratelimit-reset", "9999999999")];
        let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let headers: HeaderMap = headers.into_iter().collect();
        let hint = |status| retry_after(status, &headers, None, SystemTime::UNIX_EPOCH);
        assert!(hint(StatusCode::TOO_MANY_REQUESTS).is_some());
        assert_eq!(hint(StatusCode::BAD_GATEWAY), None);
    }

    #[test]
    fn the_larger_of_body_and_header() {
        assert_eq!(hint(&[("retry-after", "2")], Some(1.0)), Some(2000));
        assert_eq!(hint(&[("retry-after", "2")], Some(2.5)), Some(2500));
        assert_eq!(hint(&[], Some(0.25)), Some(250));
        for none in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(hint(&[], Some(none)), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(value in "[ -~]{0,40}", body in proptest::option::of(any::<f64>())) {
            for name in ["retry-after", "retry-after-ms", "date", "x-scaigrid-ratelimit-reset"] {
                let _ = hint(&[(name, &value), ("x-scaigrid-ratelimit-remaining", "0")], body);
            }
        }
    }
}

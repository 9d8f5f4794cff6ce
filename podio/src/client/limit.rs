//! Reads Podio's rate limits from its responses (podio.md 4.3). Pure.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;

/// The remaining calls of this hour, according to the last response.
///
/// Podio has two classes of calls, with 1,000 and 250 calls per hour by default. Only
/// `limit` shows which class a response refers to. When the hour began is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Calls per hour.
    pub limit: u64,
    /// Calls left in the current hour.
    pub remaining: u64,
}

/// The remaining calls, and what is known about the start of the next hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallBudget {
    /// Calls per hour.
    pub limit: u64,
    /// Calls left in the current hour.
    pub remaining: u64,
    /// The latest time at which the next hour begins: one hour after
    /// the first known response of this hour. Podio does not report it.
    pub resets_by: Timestamp,
    /// The time until which Podio refuses all calls; `None` if it accepts calls.
    pub closed_until: Option<Timestamp>,
}

impl RateLimit {
    /// Reads both headers, spelt as Podio spells them.
    pub(super) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        Some(Self {
            limit: number(headers, "x-rate-limit-limit")?,
            remaining: number(headers, "x-rate-limit-remaining")?,
        })
    }
}

/// Returns how long to wait after a 420 or 429. The sources are the number of seconds
/// in `Retry-After`, the number in "Please wait N seconds before trying again", and a
/// date in `Retry-After`, in this order. Podio is not known to send `Retry-After`.
pub(super) fn retry_after(headers: &HeaderMap, body: &[u8], now: Timestamp) -> Option<Duration> {
    number(headers, "retry-after")
        .or_else(|| seconds_in_text(&String::from_utf8_lossy(body)))
        .map(Duration::from_secs)
        .or_else(|| until_date(headers, now))
}

fn until_date(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let date = headers.get("retry-after")?.to_str().ok()?;
    let date = jiff::fmt::rfc2822::parse(date.trim()).ok()?.timestamp();
    date.duration_since(now).try_into().ok()
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

fn seconds_in_text(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once("wait ")?;
    let (number, unit) = rest.split_once(' ')?;
    unit.starts_with("second").then(|| number.parse().ok())?
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_wait_is_read_from_the_header_or_the_sentence() {
        let sentence = br#"{"error_description":"You have hit the rate limit. Please wait 3600 seconds before trying again"}"#;
        let mut headers = HeaderMap::new();
        let now: Timestamp = "2026-11-26T08:49:07Z".parse().unwrap();
        let wait = |headers: &HeaderMap, body: &[u8]| retry_after(headers, body, now);
        assert_eq!(wait(&headers, b"{}"), None);
        assert_eq!(wait(&headers, b"please wait here"), None);
        assert_eq!(wait(&headers, sentence), Some(Duration::from_hours(1)));

        headers.insert("retry-after", HeaderValue::from_static("7"));
        assert_eq!(wait(&headers, sentence), Some(Duration::from_secs(7)));

        let date = "Thu, 26 Nov 2026 08:49:37 GMT";
        headers.insert("retry-after", HeaderValue::from_static(date));
        assert_eq!(wait(&headers, b"{}"), Some(Duration::from_secs(30)));
    }

    #[test]
    fn both_headers_make_a_limit() {
        let mut headers = HeaderMap::new();
        headers.insert("x-rate-limit-limit", HeaderValue::from_static("250"));
        assert_eq!(RateLimit::from_headers(&headers), None);
        headers.insert("x-rate-limit-remaining", HeaderValue::from_static("0"));
        let limit = RateLimit {
            limit: 250,
            remaining: 0,
        };
        assert_eq!(RateLimit::from_headers(&headers), Some(limit));
    }
}

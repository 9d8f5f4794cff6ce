//! Converts the local service's answer to the relay's answer.
//!
//! All tunnels share one host, so an answer must not contain anything that affects the
//! host, and must not run as a page of it.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use podtap_wire::{OneHop, WebhookResponse};

use crate::answer::{HttpAnswer, full};

/// Headers that affect the whole host: what a browser stores, sends, deletes or permits for
/// other paths too, and thus for the tunnels of other people.
const OF_THE_HOST: &[&str] = &[
    "accept-ch",
    "activate-storage-access",
    "alt-svc",
    "clear-site-data",
    "critical-ch",
    "expect-ct",
    "nel",
    "observe-browsing-topics",
    "origin-agent-cluster",
    "origin-trial",
    "public-key-pins",
    "public-key-pins-report-only",
    "report-to",
    "reporting-endpoints",
    "sec-session-challenge",
    "sec-session-registration",
    "secure-session-challenge",
    "secure-session-registration",
    "service-worker-allowed",
    "set-cookie",
    "set-cookie2",
    "set-login",
    "speculation-rules",
    "strict-transport-security",
    "use-as-dictionary",
    "www-authenticate",
    "x-permitted-cross-domain-policies",
];

/// Headers that every such answer gets: it is not run as a page of this host, its type is
/// not guessed, the URL, which contains the tunnel's key, is not passed on, and the answer
/// is not cached.
const ADDED: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox"),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Returns the answer to the sender.
pub(super) fn answer(response: WebhookResponse, method: &Method) -> Response<HttpAnswer> {
    let hop = OneHop::of(&response.headers);
    let has_no_body = method == Method::HEAD;
    let mut answer = Response::new(HttpAnswer::default());
    *answer.status_mut() = match StatusCode::from_u16(response.status) {
        // An answer of the 1xx class cannot be the final one.
        Ok(status) if !status.is_informational() => status,
        _ => StatusCode::BAD_GATEWAY,
    };
    for (name, value) in response.headers.iter() {
        let of_the_host = OF_THE_HOST.iter().any(|of| name.eq_ignore_ascii_case(of));
        if of_the_host || hop.has(name) {
            continue;
        }
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            answer.headers_mut().append(name, value);
        }
    }
    for (name, value) in ADDED {
        answer.headers_mut().insert(name, value);
    }
    *answer.body_mut() = full(if has_no_body {
        Bytes::new()
    } else {
        response.body
    });
    answer
}

#[cfg(test)]
mod tests {
    use podtap_wire::HeaderList;

    use super::*;

    fn http_answer(status: u16, headers: &[(&str, &str)]) -> Response<HttpAnswer> {
        let headers: HeaderList = headers
            .iter()
            .map(|&(name, value)| (name, value.to_owned()))
            .collect();
        let response = WebhookResponse {
            status,
            headers,
            body: Bytes::from_static(b"<h1>"),
        };
        answer(response, &Method::GET)
    }

    #[test]
    fn an_answer_says_nothing_about_the_host() {
        let mut sent: Vec<(&str, &str)> = OF_THE_HOST.iter().map(|name| (*name, "x")).collect();
        sent.extend([
            ("Set-Cookie", "a=b; Path=/"),
            ("Connection", "X-Hop"),
            ("X-Hop", "1"),
            ("Transfer-Encoding", "chunked"),
            ("Content-Security-Policy", "default-src *"),
            ("Cache-Control", "public, max-age=9999"),
            ("Referrer-Policy", "unsafe-url"),
            ("Content-Type", "text/html"),
            ("X-Own", "kept"),
        ]);
        let answer = http_answer(200, &sent);
        let mut left: Vec<(&str, &str)> = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        left.sort_unstable();
        assert_eq!(
            left,
            [
                ("cache-control", "no-store"),
                ("content-security-policy", "sandbox"),
                ("content-type", "text/html"),
                ("referrer-policy", "no-referrer"),
                ("x-content-type-options", "nosniff"),
                ("x-own", "kept"),
            ]
        );
    }

    #[test]
    fn a_status_that_cannot_end_a_request_is_a_bad_gateway() {
        for (status, expected) in [(201, 201), (101, 502), (0, 502), (599, 599)] {
            assert_eq!(http_answer(status, &[]).status(), expected);
        }
    }
}

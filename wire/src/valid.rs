//! Validates requests that are written out again as a command, as raw HTTP or in a frame.
//! These rules apply to what a relay sends and to what an archive contains.

use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method};

use crate::limits::MAX_HEADER_BYTES;
use crate::request::{HeaderList, WebhookRequest};

/// Maximum length of a public URL.
const MAX_URL_BYTES: usize = 2048;

/// Reason why a request cannot have come over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    #[error("invalid HTTP method")]
    Method,
    #[error("invalid HTTP path: it must begin with `/`")]
    Path,
    #[error("invalid HTTP header name")]
    HeaderName,
    #[error("a header value has a control character")]
    HeaderValue,
    /// All headers together are too large.
    #[error("the headers are larger than {} MiB", MAX_HEADER_BYTES / 1024 / 1024)]
    HeaderBytes,
    /// The public URL of a tunnel is invalid.
    #[error("the public URL is not valid")]
    Url,
}

impl WebhookRequest {
    /// Checks that the request can have come over HTTP.
    ///
    /// # Errors
    /// With the part that is invalid.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        method(&self.method)?;
        path(&self.path)?;
        headers(&self.headers)
    }
}

/// Checks that this may be shown as a tunnel's public URL: one word of printable ASCII.
///
/// # Errors
/// If it is anything else.
pub fn url(url: &str) -> Result<(), InvalidRequest> {
    let is_http = url.starts_with("https://") || url.starts_with("http://");
    if is_http && url.len() <= MAX_URL_BYTES && url.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(InvalidRequest::Url)
    }
}

/// Checks that a request may have this method.
///
/// # Errors
/// If it is not a token (RFC 9110 §9.1).
pub fn method(method: &str) -> Result<(), InvalidRequest> {
    match Method::from_bytes(method.as_bytes()) {
        Ok(_) => Ok(()),
        Err(_) => Err(InvalidRequest::Method),
    }
}

/// Checks that this is a path, with or without a query, byte for byte.
///
/// # Errors
/// If it does not begin with `/`, or contains what a request line cannot.
pub fn path(path: &str) -> Result<(), InvalidRequest> {
    match path.parse::<PathAndQuery>() {
        // The parser drops everything after a `#`, so the result is compared with the input.
        Ok(parsed) if parsed.as_str() == path && path.starts_with('/') => Ok(()),
        _ => Err(InvalidRequest::Path),
    }
}

/// Checks that a request may have these headers.
///
/// # Errors
/// If a name is not a token, a value contains a control character, or all together are too large.
pub fn headers(headers: &HeaderList) -> Result<(), InvalidRequest> {
    for (name, value) in headers.iter() {
        if !is_header_name(name) {
            return Err(InvalidRequest::HeaderName);
        }
        if !is_header_value(value) {
            return Err(InvalidRequest::HeaderValue);
        }
    }
    if headers.bytes() > MAX_HEADER_BYTES {
        return Err(InvalidRequest::HeaderBytes);
    }
    Ok(())
}

/// Returns whether this is a valid header name. A line break in a name would begin another header
/// where the request is written out.
pub fn is_header_name(name: &str) -> bool {
    HeaderName::from_bytes(name.as_bytes()).is_ok()
}

/// Returns whether this is a valid header value: any bytes except control characters,
/// because a line break would begin another header.
pub fn is_header_value(value: &[u8]) -> bool {
    HeaderValue::from_bytes(value).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_of_http_takes_is_taken() {
        for good in ["POST", "get", "PROPFIND", "M-SEARCH"] {
            assert_eq!(method(good), Ok(()), "{good}");
        }
        for good in ["/", "//x", "/a%2Fb?c=d&e", "/?q", "/a:b@c/;d=1,2"] {
            assert_eq!(path(good), Ok(()), "{good}");
        }
        let good: HeaderList = [
            ("X-Any", b"\xff\x80 tab\t and \"quotes\"".to_vec()),
            ("content-type", Vec::new()),
        ]
        .into_iter()
        .collect();
        assert_eq!(headers(&good), Ok(()));
    }

    #[test]
    fn a_public_url_is_one_printable_word() {
        assert_eq!(url("https://hooks.example.com/k/"), Ok(()));
        for bad in [
            "",
            "javascript:x",
            "https://a b/",
            "https://a/\u{9b}31m",
            "http://é/",
        ] {
            assert_eq!(url(bad), Err(InvalidRequest::Url), "{bad:?}");
        }
    }

    #[test]
    fn what_would_forge_a_line_or_a_host_is_refused() {
        for bad in ["", "GET /x", "POST\r\nX: y", "G\u{1b}[2J", "ä"] {
            assert_eq!(method(bad), Err(InvalidRequest::Method), "{bad:?}");
        }
        for bad in [
            "",
            "*",
            "@evil.example/x",
            "evil.example",
            ":80/x",
            "http://evil.example/",
            "/a b",
            "/a\r\nHost: evil.example",
            "/a\u{7}",
            "/a#b",
        ] {
            assert_eq!(path(bad), Err(InvalidRequest::Path), "{bad:?}");
        }
        for bad in ["", "a b", "a:b", "a\r\nb", "a\u{1b}", "ü"] {
            let list: HeaderList = [(bad, "x")].into_iter().collect();
            assert_eq!(headers(&list), Err(InvalidRequest::HeaderName), "{bad:?}");
        }
        for bad in ["a\r\nX-Forged: 1", "a\0", "\u{1b}]52;c;x\u{7}", "\u{7f}"] {
            let list: HeaderList = [("x", bad)].into_iter().collect();
            assert_eq!(headers(&list), Err(InvalidRequest::HeaderValue), "{bad:?}");
        }
    }
}

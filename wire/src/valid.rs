//! What a request may look like that is written out again as a command, as raw HTTP or onto the
//! wire: the one home of the rules, for what a relay sends and for what an archive holds.

use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method};

use crate::limits::MAX_HEADER_BYTES;
use crate::request::{HeaderList, WebhookRequest};

/// The longest public URL.
const MAX_URL_BYTES: usize = 2048;

/// The request cannot have come over HTTP.
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
    /// All headers together.
    #[error("the headers are larger than {} MiB", MAX_HEADER_BYTES / 1024 / 1024)]
    HeaderBytes,
    /// The address at which a tunnel is reached.
    #[error("the public URL is not valid")]
    Url,
}

impl WebhookRequest {
    /// Whether it can have come over HTTP.
    ///
    /// # Errors
    /// What cannot.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        method(&self.method)?;
        path(&self.path)?;
        headers(&self.headers)
    }
}

/// Whether this may be shown as a tunnel's public URL: one word of printable ASCII.
///
/// # Errors
/// When it is something else.
pub fn url(url: &str) -> Result<(), InvalidRequest> {
    let is_http = url.starts_with("https://") || url.starts_with("http://");
    if is_http && url.len() <= MAX_URL_BYTES && url.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(InvalidRequest::Url)
    }
}

/// Whether a request may have this method.
///
/// # Errors
/// When it is not a token (RFC 9110 §9.1).
pub fn method(method: &str) -> Result<(), InvalidRequest> {
    match Method::from_bytes(method.as_bytes()) {
        Ok(_) => Ok(()),
        Err(_) => Err(InvalidRequest::Method),
    }
}

/// Whether this is a path, with or without a query, byte for byte.
///
/// # Errors
/// When it does not begin with `/`, or holds what a request line cannot.
pub fn path(path: &str) -> Result<(), InvalidRequest> {
    match path.parse::<PathAndQuery>() {
        // Of what follows a `#` the parser says nothing.
        Ok(parsed) if parsed.as_str() == path && path.starts_with('/') => Ok(()),
        _ => Err(InvalidRequest::Path),
    }
}

/// Whether these are headers that a request may have.
///
/// # Errors
/// When a name is not a token, a value holds a control character, or all are too large together.
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

/// Whether a header may be called so. A line break in a name would be more than a name where the
/// request is written out.
pub fn is_header_name(name: &str) -> bool {
    HeaderName::from_bytes(name.as_bytes()).is_ok()
}

/// Whether a header may have this value: any bytes but control characters, of which a line break
/// would begin another header.
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

//! The HTTP proxy through which Podio is reached, where a network has one.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use url::Url;

/// A proxy that tunnels by CONNECT: `http://[user:password@]host:port`. Used for `https` alone;
/// a sandbox on this machine is reached directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    pub(super) uri: Uri,
    /// `Basic …`, marked as sensitive.
    pub(super) authorization: Option<HeaderValue>,
}

/// Text that is no proxy. The text is not repeated, since it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidProxy;

impl fmt::Display for InvalidProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a proxy's URL begins with http:// and names a host")
    }
}

impl std::error::Error for InvalidProxy {}

impl FromStr for Proxy {
    type Err = InvalidProxy;

    fn from_str(text: &str) -> Result<Self, InvalidProxy> {
        let url = Url::parse(text).map_err(|_| InvalidProxy)?;
        let host = url.host_str().filter(|_| url.scheme() == "http");
        let (host, port) = host.zip(url.port_or_known_default()).ok_or(InvalidProxy)?;
        let uri = Uri::builder()
            .scheme("http")
            .authority(format!("{host}:{port}"))
            .path_and_query("/")
            .build()
            .map_err(|_| InvalidProxy)?;
        let authorization = (!url.username().is_empty()).then(|| basic(&url));
        Ok(Self {
            uri,
            authorization: authorization.transpose()?,
        })
    }
}

fn basic(url: &Url) -> Result<HeaderValue, InvalidProxy> {
    let user = percent_decode_str(url.username());
    let password = percent_decode_str(url.password().unwrap_or_default());
    let pair: Vec<u8> = user.chain([b':']).chain(password).collect();
    let text = format!("Basic {}", BASE64_STANDARD.encode(pair));
    let mut header = HeaderValue::try_from(text).map_err(|_| InvalidProxy)?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_become_a_header_that_debug_hides() {
        let proxy: Proxy = "http://ada:p%40ss@proxy.example:3128".parse().unwrap();
        assert_eq!(proxy.uri, "http://proxy.example:3128/");
        assert_eq!(proxy.authorization.as_ref().unwrap(), "Basic YWRhOnBAc3M=");
        assert!(!format!("{proxy:?}").contains("YWRh"));
    }

    #[test]
    fn what_is_no_http_proxy_is_refused() {
        for text in ["socks5://proxy:1080", "proxy:3128", "", "https://proxy"] {
            assert_eq!(text.parse::<Proxy>(), Err(InvalidProxy), "{text}");
        }
    }
}

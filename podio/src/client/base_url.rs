//! The URL of Podio's API: Podio itself, or a sandbox on this machine.

use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::reach::is_this_machine;

/// The URL of an API. Plain `http` is accepted only for this machine, since tokens are sent there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    /// Scheme, authority and path, without a slash at the end.
    text: String,
    /// Whether connections need TLS.
    encrypted: bool,
}

/// Text that is not the URL of an API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBaseUrl {
    /// The text is not a URL.
    #[error("`{text}` is not a URL")]
    Malformed {
        /// The text that was given.
        text: String,
        /// Why the parser refused it.
        source: url::ParseError,
    },
    /// The URL is neither `https` nor `http` on this machine.
    #[error("`{0}` must begin with https://, or be an http:// URL on this machine")]
    Unprotected(String),
    /// The URL has a query, a fragment, a user or a password.
    #[error("`{0}` must have no user, query or fragment")]
    Decorated(String),
}

impl BaseUrl {
    /// Podio's own API (podio.md 2).
    pub const PODIO: &str = "https://api.podio.com";
    /// The page on which people authorize a client; on another host than the API (podio.md 3.2).
    const PODIO_AUTHORIZE: &str = "https://podio.com/oauth/authorize";

    /// Returns the URL as text, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether connections to it use TLS.
    pub const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Returns the page on which a person authorizes a client. For an API
    /// other than Podio's, the page is on the same host, as in the sandbox.
    pub(super) fn authorize_page(&self) -> String {
        if self.text == Self::PODIO {
            Self::PODIO_AUTHORIZE.to_owned()
        } else {
            format!("{}/oauth/authorize", self.text)
        }
    }
}

impl Default for BaseUrl {
    fn default() -> Self {
        Self {
            text: Self::PODIO.to_owned(),
            encrypted: true,
        }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidBaseUrl> {
        let url = Url::parse(text).map_err(|source| InvalidBaseUrl::Malformed {
            text: text.to_owned(),
            source,
        })?;
        let encrypted = url.scheme() == "https";
        if !(encrypted || (url.scheme() == "http" && is_this_machine(&url))) {
            return Err(InvalidBaseUrl::Unprotected(text.to_owned()));
        }
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain {
            // The text may contain a password, so the error names only the host.
            let host = url.host_str().unwrap_or_default().to_owned();
            return Err(InvalidBaseUrl::Decorated(host));
        }
        Ok(Self {
            text: url.as_str().trim_end_matches('/').to_owned(),
            encrypted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_goes_anywhere_and_http_to_this_machine_only() {
        for (text, taken) in [
            ("https://api.podio.com", true),
            ("https://api.podio.com/", true),
            ("http://127.0.0.1:4000", true),
            ("http://localhost:4000/api", true),
            ("http://[::1]:4000", true),
            ("http://api.podio.com", false),
            ("http://localhost.evil.example", false),
            ("ftp://localhost", false),
            ("api.podio.com", false),
            ("https://user:secret@api.podio.com", false),
            ("https://api.podio.com/?x=1", false),
        ] {
            assert_eq!(text.parse::<BaseUrl>().is_ok(), taken, "{text}");
        }
    }

    #[test]
    fn a_password_in_the_address_is_not_repeated() {
        let error = "https://user:secret@host".parse::<BaseUrl>().unwrap_err();
        assert!(!error.to_string().contains("secret"));
    }

    #[test]
    fn the_default_is_podio_with_its_separate_login_page() {
        let podio = BaseUrl::PODIO.parse::<BaseUrl>().unwrap();
        assert_eq!(podio, BaseUrl::default());
        assert_eq!(podio.authorize_page(), BaseUrl::PODIO_AUTHORIZE);
        let sandbox: BaseUrl = "http://127.0.0.1:4000/".parse().unwrap();
        assert_eq!(
            sandbox.authorize_page(),
            "http://127.0.0.1:4000/oauth/authorize"
        );
    }
}

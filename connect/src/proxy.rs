//! Parses proxies and selects the proxy for a URL.

use std::fmt;
use std::str::FromStr;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

/// Default ports of proxies: that of HTTP, and the registered one of SOCKS.
const HTTP_PORT: u16 = 80;
const SOCKS_PORT: u16 = 1080;

/// A proxy: `http://`, `socks5://` or `socks5h://`, `socks4a://`, each with
/// `[user:password@]host` and a port. The proxy resolves names.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its host and port.
    pub(crate) address: Uri,
    pub(crate) kind: ProxyKind,
}

/// Protocol of a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProxyKind {
    /// CONNECT, with the header `Basic …`, which is marked as sensitive.
    Http(Option<HeaderValue>),
    /// SOCKS 4a, which has no passwords.
    Socks4,
    /// SOCKS 5, with user and password.
    Socks5(Option<(String, String)>),
}

/// The text is not a proxy. The error does not contain the text, which may contain a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a proxy's URL must begin with http://, socks5:// or socks4a:// and have a host")]
pub struct InvalidProxy;

impl Proxy {
    /// Returns its host and port.
    pub(crate) fn host(&self) -> String {
        self.address
            .authority()
            .map_or_else(String::new, ToString::to_string)
    }

    fn new(found: &Intercept) -> Option<Self> {
        let (host, port) = (found.uri().host()?, found.uri().port_u16());
        let (kind, usual_port) = match found.uri().scheme_str()? {
            "http" => (ProxyKind::Http(found.basic_auth().cloned()), HTTP_PORT),
            "socks4" | "socks4a" => (ProxyKind::Socks4, SOCKS_PORT),
            "socks5" | "socks5h" => {
                let user = found.raw_auth();
                let user = user.map(|(user, password)| (user.to_owned(), password.to_owned()));
                (ProxyKind::Socks5(user), SOCKS_PORT)
            }
            // A proxy behind TLS is not supported.
            _ => return None,
        };
        let address = Uri::builder()
            .scheme("http")
            .authority(format!("{host}:{}", port.unwrap_or(usual_port)))
            .path_and_query("/")
            .build();
        let address = address.ok().filter(|_| !host.is_empty())?;
        Some(Self { address, kind })
    }
}

impl FromStr for Proxy {
    type Err = InvalidProxy;

    /// Parses a proxy. Without a scheme it is an HTTP proxy.
    fn from_str(text: &str) -> Result<Self, InvalidProxy> {
        let all = Matcher::builder().all(text).build();
        let found = all.intercept(&Uri::from_static("http://any/"));
        found.as_ref().and_then(Self::new).ok_or(InvalidProxy)
    }
}

impl fmt::Display for Proxy {
    /// Shows only host and port.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host())
    }
}

impl fmt::Debug for Proxy {
    /// Omits user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&self.address).finish()
    }
}

/// Environment variables that name proxies, with the conventions of curl. An empty variable
/// counts as missing.
#[derive(Clone, Copy, Default)]
pub struct ProxyVariables<'a> {
    /// `http_proxy`, for `http` URLs.
    pub http: &'a str,
    /// `HTTPS_PROXY`, for `https` URLs.
    pub https: &'a str,
    /// `ALL_PROXY`, for both.
    pub all: &'a str,
    /// `NO_PROXY`: domains, addresses and networks such as `10.0.0.0/8` that are reached
    /// without a proxy.
    pub no: &'a str,
}

impl ProxyVariables<'_> {
    /// Returns the proxy for a URL, if there is one.
    ///
    /// # Errors
    /// If the variable for the URL does not contain a proxy.
    pub fn proxy_for(&self, to: &Uri) -> Result<Option<Proxy>, InvalidProxy> {
        let own = match to.scheme_str() {
            Some("http") => self.http,
            Some("https") => self.https,
            _ => return Ok(None),
        };
        let named = [own, self.all].into_iter().map(str::trim);
        let Some(named) = named.into_iter().find(|text| !text.is_empty()) else {
            return Ok(None);
        };
        // The variable is parsed here, because the matcher ignores invalid ones, and the host
        // would be reached directly.
        let proxy: Proxy = named.parse()?;
        let rules = Matcher::builder().all(named).no(self.no).build();
        Ok(rules.intercept(to).map(|_| proxy))
    }
}

impl fmt::Debug for ProxyVariables<'_> {
    /// Omits the proxies, whose URLs may contain passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyVariables")
            .field("no", &self.no)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_read_and_never_shown() {
        let http: Proxy = "http://ada:p%40ss@proxy.example:3128".parse().unwrap();
        assert_eq!(http.address, "http://proxy.example:3128/");
        let basic = HeaderValue::from_static("Basic YWRhOnBAc3M=");
        assert_eq!(http.kind, ProxyKind::Http(Some(basic)));
        let socks: Proxy = "socks5://ada:p%40ss@proxy.example".parse().unwrap();
        assert_eq!(socks.address, "http://proxy.example:1080/");
        let user = ("ada".to_owned(), "p@ss".to_owned());
        assert_eq!(socks.kind, ProxyKind::Socks5(Some(user)));
        for proxy in [http, socks] {
            let shown = format!("{proxy:?}");
            assert!(
                !shown.contains("YWRh") && !shown.contains("p@ss"),
                "{shown}"
            );
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused() {
        for text in [
            "",
            "ftp://proxy:1",
            "https://proxy",
            "http://",
            "http://a b",
            "/x",
        ] {
            assert_eq!(text.parse::<Proxy>(), Err(InvalidProxy), "{text}");
        }
        let bare: Proxy = "proxy:3128".parse().unwrap();
        assert_eq!(
            (bare.address.port_u16(), bare.kind),
            (Some(3128), ProxyKind::Http(None))
        );
    }

    #[test]
    fn variables_are_read_as_curl_reads_them() {
        let variables = ProxyVariables {
            http: "http://plain:1",
            https: "socks5h://tls:2",
            all: "http://all:3",
            no: "localhost, .example.com,10.0.0.0/8, 192.168.1.7,fd00::/8",
        };
        let only_all = ProxyVariables {
            http: "",
            https: "",
            ..variables
        };
        for (to, expected, from_all) in [
            ("http://hooks.test/", Some("plain:1"), Some("all:3")),
            ("https://hooks.test:8443/", Some("tls:2"), Some("all:3")),
            ("https://notexample.com/", Some("tls:2"), Some("all:3")),
            ("https://11.0.0.1/", Some("tls:2"), Some("all:3")),
            ("https://192.168.1.8/", Some("tls:2"), Some("all:3")),
            ("https://example.com/", None, None),
            ("https://a.example.com/", None, None),
            ("https://10.1.2.3/", None, None),
            ("https://192.168.1.7/", None, None),
            ("https://[fd12::1]/", None, None),
            ("http://localhost/", None, None),
            ("ftp://hooks.test/", None, None),
        ] {
            let to: Uri = to.parse().unwrap();
            let host = |variables: ProxyVariables<'_>| {
                let proxy = variables.proxy_for(&to).unwrap();
                proxy.map(|proxy| proxy.host())
            };
            assert_eq!(host(variables).as_deref(), expected, "{to}");
            assert_eq!(host(only_all).as_deref(), from_all, "{to}");
        }
        let everywhere = ProxyVariables {
            no: "*",
            ..variables
        };
        let to = Uri::from_static("https://hooks.test/");
        assert_eq!(everywhere.proxy_for(&to), Ok(None));
        let wrong = ProxyVariables {
            https: "ftp://x",
            ..variables
        };
        assert_eq!(wrong.proxy_for(&to), Err(InvalidProxy));
    }
}

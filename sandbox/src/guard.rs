//! Accepts calls of programs on this machine, and refuses those of pages of other sites.
//!
//! A browser sends the page's site in `Origin` with every request that could do harm. It sends the
//! host that the page asked for in `Host`, which reveals a name that was rebound to this machine.

use std::net::{IpAddr, SocketAddr};

use http::uri::Authority;
use http::{HeaderMap, Uri, header};
use podtap_podio::reach::is_localhost;

use super::answer::ErrorAnswer;

/// Hosts that may be called on one connection.
#[derive(Debug)]
pub(super) struct ApiGuard {
    /// Local address of the connection.
    local: Option<IpAddr>,
    /// Additional host names.
    hosts: Vec<String>,
}

impl ApiGuard {
    pub(super) fn new(local: Option<SocketAddr>, hosts: Vec<String>) -> Self {
        Self {
            local: local.map(|address| address.ip()),
            hosts,
        }
    }

    pub(super) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), ErrorAnswer> {
        if headers.contains_key(header::ORIGIN) {
            return Err(ErrorAnswer::forbidden(
                "The sandbox is for programs: it does not answer pages of a browser",
            ));
        }
        let named = headers.get(header::HOST).map(|host| host.to_str().ok());
        let host = match (uri.authority(), named) {
            (Some(authority), _) => Some(authority.clone()),
            (None, Some(host)) => host.and_then(|host| host.parse::<Authority>().ok()),
            (None, None) => None,
        };
        if host.is_some_and(|host| self.knows(host.host())) {
            return Ok(());
        }
        Err(ErrorAnswer::forbidden(
            "The sandbox answers only to localhost, its own address, and the names given with --allow-host",
        ))
    }

    fn knows(&self, host: &str) -> bool {
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = literal.parse::<IpAddr>() {
            return address.is_loopback() || self.local == Some(address);
        }
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        is_localhost(&name)
            || self
                .hosts
                .iter()
                .any(|known| known.eq_ignore_ascii_case(&name))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn is_allowed(host: Option<&str>, origin: Option<&str>) -> bool {
        let local = SocketAddr::from(([192, 0, 2, 7], 8090));
        let guard = ApiGuard::new(Some(local), vec!["sandbox".to_owned()]);
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::HOST, host), (header::ORIGIN, origin)] {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_str(value).unwrap());
            }
        }
        guard
            .check(&Uri::from_static("/hook/app/1/"), &headers)
            .is_ok()
    }

    #[test]
    fn programs_of_this_machine_may_call_and_pages_may_not() {
        for (host, taken) in [
            ("127.0.0.1:8090", true),
            ("localhost:8090", true),
            ("LOCALHOST", true),
            ("api.localhost:8090", true),
            ("[::1]:8090", true),
            ("192.0.2.7:8090", true),
            ("sandbox:8090", true),
            ("192.0.2.8:8090", false),
            ("rebound.example:8090", false),
            ("localhost.example", false),
            ("127.0.0.1.example", false),
            ("", false),
        ] {
            assert_eq!(is_allowed(Some(host), None), taken, "{host}");
            assert!(!is_allowed(Some(host), Some("null")), "{host}");
        }
        assert!(!is_allowed(
            Some("localhost"),
            Some("http://localhost:8090")
        ));
        assert!(!is_allowed(None, None));
    }
}

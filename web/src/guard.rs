//! Decides which requests are answered. The page listens on this machine, where every page in the
//! person's browser can send requests to it, and a foreign name can be made to resolve to its
//! address. So a request is answered only if
//!
//! - it names this address as its host (after DNS rebinding, it names the attacker's host),
//! - the browser does not report that another site made it,
//! - it has this run's session, and
//! - if it changes anything, it comes from this page (`Origin`).

use std::net::{IpAddr, SocketAddr};

use http::header::{COOKIE, HOST, HeaderName, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Method};

use crate::access::PageSecrets;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The only name of this machine that is resolved without a name server.
const THIS_MACHINE: &str = "localhost";

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageRefusal {
    /// It names another host.
    Misdirected,
    /// Another site made it.
    Foreign,
    /// It has no session.
    NoSession,
}

/// The checks of requests to the page at this address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageGuard {
    address: SocketAddr,
}

impl PageGuard {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// Returns the name of the session cookie. It includes the port, because all
    /// ports of a host share their cookies.
    pub(crate) fn cookie_name(&self) -> String {
        format!("podtap-{}", self.address.port())
    }

    /// Checks that the request is for this host and that no other site made it.
    pub(crate) fn check_origin(&self, head: &Parts) -> Result<(), PageRefusal> {
        let host = one(&head.headers, &HOST).filter(|host| self.is_own(host));
        let Some(host) = host else {
            return Err(PageRefusal::Misdirected);
        };
        let is_reading = matches!(head.method, Method::GET | Method::HEAD);
        let site = one(&head.headers, &FETCH_SITE);
        // A person may follow a link to the page itself from anywhere. The browser then
        // does not send a cookie that is `SameSite=Strict`, so the answer is the page
        // for a request without a session.
        let is_visit = is_reading && one(&head.headers, &FETCH_MODE) == Some("navigate");
        let is_own_site = match site {
            None | Some("same-origin" | "none") => true,
            Some(_) => is_visit && head.uri.path() == "/",
        };
        let is_own_origin = match head.headers.get(ORIGIN) {
            Some(origin) => origin.as_bytes() == format!("http://{host}").as_bytes(),
            None => is_reading,
        };
        if is_own_site && is_own_origin {
            Ok(())
        } else {
            Err(PageRefusal::Foreign)
        }
    }

    /// Checks that the request has this run's session.
    pub(crate) fn check_session(
        &self,
        headers: &HeaderMap,
        access: &PageSecrets,
    ) -> Result<(), PageRefusal> {
        let name = self.cookie_name();
        let cookies = headers.get_all(COOKIE).into_iter();
        let is_known = cookies
            .filter_map(|cookies| cookies.to_str().ok())
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .any(|(given, value)| given == name && access.is_session(value));
        if is_known {
            Ok(())
        } else {
            Err(PageRefusal::NoSession)
        }
    }

    /// Returns whether a `Host` names this page: an IP address, because DNS rebinding
    /// cannot change it, or a name of this machine. If the page listens on all
    /// addresses, any IP address is correct.
    fn is_own(&self, host: &str) -> bool {
        let Ok(host) = host.parse::<Authority>() else {
            return false;
        };
        if host.as_str().contains('@') || host.port_u16().unwrap_or(80) != self.address.port() {
            return false;
        }
        let name = host.host().trim_start_matches('[').trim_end_matches(']');
        match name.parse::<IpAddr>() {
            Ok(_) if self.address.ip().is_unspecified() => true,
            Ok(address) => {
                address == self.address.ip() || (address.is_loopback() && self.is_loopback())
            }
            Err(_) => name.eq_ignore_ascii_case(THIS_MACHINE) && self.is_on_this_machine(),
        }
    }

    fn is_loopback(&self) -> bool {
        self.address.ip().is_loopback()
    }

    fn is_on_this_machine(&self) -> bool {
        self.is_loopback() || self.address.ip().is_unspecified()
    }
}

/// Returns the value of a header that must not be repeated.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).into_iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn check(
        address: &str,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
    ) -> Result<(), PageRefusal> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        PageGuard::new(address.parse().unwrap()).check_origin(&head)
    }

    #[test]
    fn only_its_own_address_is_answered() {
        let here = "127.0.0.1:7640";
        for host in [
            "127.0.0.1:7640",
            "localhost:7640",
            "LOCALHOST:7640",
            "[::1]:7640",
        ] {
            assert_eq!(check(here, "GET", "/", &[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.example:7640",
            "localhost.evil.example:7640",
            "127.0.0.1.evil.example:7640",
            "127.0.0.1:7641",
            "127.0.0.1",
            "localhost",
            "a@127.0.0.1:7640",
            "192.168.1.5:7640",
            "",
            ":7640",
        ] {
            let came_of = check(here, "GET", "/", &[("host", host)]);
            assert_eq!(came_of, Err(PageRefusal::Misdirected), "{host}");
        }
        let none = check(here, "GET", "/", &[]);
        assert_eq!(none, Err(PageRefusal::Misdirected));
        let two = [("host", "localhost:7640"), ("host", "localhost:7640")];
        assert_eq!(check(here, "GET", "/", &two), Err(PageRefusal::Misdirected));
    }

    #[test]
    fn a_page_for_the_network_is_known_by_addresses_alone() {
        for (address, host, is_own) in [
            ("0.0.0.0:80", "192.168.1.5", true),
            ("0.0.0.0:80", "localhost", true),
            ("0.0.0.0:80", "laptop.example", false),
            ("192.168.1.5:7640", "192.168.1.5:7640", true),
            ("192.168.1.5:7640", "192.168.1.6:7640", false),
            ("192.168.1.5:7640", "localhost:7640", false),
            ("192.168.1.5:7640", "127.0.0.1:7640", false),
        ] {
            let came_of = check(address, "GET", "/", &[("host", host)]);
            assert_eq!(came_of.is_ok(), is_own, "{address} {host}");
        }
    }

    #[test]
    fn what_another_site_makes_is_refused() {
        let host = ("host", "localhost:7640");
        let own = ("origin", "http://localhost:7640");
        let visit = ("sec-fetch-mode", "navigate");
        let site = |site: &'static str| ("sec-fetch-site", site);
        for (method, uri, headers, is_own) in [
            ("GET", "/api/events", vec![site("same-origin")], true),
            ("GET", "/api/events", vec![site("none")], true),
            ("GET", "/api/events", vec![site("cross-site")], false),
            ("GET", "/api/events", vec![site("same-site")], false),
            ("GET", "/api/events", vec![site("cross-site"), visit], false),
            ("GET", "/", vec![site("cross-site"), visit], true),
            ("GET", "/", vec![site("cross-site")], false),
            ("GET", "/", vec![("origin", "null")], false),
            ("POST", "/", vec![site("cross-site"), visit, own], false),
            ("POST", "/api/events/x/replay", vec![own], true),
            (
                "POST",
                "/api/events/x/replay",
                vec![own, site("same-origin")],
                true,
            ),
            ("POST", "/api/events/x/replay", vec![], false),
            (
                "POST",
                "/api/events/x/replay",
                vec![("origin", "null")],
                false,
            ),
            (
                "POST",
                "/api/events/x/replay",
                vec![("origin", "http://localhost:3000")],
                false,
            ),
            (
                "POST",
                "/api/events/x/replay",
                vec![("origin", "https://localhost:7640")],
                false,
            ),
            (
                "POST",
                "/api/events/x/replay",
                vec![("origin", "http://127.0.0.1:7640")],
                false,
            ),
        ] {
            let all = [vec![host], headers.clone()].concat();
            let came_of = check("127.0.0.1:7640", method, uri, &all);
            let expected = if is_own {
                Ok(())
            } else {
                Err(PageRefusal::Foreign)
            };
            assert_eq!(came_of, expected, "{method} {uri} {headers:?}");
        }
    }

    #[test]
    fn a_session_is_that_of_this_page_and_this_run() {
        let access = PageSecrets::new(None).unwrap();
        let guard = PageGuard::new("127.0.0.1:7640".parse().unwrap());
        let other = PageSecrets::new(None).unwrap();
        for (cookie, is_known) in [
            (format!("podtap-7640={}", access.session()), true),
            (format!("a=b; podtap-7640={}; c=d", access.session()), true),
            (
                format!("podtap-7640=x; podtap-7640={}", access.session()),
                true,
            ),
            (format!("podtap-7640={}", access.token()), false),
            (format!("podtap-7640={}", other.session()), false),
            (format!("podtap-7641={}", access.session()), false),
            ("podtap-7640=".to_owned(), false),
            (String::new(), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, cookie.parse().unwrap());
            let came_of = guard.check_session(&headers, &access);
            assert_eq!(came_of.is_ok(), is_known, "{cookie}");
        }
    }
}

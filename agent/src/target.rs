//! The local service's address: where an event goes, in delivery, in a replay and in each line that
//! is copied. The only place that puts a base URL and an event's path together. Pure.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// The local service: a base URL to which an event's path is appended. Its own query, where it has
/// one, comes before the event's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(Url);

impl Default for Target {
    /// Where developers' services listen most often, for a line that must name one.
    #[expect(clippy::expect_used, reason = "a test of this file parses it")]
    fn default() -> Self {
        "3000".parse().expect("a port is a local service")
    }
}

impl Target {
    /// The base URL, without a trailing slash in its path.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Whether its host is this machine by name or address, or a name without a dot, as those of a
    /// container's network are.
    pub fn is_near(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => {
                let is_of_containers = name == "host.docker.internal";
                !name.contains('.') || name.ends_with(".localhost") || is_of_containers
            }
            Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
            Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
            None => false,
        }
    }

    /// The URL for an event's path, which is taken byte for byte: nothing is decoded or normalized
    /// (invariant 3).
    pub fn with_path(&self, path: &str) -> String {
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let slash = if path.starts_with('/') { "" } else { "/" };
        let mut url = format!("{}{slash}{path}", self.base());
        let queries = [self.0.query(), query];
        for (index, query) in queries.into_iter().flatten().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(query);
        }
        url
    }

    /// The local service that an event with this path went to, by the URL of an attempt.
    pub fn of_attempt(url: &str, path: &str) -> Option<Self> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (base, all) = url.split_once('?').unwrap_or((url, ""));
        let base = base.strip_suffix(path)?;
        let own = all.strip_suffix(query)?.trim_end_matches('&');
        let mark = if own.is_empty() { "" } else { "?" };
        format!("{base}{mark}{own}").parse().ok()
    }

    /// Without its query and without a slash at the end.
    fn base(&self) -> &str {
        let text = self.0.as_str();
        let base = text.split('?').next().unwrap_or(text);
        base.trim_end_matches('/')
    }
}

/// A text that names no local service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a local service: {reason}; try 3000, :3000, localhost:3000/path or a URL")]
pub struct InvalidTarget {
    text: String,
    reason: String,
}

impl FromStr for Target {
    type Err = InvalidTarget;

    /// Accepts `3000`, `:3000`, `host:port`, `host:port/path` and an `http://` or `https://` URL.
    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let invalid = |reason: &str| InvalidTarget {
            text: without_user_info(text).into_owned(),
            reason: reason.to_owned(),
        };
        let trimmed = text.trim();
        let digits = trimmed.strip_prefix(':').unwrap_or(trimmed);
        let url = match digits.parse::<u16>() {
            Ok(0) => return Err(invalid("the lowest port is 1")),
            Ok(port) => format!("http://localhost:{port}"),
            Err(_) if digits.bytes().all(|b| b.is_ascii_digit()) && !digits.is_empty() => {
                return Err(invalid("the highest port is 65535"));
            }
            Err(_) if trimmed.contains("://") => trimmed.to_owned(),
            Err(_) if trimmed.starts_with(':') => format!("http://localhost{trimmed}"),
            Err(_) => format!("http://{trimmed}"),
        };
        let mut url: Url = url
            .parse()
            .map_err(|e: url::ParseError| invalid(&e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid("the URL must begin with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(
                "a user and password in the URL are not sent; leave them out",
            ));
        }
        if url.fragment().is_some() {
            return Err(invalid("a fragment (#) is not sent; leave it out"));
        }
        if url.query() == Some("") {
            url.set_query(None);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base())?;
        match self.0.query() {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

/// A text that may be a URL, as an error may print it: without what may be a user and a password,
/// also where it is not the URL that it should be.
pub fn without_user_info(url: &str) -> Cow<'_, str> {
    let start = url.find("://").map_or(0, |at| at + "://".len());
    let (scheme, rest) = url.split_at_checked(start).unwrap_or(("", url));
    match rest.rfind('@') {
        Some(at) => format!("{scheme}…{}", rest.get(at..).unwrap_or_default()).into(),
        None => url.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_this_machine_is_known_by_its_host() {
        for (target, is_near) in [
            ("3000", true),
            ("http://[::1]:8", true),
            ("http://127.8.0.1", true),
            ("http://app:3000", true),
            ("http://shop.localhost", true),
            ("http://host.docker.internal:3000", true),
            ("https://example.com", false),
            ("http://localhost.example.com", false),
            ("http://192.168.1.9:3000", false),
        ] {
            let parsed: Target = target.parse().unwrap();
            assert_eq!(parsed.is_near(), is_near, "{target}");
        }
    }

    #[test]
    fn every_way_to_write_a_local_service_is_understood() {
        for (text, url) in [
            ("3000", "http://localhost:3000"),
            (":3000", "http://localhost:3000"),
            (":3000/hook", "http://localhost:3000/hook"),
            ("myhost:8080/a/b/", "http://myhost:8080/a/b"),
            ("http://[::1]:9/", "http://[::1]:9"),
            ("https://dev.test/x", "https://dev.test/x"),
            ("dev.test/x/?token=abc", "http://dev.test/x?token=abc"),
            ("http://dev.test?a=b", "http://dev.test?a=b"),
            ("http://dev.test/?", "http://dev.test"),
        ] {
            assert_eq!(
                text.parse::<Target>().map(|t| t.to_string()),
                Ok(url.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn the_default_is_a_port_of_this_machine() {
        assert_eq!(Target::default().to_string(), "http://localhost:3000");
    }

    #[test]
    fn what_names_no_local_service_is_refused_with_a_hint() {
        for text in ["", "0", "70000", "ftp://x", "http://", "http://x/#a", "a b"] {
            let error = text.parse::<Target>().unwrap_err().to_string();
            assert!(error.contains("try 3000"), "{error}");
        }
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        for text in [
            "http://ann:hunter2@localhost:3000",
            "ann:hunter2@localhost:3000/x",
            "http://ann:hunter2@local host",
            "ftp://ann:hunter2@x/?q=@",
            "http://ann:hun/ter2@x",
            "http://:hunter2@x",
        ] {
            let error = text.parse::<Target>().unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert_eq!(without_user_info("https://a:b@c/d"), "https://…@c/d");
        assert_eq!(without_user_info("https://c/d"), "https://c/d");
    }

    #[test]
    fn an_events_path_and_query_follow_those_of_the_target() {
        for (target, path, url) in [
            ("3000", "/hook", "http://localhost:3000/hook"),
            (
                "3000",
                "/a%2Fb//c/../d?x=%20&y=",
                "http://localhost:3000/a%2Fb//c/../d?x=%20&y=",
            ),
            ("http://[::1]:8/base/", "/", "http://[::1]:8/base/"),
            (
                "http://h/notify?token=abc",
                "/",
                "http://h/notify/?token=abc",
            ),
            (
                "http://h/notify?token=abc",
                "/p?a=b",
                "http://h/notify/p?token=abc&a=b",
            ),
            ("http://h?token=abc", "//?", "http://h//?token=abc&"),
        ] {
            let target: Target = target.parse().unwrap();
            assert_eq!(target.with_path(path), url);
            assert_eq!(Target::of_attempt(url, path), Some(target));
        }
        assert_eq!(Target::of_attempt("http://h/a", "/b"), None);
        assert_eq!(Target::of_attempt("http://h/a?x=1", "/a?x=2"), None);
    }
}

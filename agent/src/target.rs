//! The address of the local service, for deliveries, replays and copied commands. Only this file
//! combines a base URL with an event's path. Pure.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use podtap_podio::reach::is_this_machine;
use url::{Host, Url};

/// The local service: a base URL to which an event's path is appended. Its own query, if it has
/// one, comes before the event's. Or a command that is run instead, once per event.
///
/// Only [`Target::from_setting`] creates a command, so that text from elsewhere (an attempt's URL,
/// an archive, a page's request) can never run one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(TargetKind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum TargetKind {
    Service(Url),
    Command(Arc<str>),
}

/// Prefix of a command.
pub(crate) const EXEC: &str = "exec:";

impl Default for Target {
    /// Returns the most common address of developers' services, for text that needs one.
    #[expect(clippy::expect_used, reason = "a test of this file parses it")]
    fn default() -> Self {
        "3000".parse().expect("a port is a local service")
    }
}

impl Target {
    /// Parses the target in a setting: what [`FromStr`] accepts, or `exec:` and a command.
    ///
    /// # Errors
    /// Returns what is wrong with the text.
    pub fn from_setting(text: &str) -> Result<Self, InvalidTarget> {
        let Some(command) = text.trim().strip_prefix(EXEC) else {
            return text.parse();
        };
        let command = command.trim();
        let reason = match command {
            "" => "the command is missing after exec:",
            _ if command.contains('\0') => "a command cannot have a NUL character",
            _ => return Ok(Self(TargetKind::Command(command.into()))),
        };
        Err(InvalidTarget {
            text: text.to_owned(),
            reason: reason.to_owned(),
        })
    }

    /// Returns the base URL, without a trailing slash in its path; `None` for a command.
    pub fn url(&self) -> Option<&Url> {
        match &self.0 {
            TargetKind::Service(url) => Some(url),
            TargetKind::Command(_) => None,
        }
    }

    /// Returns the command that is run instead of a local service.
    pub fn command(&self) -> Option<&str> {
        match &self.0 {
            TargetKind::Service(_) => None,
            TargetKind::Command(command) => Some(command),
        }
    }

    /// Returns `http` or `https`; `None` for a command.
    pub(crate) fn scheme(&self) -> Option<&str> {
        self.url().map(Url::scheme)
    }

    /// Returns whether its host is this machine by name or address, or a name without a dot, as in
    /// a container's network. A command runs on this machine.
    pub fn is_near(&self) -> bool {
        let Some(url) = self.url() else { return true };
        match url.host() {
            Some(Host::Domain(name)) => {
                let is_of_containers = name == "host.docker.internal";
                !name.contains('.') || name.ends_with(".localhost") || is_of_containers
            }
            Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
            Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
            None => false,
        }
    }

    /// Returns whether it is certainly a service on this machine: at a loopback address, or with a
    /// name that always is one. A command is not a service.
    pub fn is_loopback(&self) -> bool {
        self.url().is_some_and(is_this_machine)
    }

    /// Returns the URL for an event's path, which is appended byte for byte: nothing is decoded or
    /// normalized (invariant 3).
    pub fn with_path(&self, path: &str) -> String {
        let TargetKind::Service(own) = &self.0 else {
            return self.to_string();
        };
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let slash = if path.starts_with('/') { "" } else { "/" };
        let mut url = format!("{}{slash}{path}", base(own));
        let queries = [own.query(), query];
        for (index, query) in queries.into_iter().flatten().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(query);
        }
        url
    }

    /// Returns the local service to which an event with
    /// this path was sent, from the URL of an attempt.
    pub fn of_attempt(url: &str, path: &str) -> Option<Self> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (base, all) = url.split_once('?').unwrap_or((url, ""));
        let base = base.strip_suffix(path)?;
        let own = all.strip_suffix(query)?.trim_end_matches('&');
        let mark = if own.is_empty() { "" } else { "?" };
        format!("{base}{mark}{own}").parse().ok()
    }
}

/// Returns whether the text is a port, possibly with a path or a query, as in `3000/hook`.
fn begins_with_port(text: &str) -> bool {
    let port = text.split(['/', '?']).next().unwrap_or_default();
    !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
}

/// Returns a URL without its query and without a trailing slash.
fn base(url: &Url) -> &str {
    let text = url.as_str();
    let base = text.split('?').next().unwrap_or(text);
    base.trim_end_matches('/')
}

/// The text is not a local service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a local service: {reason}; try 3000, :3000, localhost:3000/path or a URL")]
pub struct InvalidTarget {
    text: String,
    reason: String,
}

impl FromStr for Target {
    type Err = InvalidTarget;

    /// Parses `3000`, `:3000`, `host:port`, `host:port/path` and an `http://` or `https://` URL.
    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let invalid = |reason: &str| InvalidTarget {
            text: without_user_info(text).into_owned(),
            reason: reason.to_owned(),
        };
        let trimmed = text.trim();
        if trimmed.starts_with(EXEC) {
            return Err(invalid(
                "a command is accepted only in --exec, --route and the settings",
            ));
        }
        let digits = trimmed.strip_prefix(':').unwrap_or(trimmed);
        let url = match digits.parse::<u16>() {
            Ok(0) => return Err(invalid("the lowest port is 1")),
            Ok(port) => format!("http://localhost:{port}"),
            Err(_) if digits.bytes().all(|b| b.is_ascii_digit()) && !digits.is_empty() => {
                return Err(invalid("the highest port is 65535"));
            }
            Err(_) if trimmed.contains("://") => trimmed.to_owned(),
            Err(_) if trimmed.starts_with(':') => format!("http://localhost{trimmed}"),
            Err(_) if begins_with_port(trimmed) => format!("http://localhost:{trimmed}"),
            Err(_) => format!("http://{trimmed}"),
        };
        let mut url: Url = url
            .parse()
            .map_err(|e: url::ParseError| invalid(&e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid("the URL must begin with http:// or https://"));
        }
        if url.port() == Some(0) {
            return Err(invalid("the lowest port is 1"));
        }
        // URLs accept a number as an IPv4 address: `4000` would be 0.0.15.160.
        if let Some(Host::Ipv4(address)) = url.host()
            && !trimmed.contains(&address.to_string())
        {
            return Err(invalid("a number is not a host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(
                "a user and a password in the URL are not sent; remove them",
            ));
        }
        if url.fragment().is_some() {
            return Err(invalid("a fragment (#) is not sent; remove it"));
        }
        if url.query() == Some("") {
            url.set_query(None);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(TargetKind::Service(url)))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = match &self.0 {
            TargetKind::Service(url) => url,
            TargetKind::Command(command) => return write!(f, "{EXEC}{command}"),
        };
        f.write_str(base(url))?;
        match url.query() {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

/// Returns a text that may be a URL, for an error: without a possible user and password, even if
/// the text is not a valid URL.
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
        for (target, is_near, is_loopback) in [
            ("3000", true, true),
            ("http://[::1]:8", true, true),
            ("http://127.8.0.1", true, true),
            ("http://0.0.0.0:3000", true, false),
            ("http://app:3000", true, false),
            ("http://shop.localhost", true, true),
            ("http://host.docker.internal:3000", true, false),
            ("https://example.com", false, false),
            ("http://localhost.example.com", false, false),
            ("http://mylocalhost", true, false),
            ("http://192.168.1.9:3000", false, false),
            ("http://[::ffff:192.168.1.9]:3000", false, false),
        ] {
            let parsed: Target = target.parse().unwrap();
            assert_eq!(parsed.is_near(), is_near, "{target}");
            assert_eq!(parsed.is_loopback(), is_loopback, "{target}");
        }
    }

    #[test]
    fn every_way_to_write_a_local_service_is_understood() {
        for (text, url) in [
            ("3000", "http://localhost:3000"),
            (":3000", "http://localhost:3000"),
            (":3000/hook", "http://localhost:3000/hook"),
            ("3000/hook", "http://localhost:3000/hook"),
            ("3000?a=b", "http://localhost:3000?a=b"),
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
    fn a_command_is_a_target_where_a_setting_names_it_and_nowhere_else() {
        let target = Target::from_setting(" exec: ./handler.sh a=b | tee x ").unwrap();
        assert_eq!(target.command(), Some("./handler.sh a=b | tee x"));
        assert_eq!((target.url(), target.is_near()), (None, true));
        let text = "exec:./handler.sh a=b | tee x";
        assert_eq!(
            (target.to_string(), target.with_path("/a?b")),
            (text.into(), text.into())
        );
        assert_eq!(Target::from_setting(text).unwrap(), target);
        assert_eq!(Target::from_setting("3000").unwrap(), Target::default());
        for elsewhere in [text, "exec:80", " exec:80"] {
            assert!(elsewhere.parse::<Target>().is_err(), "{elsewhere}");
        }
        for (url, path) in [("exec:touch /tmp/x", ""), ("exec:80/x", "/x")] {
            assert_eq!(Target::of_attempt(url, path), None, "{url}");
        }
        for wrong in ["exec:", "exec:  ", "exec:a\0b"] {
            assert!(Target::from_setting(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_default_is_a_port_of_this_machine() {
        assert_eq!(Target::default().to_string(), "http://localhost:3000");
    }

    #[test]
    fn what_names_no_local_service_is_refused_with_a_hint() {
        for text in [
            "",
            "0",
            "0/x",
            ":0/x",
            "70000",
            "70000/x",
            "ftp://x",
            "http://",
            "http://x/#a",
            "a b",
            "http://5:80",
            "1.2:80",
            "http://0x7f.1",
        ] {
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

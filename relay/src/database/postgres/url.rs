//! Parses the URL of a database in the form that libpq uses. The URL contains a password,
//! so it is never shown completely.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};

/// Maximum time to open a connection, unless the URL sets another.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum time that sent data may stay unacknowledged before the connection is closed.
const USER_TIMEOUT: Duration = Duration::from_secs(10);

/// URL of a PostgreSQL database. `Debug` and `Display` omit the password.
#[derive(Clone)]
pub struct DatabaseUrl {
    pub(super) config: Config,
    pub(super) tls: DatabaseTls,
    shown: String,
}

/// How the server's certificate is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DatabaseTls {
    pub(super) check: CertificateCheck,
    /// File of trusted authorities that replaces the system's.
    pub(super) root_cert: Option<PathBuf>,
}

/// Which parts of the certificate are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CertificateCheck {
    /// Nothing, as in libpq: the connection is encrypted only.
    Nothing,
    /// The authority that signed it.
    Authority,
    /// The authority that signed it, and the host name.
    Host,
}

/// Reason why a text is not a database URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    /// The text is not a database URL at all.
    #[error("it should be postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    NoUrl,
    /// An option has an invalid value.
    #[error("it should be postgres://USER:PASSWORD@HOST:PORT/DATABASE: {0}")]
    Malformed(String),
    /// The value of `sslmode` is unknown.
    #[error("its sslmode should be disable, prefer, require, verify-ca or verify-full")]
    SslMode,
    /// The file of trusted authorities cannot be used.
    #[error("its sslrootcert needs sslmode=verify-ca or verify-full")]
    RootCert,
    /// A required part is missing.
    #[error("it has no {0}")]
    Missing(&'static str),
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        let text = text.trim();
        if !["postgres://", "postgresql://"]
            .iter()
            .any(|it| text.starts_with(it))
        {
            return Err(InvalidDatabaseUrl::NoUrl);
        }
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let mut mode = None;
        let mut root_cert = None;
        let mut rest = form_urlencoded::Serializer::new(String::new());
        let mut has_rest = false;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "sslmode" => mode = Some(value.into_owned()),
                "sslrootcert" => root_cert = Some(PathBuf::from(value.into_owned())),
                _ => {
                    rest.append_pair(&name, &value);
                    has_rest = true;
                }
            }
        }
        let (ssl_mode, check) = match mode.as_deref().unwrap_or("prefer") {
            "disable" => (SslMode::Disable, CertificateCheck::Nothing),
            "allow" | "prefer" => (SslMode::Prefer, CertificateCheck::Nothing),
            "require" => (SslMode::Require, CertificateCheck::Nothing),
            "verify-ca" => (SslMode::Require, CertificateCheck::Authority),
            "verify-full" => (SslMode::Require, CertificateCheck::Host),
            _ => return Err(InvalidDatabaseUrl::SslMode),
        };
        if root_cert.is_some() && check == CertificateCheck::Nothing {
            return Err(InvalidDatabaseUrl::RootCert);
        }
        // The serializer writes a space as `+`, which the parser of the driver does not decode.
        let rest = rest.finish().replace('+', "%20");
        let plain = if has_rest {
            format!("{base}?{rest}")
        } else {
            base.to_owned()
        };
        let mut config: Config = plain.parse().map_err(|error| malformed_url(&error))?;
        let is_host_given = !config.get_hosts().is_empty() || !config.get_hostaddrs().is_empty();
        if !is_host_given {
            return Err(InvalidDatabaseUrl::Missing("host"));
        }
        if config.get_user().is_none() {
            return Err(InvalidDatabaseUrl::Missing("user"));
        }
        config.ssl_mode(ssl_mode);
        config.tcp_user_timeout(USER_TIMEOUT);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("podtap");
        }
        // Of several hosts, the driver selects the one that accepts writes; the others are its
        // replicas.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        Ok(Self {
            shown: without_password(base),
            tls: DatabaseTls { check, root_cert },
            config,
        })
    }
}

/// Converts an error of the parser. Its text contains names of options, never values.
fn malformed_url(error: &tokio_postgres::Error) -> InvalidDatabaseUrl {
    let why = std::error::Error::source(error);
    InvalidDatabaseUrl::Malformed(why.map_or_else(|| error.to_string(), ToString::to_string))
}

/// Returns the URL without password and options.
fn without_password(base: &str) -> String {
    let (scheme, rest) = base.split_once("://").unwrap_or(("postgres", base));
    let (credentials, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    let user = credentials.split(':').next().unwrap_or_default();
    let at = if user.is_empty() { "" } else { "@" };
    format!("{scheme}://{user}{at}{place}")
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({})", self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_url(text: &str) -> DatabaseUrl {
        text.parse().unwrap()
    }

    fn parse_error(text: &str) -> InvalidDatabaseUrl {
        text.parse::<DatabaseUrl>().unwrap_err()
    }

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (text, expected) in [
            (
                "postgres://ann:s3cret@db:5433/podtap",
                "postgres://ann@db:5433/podtap",
            ),
            (
                "postgresql://ann:s3cr@et@a,b/podtap?connect_timeout=3",
                "postgresql://ann@a,b/podtap",
            ),
            (
                "postgres://ann@%2Frun%2Fpg/podtap?password=s3cret",
                "postgres://ann@%2Frun%2Fpg/podtap",
            ),
        ] {
            let Ok(url) = text.parse::<DatabaseUrl>() else {
                continue;
            };
            assert_eq!(url.to_string(), expected);
            let all = format!("{url:?} {url}");
            assert!(!all.contains("s3cr"), "{all}");
        }
    }

    #[test]
    fn sslmode_says_how_far_a_certificate_is_believed() {
        let tls = |query: &str| {
            let url = parse_url(&format!("postgres://ann@db/podtap{query}"));
            (url.config.get_ssl_mode(), url.tls.check)
        };
        assert_eq!(tls(""), (SslMode::Prefer, CertificateCheck::Nothing));
        assert_eq!(
            tls("?sslmode=disable"),
            (SslMode::Disable, CertificateCheck::Nothing)
        );
        assert_eq!(
            tls("?sslmode=require"),
            (SslMode::Require, CertificateCheck::Nothing)
        );
        assert_eq!(
            tls("?sslmode=verify-ca"),
            (SslMode::Require, CertificateCheck::Authority)
        );
        let full =
            parse_url("postgres://ann@db/podtap?sslmode=verify-full&sslrootcert=/a%20b/ca.pem");
        assert_eq!(full.tls.check, CertificateCheck::Host);
        assert_eq!(full.tls.root_cert, Some(PathBuf::from("/a b/ca.pem")));
    }

    #[test]
    fn what_cannot_be_right_is_refused_without_a_word_of_the_password() {
        for text in [
            "",
            "relay.db",
            "mysql://ann:s3cret@db/podtap",
            "postgres://",
            "postgres:///podtap",
            "postgres://db/podtap",
            "postgres://ann:s3cret@db:port/podtap",
            "postgres://ann:s3cret@db:99999/podtap",
            "postgres://ann:s3cret@db/podtap?sslmode=s3cret",
            "postgres://ann:s3cret@db/podtap?sslrootcert=/ca.pem",
            "postgres://ann:s3cret@db/podtap?such=s3cret",
            "postgres://ann:s3cret@db/podtap?connect_timeout=s3cret",
        ] {
            let error = parse_error(text).to_string();
            assert!(!error.contains("s3cret"), "{text}: {error}");
        }
    }
}

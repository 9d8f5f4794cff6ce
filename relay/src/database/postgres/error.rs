//! Errors of a PostgreSQL database. Each message says what the operator can do.

use tokio_postgres::error::SqlState;

/// Reason why the database cannot be used. `url` has no password.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The server does not answer, or not in time.
    #[error(
        "the database {url} cannot be reached: {why}; check that it runs, and the host and port"
    )]
    Unreachable {
        /// The database.
        url: String,
        /// Error of the operating system.
        why: String,
    },
    /// The user name or the password is wrong.
    #[error("the database {url} refused the user or the password: {why}; {cure}")]
    Refused {
        /// The database.
        url: String,
        /// Error of the server.
        why: String,
        /// What the operator can do.
        cure: &'static str,
    },
    /// The database does not exist.
    #[error("the database {url} does not exist; create it with `createdb`")]
    NoDatabase {
        /// The database.
        url: String,
    },
    /// The user lacks a right that the relay needs.
    #[error(
        "this user has too few rights in the database {url}: {why}; make the user the owner of the \
         database"
    )]
    Forbidden {
        /// The database.
        url: String,
        /// Error of the server.
        why: String,
    },
    /// The server is too old.
    #[error("the database {url} is PostgreSQL {found}; Podtap needs PostgreSQL 14 or later")]
    TooOld {
        /// The database.
        url: String,
        /// Version of the server.
        found: String,
    },
    /// The schema was written by a newer release.
    #[error(
        "the database {url} was written by a newer podtap (schema {found}; this one reads up to \
         {known}); upgrade podtap"
    )]
    Newer {
        /// The database.
        url: String,
        /// Schema number of the database.
        found: i32,
        /// Newest schema number that this build knows.
        known: i32,
    },
    /// A pooler changes the server connection between transactions.
    #[error(
        "the database {url} is behind a pooler in transaction mode, such as PgBouncer; Podtap needs a \
         connection of its own: set pool_mode=session for it, or connect to PostgreSQL directly"
    )]
    Pooled {
        /// The database.
        url: String,
    },
    /// The database does not store text as UTF-8.
    #[error(
        "the database {url} has the encoding {found}; create it with `createdb --encoding=UTF8 --template=template0`"
    )]
    Encoding {
        /// The database.
        url: String,
        /// Encoding of the database.
        found: String,
    },
    /// TLS cannot be set up.
    #[error("the database {url} cannot be reached over TLS: {why}; {cure}")]
    Tls {
        /// The database.
        url: String,
        why: String,
        /// What the operator can do.
        cure: &'static str,
    },
    /// A statement failed.
    #[error("cannot {attempt} in the database {url}: {why}")]
    Statement {
        /// Operation that failed.
        attempt: &'static str,
        /// The database.
        url: String,
        /// Error of the server.
        why: String,
    },
}

impl PostgresError {
    /// Converts an error of the driver that occurred during `attempt`.
    pub(crate) fn of(attempt: &'static str, url: &str, error: &tokio_postgres::Error) -> Self {
        let url = url.to_owned();
        let why = words(error);
        let Some(code) = error.code() else {
            return match tls_cure(error, &why) {
                Some(cure) => Self::Tls { url, why, cure },
                None => Self::Unreachable { url, why },
            };
        };
        if *code == SqlState::INVALID_CATALOG_NAME {
            return Self::NoDatabase { url };
        }
        match code.code().get(..2).unwrap_or_default() {
            // Class 28: invalid authorization.
            "28" => Self::Refused {
                cure: if why.contains("no encryption") {
                    "check pg_hba.conf; if it asks for TLS, use sslmode=require"
                } else {
                    "check both, and pg_hba.conf"
                },
                url,
                why,
            },
            // The server is shutting down or starting up, or has too many connections.
            "57" | "53" | "08" => Self::Unreachable { url, why },
            // PostgreSQL reports a schema that the user may not use as missing.
            _ if *code == SqlState::INSUFFICIENT_PRIVILEGE
                || *code == SqlState::INVALID_SCHEMA_NAME =>
            {
                Self::Forbidden { url, why }
            }
            _ => Self::Statement { attempt, url, why },
        }
    }
}

/// Returns what the operator can do if TLS is the cause.
fn tls_cure(error: &tokio_postgres::Error, why: &str) -> Option<&'static str> {
    use rustls::CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext,
    };
    let Some(refused) = handshake_error(error) else {
        let has_none = why.contains("does not support TLS");
        return has_none.then_some(
            "turn on TLS on the server, or use sslmode=disable on a network that you trust",
        );
    };
    Some(match refused {
        rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            "use a host name that the certificate is for, or sslmode=verify-ca"
        }
        rustls::Error::InvalidCertificate(Expired | ExpiredContext { .. }) => {
            "renew the server's certificate, or check this machine's clock"
        }
        rustls::Error::InvalidCertificate(_) => {
            "set sslrootcert to the file with the authority that signed it"
        }
        _ => "check the TLS settings of the server",
    })
}

/// Returns the TLS error among the causes, if there is one.
fn handshake_error(error: &tokio_postgres::Error) -> Option<&rustls::Error> {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let inner = error.downcast_ref::<std::io::Error>();
        let inner = inner.and_then(std::io::Error::get_ref);
        let found = inner.and_then(|inner| inner.downcast_ref());
        if let Some(found) = found.or_else(|| error.downcast_ref()) {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// Returns the error and its causes as one line. It does not contain SQL statements or values.
pub(crate) fn words(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return error.message().to_owned();
    }
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = error.source();
    }
    words
}

//! Why a PostgreSQL database cannot be used, in words that say what to do.

use tokio_postgres::error::SqlState;

/// The database cannot be used. `url` is without its password.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// Nobody answers there, or not in time.
    #[error(
        "the database {url} cannot be reached: {why}; check that it runs, and the host and port"
    )]
    Unreachable {
        /// The database.
        url: String,
        /// What the system said.
        why: String,
    },
    /// The user or the password is wrong.
    #[error("the database {url} refused the user or the password: {why}; {cure}")]
    Refused {
        /// The database.
        url: String,
        /// What the server said.
        why: String,
        /// What to do about it.
        cure: &'static str,
    },
    /// There is no such database.
    #[error("the database {url} does not exist; create it with `createdb`")]
    NoDatabase {
        /// The database.
        url: String,
    },
    /// The user may not do what a relay does.
    #[error(
        "this user has too few rights in the database {url}: {why}; make the user the owner of the \
         database"
    )]
    Forbidden {
        /// The database.
        url: String,
        /// What the server said.
        why: String,
    },
    /// The server is too old.
    #[error("the database {url} is PostgreSQL {found}; Podtap needs PostgreSQL 14 or later")]
    TooOld {
        /// The database.
        url: String,
        /// Its version.
        found: String,
    },
    /// The database was written by a newer release.
    #[error(
        "the database {url} was written by a newer podtap (schema {found}; this one reads up to \
         {known}); upgrade podtap"
    )]
    Newer {
        /// The database.
        url: String,
        /// Its schema.
        found: i32,
        /// The newest schema of this build.
        known: i32,
    },
    /// A pooler hands out other connections in between.
    #[error(
        "the database {url} is behind a pooler in transaction mode, such as PgBouncer; Podtap needs a \
         connection of its own: set pool_mode=session for it, or connect to PostgreSQL directly"
    )]
    Pooled {
        /// The database.
        url: String,
    },
    /// Text is kept in another way.
    #[error(
        "the database {url} has the encoding {found}; create it with `createdb --encoding=UTF8 --template=template0`"
    )]
    Encoding {
        /// The database.
        url: String,
        /// Its encoding.
        found: String,
    },
    /// TLS cannot be set up.
    #[error("the database {url} cannot be reached over TLS: {why}; {cure}")]
    Tls {
        /// The database.
        url: String,
        why: String,
        /// What to do about it.
        cure: &'static str,
    },
    /// A statement failed.
    #[error("cannot {attempt} in the database {url}: {why}")]
    Statement {
        /// What was being done.
        attempt: &'static str,
        /// The database.
        url: String,
        /// What the server said.
        why: String,
    },
}

impl PostgresError {
    /// What the driver said while this was being done.
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
            // Invalid authorization.
            "28" => Self::Refused {
                cure: if why.contains("no encryption") {
                    "check pg_hba.conf; if it asks for TLS, use sslmode=require"
                } else {
                    "check both, and pg_hba.conf"
                },
                url,
                why,
            },
            // Shutting down, starting up, too many connections.
            "57" | "53" | "08" => Self::Unreachable { url, why },
            // A schema that the user may not use is none at all.
            _ if *code == SqlState::INSUFFICIENT_PRIVILEGE
                || *code == SqlState::INVALID_SCHEMA_NAME =>
            {
                Self::Forbidden { url, why }
            }
            _ => Self::Statement { attempt, url, why },
        }
    }
}

/// What to do, where TLS is what fails.
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

/// What the handshake failed at, among the causes.
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

/// An error with its causes, as one line. Statements and their values are not among them.
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
